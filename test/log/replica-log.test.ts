import { describe, expect, test } from 'vitest'
import { MemoryStores } from '../../src/log/memory-store.ts'
import { ReplicaLog } from '../../src/log/replica-log.ts'
import { RecordBatch } from '../../src/wire/record-batch.ts'
import {
  append,
  batch,
  batchOfSize,
  configOf,
  NOW,
  now,
  openLog,
  orders,
  refusal,
  refusalCode,
  sequenced,
  spans,
  values,
} from './logs.ts'

/** Batches of two records each: offsets 0–1, 2–3, … */
function pairs(count: number, configs = {}): ReplicaLog {
  const log = openLog(configs)
  for (let at = 0; at < count; at++) append(log, batch([`${at * 2}`, `${at * 2 + 1}`]))
  return log
}

describe('a leader’s append', () => {
  test('assigns consecutive offsets from the end, and its epoch (P-20)', () => {
    const log = openLog()
    log.becomeLeader(3)
    expect(append(log, batch(['a', 'b']))).toEqual({
      baseOffset: 0,
      lastOffset: 1,
      logAppendTime: -1,
      logStartOffset: 0,
      duplicate: false,
      stored: undefined,
    })
    expect(append(log, batch(['c']))).toMatchObject({ baseOffset: 2, lastOffset: 2 })
    expect(now(log.read(0, 10_000, 3)).map(each => each.leaderEpoch)).toEqual([3, 3])
    expect(log.endOffset).toBe(3)
    expect(log.assignedEndOffset).toBe(3)
  })

  test('may be given the same bytes twice: each place has a head of its own (P-20)', () => {
    const log = openLog()
    const made = batch(['a'])
    append(log, made)
    append(log, made)
    const [first, second] = now(log.read(0, 10_000, 2))
    expect([first!.baseOffset, second!.baseOffset]).toEqual([0, 1])
    expect(first!.body).toBe(second!.body)
  })

  test('does not keep a large chunk alive for a small batch in it', () => {
    const made = batch(['a'])
    const chunk = new Uint8Array(100_000)
    chunk.set(made.body, 500)
    const log = openLog()
    append(log, new RecordBatch(made.head, chunk.subarray(500, 500 + made.body.length)))
    const [kept] = now(log.read(0, 10_000, 1))
    expect(kept!.body.buffer.byteLength).toBe(made.body.length)
  })

  test('tells of the new end within the append, while the high watermark stays (R-15)', () => {
    const log = openLog()
    const ends: number[] = []
    log.onEndOffset = end => ends.push(end)
    append(log, batch(['a', 'b']))
    expect(ends).toEqual([2])
    expect(log.highWatermark).toBe(0)
  })

  test('a refused batch leaves the log as it was', () => {
    const log = pairs(1)
    const before = log.snapshot()
    expect(refusalCode(() => append(log, batch(['v'], { timestamp: NOW + 1e10 })))).toBe('INVALID_TIMESTAMP')
    expect(log.snapshot()).toEqual(before)
  })
})

describe('a follower’s append (P-24)', () => {
  const replicate = (from: ReplicaLog, to: ReplicaLog, leaderEpoch = 0) =>
    to.appendAsFollower(now(from.read(to.endOffset, 1_000_000, from.endOffset)), { leaderEpoch, now: NOW })

  test('keeps offsets, epochs and memory', () => {
    const leader = pairs(3)
    const follower = openLog()
    expect(replicate(leader, follower)).toBe(3)
    expect(follower.endOffset).toBe(6)
    expect(now(follower.read(0, 10_000, 6))[1]).toBe(now(leader.read(2, 10_000, 6))[0])
  })

  test('takes over epochs from the batches (R-30)', () => {
    const leader = openLog()
    append(leader, batch(['a']))
    leader.becomeLeader(2)
    append(leader, batch(['b']))
    const follower = openLog()
    replicate(leader, follower, 2)
    expect(follower.leaderEpochs.entries).toEqual([
      { leaderEpoch: 0, startOffset: 0 },
      { leaderEpoch: 2, startOffset: 1 },
    ])
  })

  test('ignores batches of a later epoch than the fetch had, and what follows (KAFKA-18723)', () => {
    const leader = openLog()
    append(leader, batch(['a']))
    leader.becomeLeader(2)
    append(leader, batch(['b']))
    const follower = openLog()
    expect(replicate(leader, follower, 1)).toBe(1)
    expect(follower.endOffset).toBe(1)
  })

  test('refuses a batch below its end and keeps what came before it', () => {
    const leader = pairs(2)
    const follower = openLog()
    const batches = now(leader.read(0, 10_000, 4))
    const act = () => follower.appendAsFollower([...batches, batches[0]!], { leaderEpoch: 0, now: NOW })
    expect(refusalCode(act)).toBe('UNKNOWN_SERVER_ERROR')
    expect(follower.endOffset).toBe(4)
  })

  test('refuses a damaged batch', () => {
    const [good] = now(pairs(1).read(0, 10_000, 2))
    const body = good!.body.slice()
    body[3]! ^= 1
    const follower = openLog()
    const act = () => follower.appendAsFollower([new RecordBatch(good!.head, body)], { leaderEpoch: 0, now: NOW })
    expect(refusalCode(act)).toBe('CORRUPT_MESSAGE')
    expect(follower.endOffset).toBe(0)
  })

  test('a gap, as compaction leaves it, is kept', () => {
    const leader = pairs(3)
    const follower = openLog()
    const [first, , third] = now(leader.read(0, 10_000, 6))
    follower.appendAsFollower([first!, third!], { leaderEpoch: 0, now: NOW })
    expect(follower.endOffset).toBe(6)
    expect(spans(now(follower.read(2, 10_000, 6)))).toEqual([[4, 5]])
  })
})

