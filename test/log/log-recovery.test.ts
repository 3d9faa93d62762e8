import { describe, expect, test } from 'vitest'
import type { LogStore, LogStores, ReplicaName, StoreBounds } from '../../src/log/log-store.ts'
import { MemoryStores } from '../../src/log/memory-store.ts'
import type { ReplicaLog } from '../../src/log/replica-log.ts'
import { RecordBatch } from '../../src/wire/record-batch.ts'
import {
  append,
  batch,
  batchOfSize,
  NOW,
  now,
  openLog,
  orders,
  refusalCode,
  reopen,
  sequenced,
  values,
} from './logs.ts'

function logIn(stores: LogStores, configs = {}): ReplicaLog {
  return openLog(configs, { store: stores.store(orders) })
}

/** A store that counts the batches it is asked for. */
class Counting implements LogStores {
  readonly realIo = false
  readonly inner = new MemoryStores()
  read = 0

  store(replica: ReplicaName): LogStore {
    const inner = this.inner.store(replica)
    const counting = Object.create(inner) as LogStore
    counting.open = (): StoreBounds => inner.open()
    counting.read = (from, maxBytes) => {
      const batches = inner.read(from, maxBytes)
      this.read += batches.length
      return batches
    }
    for (const name of ['append', 'truncateTo', 'trimBefore', 'replace', 'resetTo', 'flush', 'save', 'load'] as const) {
      counting[name] = (...given: never[]) => (inner[name] as (...all: never[]) => never)(...given)
    }
    counting.close = () => undefined
    return counting
  }

  wipe(broker: number): void {
    this.inner.wipe(broker)
  }
  powerOff(broker: number): void {
    this.inner.powerOff(broker)
  }
  remove(replica: ReplicaName): void {
    this.inner.remove(replica)
  }
  close(): void {}
}

describe('after a clean shutdown', () => {
  test('everything is there again, and no batch was read for it (S-41)', () => {
    const stores = new Counting()
    const log = logIn(stores, { 'internal.segment.bytes': 200 })
    for (let at = 0; at < 5; at++) append(log, batchOfSize(100, NOW + at))
    log.becomeLeader(3)
    append(log, sequenced(0))
    log.advanceHighWatermark(4)
    const before = log.snapshot()
    now(log.close())
    stores.read = 0
    const again = reopen(stores, { 'internal.segment.bytes': 200 })
    expect(stores.read).toBe(0)
    expect(again.highWatermark).toBe(4)
    expect(again.size).toBe(before.size)
    expect(again.snapshot()).toEqual(before)
  })

  test('the log goes on where it ended: rolling, timestamps, sequences (S-1, I-13)', () => {
    const stores = new MemoryStores()
    const configs = { 'internal.segment.bytes': 250 }
    const log = logIn(stores, configs)
    append(log, batchOfSize(100))
    append(log, batchOfSize(100))
    now(log.close())
    const again = reopen(stores, configs)
    append(again, batchOfSize(100))
    expect(again.snapshot().segments.map(each => [each.baseOffset, each.size])).toEqual([
      [0, 200],
      [2, 100],
    ])
    now(again.truncateTo(1, NOW))
    expect(again.snapshot().segments.map(each => [each.baseOffset, each.size])).toEqual([[0, 100]])
  })

  test('a truncation into a segment of an earlier life counts it anew (R-35)', () => {
    const stores = new MemoryStores()
    const log = logIn(stores, { 'internal.segment.bytes': 200 })
    for (let at = 0; at < 6; at++) append(log, batchOfSize(100, NOW + at))
    now(log.close())
    const again = reopen(stores, { 'internal.segment.bytes': 200 })
    now(again.truncateTo(3, NOW))
    expect(again.snapshot().segments.map(each => [each.baseOffset, each.size, each.largestTimestamp])).toEqual([
      [0, 200, NOW + 1],
      [2, 100, NOW + 2],
    ])
    expect(again.size).toBe(300)
  })

  test('times are found in segments of an earlier life (F-36)', () => {
    const stores = new MemoryStores()
    const log = logIn(stores, { 'internal.segment.bytes': 200 })
    for (let at = 0; at < 6; at++) append(log, batchOfSize(100, NOW + at))
    now(log.close())
    const again = reopen(stores)
    expect(now(again.offsetForTimestamp(NOW + 3))).toMatchObject({ offset: 3, timestamp: NOW + 3 })
    expect(now(again.maxTimestamp())).toMatchObject({ offset: 5 })
    expect(again.bytesBetween(0, 6)).toBe(600)
  })
})

