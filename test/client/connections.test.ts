import { afterEach, expect, test } from 'vitest'
import { apiVersions } from '../../src/apis/api-versions.ts'
import { metadata } from '../../src/apis/metadata.ts'
import { produce } from '../../src/apis/produce.ts'
import { type Cluster, createCluster, hold } from '../../src/index.ts'

let cluster: Cluster
afterEach(() => cluster?.close())

async function start(): Promise<Cluster> {
  const topics = { orders: { partitions: 1, replicationFactor: 3 } }
  cluster = await createCluster({ topics, configs: { 'auto.create.topics.enable': false } })
  return cluster
}

/** What the brokers say they take, changed. */
function advertise(change: (range: { apiKey: number; minVersion: number; maxVersion: number }) => object | undefined) {
  cluster.intercept(apiVersions, async (_, next) => {
    const answer = await next()
    if (typeof answer !== 'object') return answer
    return { ...answer, apiKeys: answer.apiKeys.flatMap(range => (change(range) as typeof range | undefined) ?? []) }
  })
}

const requests = (api: string) =>
  cluster.trace.events().filter(({ kind, fields }) => kind === 'request' && fields.api === api)

test('both ends speak the highest version that both know, on each connection anew (KIP-511)', async () => {
  await start()
  advertise(range => (range.apiKey === produce.key ? { ...range, maxVersion: 9 } : range))
  const producer = cluster.producer()
  expect(await producer.send({ topic: 'orders', value: 'x' })).toMatchObject({ offset: 0 })
  expect(requests('Produce').map(({ fields }) => fields.version)).toEqual([9])
  expect(requests('Metadata').map(({ fields }) => fields.version)).toEqual([metadata.versions.max])
})

test('records go by topic name to brokers that know no topic ids (W-40)', async () => {
  await start()
  advertise(range => (range.apiKey === metadata.key ? { ...range, maxVersion: 9 } : range))
  const producer = cluster.producer()
  expect(await producer.send({ topic: 'orders', value: 'x' })).toMatchObject({ offset: 0 })
  expect(requests('Produce').map(({ fields }) => fields.version)).toEqual([12])
  const consumer = cluster.consumer({ 'auto.offset.reset': 'earliest' })
  consumer.assign([{ topic: 'orders', partition: 0 }])
  expect(await consumer.poll({ timeoutMs: 1_000 })).toHaveLength(1)
})

test('an API that the broker lacks is an UNSUPPORTED_VERSION that names it', async () => {
  await start()
  advertise(range => (range.apiKey === produce.key ? undefined : range))
  await expect(cluster.producer().send({ topic: 'orders', value: 'x' })).rejects.toMatchObject({
    errorName: 'UNSUPPORTED_VERSION',
    message: expect.stringMatching(
      /^Produce is needed in a version of 3 to 13, but the broker at .* does not have it$/,
    ),
  })
})

test('a client that is ahead of its broker asks again in the version that the broker names (W-11)', async () => {
  await start()
  const asked: number[] = []
  cluster.intercept(apiVersions, async (request, next) => {
    asked.push(request.version)
    if (request.version > 3) return { errorCode: 35, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 3 }] }
    return next()
  })
  expect(await cluster.producer().send({ topic: 'orders', value: 'x' })).toMatchObject({ offset: 0 })
  expect(asked.slice(0, 2)).toEqual([4, 3])
})

test('attempts to connect to a broker that is down come at growing intervals', async () => {
  await start()
  const producer = cluster.producer({ 'delivery.timeout.ms': 60_000, 'request.timeout.ms': 1_000 })
  await producer.send({ topic: 'orders', value: 'x' })
  for (const broker of cluster.brokers) await broker.crash()
  const attempts: number[] = []
  cluster.network.rule(({ from, what }) => {
    if (from === 'producer-1' && what === 'connect') attempts.push(cluster.clock.now())
    return 'pass'
  })
  const send = producer.send({ topic: 'orders', value: 'y' })
  await expect(send).rejects.toMatchObject({ errorName: 'REQUEST_TIMED_OUT' })
  expect(attempts.length).toBeGreaterThan(50)
  expect(attempts.length).toBeLessThan(600)
})

test('metadata of a broker that lags behind does not take a partition back to its old leader (C-81)', async () => {
  await start()
  const producer = cluster.producer({ 'metadata.max.age.ms': 1_000 })
  await producer.send({ topic: 'orders', value: 'x' })
  const old = cluster.leaderOf('orders', 0).id
  await cluster.leaderOf('orders', 0).crash()
  await producer.send({ topic: 'orders', value: 'y' })
  const now = cluster.leaderOf('orders', 0).id
  expect(now).not.toBe(old)
  cluster.intercept(metadata, async (_, next) => {
    const answer = await next()
    if (typeof answer !== 'object') return answer
    const topics = answer.topics.map(topic => ({
      ...topic,
      partitions: topic.partitions.map(partition => ({ ...partition, leaderId: old, leaderEpoch: 0 })),
    }))
    return { ...answer, topics }
  })
  await cluster.clock.advance(2_000)
  for (let i = 0; i < 5; i++) await producer.send({ topic: 'orders', value: 'z' })
  const [info] = await producer.partitionsFor('orders')
  expect(info?.leader).toBe(now)
})

test('a topic that is made anew under its name is another topic (C-49, C-81)', async () => {
  await start()
  const producer = cluster.producer()
  const admin = cluster.admin()
  for (let i = 0; i < 3; i++) await producer.send({ topic: 'orders', value: 'x' })
  await admin.deleteTopics(['orders'])
  await admin.createTopics([{ name: 'orders', partitions: 1, replicationFactor: 3 }])
  expect(await producer.send({ topic: 'orders', value: 'y' })).toMatchObject({ offset: 0 })
})

test('metadata comes from another broker when one does not answer', async () => {
  await start()
  const asked = cluster.broker(1)
  cluster.network.rule(hold({ to: asked, api: metadata }))
  for (let i = 0; i < 4; i++) {
    const producer = cluster.producer({ 'request.timeout.ms': 1_000, 'max.block.ms': 10_000 })
    expect(await producer.send({ topic: 'orders', value: 'x' })).toMatchObject({ offset: i })
  }
})
