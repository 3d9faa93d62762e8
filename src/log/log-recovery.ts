/**
 * Opening a log (S-41; LogLoader): checkpoints first, then the batches that they do not cover. After a clean shutdown that
 * is none; after a crash, or a power loss, the active segment is read, checked from the recovery point on, and cut at the
 * first bad batch. Either way a restart finds one batch of each producer, not five (I-14).
 */
import { type RecordBatch, verifyCrc } from '../wire/record-batch.ts'
import { isLater, thenDo } from './eventually.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import {
  type CheckpointName,
  checkpointNames,
  numberOf,
  type SegmentsCheckpoint,
  segmentsOf,
  snapshotsOf,
} from './log-checkpoints.ts'
import { LogState } from './log-state.ts'
import type { Eventually, StoreBounds } from './log-store.ts'
import { latestSnapshot } from './log-truncation.ts'
import { type FinishedTransaction, ProducerStates } from './producer-states.ts'
import type { ReplicaLogOptions } from './replica-log.ts'
import { Segments } from './segments.ts'
import { StoreOfALife } from './store-life.ts'

type Saved = { readonly [name in CheckpointName]: Uint8Array | undefined }

export function openLog(options: ReplicaLogOptions): Eventually<LogState> {
  const store = new StoreOfALife(options.store)
  return thenDo(store.open(), bounds => thenDo(loadAll(store), saved => restore(options, store, bounds, saved)))
}

function loadAll(store: StoreOfALife): Eventually<Saved> {
  const names = Object.keys(checkpointNames) as CheckpointName[]
  const loaded = names.map(name => store.load(checkpointNames[name]))
  const named = (all: readonly (Uint8Array | undefined)[]) =>
    Object.fromEntries(names.map((name, at) => [name, all[at]])) as Saved
  return loaded.some(isLater) ? Promise.all(loaded).then(named) : named(loaded as (Uint8Array | undefined)[])
}

function restore(
  options: ReplicaLogOptions,
  store: StoreOfALife,
  bounds: StoreBounds,
  saved: Saved,
): Eventually<LogState> {
  const { name, config, now, choose } = options
  const { endOffset } = bounds
  const jitter = () => {
    const limit = Math.min(log.config['segment.jitter.ms'], log.config['segment.ms'])
    return limit > 0 && choose !== undefined ? choose(`segment jitter of ${name}`, limit) : 0
  }
  const log: LogState = new LogState({
    name,
    store,
    config,
    now,
    segments: new Segments(bounds.startOffset, now),
    leaderEpochs: saved.leaderEpochs === undefined ? new LeaderEpochs() : LeaderEpochs.fromBytes(saved.leaderEpochs),
    producers: new ProducerStates({
      name,
      ...(options.producerIdExpirationMs === undefined ? {} : { expirationMs: options.producerIdExpirationMs }),
      ...(options.verifyTransactions === undefined ? {} : { verifyTransactions: options.verifyTransactions }),
      mutants: options.mutants,
    }),
  })
  log.segments.drawJitter(jitter)
  log.endOffset = endOffset
  log.assignedEnd = endOffset
  log.startOffset = Math.min(endOffset, Math.max(bounds.startOffset, numberOf(saved.startOffset) ?? 0))
  log.cleanedTo = log.startOffset
  log.recoveryPoint = log.startOffset
  const checkpoint = saved.segments === undefined ? undefined : segmentsOf(saved.segments)
  if (checkpoint !== undefined) takeSegments(log, checkpoint, bounds)
  const unreplicated = checkpoint?.unreplicated ?? []
  if (saved.producers !== undefined)
    log.snapshots = snapshotsOf(saved.producers).filter(each => each.offset <= endOffset)
  const clean = numberOf(saved.clean) === endOffset
  if (saved.clean !== undefined && saved.clean.length > 0) log.checkpoints.save('clean', new Uint8Array(0))
  const read =
    clean && checkpoint !== undefined ? loadProducers(log, unreplicated, now) : recover(log, unreplicated, now)
  return thenDo(read, () => {
    log.leaderEpochs.truncateFromEnd(log.endOffset)
    log.leaderEpochs.truncateFromStart(log.startOffset)
    log.producers.keepLastBatches()
    log.moveHighWatermark(numberOf(saved.highWatermark) ?? log.startOffset)
    log.boundsAreSaved(numberOf(saved.highWatermark) ?? 0, numberOf(saved.startOffset) ?? 0)
    return log
  })
}

/** Of what the checkpoint knew, what the store still has. */
function takeSegments(log: LogState, saved: SegmentsCheckpoint, { startOffset, endOffset }: StoreBounds): void {
  const kept = saved.segments.filter(
    (each, at) => each.baseOffset <= endOffset && (saved.segments[at + 1]?.baseOffset ?? endOffset + 1) > startOffset,
  )
  log.segments.restore(kept)
  log.cleanedTo = Math.max(log.startOffset, Math.min(saved.cleanedTo, endOffset))
  log.recoveryPoint = Math.min(saved.recoveryPoint, endOffset)
  log.producers.aborted.entries = saved.aborted.filter(
    each => each.lastOffset < endOffset && each.lastOffset >= log.startOffset,
  )
}

function loadProducers(log: LogState, unreplicated: readonly FinishedTransaction[], now: number): undefined {
  log.producers.load(latestSnapshot(log, log.endOffset).producers, unreplicated, now)
}

/** Unclean: the active segment is counted anew, and its producers with it. */
function recover(log: LogState, unreplicated: readonly FinishedTransaction[], now: number): Eventually<void> {
  const { active } = log.segments
  const { offset, producers } = latestSnapshot(log, active.baseOffset)
  const replayFrom = Math.min(offset ?? log.segments.first.baseOffset, active.baseOffset)
  const before = unreplicated.filter(each => each.lastOffset < replayFrom)
  log.producers.load(producers, before, now)
  log.producers.aborted.truncateTo(replayFrom)
  active.rebuild([], log.config['index.interval.bytes'])
  log.segments.recount()
  const storedEnd = log.endOffset
  log.leaderEpochs.truncateFromEnd(storedEnd)
  const replayed = log.forEachBatch(replayFrom, active.baseOffset, batch => {
    log.producers.apply(batch)
    return true
  })
  return thenDo(replayed, () => {
    let expected = active.baseOffset
    let bad: RecordBatch | undefined
    const read = log.forEachBatch(active.baseOffset, storedEnd, batch => {
      const unchecked = batch.nextOffset <= log.recoveryPoint
      if (batch.baseOffset < expected || !(unchecked || verifyCrc(batch))) {
        bad = batch
        return false
      }
      expected = batch.nextOffset
      log.segments.add(batch, log.config, now)
      if (batch.leaderEpoch > log.leaderEpochs.latestEpoch) log.leaderEpochs.assign(batch.leaderEpoch, batch.baseOffset)
      log.producers.apply(batch)
      return true
    })
    return thenDo(read, () =>
      thenDo(bad === undefined ? storedEnd : log.store.truncateTo(bad.baseOffset), left => {
        log.endOffset = left
        log.assignedEnd = left
        log.startOffset = Math.min(log.startOffset, left)
        log.recoveryPoint = Math.min(log.recoveryPoint, left)
        log.snapshots = log.snapshots.filter(each => each.offset <= active.baseOffset)
      }),
    )
  })
}
