import { describe, expect, test } from 'vitest'
import { append, batch, batchOfSize, NOW, now, openLog, spans } from './logs.ts'

const bases = (log: ReturnType<typeof openLog>) => log.snapshot().segments.map(each => each.baseOffset)

describe('a new segment begins', () => {
  test('when the batch would make it larger than segment.bytes, not at exactly that (S-1, S-3)', () => {
    const log = openLog({ 'internal.segment.bytes': 200 })
    const sizes: [number, number][][] = []
    for (let at = 0; at < 6; at++) {
      append(log, batchOfSize(100))
      sizes.push(log.snapshot().segments.map(each => [each.baseOffset, each.size]))
    }
    expect(sizes[1]).toEqual([[0, 200]])
    expect(sizes[2]).toEqual([
      [0, 200],
      [2, 100],
    ])
    expect(sizes[5]).toEqual([
      [0, 200],
      [2, 200],
      [4, 200],
    ])
  })

  test('more than segment.ms after its first batch, by the timestamps of the batches (S-1)', () => {
    const log = openLog({ 'segment.ms': 10_000 })
    const steps: [number, number[]][] = [
      [0, [0]],
      [5000, [0]],
      [9999, [0]],
      [10_000, [0]],
      [10_001, [0, 4]],
      [20_001, [0, 4]],
      [20_002, [0, 4, 6]],
      [30_003, [0, 4, 6, 7]],
      [0, [0, 4, 6, 7]],
      [40_000, [0, 4, 6, 7]],
    ]
    for (const [after, expected] of steps) {
      append(log, batch(['v'], { timestamp: NOW - 100_000 + after }))
      expect(bases(log)).toEqual(expected)
    }
  })

  test('by the clock when its first batch has no timestamp; never without an append (S-1)', () => {
    const log = openLog({ 'segment.ms': 1500 })
    append(log, batch(['v'], { timestamp: -1 }))
    append(log, batch(['v'], { timestamp: -1 }), { now: NOW + 1500 })
    expect(bases(log)).toEqual([0])
    append(log, batch(['v'], { timestamp: -1 }), { now: NOW + 1501 })
    expect(bases(log)).toEqual([0, 2])
  })

  test('earlier by its part of segment.jitter.ms, drawn for each segment (S-1)', () => {
    const draws: [string, number][] = []
    const choose = (name: string, n: number) => {
      draws.push([name, n])
      return draws.length === 1 ? 400 : 0
    }
    const log = openLog({ 'segment.ms': 1000, 'segment.jitter.ms': 500 }, { choose })
    append(log, batch(['v']))
    append(log, batch(['v'], { timestamp: NOW + 600 }))
    expect(bases(log)).toEqual([0])
    append(log, batch(['v'], { timestamp: NOW + 601 }))
    expect(bases(log)).toEqual([0, 2])
    append(log, batch(['v'], { timestamp: NOW + 1601 }))
    expect(bases(log)).toEqual([0, 2])
    expect(draws).toEqual([
      ['segment jitter of orders-0', 500],
      ['segment jitter of orders-0', 500],
    ])
  })

  test('when an index is full (S-1)', () => {
    // Two entries of 8 bytes; one entry per batch once more than 0 bytes lie behind it.
    const log = openLog({ 'segment.index.bytes': 36, 'index.interval.bytes': 0 })
    for (let at = 0; at < 4; at++) append(log, batch(['v'], { timestamp: NOW + at }))
    expect(bases(log)).toEqual([0, 3])
  })

  test('at the log’s end (S-2)', () => {
    const log = openLog({ 'internal.segment.bytes': 200 })
    append(log, batch(['a', 'b', 'c']))
    append(log, batchOfSize(200))
    expect(bases(log)).toEqual([0, 3])
    expect(log.segmentBaseOf(2)).toBe(0)
    expect(log.segmentBaseOf(3)).toBe(3)
    expect(log.segmentBaseOf(99)).toBe(3)
  })
})

