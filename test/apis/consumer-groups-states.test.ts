import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { keptOn } from './committing.ts'
import { consumerRequests, consumerSetups, consumerStateAfter, TOPIC } from './consumer-states.ts'
import { consumerTable } from './group-states.ts'
import { transactionsOn } from './transacting.ts'

/** Requests of the table that no broker here takes, and why. */
const leftOut: Readonly<Record<string, string>> = {
  ShareGroupDescribe: 'there are no share groups',
  'ShareGroupHeartbeat epoch 0': 'there are no share groups',
}

let cluster: Cluster
let groups = 0

beforeAll(async () => {
  cluster = await createCluster({
    brokers: 1,
    configs: { 'group.initial.rebalance.delay.ms': 0 },
    topics: { [TOPIC]: { partitions: 4 }, k2: { partitions: 2 }, ...keptOn(1), ...transactionsOn(1) },
  })
})

afterAll(() => cluster.close())

test('every request of the table is asked, but for those that are left out by name', () => {
  const named = new Set(Object.values(consumerTable).flatMap(rows => Object.keys(rows)))
  expect([...named].sort()).toEqual([...Object.keys(consumerRequests), ...Object.keys(leftOut)].sort())
  expect(Object.keys(consumerSetups)).toEqual(Object.keys(consumerTable))
})

/** G-4, G-31, G-33, G-35, G-41, G-50…G-58: what Kafka 4.3.1 answered. */
describe.each(Object.entries(consumerTable))('a consumer group: %s', (state, rows) => {
  const asked = Object.entries(rows).filter(([request]) => request in consumerRequests)
  test.each(asked)('%s', async (request, row) => {
    const situation = await consumerSetups[state]!(cluster, `group-${++groups}`)
    const outcome = (await consumerRequests[request]!(situation)).trim()
    expect([outcome, await consumerStateAfter(situation)]).toEqual([row.outcome.trim(), row.then])
  })
})
