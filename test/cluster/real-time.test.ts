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
