/**
 * Cutting a log at its end (R-34…R-36) and making what is known of it true again: segments, epochs, producers. Truncation
 * is by whole batches: the end may come to lie below the offset asked for, where Kafka keeps that offset.
 */
import { thenDo } from './eventually.ts'
import type { LogState } from './log-state.ts'
import type { Eventually } from './log-store.ts'
import { producersOfSnapshot } from './producer-snapshot.ts'
import type { ProducerState } from './producer-state.ts'

/** Answers the end that is left. */
export function truncateLog(log: LogState, endOffset: number, now: number): Eventually<number> {
  if (endOffset >= log.assignedEnd) {
    // A leader that never wrote left an epoch that starts at its end; the next leader knows nothing of it (KAFKA-10706).
    if (log.leaderEpochs.truncateFromEnd(log.assignedEnd)) log.saveEpochs()
    return log.assignedEnd
  }
  if (endOffset < log.segments.first.baseOffset) {
    return thenDo(resetLog(log, Math.max(0, endOffset), now), () => log.assignedEnd)
  }
  return thenDo(log.store.truncateTo(endOffset), left => thenDo(rewind(log, left, now), () => left))
}

/** empty, from `startOffset` on. */
export function resetLog(log: LogState, startOffset: number, now: number): Eventually<void> {
  return thenDo(log.store.resetTo(startOffset), () => {
    log.segments.reset(startOffset, now)
    log.leaderEpochs.clear()
    log.producers.clear()
    log.producers.aborted.entries = []
    log.startOffset = startOffset
    log.endOffset = startOffset
    log.assignedEnd = startOffset
    log.cleanedTo = startOffset
    log.recoveryPoint = startOffset
    log.snapshots = []
    log.moveHighWatermark(startOffset)
    log.saveEpochs()
    log.saveSnapshots()
    log.saveSegments()
  })
}

/** The store ends at `endOffset` now; all else follows. */
export function rewind(log: LogState, endOffset: number, now: number): Eventually<void> {
  const hadProducers = log.producers.size > 0
  log.segments.dropFrom(endOffset)
  const last = log.segments.all.length - 1
  // A segment of an earlier life is counted from what the store still has, any other is cut.
  if (!log.segments.active.known) log.segments.active.forgetBatches(false)
  const cut = log.segments.active.known
    ? log.segments.active.truncateTo(endOffset, log.config['index.interval.bytes'])
    : thenDo(takeEnd(log, endOffset), () => log.know(last))
  return thenDo(cut, () => {
    log.segments.recount()
    takeEnd(log, endOffset)
    if (log.leaderEpochs.truncateFromEnd(endOffset)) log.saveEpochs()
    log.startOffset = Math.min(log.startOffset, endOffset)
    log.cleanedTo = Math.min(log.cleanedTo, endOffset)
    log.recoveryPoint = Math.min(log.recoveryPoint, endOffset)
    log.snapshots = log.snapshots.filter(each => each.offset <= endOffset)
    log.saveSnapshots()
    log.moveHighWatermark(log.highWatermark)
    const rebuilt = hadProducers ? rebuildProducers(log, endOffset, now) : undefined
    return thenDo(rebuilt, () => log.saveSegments())
  })
}

function takeEnd(log: LogState, endOffset: number): undefined {
  log.endOffset = endOffset
  log.assignedEnd = endOffset
  return undefined
}

/**
 * The producers as of `endOffset`: the latest snapshot at or below it, and the batches since (I-13). So a truncated
 * batch's sequences are valid again, and of what the snapshot holds, one batch per producer is known.
 */
export function rebuildProducers(log: LogState, endOffset: number, now: number): Eventually<void> {
  const { offset, producers } = latestSnapshot(log, endOffset)
  const from = offset ?? log.segments.first.baseOffset
  const unreplicated = log.producers.unreplicated.filter(each => each.lastOffset < from)
  log.producers.load(producers, unreplicated, now)
  log.producers.aborted.truncateTo(from)
  const replayed = log.forEachBatch(from, endOffset, batch => {
    log.producers.apply(batch)
    return true
  })
  return thenDo(replayed, () => log.producers.highWatermarkMoved(log.highWatermark))
}

/** The latest readable snapshot at or below `endOffset`; a damaged one counts as none, as Kafka has it. */
export function latestSnapshot(
  log: LogState,
  endOffset: number,
): { readonly offset: number | undefined; readonly producers: readonly ProducerState[] } {
  for (const snapshot of log.snapshots.toReversed()) {
    if (snapshot.offset > endOffset) continue
    try {
      return { offset: snapshot.offset, producers: producersOfSnapshot(snapshot.bytes) }
    } catch {
      log.snapshots = log.snapshots.filter(each => each !== snapshot)
    }
  }
  return { offset: undefined, producers: [] }
}
