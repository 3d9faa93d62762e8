import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { MemoryStores } from '../../src/log/memory-store.ts'
import type { ReplicaLog } from '../../src/log/replica-log.ts'
import type { NewRecord } from '../../src/wire/batch-builder.ts'
import { loadInstalledCodecs } from '../../src/wire/compression.ts'
import { controlBatch } from '../../src/wire/control-record.ts'
import { RecordBatch, verifyCrc } from '../../src/wire/record-batch.ts'
import {
  append,
  batch,
  type Configs,
  NOW,
  now,
  openLog,
  orders,
  type ProducedOptions,
  recordsIn,
  reopen,
  spans,
} from './logs.ts'

beforeAll(loadInstalledCodecs)

const compacting: Configs = { 'cleanup.policy': ['compact'], 'delete.retention.ms': 1000 }

/** The record `k` → `v`; a null value is a tombstone. */
const record = (key: string, value: string | null): NewRecord => ({ key, value })

const put = (log: ReplicaLog, records: NewRecord[], options: ProducedOptions = {}) =>
  append(log, batch(records, options))

/** Everything so far is replicated and in closed segments: a filler begins a new one. */
function closeSegments(log: ReplicaLog): void {
  const { config } = log
  log.config = { ...config, 'segment.ms': 1 }
  const timestamp = NOW + 1_000_000 * (1 + log.endOffset)
  append(log, batch([record('filler', `${log.endOffset}`)], { timestamp }), { now: timestamp })
  log.config = config
  log.advanceHighWatermark(log.endOffset)
}

const kept = (log: ReplicaLog) => recordsIn(log).filter(([, key]) => key !== 'filler')

const heads = (log: ReplicaLog) =>
  log.snapshot().segments.flatMap(each => each.batches.map(b => [b.baseOffset, b.lastOffset, b.count]))

test('X-37: of each key the last record stays, a tombstone until its horizon (S-21, S-22)', () => {
  const log = openLog(compacting)
  for (const each of [record('k1', 'a'), record('k2', 'b'), record('k1', 'c'), record('k2', null)]) put(log, [each])
  closeSegments(log)
  expect(now(log.compact(NOW))).toMatchObject({ recordsDropped: 2, cleanedTo: 4 })
  expect(kept(log)).toEqual([
    [2, 'k1', 'c'],
    [3, 'k2', null],
  ])
  // The horizon was set by this cleaning: another one before it changes nothing, one behind it drops the tombstone.
  closeSegments(log)
  now(log.compact(NOW + 999))
  expect(kept(log)).toHaveLength(2)
  closeSegments(log)
  now(log.compact(NOW + 1000))
  expect(kept(log)).toEqual([[2, 'k1', 'c']])
})

