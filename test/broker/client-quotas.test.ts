import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fetch } from '../../src/apis/fetch.ts'
import { metadata } from '../../src/apis/metadata.ts'
import { produce } from '../../src/apis/produce.ts'
import { type Cluster, createCluster } from '../../src/index.ts'
import { FETCH_VERSION, fetchOf, produceOf, rudeClient, sendBytes } from './quota-story.ts'

let cluster: Cluster

beforeEach(async () => {
  cluster = await createCluster({
    brokers: 2,
    topics: { orders: { assignments: [[1, 2]] }, other: { assignments: [[2]] } },
  })
})
afterEach(() => cluster.close())

/** Two hops of the network, each of which takes at most a millisecond. */
const AT_ONCE = 2

/** As long as said, but for what has passed on the network since the first record: the window grows by it. */
function expectAbout(actual: number, ms: number): void {
  expect(actual).toBeLessThanOrEqual(ms)
  expect(actual).toBeGreaterThan(ms - 20)
}

describe('what is produced (M-31, M-32)', () => {
  test('ten seconds’ worth are free; then every byte too many costs its time, said at once', async () => {
    await cluster.quota({ clientId: 'p' }, { producerByteRate: 1000 })
    const client = await rudeClient(cluster, 'p')
    // The example that was put to Apache Kafka 4.3.1.
    const first = await sendBytes(client, 12_122)
    expect(first.throttleTimeMs).toBe(2122)
    expect(first.tookMs).toBeLessThanOrEqual(2 * AT_ONCE)
    // It was appended, whatever it cost.
    expect(cluster.partition('orders', 0).highWatermark).toBe(1)
  })

  test('the connection is not read for so long, whatever the client sends (W-4, KIP-219)', async () => {
    await cluster.quota({ clientId: 'p' }, { producerByteRate: 1000 })
    const [client, neighbour] = [await rudeClient(cluster, 'p'), await rudeClient(cluster, 'q')]
    await sendBytes(client, 12_122)
    const free = await neighbour.ask(metadata, { topics: [] })
    expect(free.tookMs).toBeLessThanOrEqual(AT_ONCE)
    const spentMs = 2 * AT_ONCE
    const muted = await client.ask(metadata, { topics: [] })
    expect(muted.tookMs).toBeGreaterThanOrEqual(2122 - 2 * spentMs)
    expect(muted.tookMs).toBeLessThanOrEqual(2122 + AT_ONCE)
    expect(muted.throttleTimeMs).toBe(0)
  })

  test('what is within the rate is never throttled, and without quotas nobody is', async () => {
    const client = await rudeClient(cluster, 'p')
    expect((await sendBytes(client, 1_000_000)).throttleTimeMs).toBe(0)
    await cluster.quota({ clientId: 'p' }, { producerByteRate: 1000 })
    for (let second = 0; second < 30; second++) {
      expect((await sendBytes(client, 900)).throttleTimeMs).toBe(0)
      await cluster.clock.advance(1000)
    }
  })

  test('who is never answered (acks=0) is muted all the same, and nothing of it is lost or overtaken', async () => {
    await cluster.quota({ clientId: 'p' }, { producerByteRate: 1000 })
    const client = await rudeClient(cluster, 'p')
    for (const bytes of [14_122, 500, 400]) client.sendOnly(produce, produceOf('p', bytes, { acks: 0 }), 12)
    const muted = await client.ask(metadata, { topics: [] })
    // 4,122 ms for the first; the others wait for it, and are over the rate themselves when their turn comes.
    expect(muted.tookMs).toBeGreaterThan(4122)
    const records = await cluster.topic('orders').records({ as: 'bytes' })
    const sizes = records.map(({ value }) => value!.length)
    expect(sizes).toHaveLength(3)
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a))
  })

  test('brokers do not add up: each grants the whole rate', async () => {
    await cluster.quota({ clientId: 'p' }, { producerByteRate: 1000 })
    const [one, two] = [await rudeClient(cluster, 'p'), await rudeClient(cluster, 'p', { node: 2 })]
    expect(await sendBytes(one, 10_000)).toMatchObject({ throttleTimeMs: 0 })
    expect(await sendBytes(two, 10_000, { topic: 'other' })).toMatchObject({ throttleTimeMs: 0 })
    expect((await sendBytes(one, 500)).throttleTimeMs).toBeGreaterThan(0)
  })

  test('what was used is forgotten with the broker’s life', async () => {
    await cluster.quota({ clientId: 'p' }, { producerByteRate: 1000 })
    await sendBytes(await rudeClient(cluster, 'p', { node: 2 }), 10_000, { topic: 'other' })
    await cluster.broker(2).crash()
    await cluster.broker(2).restart()
    await cluster.runUntil(() => cluster.partition('other', 0).leader === 2)
    const again = await rudeClient(cluster, 'p', { node: 2 })
    expect(await sendBytes(again, 10_000, { topic: 'other' })).toMatchObject({ throttleTimeMs: 0 })
  })
})

