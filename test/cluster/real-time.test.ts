import { createCluster } from 'mini-kafka'
import { expect, test } from 'vitest'
import '../../src/vitest.ts'

test('on real time, too, an acknowledged record survives the loss of its leader, within the five seconds of a test', async () => {
  await using cluster = await createCluster({
    time: 'real',
    topics: { orders: { replicationFactor: 3, configs: { 'min.insync.replicas': 2 } } },
  })
  const producer = cluster.producer()
  const before = await producer.send({ topic: 'orders', value: 'before' })
  const leader = cluster.leaderOf('orders', 0)
  await leader.crash()
  const after = await producer.send({ topic: 'orders', value: 'after' })
  expect([before.offset, after.offset]).toEqual([0, 1])
  await leader.restart()
  await expect(cluster).toBeInSync('orders')
  await expect(cluster).toHaveDelivered('orders', [
    { offset: 0, value: 'before' },
    { offset: 1, value: 'after' },
  ])
})

test('a cluster on real time keeps its time while the fake timers of a test stand still', async () => {
  const { vi } = await import('vitest')
  vi.useFakeTimers()
  try {
    await using cluster = await createCluster({ time: 'real', brokers: 1, topics: { t: {} } })
    const { offset } = await cluster.producer().send({ topic: 't', value: 'sent' })
    expect(offset).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})

test.for([
  ['consumer', 2_000],
  // Members of classic groups hear of a rebalance with their heartbeats: every 3,000 ms, if the client does not say less.
  ['classic', undefined],
] as const)('on real time two members of a group of protocol %s are stable soon', async ([protocol, timeoutMs]) => {
  await using cluster = await createCluster({
    time: 'real',
    topics: { orders: { partitions: 4, replicationFactor: 3 } },
  })
  const consumers = [1, 2].map(() => cluster.consumer({ 'group.id': 'billing', 'group.protocol': protocol }))
  const loops = consumers.map(async consumer => {
    consumer.subscribe(['orders'])
    for await (const _ of consumer);
  })
  await cluster.group('billing').waitForStable({ members: 2, ...(timeoutMs === undefined ? {} : { timeoutMs }) })
  expect(consumers.map(consumer => consumer.assignment().length)).toEqual([2, 2])
  for (const consumer of consumers) await consumer.close()
  await Promise.all(loops)
})

test.for([
  [{}, '200', '200'],
  [{ 'group.consumer.heartbeat.interval.ms': 300 }, '200', '300'],
  [{ 'group.consumer.min.heartbeat.interval.ms': 1_000 }, '1000', '5000'],
] as const)(
  'on real time, with %j, heartbeats of consumer groups come every %s ms at most, and every %s',
  async given => {
    const [configs, least, interval] = given
    await using cluster = await createCluster({ time: 'real', brokers: 1, configs })
    const broker = { type: 'broker', name: '1' } as const
    const keys = ['group.consumer.min.heartbeat.interval.ms', 'group.consumer.heartbeat.interval.ms']
    const described = (await cluster.admin().describeConfigs([broker], { keys })).get(broker)
    expect(keys.map(key => described?.get(key)?.value)).toEqual([least, interval])
  },
)

test('on real time a lag is waited for until a consumer that commits by itself has done so', {
  timeout: 12_000,
}, async () => {
  await using cluster = await createCluster({ time: 'real', brokers: 1, topics: { orders: {} } })
  const consumer = cluster.consumer({ 'group.id': 'billing', 'auto.offset.reset': 'earliest' })
  consumer.subscribe(['orders'])
  const loop = (async () => {
    for await (const _ of consumer);
  })()
  await cluster.group('billing').waitForStable({ members: 1 })
  await cluster.producer().send({ topic: 'orders', value: 'paid' })
  await cluster.group('billing').waitForLag(0)
  expect(cluster.group('billing').committed('orders', 0)?.offset).toBe(1)
  await consumer.close()
  await loop
})

test('on real time a log that is too large is cut at once, and old dates stay: age has its own checks', async () => {
  await using cluster = await createCluster({
    time: 'real',
    brokers: 1,
    topics: {
      large: { configs: { 'retention.bytes': 2_000_000, 'segment.bytes': 1_048_576 } },
      old: {},
    },
  })
  const producer = cluster.producer()
  await producer.send({ topic: 'old', value: 'a fixture', timestamp: 1_500_000_000_000 })
  const value = new Uint8Array(500_000)
  for (let i = 0; i < 10; i++) await producer.send({ topic: 'large', value })
  await cluster.runUntil(() => cluster.partition('large', 0).startOffset > 0)
  expect(await cluster.topic('old').records({ as: 'text' })).toMatchObject([{ value: 'a fixture' }])
})
