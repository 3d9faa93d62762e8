/** A whole cluster in virtual time, its logs in ioredis-mock: what the memory has, the mock has as well, and Redis' own commands show it. */
import IoredisMock from 'ioredis-mock'
import { describe, expect, test } from 'vitest'
import { type Cluster, type ClusterOptions, createCluster } from '../../src/index.ts'
import { redisLogs } from '../../src/redis.ts'
import '../../src/vitest.ts'

let keyspaces = 0

async function onMock(
  options: ClusterOptions,
): Promise<{ cluster: Cluster; client: InstanceType<typeof IoredisMock>; keyspace: string }> {
  const client = new IoredisMock()
  const keyspace = `cluster-${keyspaces++}`
  const cluster = await createCluster({ ...options, logs: redisLogs(client, { keyspace }) })
  return { cluster, client, keyspace }
}

const orders = (configs = {}) => ({ orders: { partitions: 1, replicationFactor: 3, configs } })

const ids = async (client: InstanceType<typeof IoredisMock>, key: string) =>
  (await client.xrange(key, '-', '+')).map(([id]) => id)

describe('a cluster whose logs are in ioredis-mock', () => {
  test('keeps an acknowledged record over the loss of its leader', async () => {
    const { cluster } = await onMock({ topics: orders({ 'min.insync.replicas': 2 }) })
    await using _ = cluster
    const producer = cluster.producer({ acks: 'all' })
    const { offset } = await producer.send({ topic: 'orders', key: 'ORDER-1001', value: 'paid' })
    await cluster.leaderOf('orders', 0).crash()
    await expect(cluster).toHaveDelivered('orders', [{ partition: 0, offset, key: 'ORDER-1001', value: 'paid' }])
  })

  test('has each batch once in the stream of every replica, the first one’s under the topic’s own name', async () => {
    const { cluster, client, keyspace } = await onMock({ topics: orders() })
    await using _ = cluster
    const producer = cluster.producer({ acks: 'all', 'linger.ms': 5 })
    await Promise.all(['a', 'b', 'c'].map(value => producer.send({ topic: 'orders', value })))
    await producer.send({ topic: 'orders', value: 'd' })
    const { replicas } = cluster.partition('orders', 0)
    const [first, ...others] = replicas
    const keys = [`${keyspace}:stream:orders:0`, ...others.map(id => `${keyspace}:replica:${id}:orders:0`)]
    for (const key of keys) expect(await ids(client, key)).toEqual(['3-0', '4-0'])
    expect(await client.exists(`${keyspace}:replica:${first}:orders:0`)).toBe(0)
    const [[, fields]] = (await client.xrangeBuffer(keys[0]!, '4', '4')) as [[Buffer, [Buffer, Buffer]]]
    expect(String(fields[0])).toBe('b')
    expect([fields[1].readBigInt64BE(0), fields[1].readInt32BE(8) + 12]).toEqual([3n, fields[1].length])
  })

  test('shows its topics in a set, and each in a hash of its own, for as long as it is there', async () => {
    const { cluster, client, keyspace } = await onMock({ topics: orders({ 'retention.ms': 60_000 }) })
    await using _ = cluster
    expect(await client.smembers(`${keyspace}:topics`)).toEqual(['orders'])
    expect(await client.hgetall(`${keyspace}:topic:orders`)).toEqual({
      id: expect.stringMatching(/^[\w-]{22}$/),
      name: 'orders',
      partitions: '1',
      replicationFactor: '3',
      'retention.ms': '60000',
    })
    const admin = cluster.admin()
    await admin.createPartitions({ orders: { count: 2 } })
    expect(await client.hget(`${keyspace}:topic:orders`, 'partitions')).toBe('2')
    await admin.deleteTopics(['orders'])
    expect(await client.smembers(`${keyspace}:topics`)).toEqual([])
    expect((await client.keys('*')).filter(key => key.includes(`${keyspace}:`) && key.includes('orders'))).toEqual([])
  })

  test('shows nothing of a deleted topic to the one that is made under its name', async () => {
    const { cluster, client, keyspace } = await onMock({ topics: orders() })
    await using _ = cluster
    const producer = cluster.producer({ acks: 'all' })
    await producer.send({ topic: 'orders', value: 'old' })
    const [absent] = cluster.followersOf('orders', 0)
    await absent!.crash()
    await cluster.admin().deleteTopics(['orders'])
    await absent!.restart()
    await cluster.createTopic({ name: 'orders', replicationFactor: 3 })
    await cluster.producer({ acks: 'all' }).send({ topic: 'orders', value: 'new' })
    await expect(cluster).toHaveDelivered('orders', [{ offset: 0, value: 'new' }])
    expect(await ids(client, `${keyspace}:stream:orders:0`)).toEqual(['1-0'])
  })

  test('lets a restarted broker go on with what it had, and a broker with an empty disk fetch it all again', async () => {
    const { cluster } = await onMock({ topics: orders() })
    await using _ = cluster
    const producer = cluster.producer({ acks: 'all' })
    for (const value of ['a', 'b']) await producer.send({ topic: 'orders', value })
    const [follower] = cluster.followersOf('orders', 0)
    await follower!.restart({ disk: 'empty' })
    await cluster.leaderOf('orders', 0).restart()
    await producer.send({ topic: 'orders', value: 'c' })
    await expect(cluster).toHaveDelivered('orders', [{ value: 'a' }, { value: 'b' }, { value: 'c' }])
    const ends = () => [...cluster.partition('orders', 0).replicaLogs.values()].map(({ endOffset }) => endOffset)
    await cluster.runUntil(() => `${ends()}` === '3,3,3')
  })

  test('keeps transactions apart: what was aborted is read by nobody who reads committed', async () => {
    const { cluster } = await onMock({ topics: orders() })
    await using _ = cluster
    const producer = cluster.producer({ 'transactional.id': 'till' })
    await producer.initTransactions()
    for (const [value, ends] of [
      ['kept', 'commit'],
      ['dropped', 'abort'],
      ['kept too', 'commit'],
    ] as const) {
      await producer.beginTransaction()
      void producer.send({ topic: 'orders', value })
      await (ends === 'commit' ? producer.commitTransaction() : producer.abortTransaction())
    }
    await expect(cluster).toHaveDelivered('orders', [{ value: 'kept' }, { value: 'kept too' }])
    await cluster.leaderOf('orders', 0).crash()
    await expect(cluster).toHaveDelivered('orders', [{ value: 'kept' }, { value: 'kept too' }])
  })

  test('drops what was deleted and what is too old from the streams as well (S-13, S-30)', async () => {
    const { cluster, client, keyspace } = await onMock({
      topics: orders({ 'segment.ms': 1_000, 'retention.ms': 600_000 }),
    })
    await using _ = cluster
    const producer = cluster.producer({ acks: 'all' })
    for (let n = 0; n < 4; n++) {
      await producer.send({ topic: 'orders', value: `${n}` })
      await cluster.clock.advance(2_000)
    }
    const keys = [1, 2, 3].map(id => `${keyspace}:replica:${id}:orders:0`)
    keys[cluster.partition('orders', 0).replicas[0]! - 1] = `${keyspace}:stream:orders:0`
    for (const key of keys) expect(await ids(client, key)).toEqual(['1-0', '2-0', '3-0', '4-0'])
    await cluster.admin().deleteRecords([{ topic: 'orders', partition: 0, beforeOffset: 3 }])
    await cluster.clock.advance(400_000)
    for (const key of keys) expect(await ids(client, key)).toEqual(['4-0'])
    await cluster.clock.advance(900_000)
    for (const key of keys) expect(await ids(client, key)).toEqual([])
    await producer.send({ topic: 'orders', value: 'after' })
    for (const key of keys) expect(await ids(client, key)).toEqual(['5-0'])
  })

  test('keeps the latest of each key where a topic is compacted (S-20)', async () => {
    const configs = { 'cleanup.policy': 'compact' as const, 'segment.ms': 1_000, 'min.cleanable.dirty.ratio': 0 }
    const { cluster, client, keyspace } = await onMock({ topics: orders(configs) })
    await using _ = cluster
    const producer = cluster.producer({ acks: 'all', 'enable.idempotence': false })
    for (let n = 0; n < 6; n++) await producer.send({ topic: 'orders', key: `k${n % 2}`, value: `${n}` })
    await cluster.clock.advance(2_000)
    await producer.send({ topic: 'orders', key: 'last', value: 'last' })
    await cluster.clock.advance(60_000)
    expect(await ids(client, `${keyspace}:stream:orders:0`)).toEqual(['5-0', '6-0', '7-0'])
    const left = [
      { offset: 4, key: 'k0', value: '4' },
      { offset: 5, key: 'k1', value: '5' },
      { offset: 6, key: 'last' },
    ]
    await expect(cluster).toHaveDelivered('orders', left)
    await cluster.leaderOf('orders', 0).crash()
    await expect(cluster).toHaveDelivered('orders', left)
  })

  test('does the same with the same seed', async () => {
    const traces = []
    for (let round = 0; round < 2; round++) {
      const { cluster } = await onMock({ topics: orders(), seed: 7 })
      await using _ = cluster
      const producer = cluster.producer({ acks: 'all' })
      for (let n = 0; n < 5; n++) await producer.send({ topic: 'orders', value: `${n}` })
      await cluster.leaderOf('orders', 0).crash()
      for (let n = 5; n < 10; n++) await producer.send({ topic: 'orders', value: `${n}` })
      traces.push(cluster.trace.events().map(event => JSON.stringify(event)))
    }
    expect(traces[0]!.length).toBeGreaterThan(50)
    expect(traces[1]).toEqual(traces[0])
  })
})