describe('whom a quota is for (M-30)', () => {
  test('all clients of a user share the user’s, all users of a client id the client id’s', async () => {
    await cluster.quota({ user: 'alice' }, { producerByteRate: 1000 })
    await cluster.quota({ clientId: 'reports' }, { producerByteRate: 2000 })
    const a = await rudeClient(cluster, 'a', { user: 'alice' })
    const b = await rudeClient(cluster, 'reports', { user: 'alice' })
    await sendBytes(a, 10_000)
    // The user's goes before the client id's.
    expectAbout((await sendBytes(b, 1000)).throttleTimeMs, 1000)
    const [c, d] = [
      await rudeClient(cluster, 'reports', { user: 'bob' }),
      await rudeClient(cluster, 'reports', { user: 'carol' }),
    ]
    expect((await sendBytes(c, 20_000)).throttleTimeMs).toBe(0)
    expectAbout((await sendBytes(d, 1000)).throttleTimeMs, 500)
    const e = await rudeClient(cluster, 'a', { user: 'bob' })
    expect((await sendBytes(e, 100_000)).throttleTimeMs).toBe(0)
  })

  test('a default is everybody’s who has none of his own: to each a rate of his own', async () => {
    await cluster.quota({ clientId: null }, { producerByteRate: 1000 })
    await cluster.quota({ clientId: 'vip' }, { producerByteRate: 1_000_000 })
    const [a, b, vip] = [
      await rudeClient(cluster, 'a'),
      await rudeClient(cluster, 'b'),
      await rudeClient(cluster, 'vip'),
    ]
    expect((await sendBytes(a, 10_001)).throttleTimeMs).toBe(1)
    expect((await sendBytes(b, 10_001)).throttleTimeMs).toBe(1)
    expect((await sendBytes(vip, 1_000_000)).throttleTimeMs).toBe(0)
  })

  test('a client without a client id has none of a client id’s, and its user’s', async () => {
    await cluster.quota({ clientId: null }, { producerByteRate: 1 })
    const nameless = await rudeClient(cluster, null)
    expect((await sendBytes(nameless, 5000)).throttleTimeMs).toBe(0)
    await cluster.quota({ user: 'ANONYMOUS' }, { producerByteRate: 1 })
    expect((await sendBytes(nameless, 5000)).throttleTimeMs).toBe(4_990_000)
  })

  test('a change holds at once, for connections that are open too, and finds what was used', async () => {
    await cluster.quota({ clientId: 'p' }, { producerByteRate: 1_000_000 })
    const client = await rudeClient(cluster, 'p')
    await sendBytes(client, 10_000)
    await cluster.quota({ clientId: 'p' }, { producerByteRate: 1000 })
    expectAbout((await sendBytes(client, 200)).throttleTimeMs, 200)
    await cluster.quota({ clientId: 'p' }, { producerByteRate: null })
    expect((await sendBytes(client, 100_000)).throttleTimeMs).toBe(0)
  })
})

