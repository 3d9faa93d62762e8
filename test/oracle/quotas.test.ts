/**
 * Quotas beside a real Apache Kafka: the same requests, in the same order, over TCP, to both. Throttle times are equal but for
 * the milliseconds that the requests took, by which Kafka's window grows too; those of fresh rates to the millisecond.
 */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { apiVersions } from '../../src/apis/api-versions.ts'
import { createPartitions } from '../../src/apis/create-partitions.ts'
import { createTopics } from '../../src/apis/create-topics.ts'
import { deleteTopics } from '../../src/apis/delete-topics.ts'
import { fetch } from '../../src/apis/fetch.ts'
import { metadata } from '../../src/apis/metadata.ts'
import { produce } from '../../src/apis/produce.ts'
import { Admin, type Cluster, createCluster } from '../../src/index.ts'
import type { Address } from '../../src/network/channel.ts'
import { Connection } from '../../src/network/connection.ts'
import { TcpCarrier } from '../../src/network/tcp.ts'
import { RealRuntime } from '../../src/runtime/real.ts'
import { zeroUuid } from '../../src/wire/uuid.ts'
import { FETCH_VERSION, fetchOf, produceOf } from '../broker/quota-story.ts'
import { type Oracle, startKafka } from './kafka.mjs'

const oracleOf = inject('oracle')
const missing = oracleOf === undefined ? 'run by vitest.oracle.config.ts' : oracleOf.missing

let kafka: Oracle
let ours: Cluster
const runtime = new RealRuntime({ seed: 1 })
const carrier = new TcpCarrier({ runtime })
const TIMEOUT_MS = 60_000
let attempts = 0

beforeAll(async () => {
  if (missing !== undefined) return
  kafka = await startKafka({ dir: join(oracleOf!.dir, 'quotas') })
  ours = await createCluster({ brokers: 1, listen: true })
})

afterAll(async () => {
  await carrier.close()
  await ours?.close()
  await kafka?.stop()
})

const addressOf = (servers: string): Address => {
  const [host = '', port] = servers.split(':')
  return { host, port: Number(port) }
}

/** One of the two, as a script sees it. */
interface Stage {
  readonly admin: Admin
  /** A name of this attempt's own, the same on both: a test that is told again finds what the first attempt made. */
  own(name: string): string
  connect(clientId: string): Promise<Connection>
}

type Script = (stage: Stage) => Promise<(number | string)[]>

async function playOn(servers: string, attempt: number, script: Script): Promise<(number | string)[]> {
  const admin = new Admin({ 'bootstrap.servers': servers })
  const connections: Connection[] = []
  try {
    return await script({
      admin,
      own: name => `${name}${attempt}`,
      async connect(clientId) {
        const channel = await carrier.connect('script', addressOf(servers))
        const connection = new Connection(channel, { runtime, clientId })
        connections.push(connection)
        return connection
      },
    })
  } finally {
    for (const connection of connections) connection.close()
    await admin.close()
  }
}

/** Both answers; what a real broker has applied of the metadata log lags behind a little. */
async function play(script: Script) {
  const attempt = ++attempts
  return {
    kafka: await playOn(kafka.bootstrapServers, attempt, script),
    ours: await playOn(ours.bootstrapServers, attempt, script),
  }
}

const limit = async ({ admin }: Stage, clientId: string, values: Record<string, number>) => {
  await admin.alterClientQuotas([{ entity: { 'client-id': clientId }, values }])
  await pause(300)
}

const newTopic = async ({ admin }: Stage, name: string) => {
  await admin.createTopics([{ name, partitions: 1 }])
  await pause(300)
}

/** The same, but for how long requests took. */
function expectNearly(a: readonly (number | string)[], b: readonly (number | string)[], withinMs: number): void {
  expect(a).toHaveLength(b.length)
  for (const [index, one] of a.entries()) {
    const other = b[index]!
    if (typeof one === 'string' || typeof other === 'string') expect(one).toBe(other)
    else expect(Math.abs(one - other), `${index}: ${one}, ${other}`).toBeLessThanOrEqual(withinMs)
  }
}

