import { expect, test } from 'vitest'
import { MemoryStores } from '../../src/log/memory-store.ts'
import type { ReplicaLog } from '../../src/log/replica-log.ts'
import { controlBatch } from '../../src/wire/control-record.ts'
import { append, batch, NOW, now, openLog, orders, refusal, refusalCode, reopen, sequenced, values } from './logs.ts'

const send = (log: ReplicaLog, baseSequence: number, count = 1, options = {}) =>
  append(log, sequenced(baseSequence, count, options))

const offered = (log: ReplicaLog, baseSequence: number, count = 1, options = {}) =>
  refusalCode(() => send(log, baseSequence, count, options))

test('X-9: of six batches the last five are known again, the first is out of order (I-1, I-4, I-8)', () => {
  const log = openLog()
  for (let at = 0; at < 6; at++) send(log, at * 5, 5)
  expect(send(log, 25, 5)).toMatchObject({ duplicate: true, baseOffset: 25, lastOffset: 29 })
  expect(send(log, 5, 5)).toMatchObject({ duplicate: true, baseOffset: 5, lastOffset: 9 })
  expect(offered(log, 0, 5)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  expect(log.endOffset).toBe(30)
})

test('X-10: a gap in the sequence is refused and changes nothing (I-7.4)', () => {
  const log = openLog()
  send(log, 0, 10)
  const before = log.snapshot()
  expect(offered(log, 11)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  expect(log.snapshot()).toEqual(before)
  expect(send(log, 10)).toMatchObject({ baseOffset: 10, duplicate: false })
})

test('X-11: a batch that overlaps the last one is no duplicate (I-8)', () => {
  const log = openLog()
  send(log, 0, 5)
  send(log, 5, 5)
  expect(offered(log, 5, 10)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  expect(offered(log, 6, 4)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
})

test('X-12: sequences wrap from 2147483647 to 0 (B-3, I-7)', () => {
  const log = openLog()
  send(log, 2147483644, 2)
  expect(send(log, 2147483646, 4).duplicate).toBe(false)
  expect(log.producerStates.get(7)?.lastSequence).toBe(1)
  expect(send(log, 2147483646, 4)).toMatchObject({ duplicate: true, baseOffset: 2 })
  expect(offered(log, 3)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  expect(send(log, 2).baseOffset).toBe(6)
})

test('X-12: after exactly 2147483647 comes 0', () => {
  const log = openLog()
  send(log, 2147483646, 2)
  expect(offered(log, 1)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  expect(send(log, 0).baseOffset).toBe(2)
})

test('X-13: a new epoch begins with 0, and the old one is refused from then on (I-2, I-6, I-7.3)', () => {
  const log = openLog()
  send(log, 0)
  expect(offered(log, 3, 1, { producerEpoch: 1 })).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  expect(send(log, 0, 1, { producerEpoch: 1 })).toMatchObject({ baseOffset: 1, duplicate: false })
  expect(offered(log, 1)).toBe('INVALID_PRODUCER_EPOCH')
  // An old duplicate too: its epoch is looked at first (I-6).
  expect(offered(log, 0)).toBe('INVALID_PRODUCER_EPOCH')
})

test('a producer unknown here may begin anywhere (I-7.1, KIP-360)', () => {
  const log = openLog()
  expect(send(log, 4711).baseOffset).toBe(0)
  expect(send(log, 4712).baseOffset).toBe(1)
})

test('without a producer id there is no check and no deduplication (I-10)', () => {
  const log = openLog()
  append(log, batch(['a']))
  append(log, batch(['a']))
  expect(values(log)).toEqual(['a', 'a'])
  expect([...log.producerStates.all()]).toEqual([])
})

test('a producer id with epoch −1 is tracked and never out of order (P-12)', () => {
  const log = openLog()
  send(log, 5, 1, { producerEpoch: -1 })
  expect(send(log, 9, 1, { producerEpoch: -1 }).duplicate).toBe(false)
  expect(send(log, 9, 1, { producerEpoch: -1 }).duplicate).toBe(true)
})

test('a duplicate is answered with its old offsets and its largest timestamp, and nothing is written (I-4, P-21)', () => {
  const log = openLog()
  send(log, 0, 3, { timestamp: NOW - 5 })
  const before = log.snapshot()
  expect(append(log, batch(['other', 'bytes', '!'], { producerId: 7, producerEpoch: 0, baseSequence: 0 }))).toEqual({
    baseOffset: 0,
    lastOffset: 2,
    logAppendTime: NOW - 5,
    logStartOffset: 0,
    duplicate: true,
    stored: undefined,
  })
  expect(log.snapshot()).toEqual(before)
})

test('a duplicate with a damaged body, or a bad timestamp, gets that error (P-21)', () => {
  const log = openLog()
  send(log, 0)
  expect(offered(log, 0, 1, { timestamp: NOW + 7_200_000 })).toBe('INVALID_TIMESTAMP')
})

test('errors of the producer state know the log start (P-22)', () => {
  const log = openLog()
  send(log, 0)
  const error = refusal(() => send(log, 5))
  expect(error.details).toEqual({ knowsLogStart: true, recordErrors: [] })
  expect(error.message).toContain('its last was 0')
})

test('the mutant without the duplicate check writes it again (I-4)', () => {
  const log = openLog({}, { mutants: new Set(['no-duplicate-check']) })
  send(log, 0)
  expect(send(log, 0)).toMatchObject({ duplicate: false, baseOffset: 1 })
  expect(log.endOffset).toBe(2)
})

test('a producer silent for a day is forgotten, by its own timestamps (I-11, I-12)', () => {
  const day = 86_400_000
  const log = openLog()
  expect(log.nextProducerExpiryAt()).toBe(Number.POSITIVE_INFINITY)
  send(log, 0, 1, { timestamp: NOW - 3_600_000 })
  expect(log.nextProducerExpiryAt()).toBe(NOW - 3_600_000 + day)
  log.expireProducers(NOW + day - 3_600_001)
  expect(offered(log, 9)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  log.expireProducers(NOW + day - 3_600_000)
  expect(log.producerStates.get(7)).toBeUndefined()
  expect(log.nextProducerExpiryAt()).toBe(Number.POSITIVE_INFINITY)
  expect(send(log, 9).duplicate).toBe(false)
})

test('a producer with an open transaction does not expire (I-11)', () => {
  const log = openLog({}, { verifyTransactions: false })
  send(log, 0, 1, { transactional: true })
  log.expireProducers(NOW + 10 * 86_400_000)
  expect(log.producerStates.get(7)?.inTransaction).toBe(true)
  append(log, controlBatch({ type: 'COMMIT', producerId: 7, producerEpoch: 0, coordinatorEpoch: 0, timestamp: NOW }), {
    origin: 'coordinator',
  })
  expect(log.nextProducerExpiryAt()).toBe(NOW + 86_400_000)
})

test('deleting all records keeps the state of their producers (I-14)', () => {
  const log = openLog()
  send(log, 0)
  log.advanceHighWatermark(1)
  log.deleteRecordsBefore(1)
  expect(send(log, 0)).toMatchObject({ duplicate: true, baseOffset: 0 })
})

test('after any restart, clean or not, the window is one batch (I-13, I-14)', () => {
  for (const end of ['close', 'abandon'] as const) {
    const stores = new MemoryStores()
    const log = openLog({}, { store: stores.store(orders) })
    send(log, 0)
    send(log, 1)
    now(log[end]() as undefined)
    const again = reopen(stores)
    again.becomeLeader(1)
    expect(send(again, 1), end).toMatchObject({ duplicate: true, baseOffset: 1 })
    expect(offered(again, 0), end).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(send(again, 2).baseOffset).toBe(2)
  }
})

test('X-14: a follower knows the same duplicates and gaps once it leads (I-13)', () => {
  const leader = openLog()
  for (let at = 0; at < 6; at++) send(leader, at * 5, 5)
  const follower = openLog()
  const replicated = now(leader.read(0, 1_000_000, 30))
  expect(now(follower.appendAsFollower(replicated, { leaderEpoch: 0, now: NOW }))).toBe(6)
  follower.becomeLeader(1)
  expect(send(follower, 25, 5)).toMatchObject({ duplicate: true, baseOffset: 25 })
  expect(send(follower, 5, 5)).toMatchObject({ duplicate: true, baseOffset: 5 })
  expect(offered(follower, 0, 5)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
})

test('the sequences of truncated batches are valid again (I-13, R-35)', () => {
  const log = openLog()
  for (let at = 0; at < 4; at++) send(log, at)
  now(log.truncateTo(2, NOW))
  expect(send(log, 1)).toMatchObject({ duplicate: true, baseOffset: 1 })
  expect(offered(log, 3)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  expect(send(log, 2)).toMatchObject({ duplicate: false, baseOffset: 2 })
})

test('what is known of a producer is what DescribeProducers shows (I-17)', () => {
  const log = openLog()
  send(log, 3, 2)
  expect(log.snapshot().producers).toEqual([
    {
      producerId: 7,
      producerEpoch: 0,
      lastSequence: 4,
      lastOffset: 1,
      lastTimestamp: NOW,
      coordinatorEpoch: -1,
      currentTransactionFirstOffset: -1,
    },
  ])
})
