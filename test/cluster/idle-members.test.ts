import { expect, test } from 'vitest'
import { createCluster } from '../../src/index.ts'

const HOUR = 3_600_000

for (const protocol of ['classic', 'consumer'] as const) {
  test(`a member that works for an hour stays one, at the cost of a few heartbeats (${protocol}, G-17, G-55)`, async () => {
    await using cluster = await createCluster({ topics: { t: { partitions: 2, replicationFactor: 3 } } })
    const consumer = cluster.consumer({
      'group.id': 'g',
      'group.protocol': protocol,
      'max.poll.interval.ms': 2 * HOUR,
    })
    consumer.subscribe(['t'])
    while (consumer.assignment().length === 0) await consumer.poll({ timeoutMs: 100 })
    await cluster.group('g').waitForStable({ members: 1 })
    const { generation } = cluster.group('g')
    const api = protocol === 'classic' ? 'Heartbeat' : 'ConsumerGroupHeartbeat'
    const before = cluster.requests({ api }).length
    await cluster.clock.advance(HOUR)
    expect(cluster.requests({ api }).length - before).toBeLessThan(100)
    expect(cluster.group('g')).toMatchObject({ state: 'Stable', generation })
    const last = protocol === 'classic' ? 3 : 5
    const [, secondsAgo] = Object.entries(consumer.metrics()).find(([name]) =>
      name.includes('last-heartbeat-seconds-ago'),
    )!
    expect(secondsAgo).toBeLessThanOrEqual(last)
  })

  test(`a member that is gone without a word is missed after its session, although nothing else happens (${protocol})`, async () => {
    await using cluster = await createCluster({ topics: { t: { partitions: 2, replicationFactor: 3 } } })
    const [stays, goes] = [1, 2].map(() => cluster.consumer({ 'group.id': 'g', 'group.protocol': protocol }))
    for (const each of [stays!, goes!]) each.subscribe(['t'])
    while (stays!.assignment().length !== 1 || goes!.assignment().length !== 1) {
      await Promise.all([stays!, goes!].map(each => each.poll({ timeoutMs: 100 })))
    }
    await cluster.group('g').waitForStable({ members: 2 })
    await goes!.close({ groupMembership: 'remain', timeoutMs: 0 })
    await cluster.clock.advance(44_000)
    expect(cluster.group('g').members).toHaveLength(2)
    await cluster.clock.advance(6_000)
    expect(cluster.group('g').members).toHaveLength(1)
  })
}

test('an hour of max.poll.interval.ms ends in its hour, and costs no wall time to speak of', async () => {
  await using cluster = await createCluster({ topics: { t: { replicationFactor: 3 } } })
  const consumer = cluster.consumer({ 'group.id': 'g', 'max.poll.interval.ms': HOUR })
  consumer.subscribe(['t'])
  while (consumer.assignment().length === 0) await consumer.poll({ timeoutMs: 100 })
  await cluster.group('g').waitForStable({ members: 1 })
  await cluster.clock.advance(HOUR - 5_000)
  expect(cluster.group('g').members).toHaveLength(1)
  await cluster.clock.advance(10_000)
  expect(cluster.group('g').members).toHaveLength(0)
})
