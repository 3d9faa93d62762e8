import { afterEach, expect, test } from 'vitest'
import type { Cluster } from '../../src/index.ts'
import { fill, member, startCluster } from './group-story.ts'

let cluster: Cluster
afterEach(() => cluster?.close())

const first = { topic: 'orders', partition: 0 }

test('a committed offset carries its leader epoch: a log that was cut meanwhile is found out (KIP-320, R-37, G-33)', async () => {
  const configs = { 'unclean.leader.election.enable': true, 'min.insync.replicas': 1 }
  cluster = await startCluster({ topics: { orders: { assignments: [[1, 2]], configs } } })
  await fill(cluster, 5, 'orders', 1)
  await cluster.broker(2).crash()
  await fill(cluster, 5, 'orders', 1)
  const before = member(cluster)
  before.assign([first])
  let read = 0
  while (read < 10) read += (await before.poll({ timeoutMs: 5_000 })).length
  await before.close()
  expect(cluster.group('billing').committed('orders', 0)).toMatchObject({ offset: 10, leaderEpoch: 0 })
  await cluster.broker(1).crash()
  await cluster.broker(2).restart()
  await cluster.runUntil(() => cluster.partition('orders', 0).leader === 2)
  await fill(cluster, 8, 'orders', 1)
  // Offset 10 is there again, but another record: to begin there would leave out 5 to 9 without a word.
  const strict = member(cluster, { 'auto.offset.reset': 'none' })
  strict.assign([first])
  await expect(strict.poll({ timeoutMs: 30_000 })).rejects.toMatchObject({ name: 'LogTruncationError' })
  await strict.close()
  const after = member(cluster)
  after.assign([first])
  const records = await after.poll({ timeoutMs: 30_000 })
  expect(records.map(({ offset }) => offset)).toEqual([5, 6, 7, 8, 9, 10, 11, 12])
})

test('with an epoch, seek is checked the same way; without, it is taken as it is', async () => {
  cluster = await startCluster({ topics: { orders: { partitions: 1, replicationFactor: 3 } } })
  await fill(cluster, 3, 'orders', 1)
  const consumer = member(cluster)
  consumer.assign([first])
  consumer.seek(first, 1)
  expect((await consumer.poll({ timeoutMs: 1_000 })).map(({ offset }) => offset)).toEqual([1, 2])
  expect(cluster.requests({ api: 'OffsetForLeaderEpoch' })).toEqual([])
  consumer.seek(first, { offset: 2, leaderEpoch: 0, metadata: 'as committed told' })
  expect((await consumer.poll({ timeoutMs: 1_000 })).map(({ offset }) => offset)).toEqual([2])
  expect(cluster.requests({ api: 'OffsetForLeaderEpoch' })).toHaveLength(1)
})
