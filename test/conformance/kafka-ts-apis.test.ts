/** Every version of every API that both have: kafka-ts asks over a socket, a broker answers, kafka-ts reads the answer. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { apis } from '../../src/apis/registry.ts'
import { kafkaTsApis, pairs } from './kafka-ts-apis.ts'
import { clusterCases } from './kafka-ts-cluster-cases.ts'
import { groupCases } from './kafka-ts-group-cases.ts'
import { recordCases } from './kafka-ts-record-cases.ts'
import { topicCases } from './kafka-ts-topic-cases.ts'
import { transactionCases } from './kafka-ts-transaction-cases.ts'
import { KafkaTsWorld } from './kafka-ts-world.ts'

const cases = { ...recordCases, ...topicCases, ...groupCases, ...transactionCases, ...clusterCases }

let world: KafkaTsWorld

beforeAll(async () => {
  world = await KafkaTsWorld.start()
})
afterAll(() => world[Symbol.asyncDispose]())

test.each(pairs)('%s', async (_, { ours, version }) => {
  const asked = cases[ours.name]
  if (asked === undefined) throw new Error(`nothing is asked of ${ours.name}: it wants a case beside the others`)
  await asked(world, version)
})

/** Why kafka-ts does not ask them. */
const unasked: Readonly<Record<string, string>> = {
  AlterPartition: 'what brokers tell the controller',
  Envelope: 'what brokers hand on to the controller',
  BrokerRegistration: 'what brokers tell the controller',
  BrokerHeartbeat: 'what brokers tell the controller',
  AllocateProducerIds: 'what brokers ask the controller',
}

test('what we have and kafka-ts has not is what clients have no business with', () => {
  const asked = new Set(pairs.map(([, { ours }]) => ours.name))
  expect(apis.map(({ name }) => name).filter(name => !asked.has(name))).toEqual(Object.keys(unasked))
})

test('no version of ours is one that kafka-ts lacks, and the other way round', () => {
  const versions = (key: number) => kafkaTsApis.filter(([, api]) => api.apiKey === key).map(([, api]) => api.apiVersion)
  const differing = apis
    .filter(({ name }) => !(name in unasked))
    .filter(
      ({
        key,
        request: {
          versions: { min, max },
        },
      }) => {
        const ours = Array.from({ length: max - min + 1 }, (_, i) => min + i)
        return `${ours}` !== `${versions(key)}`
      },
    )
  expect(differing.map(({ name }) => name)).toEqual([])
})