describe('the indexes', () => {
  test('have an entry for each index.interval.bytes, the time index only growing timestamps (S-40)', () => {
    const log = openLog({ 'index.interval.bytes': 250, 'internal.segment.bytes': 1000 })
    for (const after of [0, 5, 2, 9, 1, 1, 1, 1, 1, 1, 3]) append(log, batchOfSize(100, NOW + after))
    const [first, second] = log.snapshot().segments
    expect(first!.offsetIndex).toEqual([
      { offset: 3, position: 300 },
      { offset: 6, position: 600 },
      { offset: 9, position: 900 },
    ])
    // The last entry is made when the segment closes; it would repeat the largest timestamp.
    expect(first!.timeIndex).toEqual([{ timestamp: NOW + 9, offset: 3 }])
    expect(second).toMatchObject({ baseOffset: 10, endOffset: 11, offsetIndex: [], timeIndex: [] })
  })

  test('a closed segment ends its time index with its largest timestamp (S-40)', () => {
    const log = openLog({ 'internal.segment.bytes': 200 })
    append(log, batchOfSize(100, NOW + 5))
    append(log, batchOfSize(100, NOW + 3))
    append(log, batchOfSize(100, NOW + 1))
    const [first] = log.snapshot().segments
    expect(first).toMatchObject({ firstTimestamp: NOW + 5, largestTimestamp: NOW + 5 })
    expect(first!.timeIndex).toEqual([{ timestamp: NOW + 5, offset: 0 }])
  })
})

describe('a read', () => {
  test('ends with the segment, more comes with the next one (F-7)', () => {
    const log = openLog({ 'internal.segment.bytes': 200 })
    for (let at = 0; at < 6; at++) append(log, batchOfSize(100))
    expect(spans(now(log.read(0, 1_000_000, 6)))).toEqual([
      [0, 0],
      [1, 1],
    ])
    expect(spans(now(log.read(3, 1_000_000, 6)))).toEqual([[3, 3]])
  })
})

describe('looking up a time', () => {
  const timed = (...after: number[]) => {
    const log = openLog({ 'internal.segment.bytes': 200 })
    for (const each of after) append(log, batchOfSize(100, NOW + each))
    return log
  }
  const offsetAt = (log: ReturnType<typeof openLog>, after: number) => now(log.offsetForTimestamp(NOW + after))?.offset

  test('finds the first record at or after it, with its own timestamp and epoch (F-36, S-40)', () => {
    const log = openLog()
    append(
      log,
      batch([
        { value: 'a', timestamp: NOW },
        { value: 'b', timestamp: NOW + 10 },
      ]),
    )
    log.becomeLeader(4)
    append(
      log,
      batch([
        { value: 'c', timestamp: NOW + 20 },
        { value: 'd', timestamp: NOW + 30 },
      ]),
    )
    expect(now(log.offsetForTimestamp(NOW + 5))).toEqual({ offset: 1, timestamp: NOW + 10, leaderEpoch: 0 })
    expect(now(log.offsetForTimestamp(NOW + 21))).toEqual({ offset: 3, timestamp: NOW + 30, leaderEpoch: 4 })
    expect(now(log.offsetForTimestamp(0))).toEqual({ offset: 0, timestamp: NOW, leaderEpoch: 0 })
    expect(now(log.offsetForTimestamp(NOW + 31))).toBeUndefined()
  })

  test('out of order: the earliest offset that is not older, segment by segment (S-40)', () => {
    const log = timed(5, 1, 9, 2, 7, 7)
    expect([5, 6, 9, 10].map(after => offsetAt(log, after))).toEqual([0, 2, 2, undefined])
    expect(offsetAt(log, 2)).toBe(0)
  })

  test('does not find what lies before the log start (F-36)', () => {
    const log = timed(9, 1, 2, 3, 9, 1)
    log.advanceHighWatermark(6)
    log.deleteRecordsBefore(1)
    expect(offsetAt(log, 9)).toBe(4)
    expect(offsetAt(log, 0)).toBe(1)
  })

  test('the largest timestamp: its first record (F-32)', () => {
    const log = timed(5, 9, 9, 1)
    expect(now(log.maxTimestamp())).toEqual({ offset: 1, timestamp: NOW + 9, leaderEpoch: 0 })
    append(log, batch([{ value: 'a', timestamp: NOW + 3 }, { value: 'b', timestamp: NOW + 99 }, 'c']))
    expect(now(log.maxTimestamp())).toMatchObject({ offset: 5, timestamp: NOW + 99 })
    expect(now(openLog().maxTimestamp())).toBeUndefined()
  })
})