describe.skipIf(missing !== undefined)('throttle times', () => {
  test('of bytes produced (M-31): the first to the millisecond', async () => {
    const answers = await play(async stage => {
      await newTopic(stage, stage.own('quota-produce'))
      await limit(stage, stage.own('p'), { producer_byte_rate: 1000 })
      const connection = await stage.connect(stage.own('p'))
      const times: number[] = []
      for (const bytes of [12_122, 500, 900]) {
        const body = produceOf(stage.own('p'), bytes, { topic: stage.own('quota-produce') })
        times.push((await connection.request(produce, 12, body, TIMEOUT_MS)).throttleTimeMs)
      }
      return times
    })
    expect(answers.kafka[0]).toBe(2122)
    expect(answers.ours[0]).toBe(2122)
    expectNearly(answers.ours, answers.kafka, 100)
  })

  test('of bytes fetched (F-13): nothing is sent instead, and sessions go on with the next epoch', async () => {
    const answers = await play(async stage => {
      await newTopic(stage, stage.own('quota-fetch'))
      const writer = await stage.connect('w1')
      const write = (bytes: number) =>
        writer.request(produce, 12, produceOf('w1', bytes, { topic: stage.own('quota-fetch') }), TIMEOUT_MS)
      await write(12_122)
      await limit(stage, stage.own('c1'), { consumer_byte_rate: 1000 })
      const reader = await stage.connect(stage.own('c1'))
      const ask = (offset: number, sessionId: number, sessionEpoch: number, isContinued = false) => {
        const body = fetchOf(offset, { topic: stage.own('quota-fetch'), sessionId, sessionEpoch, isContinued })
        return reader.request(fetch, FETCH_VERSION, body, TIMEOUT_MS)
      }
      const first = await ask(0, 0, 0)
      await write(5000)
      const begun = await ask(1, 0, 0)
      await write(8000)
      const session = begun.sessionId
      const held = await ask(2, session, 1)
      const repeated = await ask(2, session, 1)
      return [
        first.throttleTimeMs,
        `session ${first.sessionId}, ${first.responses.length} topics`,
        begun.throttleTimeMs,
        `${begun.responses.length} topics`,
        held.throttleTimeMs > 0 ? 'throttled' : 'free',
        `the same session: ${held.sessionId === session}, ${held.responses.length} topics, error ${held.errorCode}`,
        `its epoch again: error ${repeated.errorCode}`,
      ]
    })
    expectNearly(answers.ours, answers.kafka, 30)
  })

  test('of requests: a second at most', async () => {
    const answers = await play(async stage => {
      // So little that a handler of microseconds is too long, too.
      await limit(stage, stage.own('r'), { request_percentage: 0.000001 })
      const connection = await stage.connect(stage.own('r'))
      const times: number[] = []
      for (let i = 0; i < 3; i++) {
        times.push((await connection.request(metadata, 12, { topics: [] }, TIMEOUT_MS)).throttleTimeMs)
      }
      return times
    })
    expect(answers).toEqual({ kafka: [1000, 1000, 1000], ours: [1000, 1000, 1000] })
  })

  test('of changes to the cluster (M-32), in versions that are refused and in those that are carried out', async () => {
    const answers = await play(async stage => {
      await limit(stage, stage.own('m'), { controller_mutation_rate: 1 })
      const connection = await stage.connect(stage.own('m'))
      const said: (number | string)[] = []
      const create = async (version: number, counts: Record<string, number>, validateOnly = false) => {
        const topics = Object.entries(counts).map(([name, numPartitions]) => {
          return { name: stage.own(`quota-${name}`), numPartitions, replicationFactor: 1, assignments: [], configs: [] }
        })
        const body = { topics, timeoutMs: 10_000, validateOnly }
        const answer = await connection.request(createTopics, version, body, TIMEOUT_MS)
        const errors = answer.topics.map(({ name, errorCode, errorMessage }) => `${name} ${errorCode} ${errorMessage}`)
        said.push(answer.throttleTimeMs, errors.sort().join())
      }
      await create(7, { v: 3 }, true)
      await create(7, { a: 12 })
      await create(7, { b: 2, c: 1 })
      await create(5, { d: 2 })
      await create(7, { e: 2 }, true)
      for (const version of [3, 2]) {
        const body = {
          topics: [{ name: stage.own('quota-a'), count: 14, assignments: null }],
          timeoutMs: 10_000,
          validateOnly: false,
        }
        const answer = await connection.request(createPartitions, version, body, TIMEOUT_MS)
        said.push(answer.throttleTimeMs, `${answer.results[0]!.errorCode} ${answer.results[0]!.errorMessage}`)
      }
      const remove = { topics: [{ name: stage.own('quota-a'), topicId: zeroUuid }], timeoutMs: 10_000 }
      const removed = await connection.request(deleteTopics, 6, remove, TIMEOUT_MS)
      said.push(removed.throttleTimeMs, `${removed.responses[0]!.errorCode}`)
      return said
    })
    expectNearly(answers.ours, answers.kafka, 200)
  })

  test('who is not answered (acks=0) is not read for so long', async () => {
    const answers = await play(async stage => {
      await newTopic(stage, stage.own('quota-silent'))
      await limit(stage, stage.own('s'), { producer_byte_rate: 1000 })
      const connection = await stage.connect(stage.own('s'))
      const before = runtime.now()
      connection.sendOnly(produce, 12, produceOf(stage.own('s'), 12_000, { topic: stage.own('quota-silent'), acks: 0 }))
      await connection.request(metadata, 12, { topics: [] }, TIMEOUT_MS)
      return [runtime.now() - before]
    })
    expectNearly(answers.ours, [2000], 250)
    expectNearly(answers.kafka, [2000], 250)
  })

  test('of connections: ten, and the others are closed after a second', async () => {
    const answers = await play(async stage => {
      // The admin client's own may be among them: it is asked for nothing else before the end.
      await stage.admin.alterClientQuotas([{ entity: { ip: '127.0.0.1' }, values: { connection_creation_rate: 1 } }])
      await pause(300)
      const attempt = async () => {
        const before = runtime.now()
        try {
          await (await stage.connect('c')).request(apiVersions, 0, {}, TIMEOUT_MS)
          return 'answered'
        } catch {
          return runtime.now() - before > 800 ? 'closed after a second' : 'closed at once'
        }
      }
      const all = await Promise.all(Array.from({ length: 14 }, attempt))
      await stage.admin.alterClientQuotas([{ entity: { ip: '127.0.0.1' }, values: { connection_creation_rate: null } }])
      return all.sort()
    })
    const expected = [...Array<string>(10).fill('answered'), ...Array<string>(4).fill('closed after a second')]
    expect(answers).toEqual({ kafka: expected, ours: expected })
  })
})
