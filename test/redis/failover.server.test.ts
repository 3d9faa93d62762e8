/** What holds the logs moves to another server in the middle of it all. */
import { Redis, Cluster as RedisCluster } from 'ioredis'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { type Cluster, createCluster } from '../../src/index.ts'
import { type RedisLogsOptions, redisLogs } from '../../src/redis.ts'
import { eventually, missingForRedis, type RedisServer, RedisServers } from './servers.ts'
import { persistent, SteadyProducer, storedFor } from './steady-producer.ts'

const topics = { orders: { partitions: 1, replicationFactor: 3, configs: { 'min.insync.replicas': 2 } } }
const servers = new RedisServers()
const open: { readonly cluster: Cluster; readonly client: Redis | RedisCluster }[] = []

async function start(client: Redis | RedisCluster, options: RedisLogsOptions = {}): Promise<Cluster> {
  client.on('error', () => {})
  const cluster = await createCluster({ topics, logs: redisLogs(client, options) })
  open.push({ cluster, client })
  return cluster
}

afterEach(async () => {
  for (const { cluster, client } of open.splice(0)) {
    await cluster.close()
    client.disconnect()
  }
})
afterAll(() => servers.stop())

async function expectAllStored(cluster: Cluster, producer: SteadyProducer): Promise<void> {
  await producer.goesOn(5)
  await producer.stop()
  expect(producer.refused).toEqual([])
  const consumer = cluster.consumer({ 'auto.offset.reset': 'earliest' })
  expect(await storedFor(consumer, 1)).toEqual(producer.acknowledged)
}

describe.skipIf(missingForRedis() !== undefined)('every acknowledged record is there, once, in order', () => {
  test('after Sentinels have made a replica master, where appends wait for one replica', async () => {
    const master = await servers.server()
    const replicas = [await servers.replica(master), await servers.replica(master)]
    const sentinels = await servers.sentinels(master, 2)
    const client = new Redis({
      sentinels: sentinels.map(({ host, port }) => ({ host, port })),
      name: 'mini',
      retryStrategy: () => 20,
      sentinelRetryStrategy: () => 50,
    })
    const cluster = await start(client, { waitReplicas: 1 })
    const producer = new SteadyProducer(cluster.producer(persistent))
    await producer.goesOn(20)
    await master.kill()
    const isMaster = async (server: RedisServer) => `${await server.ask('ROLE')}`.startsWith('master')
    await eventually(async () => (await Promise.all(replicas.map(isMaster))).includes(true))
    await expectAllStored(cluster, producer)
  })

  test('while its slot moves from node to node of a Redis Cluster', async () => {
    const nodes = await servers.cluster()
    const client = new RedisCluster(
      nodes.map(({ host, port }) => ({ host, port })),
      { clusterRetryStrategy: () => 50, slotsRefreshTimeout: 2_000 },
    )
    const cluster = await start(client)
    const producer = new SteadyProducer(cluster.producer(persistent))
    await producer.goesOn(20)
    const slot = String(await nodes[0]!.ask('CLUSTER', 'KEYSLOT', 'korvet:stream:orders:0'))
    for (let move = 0; move < 3; move++) {
      await moveSlot(slot, nodes)
      await producer.goesOn(5)
    }
    await expectAllStored(cluster, producer)
  })
})

/** To the node after the one that has it, key by key, while others use it. */
async function moveSlot(slot: string, nodes: readonly RedisServer[]): Promise<void> {
  const ids = await Promise.all(nodes.map(async node => String(await node.ask('CLUSTER', 'MYID'))))
  const owner = await ownerOf(slot, nodes)
  const [from, to] = [nodes[owner]!, nodes[(owner + 1) % nodes.length]!]
  const [fromId, toId] = [ids[owner]!, ids[(owner + 1) % nodes.length]!]
  await to.ask('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId)
  await from.ask('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId)
  for (;;) {
    const keys = (await from.ask('CLUSTER', 'GETKEYSINSLOT', slot, '1')) as string[]
    if (keys.length === 0) break
    await from.ask('MIGRATE', to.host, `${to.port}`, keys[0]!, '0', '5000')
  }
  for (const node of [to, from, ...nodes]) await node.ask('CLUSTER', 'SETSLOT', slot, 'NODE', toId)
}

async function ownerOf(slot: string, nodes: readonly RedisServer[]): Promise<number> {
  const spans = (await nodes[0]!.ask('CLUSTER', 'SLOTS')) as [number, number, [string, number]][]
  const [, , [, port]] = spans.find(([first, last]) => Number(slot) >= first && Number(slot) <= last)!
  return nodes.findIndex(node => node.port === port)
}