describe('what is fetched (F-4, F-13)', () => {
  test('instead of too much nothing is sent, and nothing is counted; a session that was to begin does not', async () => {
    const writer = await rudeClient(cluster, 'w1')
    await sendBytes(writer, 12_122)
    await cluster.quota({ clientId: 'c' }, { consumerByteRate: 1000 })
    const reader = await rudeClient(cluster, 'c')
    const throttled = await reader.ask(fetch, fetchOf(0, { sessionEpoch: 0 }), FETCH_VERSION)
    // As of Apache Kafka 4.3.1, to the byte: the whole answer counts, and its length.
    expect(throttled).toMatchObject({ throttleTimeMs: 2147, errorCode: 0, sessionId: 0, responses: [] })
    const again = await reader.ask(fetch, fetchOf(0, { sessionEpoch: 0 }), FETCH_VERSION)
    expect(again).toMatchObject({ sessionId: 0, responses: [] })
    // The window has grown by what it took.
    expectAbout(again.throttleTimeMs, 2000)
    expect(again.tookMs).toBeGreaterThan(2140)
  })

  test('a session that goes on does so with the next epoch, and finds what it has missed', async () => {
    await cluster.quota({ clientId: 'c' }, { consumerByteRate: 1000 })
    const [writer, reader] = [await rudeClient(cluster, 'w'), await rudeClient(cluster, 'c')]
    await sendBytes(writer, 8000)
    const { sessionId, responses } = await reader.ask(fetch, fetchOf(0, { sessionEpoch: 0 }), FETCH_VERSION)
    expect(responses).toHaveLength(1)
    await sendBytes(writer, 5000)
    const next = (sessionEpoch: number, isContinued: boolean) =>
      reader.ask(fetch, fetchOf(1, { sessionId, sessionEpoch, isContinued }), FETCH_VERSION)
    const throttled = await next(1, false)
    expect(throttled).toMatchObject({ errorCode: 0, sessionId, responses: [] })
    expect(throttled.throttleTimeMs).toBeGreaterThan(2900)
    await cluster.clock.advance(11_000)
    const found = await next(2, true)
    expect(found).toMatchObject({ throttleTimeMs: 0, sessionId })
    expect(found.responses[0]!.partitions[0]!.records!.byteLength).toBeGreaterThan(4800)
  })

  test('more than ten seconds’ worth is never sent at once (F-4)', async () => {
    const writer = await rudeClient(cluster, 'w')
    for (let i = 0; i < 20; i++) await sendBytes(writer, 1000)
    const all = await (await rudeClient(cluster, 'free')).ask(fetch, fetchOf(0), FETCH_VERSION)
    expect(all.responses[0]!.partitions[0]!.records!.byteLength).toBeGreaterThan(18_000)
    await cluster.quota({ clientId: 'c' }, { consumerByteRate: 1000 })
    const some = await (await rudeClient(cluster, 'c')).ask(fetch, fetchOf(0), FETCH_VERSION)
    const { byteLength } = some.responses[0]!.partitions[0]!.records!
    expect(byteLength).toBeLessThanOrEqual(10_000)
    expect(byteLength).toBeGreaterThan(9000)
  })

  test('followers are no clients: a quota of everybody’s does not hold them up', async () => {
    await cluster.quota({ user: null }, { consumerByteRate: 1, producerByteRate: 1, requestPercentage: 0.001 })
    const client = await rudeClient(cluster, 'p')
    await sendBytes(client, 50_000)
    const follower = () => cluster.partition('orders', 0).replicaLogs.get(2)
    await cluster.runUntil(() => follower()?.endOffset === 1, { timeoutMs: 2000 })
  })
})

describe('requests (request_percentage)', () => {
  test('on virtual time each is a millisecond of a thread: 1 % are a hundred in ten seconds', async () => {
    await cluster.quota({ clientId: 'c' }, { requestPercentage: 1 })
    const client = await rudeClient(cluster, 'c')
    const throttled: number[] = []
    for (let i = 0; i < 105; i++) throttled.push((await client.ask(metadata, { topics: [] })).throttleTimeMs)
    expect(throttled.slice(0, 100)).toEqual(Array(100).fill(0))
    // Each of those that follow is a tenth of a second too many, less the time that all of them took.
    expect(throttled[104]).toBeGreaterThan(0)
    expect(throttled[104]).toBeLessThanOrEqual(500)
  })

  test('nobody is throttled for longer than a second at a time', async () => {
    await cluster.quota({ clientId: 'c' }, { requestPercentage: 0.001 })
    const client = await rudeClient(cluster, 'c')
    for (let i = 0; i < 4; i++) expect((await client.ask(metadata, { topics: [] })).throttleTimeMs).toBe(1000)
  })

  test('of bytes and time the longer pause counts', async () => {
    await cluster.quota({ clientId: 'p' }, { requestPercentage: 0.001, producerByteRate: 1000 })
    const client = await rudeClient(cluster, 'p')
    expect((await sendBytes(client, 500)).throttleTimeMs).toBe(1000)
    expect((await sendBytes(client, 15_000)).throttleTimeMs).toBeGreaterThan(4000)
  })
})
