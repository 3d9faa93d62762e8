import { expect, test } from 'vitest'
import { createCluster, cut } from '../../src/index.ts'

const orders = { orders: { replicationFactor: 3 } }

test('where nothing is in flight, settling takes no time', async () => {
  await using cluster = await createCluster({ topics: orders })
  await cluster.settle()
  const before = cluster.clock.now()
  await cluster.settle()
  expect(cluster.clock.now() - before).toBe(0)
})

test('settling waits for what was sent and not awaited, and until its followers have it', async () => {
  await using cluster = await createCluster({ topics: orders })
  const sent = cluster.producer({ acks: 1, 'linger.ms': 200 }).send({ topic: 'orders', value: 'paid' })
  await cluster.settle()

  expect(cluster.partition('orders', 0)).toMatchObject({ endOffset: 1, highWatermark: 1 })
  await sent
})

test('what cannot settle, because of a fault, is given five seconds and left as it is', async () => {
  await using cluster = await createCluster({ topics: orders })
  const leader = cluster.leaderOf('orders', 0)
  for (const follower of cluster.followersOf('orders', 0)) cluster.network.rule(cut(leader, follower))
  const sent = cluster.producer({ acks: 'all' }).send({ topic: 'orders', value: 'paid' })
  const before = cluster.clock.now()
  await cluster.settle()

  expect(cluster.clock.now() - before).toBeGreaterThanOrEqual(5_000)
  expect(cluster.clock.now() - before).toBeLessThanOrEqual(5_010)
  await cluster.heal()
  await sent
})

test('on real time settling is a hundred quiet milliseconds', async () => {
  await using cluster = await createCluster({ brokers: 1, time: 'real', topics: { orders: {} } })
  const sent = cluster.producer({ acks: 1, 'linger.ms': 50 }).send({ topic: 'orders', value: 'paid' })
  await cluster.settle()

  expect(cluster.partition('orders', 0)).toMatchObject({ highWatermark: 1 })
  await sent
})
