import { describe, expect, test } from 'vitest'
import type { ReplicaLog } from '../../src/log/replica-log.ts'
import { append, batch, batchOfSize, NOW, now, openLog, sequenced, values } from './logs.ts'

/** Batches of two records each: offsets 0–1, 2–3, … */
function pairs(count: number): ReplicaLog {
  const log = openLog()
  for (let at = 0; at < count; at++) append(log, batch([`${at * 2}`, `${at * 2 + 1}`]))
  return log
}

describe('truncation', () => {
  test('drops whole batches, epochs and producers with them, and lowers the high watermark (R-30, R-35)', () => {
    const log = openLog()
    append(log, batch(['a', 'b']))
    log.becomeLeader(2)
    append(log, sequenced(0, 2))
    log.advanceHighWatermark(4)
    expect(now(log.truncateTo(3, NOW))).toBe(2)
    expect(log.endOffset).toBe(2)
    expect(log.highWatermark).toBe(2)
    expect(log.leaderEpochs.entries).toEqual([{ leaderEpoch: 0, startOffset: 0 }])
    expect(log.snapshot().producers).toEqual([])
    expect(append(log, batch(['c'])).baseOffset).toBe(2)
  })

  test('at or beyond the end changes nothing', () => {
    const log = pairs(2)
    const before = log.snapshot()
    expect(now(log.truncateTo(4, NOW))).toBe(4)
    expect(now(log.truncateTo(9, NOW))).toBe(4)
    expect(log.snapshot()).toEqual(before)
  })

  test('X-8: the old leader cuts to where the new one began, and follows it (R-34)', () => {
    const old = openLog()
    for (let at = 0; at < 10; at++) append(old, batch([`old ${at}`]))
    const next = openLog()
    next.appendAsFollower(now(old.read(0, 10_000, 7)).slice(0, 7), { leaderEpoch: 0, now: NOW })
    next.becomeLeader(1)
    append(next, batch(['new 7']))
    const { endOffset } = next.endOffsetForEpoch(old.leaderEpochs.latestEpoch)
    expect(endOffset).toBe(7)
    now(old.truncateTo(Math.min(endOffset, old.endOffsetForEpoch(0).endOffset), NOW))
    old.appendAsFollower(now(next.read(7, 10_000, 8)), { leaderEpoch: 1, now: NOW })
    expect(values(old)).toEqual(values(next))
    expect(old.snapshot()).toEqual(next.snapshot())
  })

  test('across segments: the cut one is active again, its facts are those of what is left (S-40)', () => {
    const log = openLog({ 'internal.segment.bytes': 200 })
    for (let at = 0; at < 6; at++) append(log, batchOfSize(100, NOW + at))
    now(log.truncateTo(3, NOW))
    const again = openLog({ 'internal.segment.bytes': 200 })
    for (let at = 0; at < 3; at++) append(again, batchOfSize(100, NOW + at))
    expect(log.snapshot()).toEqual(again.snapshot())
    expect(log.size).toBe(300)
  })

  test('fully: empty from the given offset on, without epochs and producers (R-36)', () => {
    const log = openLog()
    append(log, sequenced(0, 2))
    log.advanceHighWatermark(2)
    now(log.truncateFullyAndStartAt(100))
    expect(log.snapshot()).toMatchObject({
      startOffset: 100,
      endOffset: 100,
      highWatermark: 100,
      size: 0,
      leaderEpochs: [],
      producers: [],
    })
    expect(append(log, batch(['a'])).baseOffset).toBe(100)
  })
})
