import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createCluster, cut } from 'mini-kafka'
import { expect, test } from 'vitest'
import '../../src/vitest.ts'

test('what the README shows of a failure is what a failure prints', async () => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
  const shown = /```text\n([\s\S]*?)```/.exec(readme)![1]!
  await using cluster = await createCluster({
    brokers: 3,
    seed: 1,
    topics: { orders: { partitions: 1, replicationFactor: 3, configs: { 'min.insync.replicas': 2 } } },
  })
  const producer = cluster.producer({ acks: 1 })
  const leader = cluster.leaderOf('orders', 0)
  for (const follower of cluster.followersOf('orders', 0)) cluster.network.rule(cut(leader, follower))
  const { offset } = await producer.send({ topic: 'orders', key: 'ORDER-1001', value: 'paid' })
  await leader.crash()

  const expected = [{ partition: 0, offset, key: 'ORDER-1001', value: 'paid' }]
  const failure: Error = await expect(cluster)
    .toHaveDelivered('orders', expected)
    .then(
      () => new Error('it passed'),
      error => error,
    )

  // The README leaves out some lines of the trace, and times depend on the seed's delays.
  const timeless = (line: string) => line.replace(/^ +\d+ ms/, 'ms').trim()
  const printed = failure.message.split('\n').map(timeless)
  const [message] = shown.split('\nmini-kafka: the seed')
  for (const line of message!.split('\n').map(timeless)) expect(printed).toContain(line)
})