describe('a read', () => {
  test('returns whole batches from the one that contains the offset (F-7)', () => {
    expect(spans(now(pairs(3).read(3, 10_000, 6)))).toEqual([
      [2, 3],
      [4, 5],
    ])
  })

  test('never goes past the upper bound, nor cuts a batch at it (F-8)', () => {
    const log = pairs(3)
    expect(spans(now(log.read(0, 10_000, 4)))).toEqual([
      [0, 1],
      [2, 3],
    ])
    expect(spans(now(log.read(0, 10_000, 3)))).toEqual([[0, 1]])
    expect(now(log.read(4, 10_000, 4))).toEqual([])
    expect(spans(now(log.read(4, 10_000, 99)))).toEqual([[4, 5]])
  })

  test('X-25: the first batch is returned whole whatever the limit, if at least one is wanted (F-5, F-6)', () => {
    const log = openLog()
    append(log, batchOfSize(1000))
    append(log, batchOfSize(100))
    expect(spans(now(log.read(0, 1, 2, { minOneBatch: true })))).toEqual([[0, 0]])
    expect(spans(now(log.read(0, 0, 2, { minOneBatch: true })))).toEqual([[0, 0]])
    expect(now(log.read(0, 999, 2))).toEqual([])
    expect(spans(now(log.read(0, 1000, 2)))).toEqual([[0, 0]])
    expect(spans(now(log.read(0, 1100, 2)))).toEqual([
      [0, 0],
      [1, 1],
    ])
  })

  test('X-26: at the end it is empty, beyond it out of range; so is what lies below the start (F-10)', () => {
    const log = pairs(2)
    expect(now(log.read(4, 100, 4))).toEqual([])
    expect(refusalCode(() => log.read(5, 100, 4))).toBe('OFFSET_OUT_OF_RANGE')
    log.advanceHighWatermark(4)
    log.deleteRecordsBefore(1)
    expect(refusalCode(() => log.read(0, 100, 4))).toBe('OFFSET_OUT_OF_RANGE')
    expect(spans(now(log.read(1, 10_000, 4)))[0]).toEqual([0, 1])
  })

  test('bytes between two offsets are those that reads would return, over segments too (F-2)', () => {
    const log = openLog({ 'internal.segment.bytes': 200 })
    for (let at = 0; at < 5; at++) append(log, batchOfSize(100))
    expect(log.bytesBetween(0, 5)).toBe(500)
    expect(log.bytesBetween(1, 4)).toBe(300)
    expect(log.bytesBetween(4, 99)).toBe(100)
    expect(log.bytesBetween(3, 3)).toBe(0)
    expect(pairs(2).bytesBetween(1, 3)).toBe(pairs(1).size)
  })
})

describe('the high watermark', () => {
  test('stays between start and end, and tells of every move (R-10, R-13)', () => {
    const log = pairs(2)
    const moves: [number, number][] = []
    log.onHighWatermark = (to, from) => moves.push([from, to])
    expect(log.advanceHighWatermark(2)).toBe(true)
    expect(log.advanceHighWatermark(1)).toBe(false)
    expect(log.advanceHighWatermark(9)).toBe(true)
    expect(log.setHighWatermark(3)).toBe(true)
    expect(log.setHighWatermark(3)).toBe(false)
    log.deleteRecordsBefore(3)
    expect(log.setHighWatermark(0)).toBe(false)
    expect(moves).toEqual([
      [0, 2],
      [2, 4],
      [4, 3],
    ])
  })
})

