import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { countVisible, visibleRecords } from '../../src/cluster/visible-records.ts'
import { createCluster } from '../../src/index.ts'
import type { ReplicaLog } from '../../src/log/replica-log.ts'
import { controlBatch } from '../../src/wire/control-record.ts'
import { append, batch, NOW, openLog } from '../log/logs.ts'

function logOf(steps: readonly string[]): ReplicaLog {
  const log = openLog({}, { verifyTransactions: false })
  const sequences = new Map<number, number>()
  for (const step of steps) {
    const [what, id = '0', count = '1'] = step.split(' ')
    const producerId = Number(id)
    if (what === 'plain') append(log, batch(Array.from({ length: Number(count) }, () => 'p')))
    else if (what === 'write') {
      const values = Array.from({ length: Number(count) }, () => 't')
      const baseSequence = sequences.get(producerId) ?? 0
      sequences.set(producerId, baseSequence + values.length)
      append(log, batch(values, { producerId, producerEpoch: 0, baseSequence, transactional: true }), {
        origin: 'coordinator',
      })
    } else {
      const type = what === 'commit' ? 'COMMIT' : 'ABORT'
      append(log, controlBatch({ type, producerId, producerEpoch: 0, coordinatorEpoch: 0, timestamp: NOW }), {
        origin: 'coordinator',
      })
    }
  }
  log.advanceHighWatermark(log.endOffset)
  return log
}

test('markers and aborted records are no lag; a group in the middle of a batch lacks the rest of it (F-9)', () => {
  const log = logOf(['plain 0 3', 'write 1 2', 'abort 1', 'write 1 2', 'commit 1', 'plain 0 1'])

  expect(log.endOffset).toBe(10)
  expect(countVisible(log, 0, 'read_committed')).toBe(6)
  expect(countVisible(log, 0, 'read_uncommitted')).toBe(8)
  expect(countVisible(log, 2, 'read_committed')).toBe(4)
  expect(countVisible(log, 3, 'read_committed')).toBe(3)
  expect(countVisible(log, 4, 'read_committed')).toBe(3)
  expect(countVisible(log, 9, 'read_committed')).toBe(1)
  expect(countVisible(log, 10, 'read_committed')).toBe(0)
  expect(countVisible(log, 99, 'read_committed')).toBe(0)
})

test('what an open transaction holds back is no lag to readers of committed records (F-8)', () => {
  const log = logOf(['plain 0 1', 'write 1 2', 'plain 0 4'])

  expect(countVisible(log, 0, 'read_committed')).toBe(1)
  expect(countVisible(log, 0, 'read_uncommitted')).toBe(7)
})

const step = fc.oneof(
  fc.integer({ min: 1, max: 4 }).map(count => `plain 0 ${count}`),
  fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 3 })).map(([id, count]) => `write ${id} ${count}`),
  fc.tuple(fc.constantFrom('commit', 'abort'), fc.integer({ min: 1, max: 2 })).map(([what, id]) => `${what} ${id}`),
)

test('the lag from any offset is the number of records that a reader from there would see', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 12 }),
      fc.nat(30),
      fc.nat(30),
      fc.constantFrom('read_committed' as const, 'read_uncommitted' as const),
      async (steps, deletedBefore, from, isolation) => {
        const log = logOf(steps)
        log.deleteRecordsBefore(Math.min(deletedBefore, log.highWatermark))
        const visible = await visibleRecords(log, isolation)
        const seen = visible.filter(({ record, control }) => control === undefined && record.offset >= from)
        expect(await countVisible(log, from, isolation)).toBe(seen.length)
      },
    ),
  )
})

test('records that compaction took, and those that were deleted, are no lag', async () => {
  await using cluster = await createCluster({
    brokers: 1,
    topics: {
      prices: {
        configs: {
          'cleanup.policy': 'compact',
          'segment.ms': 60_000,
          'min.cleanable.dirty.ratio': 0.01,
          'max.compaction.lag.ms': 60_000,
        },
      },
      orders: {},
    },
  })
  const producer = cluster.producer({ 'linger.ms': 5, 'batch.size': 1_000_000 })
  await Promise.all([1, 2, 3, 4, 5].map(price => producer.send({ topic: 'prices', key: 'tea', value: `${price}` })))
  await Promise.all(['a', 'b', 'c'].map(value => producer.send({ topic: 'orders', value })))
  const admin = cluster.admin()
  await admin.alterConsumerGroupOffsets('billing', [
    { topic: 'prices', partition: 0, offset: 1 },
    { topic: 'orders', partition: 0, offset: 0 },
  ])
  const billing = cluster.group('billing')
  expect(billing.partitions).toMatchObject([
    { topic: 'orders', committedOffset: 0, endOffset: 3, lag: 3 },
    { topic: 'prices', committedOffset: 1, endOffset: 5, lag: 4 },
  ])
  expect(billing.lag).toBe(7)

  await cluster.clock.advance(120_000)
  await producer.send({ topic: 'prices', key: 'coffee', value: '9' })
  await cluster.runUntil(() => billing.partitions[1]?.lag === 2, { timeoutMs: 600_000 })
  await admin.deleteRecords([{ topic: 'orders', partition: 0, beforeOffset: 2 }])

  expect(billing.partitions).toMatchObject([
    { topic: 'orders', committedOffset: 0, endOffset: 3, lag: 1 },
    { topic: 'prices', committedOffset: 1, endOffset: 6, lag: 2 },
  ])
})