test('what is appended to a segment of an earlier life does not hide what was there before (F-36)', () => {
  const stores = new MemoryStores()
  const log = logIn(stores)
  for (let at = 0; at < 4; at++) append(log, batchOfSize(100, NOW + at))
  now(log.close())
  const again = reopen(stores)
  append(again, batchOfSize(100, NOW + 4))
  again.advanceHighWatermark(5)
  expect(again.bytesBetween(4, 5)).toBe(100)
  expect(now(again.offsetForTimestamp(NOW + 1))).toMatchObject({ offset: 1, timestamp: NOW + 1 })
  expect(again.snapshot().segments.map(each => each.batches.map(({ baseOffset }) => baseOffset))).toEqual([
    [0, 1, 2, 3, 4],
  ])
  now(again.truncateTo(3, NOW))
  expect(again.bytesBetween(1, 3)).toBe(200)
})

describe('after a crash', () => {
  test('all that was appended is there, the high watermark from its checkpoint (R-13)', () => {
    const stores = new MemoryStores()
    const log = logIn(stores)
    for (let at = 0; at < 4; at++) append(log, batch([`${at}`]))
    log.advanceHighWatermark(2)
    expect(log.checkpointNeeded).toBe(true)
    now(log.checkpoint())
    expect(log.checkpointNeeded).toBe(false)
    log.advanceHighWatermark(4)
    log.abandon()
    const again = reopen(stores)
    expect(values(again)).toEqual(['0', '1', '2', '3'])
    expect(again.highWatermark).toBe(2)
  })

  test('only the active segment is read (S-41)', () => {
    const stores = new Counting()
    const configs = { 'internal.segment.bytes': 300 }
    const log = logIn(stores, configs)
    for (let at = 0; at < 8; at++) append(log, batchOfSize(100, NOW + at))
    const before = log.snapshot()
    log.abandon()
    stores.read = 0
    const again = reopen(stores, configs)
    expect(stores.read).toBe(2)
    expect(again.snapshot()).toEqual({ ...before, highWatermark: 0, lastStableOffset: 0 })
  })

  test('producers come from the snapshot of the last roll and the batches since (I-13, I-14, S-2)', () => {
    const stores = new MemoryStores()
    const configs = { 'internal.segment.bytes': 200 }
    const log = logIn(stores, configs)
    for (let at = 0; at < 6; at++) append(log, sequenced(at >> 1, 1, { producerId: at % 2 }))
    expect(log.snapshot().segments.length).toBeGreaterThan(1)
    const { producers } = log.snapshot()
    log.abandon()
    expect(reopen(stores, configs).snapshot().producers).toEqual(producers)
  })

  test('the log is cut at the first batch whose CRC does not fit, behind the recovery point (S-41)', () => {
    const stores = new MemoryStores()
    const log = logIn(stores)
    append(log, batch(['a']))
    append(log, sequenced(0))
    append(log, sequenced(1))
    const store = stores.store(orders)
    const [, second, third] = store.read(0, 10_000)
    const body = second!.body.slice()
    body[4]! ^= 1
    store.truncateTo(1)
    store.append(1, new RecordBatch(second!.head, body))
    store.append(2, third!)
    log.abandon()
    const again = reopen(stores)
    expect(again.endOffset).toBe(1)
    expect(values(again)).toEqual(['a'])
    expect(again.snapshot().producers).toEqual([])
    expect(append(again, batch(['b']), { leaderEpoch: 1 }).baseOffset).toBe(1)
  })

  test('the start that DeleteRecords left is kept once it is checkpointed (S-41)', () => {
    const stores = new MemoryStores()
    const log = logIn(stores)
    for (let at = 0; at < 4; at++) append(log, batch([`${at}`]))
    log.advanceHighWatermark(4)
    log.deleteRecordsBefore(3)
    now(log.checkpoint())
    log.abandon()
    const again = reopen(stores)
    expect([again.startOffset, again.highWatermark, again.endOffset]).toEqual([3, 4, 4])
  })

  test('a stale snapshot of a cut end is not believed (I-13)', () => {
    const stores = new MemoryStores()
    const log = logIn(stores)
    for (let at = 0; at < 3; at++) append(log, sequenced(at))
    now(log.close())
    const second = reopen(stores)
    now(second.truncateTo(1, NOW))
    append(second, batch(['other']), { leaderEpoch: 1 })
    append(second, batch(['others']), { leaderEpoch: 1 })
    second.abandon()
    const third = reopen(stores)
    expect(third.producerStates.get(7)?.lastSequence).toBe(0)
    expect(third.leaderEpochs.entries).toEqual([
      { leaderEpoch: 0, startOffset: 0 },
      { leaderEpoch: 1, startOffset: 1 },
    ])
  })

  test('producers that expired meanwhile are forgotten (I-11)', () => {
    const stores = new MemoryStores()
    const log = logIn(stores)
    append(log, sequenced(0))
    now(log.close())
    expect(reopen(stores, {}, { now: NOW + 86_400_000 }).producerStates.get(7)).toBeUndefined()
  })
})

