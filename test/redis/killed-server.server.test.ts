/** The Redis server is killed in the middle of it all, and starts again with what it had on its disk. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { type Cluster, createCluster } from '../../src/index.ts'
import { redisLogs } from '../../src/redis.ts'
import { Random } from '../../src/runtime/random.ts'
import { missingForRedis, type RedisServer, RedisServers } from './servers.ts'
import { persistent, SteadyProducer, storedFor } from './steady-producer.ts'

const KILLS = 10
const topics = { orders: { partitions: 1, replicationFactor: 3, configs: { 'min.insync.replicas': 2 } } }
const servers = new RedisServers()
const open: { readonly cluster: Cluster; readonly client: Redis }[] = []

async function start(server: RedisServer): Promise<Cluster> {
  const client = server.client()
  client.on('error', () => {})
  const cluster = await createCluster({ topics, logs: redisLogs(client), warn: () => {} })
  open.push({ cluster, client })
  return cluster
}

async function end(): Promise<void> {
  for (const { cluster, client } of open.splice(0)) {
    await cluster.close()
    client.disconnect()
  }
}

afterEach(end)
afterAll(() => servers.stop())

describe.skipIf(missingForRedis() !== undefined)('a server that is killed', () => {
  test(`with appendfsync always keeps every acknowledged record, once, in order, over ${KILLS} kills`, async () => {
    const server = await servers.server({ appendfsync: 'always' })
    const random = new Random(1)
    const cluster = await start(server)
    const producer = new SteadyProducer(cluster.producer(persistent))
    for (let kill = 0; kill < KILLS; kill++) {
      await producer.goesOn()
      await sleep(random.below(50))
      await server.kill()
      await server.start()
    }
    await producer.goesOn()
    await producer.stop()
    expect(producer.refused).toEqual([])
    const { acknowledged } = producer
    expect(await storedFor(cluster.consumer({ 'auto.offset.reset': 'earliest' }), 1)).toEqual(acknowledged)
    await end()
    // And so it is for who comes next.
    const next = await start(server)
    expect(await storedFor(next.consumer({ 'auto.offset.reset': 'earliest' }), 1)).toEqual(acknowledged)
  })

  test('without a disk loses all: a cluster that runs refuses to go on, and says what is gone', async () => {
    const server = await servers.server()
    const cluster = await start(server)
    const producer = cluster.producer({ ...persistent, 'delivery.timeout.ms': 3_000 })
    for (let n = 0; n < 10; n++) await producer.send({ topic: 'orders', partition: 0, value: `${n}` })
    await server.kill()
    await server.start()
    const refusal = await producer.send({ topic: 'orders', partition: 0, value: 'behind what is gone' }).then(
      ({ offset }) => new Error(`it was appended at ${offset}`),
      error => error,
    )
    expect(`${refusal.name} ${refusal.cause ?? ''}`).toMatch(/Timeout|STORAGE|NOT_LEADER/)
    expect(cluster.partition('orders', 0).endOffset).toBe(10)
    const consumer = cluster.consumer({ 'auto.offset.reset': 'earliest' })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    expect((await consumer.poll({ timeoutMs: 500 })).isEmpty).toBe(true)
    await consumer.close()
  })

  test('with appendfsync everysec keeps a beginning of what it had acknowledged, mostly all, and who comes next goes on behind it', async () => {
    const server = await servers.server({ appendfsync: 'everysec' })
    const cluster = await start(server)
    const producer = new SteadyProducer(cluster.producer({ ...persistent, 'delivery.timeout.ms': 2_000 }))
    await producer.goesOn(50)
    await server.kill()
    await server.start()
    await sleep(500)
    await producer.stop()
    await end()
    const next = await start(server)
    const stored = await storedFor(next.consumer({ 'auto.offset.reset': 'earliest' }), 0)
    const { acknowledged } = producer
    expect(stored.slice(0, acknowledged.length)).toEqual(acknowledged.slice(0, stored.length))
    const { offset } = await next.producer(persistent).send({ topic: 'orders', partition: 0, value: 'goes on' })
    expect(offset).toBe(stored.length)
  })
})