describe('compaction', () => {
  test('keeps offsets, order, ends of batches and true CRCs (S-21, S-24, B-3)', () => {
    const log = openLog(compacting)
    put(log, [record('a', '1'), record('b', '1'), record('c', '1')])
    put(log, [record('b', '2'), record('c', '2')], { compression: 'gzip' })
    put(log, [record('c', '3')])
    closeSegments(log)
    now(log.compact(NOW))
    expect(recordsIn(log).slice(0, 3)).toEqual([
      [0, 'a', '1'],
      [3, 'b', '2'],
      [5, 'c', '3'],
    ])
    expect(heads(log).slice(0, 3)).toEqual([
      [0, 2, 1],
      [3, 4, 1],
      [5, 5, 1],
    ])
    const batches = now(log.read(0, 1_000_000, log.endOffset))
    expect(batches.map(each => each.compression)).toEqual([0, 1, 0])
    for (const { head, body } of batches) expect(verifyCrc(new RecordBatch(head.slice(), body.slice()))).toBe(true)
  })

  test('a fetch into a gap begins with what follows (F-7, S-21)', () => {
    const log = openLog(compacting)
    for (const value of ['1', '2', '3']) put(log, [record('k', value)])
    closeSegments(log)
    now(log.compact(NOW))
    expect(spans(now(log.read(1, 1_000_000, log.endOffset)))[0]).toEqual([2, 2])
    expect(log.endOffset).toBe(4)
  })

  test('the active segment is never cleaned, nor anything above the last stable offset (S-20)', () => {
    const log = openLog(compacting, { verifyTransactions: false })
    put(log, [record('k', '1')])
    put(log, [record('k', '2')])
    log.advanceHighWatermark(2)
    expect(now(log.compact(NOW))).toBeUndefined()
    put(log, [record('k', '3')], { producerId: 1, producerEpoch: 0, baseSequence: 0, transactional: true })
    closeSegments(log)
    now(log.compact(NOW))
    expect(kept(log).map(([offset]) => offset)).toEqual([1, 2])
  })

  test('null keys go once a topic is compacted (S-21)', () => {
    const log = openLog()
    put(log, [{ value: 'no key' }, record('k', '1')])
    closeSegments(log)
    log.config = { ...log.config, 'cleanup.policy': 'compact,delete' }
    now(log.compact(NOW))
    expect(kept(log)).toEqual([[1, 'k', '1']])
  })

  test('the last batch of the cleaned range stays, emptied, so that the range keeps its end (S-24)', () => {
    const log = openLog()
    put(log, [record('k', '1')])
    put(log, [{ value: 'no key' }])
    put(log, [{ value: 'no key either' }])
    closeSegments(log)
    log.config = { ...log.config, 'cleanup.policy': ['compact'] }
    now(log.compact(NOW))
    expect(heads(log).slice(0, 2)).toEqual([
      [0, 0, 1],
      [2, 2, 0],
    ])
  })

  test('the last batch of each producer stays, emptied, so that its sequence is known (S-24)', () => {
    const stores = new MemoryStores()
    const log = openLog(compacting, { store: stores.store(orders) })
    const from = (producerId: number, baseSequence: number) => ({ producerId, producerEpoch: 0, baseSequence })
    put(log, [record('c', '1')], from(70, 0))
    put(log, [record('c', '2')], from(70, 1))
    put(log, [record('c', '3')], from(71, 0))
    put(log, [record('c', '4')])
    closeSegments(log)
    now(log.compact(NOW))
    expect(heads(log).slice(0, 3)).toEqual([
      [1, 1, 0],
      [2, 2, 0],
      [3, 3, 1],
    ])
    const { producers } = log.snapshot()
    log.abandon()
    expect(reopen(stores, compacting).snapshot().producers).toEqual(producers)
  })

  test('small neighbours become one segment, up to segment.bytes (S-25)', () => {
    const log = openLog({ ...compacting, 'internal.segment.bytes': 220 })
    for (let at = 0; at < 8; at++) put(log, [record(`k${at % 3}`, `${at}`)])
    log.advanceHighWatermark(8)
    const before = log.snapshot().segments.map(each => each.baseOffset)
    expect(before).toEqual([0, 3, 6])
    now(log.compact(NOW))
    const { segments } = log.snapshot()
    expect(segments.map(each => each.baseOffset)).toEqual([0, 3, 6])
    log.config = { ...log.config, 'internal.segment.bytes': 1000 }
    closeSegments(log)
    now(log.compact(NOW))
    expect(log.snapshot().segments.map(each => each.baseOffset)).toEqual([0, 8])
    expect(log.size).toBe(log.snapshot().segments.reduce((sum, each) => sum + each.size, 0))
  })

  test('cleaned again, keys of the clean part give way to the dirty part (S-20, S-21)', () => {
    const log = openLog(compacting)
    put(log, [record('a', '1')])
    put(log, [record('b', '1')])
    closeSegments(log)
    now(log.compact(NOW))
    put(log, [record('a', '2')])
    closeSegments(log)
    now(log.compact(NOW))
    expect(kept(log)).toEqual([
      [1, 'b', '1'],
      [3, 'a', '2'],
    ])
  })

  test('is forgotten by nobody: a restart goes on from the cleaned point (S-20)', () => {
    const stores = new MemoryStores()
    const log = openLog(compacting, { store: stores.store(orders) })
    put(log, [record('k', '1')])
    put(log, [record('k', '2')])
    closeSegments(log)
    now(log.compact(NOW))
    now(log.close())
    const again = reopen(stores, compacting)
    expect(again.nextCompactionAt(NOW)).toBe(Number.POSITIVE_INFINITY)
    expect(now(again.compact(NOW))).toBeUndefined()
    expect(kept(again)).toEqual([[1, 'k', '2']])
  })
})