describe('after a power loss', () => {
  test('what was not flushed is gone, epochs and high watermark with it (S-42)', () => {
    const stores = new MemoryStores()
    const log = logIn(stores)
    append(log, batch(['a']))
    now(log.flush(NOW))
    log.becomeLeader(1)
    append(log, batch(['b']))
    log.advanceHighWatermark(2)
    now(log.checkpoint())
    log.abandon()
    stores.powerOff(1)
    const again = reopen(stores)
    expect(values(again)).toEqual(['a'])
    expect([again.endOffset, again.highWatermark]).toEqual([1, 1])
    expect(again.leaderEpochs.entries).toEqual([{ leaderEpoch: 0, startOffset: 0 }])
  })

  test('a rolled segment was flushed, the active one was not (S-2, S-42)', () => {
    const stores = new MemoryStores()
    const configs = { 'internal.segment.bytes': 200 }
    const log = logIn(stores, configs)
    for (let at = 0; at < 5; at++) append(log, batchOfSize(100))
    log.abandon()
    stores.powerOff(1)
    expect(
      reopen(stores, configs)
        .snapshot()
        .segments.map(each => [each.baseOffset, each.size]),
    ).toEqual([
      [0, 200],
      [2, 200],
      [4, 0],
    ])
  })

  test('a clean shutdown flushes all', () => {
    const stores = new MemoryStores()
    const log = logIn(stores)
    append(log, sequenced(0))
    now(log.close())
    stores.powerOff(1)
    const again = reopen(stores)
    expect(again.endOffset).toBe(1)
    expect(again.producerStates.get(7)?.lastSequence).toBe(0)
  })

  test('flush.messages flushes after so many records, flush.ms says when (S-42)', () => {
    const stores = new MemoryStores()
    const log = logIn(stores, { 'flush.messages': 2, 'flush.ms': 1000 })
    expect(log.nextFlushAt).toBe(Number.POSITIVE_INFINITY)
    append(log, batch(['a']))
    expect(log.nextFlushAt).toBe(NOW + 1000)
    append(log, batch(['b']))
    expect(log.nextFlushAt).toBe(Number.POSITIVE_INFINITY)
    append(log, batch(['c']))
    log.abandon()
    stores.powerOff(1)
    expect(values(reopen(stores))).toEqual(['a', 'b'])
  })

  test('by default nothing asks for a flush (S-42)', () => {
    const log = openLog()
    append(log, batch(['a']))
    expect(log.nextFlushAt).toBe(Number.POSITIVE_INFINITY)
  })
})

test('a second crash finds what the first restart found (S-41)', () => {
  const stores = new MemoryStores()
  const configs = { 'internal.segment.bytes': 300 }
  const log = logIn(stores, configs)
  for (let at = 0; at < 7; at++) append(log, sequenced(at))
  log.abandon()
  const second = reopen(stores, configs)
  const before = second.snapshot()
  second.abandon()
  expect(reopen(stores, configs).snapshot()).toEqual(before)
})

test('a restart in the clean state, then a crash: the clean mark is no longer believed (S-41)', () => {
  const stores = new MemoryStores()
  const log = logIn(stores)
  append(log, sequenced(0))
  now(log.close())
  const second = reopen(stores)
  append(second, sequenced(1), { leaderEpoch: 1 })
  now(second.truncateTo(0, NOW))
  append(second, batch(['x']), { leaderEpoch: 2 })
  second.abandon()
  const third = reopen(stores)
  expect(values(third)).toEqual(['x'])
  expect(third.producerStates.get(7)).toBeUndefined()
  expect(refusalCode(() => append(third, sequenced(0, 1, { baseOffset: 1 })))).toBe('INVALID_RECORD')
})