describe('deleting records', () => {
  test('X-38: to 5 of 0–9 raises the start, to 11 is out of range, below the start is nothing (S-30)', () => {
    const log = openLog()
    for (let at = 0; at < 10; at++) append(log, batch([`${at}`]))
    log.advanceHighWatermark(10)
    expect(log.deleteRecordsBefore(5)).toBe(5)
    expect(refusalCode(() => log.read(0, 100, 10))).toBe('OFFSET_OUT_OF_RANGE')
    expect(refusalCode(() => log.deleteRecordsBefore(11))).toBe('OFFSET_OUT_OF_RANGE')
    expect(refusalCode(() => log.deleteRecordsBefore(-2))).toBe('OFFSET_OUT_OF_RANGE')
    expect(log.deleteRecordsBefore(3)).toBe(5)
    expect(log.deleteRecordsBefore(-1)).toBe(10)
    expect(log.highWatermark).toBe(10)
  })

  test('trims the epochs to the start (R-30, S-31)', () => {
    const log = pairs(2)
    log.becomeLeader(3)
    append(log, batch(['a']))
    log.advanceHighWatermark(5)
    log.deleteRecordsBefore(2)
    expect(log.leaderEpochs.entries).toEqual([
      { leaderEpoch: 0, startOffset: 2 },
      { leaderEpoch: 3, startOffset: 4 },
    ])
  })

  test('a follower takes over its leader’s start, up to its own high watermark (R-14)', () => {
    const log = pairs(3)
    log.setHighWatermark(4)
    log.raiseStartOffset(5)
    expect(log.startOffset).toBe(4)
    log.raiseStartOffset(2)
    expect(log.startOffset).toBe(4)
  })
})

describe('epochs', () => {
  test('a new leader enters its epoch at its end, once (R-5, R-30)', () => {
    const log = pairs(1)
    log.becomeLeader(4)
    append(log, batch(['a']))
    log.becomeLeader(4)
    expect(log.endOffsetForEpoch(4)).toEqual({ leaderEpoch: 4, endOffset: 3 })
    expect(log.endOffsetForEpoch(0)).toEqual({ leaderEpoch: 0, endOffset: 2 })
    expect(log.endOffsetForEpoch(5)).toEqual({ leaderEpoch: -1, endOffset: -1 })
  })
})

describe('a log whose life has ended', () => {
  test.each(['close', 'abandon'] as const)('refuses every write after %s, and never reaches its store again', how => {
    const stores = new MemoryStores()
    const log = openLog({}, { store: stores.store(orders) })
    append(log, batch(['a']))
    log[how]()
    expect(log.closed).toBe(true)
    const again = now(ReplicaLog.open({ name: 'orders-0', config: configOf(), now: NOW, store: stores.store(orders) }))
    const writes = [
      () => append(log, batch(['b'])),
      () => log.appendAsFollower(now(again.read(0, 1000, 1)), { leaderEpoch: 0, now: NOW }),
      () => log.truncateTo(0, NOW),
      () => log.truncateFullyAndStartAt(7),
      () => log.becomeLeader(9),
      () => log.checkpoint(),
      () => log.flush(NOW),
      () => log.deleteRecordsBefore(0),
      () => log.raiseStartOffset(0),
      () => log.applyRetention(NOW),
      () => log.compact(NOW),
    ]
    for (const write of writes) expect(refusal(write).errorName).toBe('KAFKA_STORAGE_ERROR')
    expect(log.close()).toBeUndefined()
    expect(values(again)).toEqual(['a'])
    expect(append(again, batch(['b'])).baseOffset).toBe(1)
  })
})

describe('what is shown to tests', () => {
  test('is plain data: bounds, segments with batch heads, epochs, producers', () => {
    const log = openLog()
    append(log, sequenced(0, 2))
    log.advanceHighWatermark(2)
    const { size } = log
    expect(log.snapshot()).toEqual({
      startOffset: 0,
      endOffset: 2,
      highWatermark: 2,
      lastStableOffset: 2,
      size,
      segments: [
        {
          baseOffset: 0,
          endOffset: 2,
          size,
          firstTimestamp: NOW,
          largestTimestamp: NOW,
          offsetIndex: [],
          timeIndex: [],
          batches: [
            {
              baseOffset: 0,
              lastOffset: 1,
              leaderEpoch: 0,
              size,
              count: 2,
              maxTimestamp: NOW,
              producerId: 7,
              producerEpoch: 0,
              baseSequence: 0,
              isTransactional: false,
              isControl: false,
            },
          ],
        },
      ],
      leaderEpochs: [{ leaderEpoch: 0, startOffset: 0 }],
      producers: [expect.objectContaining({ producerId: 7, lastSequence: 1 })],
    })
  })
})
