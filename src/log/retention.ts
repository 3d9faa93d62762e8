/**
 * Retention (S-10…S-14; UnifiedLog.deleteOldSegments): whole segments go, oldest first, never above the high watermark.
 *
 * Simplification: files vanish at once, without `file.delete.delay.ms`; no reader holds one here.
 */
import { thenDo } from './eventually.ts'
import { hasPolicy } from './log-config.ts'
import type { LogState } from './log-state.ts'
import type { Eventually } from './log-store.ts'
import type { Segment } from './segment.ts'

export interface RetentionResult {
  readonly segments: number
  readonly bytes: number
  /** The log start that this left. */
  readonly startOffset: number
}

/** Undefined when there was nothing to delete. With `only: 'size'` nothing is deleted for its age. */
export function applyRetention(
  log: LogState,
  now: number,
  { only }: { readonly only?: 'size' } = {},
): Eventually<RetentionResult | undefined> {
  const count = breached(log, now, only)
  if (count === 0) return undefined
  const { segments } = log
  // Everything goes: the log goes on in an empty segment, so it must be there first (S-12).
  if (count === segments.all.length) log.roll(now)
  const startOffset = Math.max(log.startOffset, segments.all[count]!.baseOffset)
  const bytes = segments.dropFirst(count)
  log.raiseStart(startOffset)
  log.saveSegments()
  return thenDo(log.store.trimBefore(startOffset), () => ({ segments: count, bytes, startOffset }))
}

/** How many segments from the oldest on may go: below the log start first, then by size, then by time (S-11). */
function breached(log: LogState, now: number, only: 'size' | undefined): number {
  const { segments, config } = log
  let count = prefix(log, 0, at => segments.endOf(at) <= log.startOffset)
  if (!hasPolicy(config, 'delete')) return count
  const retentionBytes = config['retention.bytes']
  if (retentionBytes >= 0) {
    let left = segments.size - retentionBytes
    for (let at = 0; at < count; at++) left -= segments.all[at]!.size
    count = prefix(log, count, (_, segment) => {
      if (left - segment.size < 0) return false
      left -= segment.size
      return true
    })
  }
  const retentionMs = config['retention.ms']
  if (retentionMs >= 0 && only === undefined)
    count = prefix(log, count, (_, segment) => now - segment.age > retentionMs)
  return count
}

/** Goes on from `from` for as long as segments are wholly below the high watermark (S-12) and `breach` holds. */
function prefix(log: LogState, from: number, breach: (index: number, segment: Segment) => boolean): number {
  const { all } = log.segments
  let count = from
  while (count < all.length) {
    const segment = all[count]!
    const isActive = count === all.length - 1
    const upperBound = isActive ? log.assignedEnd : log.segments.endOf(count)
    if ((isActive && segment.isEmpty) || upperBound > log.highWatermark || !breach(count, segment)) break
    count++
  }
  return count
}

/**
 * The earliest time at which `applyRetention` could delete something: `now` when it could at once, Infinity while nothing
 * can expire. The high watermark is not looked at: it may have moved by then.
 */
export function nextRetentionAt(log: LogState, now: number): number {
  const { segments, config } = log
  const { first } = segments
  if (segments.endOf(0) <= log.startOffset) return now
  if (!hasPolicy(config, 'delete') || first.isEmpty) return Number.POSITIVE_INFINITY
  if (nextSizeRetentionAt(log, now) <= now) return now
  const retentionMs = config['retention.ms']
  return retentionMs < 0 ? Number.POSITIVE_INFINITY : Math.max(now, first.age + retentionMs + 1)
}

/** The same for what is too much, whatever its age. */
export function nextSizeRetentionAt({ segments, config }: LogState, now: number): number {
  const { first } = segments
  const retentionBytes = config['retention.bytes']
  const isTooMuch = retentionBytes >= 0 && !first.isEmpty && segments.size - retentionBytes >= first.size
  return isTooMuch && hasPolicy(config, 'delete') ? now : Number.POSITIVE_INFINITY
}
