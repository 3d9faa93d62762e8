/** A whole cluster on a real server, on real time. */
import { Cluster, type Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createCluster } from '../../src/index.ts'
import { redisLogs } from '../../src/redis.ts'
import '../../src/vitest.ts'
import { eventually, type RedisServer, RedisServers } from './servers.ts'

const servers = new RedisServers()
const clients: Redis[] = []
let server: RedisServer
let keyspaces = 0

beforeAll(async () => {
  server = await servers.server({ appendfsync: 'always' })
})

afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect()
})

afterAll(() => servers.stop())

function connect(): Redis {
  const client = server.client()
  client.on('error', () => {})
  clients.push(client)
  return client
}

const orders = { orders: { partitions: 1, replicationFactor: 3, configs: { 'min.insync.replicas': 2 } } }

test('a cluster on a server is on real time unless the test says otherwise, which it refuses', async () => {
  const logs = () => redisLogs(connect(), { keyspace: `cluster-${keyspaces++}` })
  await using cluster = await createCluster({ brokers: 1, logs: logs() })
  await cluster.producer().send({ topic: 'anything', value: 'v' })
  await expect(createCluster({ logs: logs(), time: 'virtual' })).rejects.toThrow(
    "logs: this log store does real I/O, which virtual time cannot hold: leave time out, or say time: 'real'",
  )
})

test('a server that has no memory left refuses; when it has again, the controller and every log go on, and nothing is twice', async () => {
  const client = connect()
  await using cluster = await createCluster({
    topics: orders,
    logs: redisLogs(client, { keyspace: `cluster-${keyspaces++}` }),
  })
  const producer = cluster.producer({ acks: 'all', 'linger.ms': 0 })
  await producer.send({ topic: 'orders', value: '0' })
  await client.config('SET', 'maxmemory', '1kb')
  const sent = [1, 2, 3].map(n => producer.send({ topic: 'orders', value: `${n}` }))
  const created = cluster
    .admin()
    .createTopics([{ name: 'other', partitions: 1 }])
    .then(
      () => 'created',
      error => String(error),
    )
  await eventually(() => cluster.trace.text().includes('its log failed'))
  await client.config('SET', 'maxmemory', '0')
  await Promise.all(sent)
  expect(await created).toBeTypeOf('string')
  await cluster.createTopic({ name: 'later', replicationFactor: 3 })
  await producer.send({ topic: 'orders', value: '4' })
  await expect(cluster).toHaveDelivered(
    'orders',
    ['0', '1', '2', '3', '4'].map((value, offset) => ({ value, offset })),
  )
})

test('a server that is killed and started again: what was acknowledged is there once, in order, and the cluster goes on', async () => {
  await using cluster = await createCluster({
    topics: orders,
    logs: redisLogs(connect(), { keyspace: `cluster-${keyspaces++}` }),
  })
  const producer = cluster.producer({ acks: 'all', 'linger.ms': 0 })
  const sent = []
  for (let n = 0; n < 300; n++) {
    sent.push(producer.send({ topic: 'orders', value: `${n}` }))
    if (n % 10 === 0) await sent.at(-11)
    if (n === 100 || n === 200) {
      await server.kill()
      await server.start()
    }
  }
  await Promise.all(sent)
  await cluster.createTopic({ name: 'later', replicationFactor: 3 })
  await expect(cluster).toHaveDelivered(
    'orders',
    sent.map((_, n) => ({ value: `${n}` })),
  )
})

test('on a Redis Cluster of three nodes the logs lie in many slots, a broker’s disk is emptied on all nodes, and the cluster is continued', async () => {
  const nodes = await servers.cluster()
  const client = new Cluster(nodes.map(({ host, port }) => ({ host, port })))
  try {
    const topics = { orders: { partitions: 6, replicationFactor: 3 } }
    const cluster = await createCluster({ topics, logs: redisLogs(client) })
    const producer = cluster.producer({ acks: 'all', 'transactional.id': 'till' })
    await producer.initTransactions()
    await producer.beginTransaction()
    for (let n = 0; n < 60; n++) void producer.send({ topic: 'orders', partition: n % 6, value: `${n}` })
    await producer.commitTransaction()
    const used = await Promise.all(client.nodes('master').map(node => node.keys('korvet:stream:orders:*')))
    expect(used.filter(keys => keys.length > 0).length).toBeGreaterThan(1)
    expect(used.flat().length).toBe(6)
    await cluster.brokers[1]!.restart({ disk: 'empty' })
    // A marker may be there twice, where the leader changed before it had answered.
    const isWhole = (n: number) => {
      const { endOffset, replicaLogs } = cluster.partition('orders', n)
      return endOffset >= 11 && replicaLogs.get(2)?.endOffset === endOffset
    }
    await cluster.runUntil(() => [0, 1, 2, 3, 4, 5].every(isWhole))
    await cluster.close()

    await using again = await createCluster({ logs: redisLogs(client) })
    const records = await again.topic('orders').records()
    expect(records.map(({ value }) => Number(value)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 60 }, (_, n) => n),
    )
    await again.admin().deleteTopics(['orders'])
    const left = async () => (await Promise.all(client.nodes('master').map(node => node.keys('*orders*')))).flat()
    await eventually(async () => (await left()).length === 0)
  } finally {
    client.disconnect()
  }
})
