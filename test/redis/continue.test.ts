/** What a keyspace holds, and what a cluster makes of it: on ioredis-mock. */
import RedisMock from 'ioredis-mock'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Cluster, type ClusterOptions, createCluster } from '../../src/index.ts'
import { type RedisLogsOptions, redisLogs } from '../../src/redis.ts'
import '../../src/vitest.ts'

const topics = { orders: { partitions: 2, replicationFactor: 3 } }
const open: Cluster[] = []
let client = new RedisMock()

beforeEach(async () => {
  client = new RedisMock()
  await client.flushall()
})

afterEach(async () => {
  for (const cluster of open.splice(0)) await cluster.close()
})

async function start(options: RedisLogsOptions = {}, cluster: ClusterOptions = {}): Promise<Cluster> {
  const made = await createCluster({ topics, ...cluster, logs: redisLogs(client, options) })
  open.push(made)
  return made
}

async function fill(cluster: Cluster): Promise<void> {
  for (const value of ['a', 'b']) {
    await cluster.producer({ acks: 'all' }).send({ topic: 'orders', partition: 0, value })
  }
  await cluster.close()
}

const failure = (run: Promise<unknown>) =>
  run.then(
    () => 'it passed',
    error => `${error.name}: ${error.message}`,
  )

test('the next cluster goes on with it, if it says so', async () => {
  await fill(await start())
  const second = await start({ existing: 'continue' }, { seed: 2 })
  await second.producer({ acks: 'all' }).send({ topic: 'orders', partition: 0, value: 'c' })
  await expect(second).toHaveDelivered('orders', [{ value: 'a' }, { value: 'b' }, { offset: 2, value: 'c' }])
})

test('on the mock it is refused unless something else is said, for instances share what they hold', async () => {
  await fill(await start())
  expect(await failure(start())).toMatch(
    /^ConfigError: the keyspace 'korvet' is in use: it holds \d+ keys, such as korvet:replica:2:orders:0\. Name another one, or say existing: 'continue' to go on with it, or existing: 'clear' to delete them$/,
  )
  expect(await failure(start({ existing: 'refuse', keyspace: 'other' }))).toBe('it passed')
})

test('what is cleared is gone, and other keys are not touched', async () => {
  await fill(await start())
  await client.set('mine', '1')
  await client.set('korvetto', '2')
  const second = await start({ existing: 'clear' })
  expect(second.partition('orders', 0).endOffset).toBe(0)
  await second.producer({ acks: 'all' }).send({ topic: 'orders', partition: 0, value: 'anew' })
  await expect(second).toHaveDelivered('orders', [{ offset: 0, value: 'anew' }])
  expect(await client.mget('mine', 'korvetto')).toEqual(['1', '2'])
})

test('a keyspace belongs to one cluster at a time, and is free when that is closed', async () => {
  const first = await start()
  expect(await failure(start({ existing: 'continue' }))).toBe(
    "ConfigError: the keyspace 'korvet' is in use by a cluster of this process that is open: close that first, or name another one",
  )
  expect(await failure(start({ existing: 'clear' }))).toContain('is in use by a cluster of this process')
  await fill(first)
  expect(await failure(start({ existing: 'continue' }))).toBe('it passed')
})

test('existing takes one of three words', async () => {
  expect(() => redisLogs(client, { existing: 'keep' as never })).toThrow(
    'existing must be one of continue, refuse, clear, not "keep"',
  )
})

describe('streams of topics without a metadata log', () => {
  /** Whatever is not a stream of `orders` goes. */
  async function orphan(): Promise<void> {
    await fill(await start({}, { topics: { orders: { partitions: 2 } } }))
    for (const key of await client.keys('*')) {
      if (!/^korvet:stream:orders:\d$/.test(key)) await client.del(key)
    }
  }

  test('are taken over: a topic is there for them, with their records', async () => {
    await orphan()
    const cluster = await start({ existing: 'continue' }, { topics: {} })
    expect(cluster.topicNames).toEqual(['orders'])
    await cluster.producer({ acks: 'all' }).send({ topic: 'orders', partition: 0, value: 'c' })
    await expect(cluster).toHaveDelivered('orders', [{ value: 'a' }, { value: 'b' }, { offset: 2, value: 'c' }])
    expect(await client.xlen('korvet:stream:orders:0')).toBe(3)
  })

  test('with followers they are replicated', async () => {
    await orphan()
    const cluster = await start({ existing: 'continue' }, { topics: { orders: { replicationFactor: 3 } } })
    await cluster.runUntil(() => cluster.partition('orders', 0).inSyncReplicas.length === 3)
    expect(cluster.partition('orders', 0).replicaLogs.get(2)?.endOffset).toBe(2)
  })

  test('one of another form is refused, and says what is in it', async () => {
    await client.xadd('korvet:stream:orders:0', '5', 'key', 'k', 'value', 'v')
    expect(await failure(start({ existing: 'continue' }))).toBe(
      "ConfigError: the keyspace 'korvet' has no metadata log, and korvet:stream:orders:0 is no log that could be taken over: " +
        'entry 5-0 of korvet:stream:orders:0 is no record batch: it has the fields key, value, where a batch has b alone',
    )
  })

  test('what a cluster left whose metadata log is gone is not taken for that', async () => {
    await fill(await start())
    for (const key of await client.keys('*__cluster_metadata*')) await client.del(key)
    expect(await failure(start({ existing: 'continue' }))).toMatch(
      /^ConfigError: the keyspace 'korvet' has what a cluster left \(korvet:replica:2:orders:0\), and not its metadata log \(korvet:stream:__cluster_metadata:0\)/,
    )
    expect(await failure(start({ existing: 'clear' }))).toBe('it passed')
  })
})