describe('transactions (S-23)', () => {
  const pid = { producerId: 1, producerEpoch: 0, transactional: true }

  function ended(type: 'ABORT' | 'COMMIT'): ReplicaLog {
    const log = openLog(compacting, { verifyTransactions: false })
    put(log, [record('k', 'before')])
    put(log, [record('k', 'inside')], { ...pid, baseSequence: 0 })
    append(log, controlBatch({ type, producerId: 1, producerEpoch: 0, coordinatorEpoch: 0, timestamp: NOW }), {
      origin: 'coordinator',
    })
    // Another producer's data, so that the batches above are nobody's last.
    put(log, [record('x', '1')], { ...pid, baseSequence: 1 })
    append(
      log,
      controlBatch({ type: 'COMMIT', producerId: 1, producerEpoch: 0, coordinatorEpoch: 0, timestamp: NOW }),
      {
        origin: 'coordinator',
      },
    )
    closeSegments(log)
    return log
  }

  test('aborted records go at once and hide nothing; the marker goes behind its own horizon', () => {
    const log = ended('ABORT')
    now(log.compact(NOW))
    expect(kept(log)).toEqual([
      [0, 'k', 'before'],
      [3, 'x', '1'],
    ])
    expect(heads(log).map(([base]) => base)).toContain(2)
    expect(log.abortedTransactions(0, 99)).toEqual([{ producerId: 1, firstOffset: 1 }])
    // Next: no data is left, so the horizon is set; behind it, the marker goes.
    closeSegments(log)
    now(log.compact(NOW))
    expect(heads(log).map(([base]) => base)).toContain(2)
    expect(log.abortedTransactions(0, 99)).toEqual([])
    closeSegments(log)
    now(log.compact(NOW + 1000))
    expect(heads(log).map(([base]) => base)).not.toContain(2)
  })

  test('committed records compact as others do, the marker stays with its data', () => {
    const log = ended('COMMIT')
    now(log.compact(NOW))
    expect(kept(log)).toEqual([
      [1, 'k', 'inside'],
      [3, 'x', '1'],
    ])
    closeSegments(log)
    now(log.compact(NOW + 5000))
    expect(heads(log).map(([base]) => base)).toContain(2)
  })
})

describe('when it is due (S-20)', () => {
  test('once more than min.cleanable.dirty.ratio is dirty, and only on compacted topics', () => {
    const log = openLog(compacting)
    put(log, [record('k', '1')])
    expect(log.nextCompactionAt(NOW)).toBe(Number.POSITIVE_INFINITY)
    closeSegments(log)
    expect(log.nextCompactionAt(NOW)).toBe(NOW)
    now(log.compact(NOW))
    expect(log.nextCompactionAt(NOW)).toBe(Number.POSITIVE_INFINITY)
    log.config = { ...log.config, 'cleanup.policy': ['delete'] }
    closeSegments(log)
    expect(log.nextCompactionAt(NOW)).toBe(Number.POSITIVE_INFINITY)
    expect(now(log.compact(NOW))).toBeUndefined()
  })

  test('below the ratio, when the oldest dirty record reaches max.compaction.lag.ms', () => {
    const log = openLog({ ...compacting, 'max.compaction.lag.ms': 10_000, 'min.cleanable.dirty.ratio': 1 })
    put(log, [record('k', '1')], { timestamp: NOW - 3000 })
    closeSegments(log)
    expect(log.nextCompactionAt(NOW)).toBe(NOW + 7001)
    expect(log.nextCompactionAt(NOW + 9000)).toBe(NOW + 9000)
  })

  test('not before min.compaction.lag.ms', () => {
    const log = openLog({ ...compacting, 'min.compaction.lag.ms': 60_000 })
    put(log, [record('k', '1')])
    put(log, [record('k', '2')])
    closeSegments(log)
    expect(log.nextCompactionAt(NOW + 2000)).toBe(NOW + 60_000)
    expect(now(log.compact(NOW + 2000))).toBeUndefined()
    expect(log.nextCompactionAt(NOW + 60_000)).toBe(NOW + 60_000)
    now(log.compact(NOW + 60_000))
    expect(kept(log)).toEqual([[1, 'k', '2']])
  })
})

test('compacted or not, a reader of all records ends with the same values', () => {
  const produced = fc.array(
    fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      value: fc.option(fc.constantFrom('1', '2', '3'), { nil: null }),
      close: fc.boolean(),
      gzip: fc.boolean(),
    }),
    { minLength: 1, maxLength: 25 },
  )
  const finalState = (log: ReplicaLog) => {
    const state = new Map<string | null, string | null>()
    for (const [, key, value] of recordsIn(log)) {
      if (value === null) state.delete(key)
      else state.set(key, value)
    }
    return [...state].sort()
  }
  fc.assert(
    fc.property(produced, fc.array(fc.nat(3000), { minLength: 1, maxLength: 4 }), (steps, cleanings) => {
      const log = openLog(compacting)
      for (const { key, value, close, gzip } of steps) {
        put(log, [record(key, value)], { compression: gzip ? 'gzip' : 'none' })
        if (close) closeSegments(log)
      }
      const expected = finalState(log)
      const offsets = new Map(recordsIn(log).map(([offset, key, value]) => [offset, `${key}=${value}`]))
      const { endOffset } = log
      for (const after of cleanings) {
        now(log.compact(NOW + after))
        expect(finalState(log)).toEqual(expected)
        for (const [offset, key, value] of recordsIn(log)) expect(`${key}=${value}`).toBe(offsets.get(offset))
        expect(log.endOffset).toBe(endOffset)
      }
    }),
    { numRuns: 150 },
  )
})
