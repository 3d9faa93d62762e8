import { describe, expect, test } from 'vitest'
import type { ReplicaLog } from '../../src/log/replica-log.ts'
import { append, batchOfSize, type Configs, NOW, now, openLog, refusalCode } from './logs.ts'

/** One segment of 100 bytes per timestamp; all of it replicated. */
function segmented(timestamps: readonly number[], configs: Configs = {}): ReplicaLog {
  const log = openLog({ 'internal.segment.bytes': 100, ...configs })
  for (const timestamp of timestamps) append(log, batchOfSize(100, timestamp))
  log.advanceHighWatermark(log.endOffset)
  return log
}

const bases = (log: ReplicaLog) => log.snapshot().segments.map(each => each.baseOffset)

describe('by time', () => {
  test('X-36: a prefix of old segments goes, the start moves, reads below are out of range (S-11…S-14)', () => {
    const log = segmented([NOW - 2000, NOW - 1500, NOW + 60_000, NOW - 1200, NOW - 1100], { 'retention.ms': 3000 })
    expect(now(log.applyRetention(NOW + 1500))).toEqual({ segments: 1, bytes: 100, startOffset: 1 })
    expect(now(log.applyRetention(NOW + 4000))).toEqual({ segments: 1, bytes: 100, startOffset: 2 })
    expect(bases(log)).toEqual([2, 3, 4])
    expect([log.startOffset, log.endOffset, log.highWatermark]).toEqual([2, 5, 5])
    expect(refusalCode(() => log.read(0, 100, 5))).toBe('OFFSET_OUT_OF_RANGE')
    expect(log.size).toBe(300)
  })

  test('strictly older than retention.ms; −1 keeps for ever (S-11)', () => {
    const log = segmented([NOW, NOW + 1], { 'retention.ms': 1000 })
    expect(now(log.applyRetention(NOW + 1000))).toBeUndefined()
    expect(now(log.applyRetention(NOW + 1001))?.segments).toBe(1)
    const kept = segmented([0, 1], { 'retention.ms': -1 })
    expect(now(kept.applyRetention(NOW))).toBeUndefined()
    expect(kept.nextRetentionAt(NOW)).toBe(Number.POSITIVE_INFINITY)
  })

  test('when all segments go, an empty one is left at the end, and the log goes on there (S-12)', () => {
    const log = segmented([NOW - 5000, NOW - 4000, NOW - 3000], { 'retention.ms': 1000 })
    expect(now(log.applyRetention(NOW))).toEqual({ segments: 3, bytes: 300, startOffset: 3 })
    expect(log.snapshot().segments).toMatchObject([{ baseOffset: 3, size: 0 }])
    expect([log.startOffset, log.endOffset, log.highWatermark]).toEqual([3, 3, 3])
    expect(refusalCode(() => log.read(2, 100, 3))).toBe('OFFSET_OUT_OF_RANGE')
    expect(append(log, batchOfSize(100)).baseOffset).toBe(3)
    expect(now(log.applyRetention(NOW))).toBeUndefined()
  })

  test('records without a timestamp age from their append (S-13)', () => {
    const log = segmented([-1], { 'retention.ms': 1000 })
    expect(log.nextRetentionAt(NOW)).toBe(NOW + 1001)
    expect(now(log.applyRetention(NOW + 1000))).toBeUndefined()
    expect(now(log.applyRetention(NOW + 1001))?.startOffset).toBe(1)
  })

  test('nothing at or above the high watermark goes (S-12)', () => {
    const log = segmented([0, 0, 0], { 'retention.ms': 1000 })
    const behind = openLog({ 'internal.segment.bytes': 100, 'retention.ms': 1000 })
    for (let at = 0; at < 3; at++) append(behind, batchOfSize(100, 0))
    behind.advanceHighWatermark(2)
    expect(now(behind.applyRetention(NOW))).toMatchObject({ segments: 2, startOffset: 2 })
    expect(now(log.applyRetention(NOW))).toMatchObject({ segments: 3 })
  })

  test('epochs go with the records (R-30)', () => {
    const log = segmented([0, 0], { 'retention.ms': 1000 })
    log.becomeLeader(5)
    append(log, batchOfSize(100, NOW))
    log.advanceHighWatermark(3)
    now(log.applyRetention(NOW))
    expect(log.leaderEpochs.entries).toEqual([{ leaderEpoch: 5, startOffset: 2 }])
  })
})

describe('by size', () => {
  test('oldest segments go while the rest is at least retention.bytes (S-11)', () => {
    const eight = Array.from({ length: 8 }, () => NOW)
    const log = segmented(eight, { 'retention.bytes': 300, 'retention.ms': -1 })
    expect(log.nextRetentionAt(NOW)).toBe(NOW)
    now(log.applyRetention(NOW))
    expect(bases(log)).toEqual([5, 6, 7])
    log.config = { ...log.config, 'retention.bytes': 290 }
    expect(now(log.applyRetention(NOW))).toBeUndefined()
    expect(log.nextRetentionAt(NOW)).toBe(Number.POSITIVE_INFINITY)
    log.config = { ...log.config, 'retention.bytes': 0 }
    expect(now(log.applyRetention(NOW))).toMatchObject({ segments: 3, startOffset: 8 })
  })
})

describe('below the log start', () => {
  test.each(['compact', 'delete', ''])('segments go with cleanup.policy "%s" (S-10, S-31)', policy => {
    const log = segmented([NOW, NOW, NOW, NOW], { 'cleanup.policy': policy })
    expect(log.nextRetentionAt(NOW)).not.toBe(NOW)
    log.deleteRecordsBefore(2)
    expect(bases(log)).toEqual([0, 1, 2, 3])
    expect(log.nextRetentionAt(NOW)).toBe(NOW)
    now(log.applyRetention(NOW))
    expect(bases(log)).toEqual([2, 3])
  })

  test('compacted topics, and those with no policy, delete by nothing else (S-10)', () => {
    for (const policy of [['compact'], []]) {
      const configs = { 'cleanup.policy': policy, 'retention.ms': 1000, 'retention.bytes': 0 }
      const log = segmented([0, 0], configs)
      expect(now(log.applyRetention(NOW))).toBeUndefined()
      expect(log.nextRetentionAt(NOW)).toBe(Number.POSITIVE_INFINITY)
    }
  })
})

test('the next time for retention is when the oldest segment expires; an empty log has none', () => {
  expect(openLog().nextRetentionAt(NOW)).toBe(Number.POSITIVE_INFINITY)
  const log = segmented([NOW, NOW + 500], { 'retention.ms': 1000 })
  expect(log.nextRetentionAt(NOW)).toBe(NOW + 1001)
  now(log.applyRetention(NOW + 1001))
  expect(log.nextRetentionAt(NOW + 1001)).toBe(NOW + 1501)
})
