import type { RecordBatch } from '../wire/record-batch.ts'
import { isLater } from './eventually.ts'
import type { LogState } from './log-state.ts'
import type { SegmentIndexes } from './segment.ts'

/** A replica's log as plain data, for tests and traces. */
export interface LogSnapshot {
  readonly startOffset: number
  readonly endOffset: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  /** Bytes of all batches. */
  readonly size: number
  readonly segments: readonly SegmentSnapshot[]
  readonly leaderEpochs: readonly { readonly leaderEpoch: number; readonly startOffset: number }[]
  readonly producers: readonly ProducerSnapshotEntry[]
}

export interface SegmentSnapshot extends SegmentIndexes {
  readonly baseOffset: number
  /** Where it ends (exclusive). */
  readonly endOffset: number
  readonly size: number
  /** −1 for none. */
  readonly firstTimestamp: number
  readonly largestTimestamp: number
  /** Empty where the store answers later: a synchronous look cannot wait for it. */
  readonly batches: readonly BatchSnapshot[]
}

/** The head of a batch. */
export interface BatchSnapshot {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly leaderEpoch: number
  readonly size: number
  readonly count: number
  readonly maxTimestamp: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly isTransactional: boolean
  readonly isControl: boolean
}

/** What DescribeProducers shows (I-17). */
export interface ProducerSnapshotEntry {
  readonly producerId: number
  readonly producerEpoch: number
  /** −1 when no batch is kept. */
  readonly lastSequence: number
  readonly lastOffset: number
  readonly lastTimestamp: number
  readonly coordinatorEpoch: number
  /** −1 when no transaction is open here. */
  readonly currentTransactionFirstOffset: number
}

export function snapshotOf(log: LogState): LogSnapshot {
  const { startOffset, endOffset, highWatermark, lastStableOffset } = log
  const interval = log.config['index.interval.bytes']
  const segments = log.segments.all.map((segment, at): SegmentSnapshot => {
    const end = Math.min(log.segments.endOf(at), endOffset)
    const batches: BatchSnapshot[] = []
    // Asked once: who looks after every event of virtual time would have it wait for the store each time.
    const looked =
      log.storeAnswersLater ||
      later(log.know(at)) ||
      later(log.forEachBatch(segment.baseOffset, end, keepHead(batches)))
    log.storeAnswersLater ||= looked
    const { baseOffset, size, firstTimestamp, largestTimestamp } = segment
    const indexes = segment.indexes(interval, segment !== log.segments.active)
    const facts = { baseOffset, endOffset: Math.max(baseOffset, end), size, firstTimestamp, largestTimestamp }
    return { ...facts, ...indexes, batches: looked ? [] : batches }
  })
  const leaderEpochs = log.leaderEpochs.entries.map(each => ({ ...each }))
  const producers = producersOf(log)
  const bounds = { startOffset, endOffset, highWatermark, lastStableOffset, size: log.segments.size }
  return { ...bounds, segments, leaderEpochs, producers }
}

/** What a store has to look up is left out of a look, and its failure is nobody's. */
function later(known: unknown): boolean {
  if (!isLater(known)) return false
  known.catch(() => {})
  return true
}

function keepHead(batches: BatchSnapshot[]): (batch: RecordBatch) => boolean {
  return batch => {
    const { baseOffset, lastOffset, leaderEpoch, size, count, maxTimestamp } = batch
    const { producerId, producerEpoch, baseSequence, isTransactional, isControl } = batch
    const place = { baseOffset, lastOffset, leaderEpoch, size, count, maxTimestamp }
    batches.push({ ...place, producerId, producerEpoch, baseSequence, isTransactional, isControl })
    return true
  }
}

export function producersOf(log: LogState): ProducerSnapshotEntry[] {
  return [...log.producers.all()].map(producer => {
    const { producerId, producerEpoch, lastSequence, lastOffset, lastTimestamp, coordinatorEpoch } = producer
    const { currentTransactionFirstOffset } = producer
    const known = { producerId, producerEpoch, lastSequence, lastOffset, lastTimestamp, coordinatorEpoch }
    return { ...known, currentTransactionFirstOffset }
  })
}
