import type { RecordBatch } from '../wire/record-batch.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import type { LogConfig } from './log-config.ts'
import type { Eventually, LogStore } from './log-store.ts'
import type { ProducerStates, VerificationGuard } from './producer-states.ts'

/** Who appends: `client` is checked in full; `coordinator` may write control batches and has no sequences. */
export type AppendOrigin = 'client' | 'coordinator' | 'replication'

export interface ReplicaLogOptions {
  readonly store: LogStore
  /** For messages and refusals, e.g. `orders-0`. */
  readonly name: string
  readonly config: LogConfig
  /** Milliseconds since the epoch, at opening. */
  readonly now: number
  /** `producer.id.expiration.ms`; default 86,400,000. */
  readonly producerIdExpirationMs?: number
  /** `transaction.partition.verification.enable`; default true (I-5). */
  readonly verifyTransactions?: boolean
  /** Draws from 0 to n − 1 for `segment.jitter.ms`; without it there is no jitter. */
  readonly choose?: (name: string, n: number) => number
  /** Safety rules to switch off, for tests of checkers: `no-duplicate-check` (I-4). */
  readonly mutants?: ReadonlySet<string>
}

export interface LeaderAppendOptions {
  readonly leaderEpoch: number
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Default `client`. */
  readonly origin?: Exclude<AppendOrigin, 'replication'>
  /** From `startVerification`, for the first transactional batch (I-5). */
  readonly verificationGuard?: VerificationGuard
  /** The `transaction.version` that wrote a marker (I-21); default 0. */
  readonly transactionVersion?: number
}

export interface LeaderAppend {
  readonly baseOffset: number
  readonly lastOffset: number
  /** −1 on CreateTime topics; of a duplicate the batch's largest timestamp (I-4). */
  readonly logAppendTime: number
  readonly logStartOffset: number
  /** Written before: nothing was appended (P-21). */
  readonly duplicate: boolean
  /** Undefined when the store has it already; a promise rejects with KAFKA_STORAGE_ERROR when the store refused. */
  readonly stored: Eventually<void>
}

export interface EpochEndOffset {
  readonly leaderEpoch: number
  readonly endOffset: number
}

export interface TimestampOffset {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

/** One replica's log. (Shape first; the bodies follow within the hour.) */
export declare class ReplicaLog {
  static open(options: ReplicaLogOptions): Eventually<ReplicaLog>

  readonly name: string
  config: LogConfig
  /** First offset that may be read. */
  readonly startOffset: number
  /** What the store has (exclusive). */
  readonly endOffset: number
  /** What was given out (exclusive); above `endOffset` only while an asynchronous store is writing. */
  readonly assignedEndOffset: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly leaderEpochs: LeaderEpochs
  readonly producerStates: ProducerStates
  /** Bytes of all batches. */
  readonly size: number
  /** Base offset of the segment that contains `offset` (F-2: a bound that moved to a newer segment). */
  segmentBaseOf(offset: number): number
  /** A write failed and could not be taken back, or `abandon` or `close` was called. */
  readonly closed: boolean

  /** Called after every change of the high watermark (and of nothing else), with the new and the old one. */
  onHighWatermark: ((highWatermark: number, previous: number) => void) | undefined
  /** Called when the stored end moved up: at once with a synchronous store. */
  onEndOffset: ((endOffset: number) => void) | undefined

  /** Never down; clamped to [startOffset, endOffset]. True when it moved. */
  advanceHighWatermark(to: number): boolean
  /** Also down (followers, R-14; after truncation), clamped. True when it moved. */
  setHighWatermark(to: number): boolean

  /** The leader took over: (epoch, end) enters the epoch cache. */
  becomeLeader(leaderEpoch: number): void
  appendAsLeader(batch: RecordBatch, options: LeaderAppendOptions): LeaderAppend
  /** P-24. Batches of an epoch above `leaderEpoch` are ignored from there on. Answers how many were appended. */
  appendAsFollower(batches: readonly RecordBatch[], options: { leaderEpoch: number; now: number }): Eventually<number>
  /** KIP-890: `undefined` when the transaction is already open here and needs no verification. */
  startVerification(
    producerId: number,
    producerEpoch: number,
    baseSequence: number,
    supportsEpochBump: boolean,
  ): VerificationGuard | undefined

  /** Whole batches from the one that contains `fromOffset`, below `upperBoundOffset`, within one segment (F-5…F-8). */
  read(
    fromOffset: number,
    maxBytes: number,
    upperBoundOffset: number,
    options?: { minOneBatch?: boolean },
  ): Eventually<RecordBatch[]>
  abortedTransactions(fromOffset: number, upperBoundOffset: number): AbortedTransaction[]
  /** Bytes from `fromOffset` to `upperBoundOffset`, from heads only: for `min_bytes` of a waiting fetch (F-2). */
  bytesBetween(fromOffset: number, upperBoundOffset: number): number
  endOffsetForEpoch(leaderEpoch: number): EpochEndOffset
  /** The first record with timestamp ≥ `timestamp` (F-36); undefined when there is none. */
  offsetForTimestamp(timestamp: number): Eventually<TimestampOffset | undefined>
  /** F-32; undefined for an empty log. */
  maxTimestamp(): Eventually<TimestampOffset | undefined>

  /** whole batches; answers the end that is left. */
  truncateTo(endOffset: number, now: number): Eventually<number>
  /** empty, from `startOffset` on. */
  truncateFullyAndStartAt(startOffset: number): Eventually<void>
  /** S-30: OFFSET_OUT_OF_RANGE above the high watermark or below −1; −1 is the high watermark. Answers the log start. */
  deleteRecordsBefore(offset: number): number
  /** A follower takes over its leader's log start. */
  raiseStartOffset(offset: number): void

  /** S-10…S-14. Answers what was deleted: undefined when nothing was. */
  applyRetention(now: number): Eventually<{ segments: number; bytes: number; startOffset: number } | undefined>
  /** The earliest time at which `applyRetention` could delete something; Infinity while nothing can expire. */
  nextRetentionAt(now: number): number
  /** S-20…S-26. Cleans what is cleanable, due or not. */
  compact(now: number): Eventually<{ recordsDropped: number; bytesDropped: number; cleanedTo: number } | undefined>
  /** When compaction is due (S-20): `now` or earlier when it is already, Infinity while nothing is. */
  nextCompactionAt(now: number): number
  /** I-11: forgets expired producers. */
  expireProducers(now: number): void
  /** The next time at which a producer can expire; Infinity for none. */
  nextProducerExpiryAt(): number

  /** Saves high watermark and log start (R-13; every 5 s in Kafka, only if they moved: `checkpointNeeded`). */
  checkpoint(): Eventually<void>
  readonly checkpointNeeded: boolean
  /** When `flush.ms` asks for the next flush; Infinity by default (S-42). */
  readonly nextFlushAt: number
  flush(now: number): Eventually<void>
  /** Clean shutdown: flush, producer snapshot (one batch each, I-14), checkpoints, clean mark. */
  close(): Eventually<void>
  /** The broker died: from now on every write is refused, whoever still holds this log. */
  abandon(): void
  snapshot(): LogSnapshot
}

/** Plain data, for tests and traces. */
export interface LogSnapshot {
  readonly startOffset: number
  readonly endOffset: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly size: number
  readonly segments: readonly SegmentSnapshot[]
  readonly leaderEpochs: readonly { leaderEpoch: number; startOffset: number }[]
  readonly producers: readonly ProducerSnapshotEntry[]
}

export interface SegmentSnapshot {
  readonly baseOffset: number
  readonly nextOffset: number
  readonly size: number
  readonly firstTimestamp: number
  readonly largestTimestamp: number
  readonly offsetIndex: readonly { offset: number; position: number }[]
  readonly timeIndex: readonly { timestamp: number; offset: number }[]
  readonly batches: readonly {
    baseOffset: number
    lastOffset: number
    leaderEpoch: number
    size: number
    count: number
    maxTimestamp: number
    producerId: number
    producerEpoch: number
    baseSequence: number
    isTransactional: boolean
    isControl: boolean
  }[]
}

export interface ProducerSnapshotEntry {
  readonly producerId: number
  readonly producerEpoch: number
  /** −1 when no batch is kept (I-17). */
  readonly lastSequence: number
  readonly lastOffset: number
  readonly lastTimestamp: number
  readonly coordinatorEpoch: number
  /** −1 when no transaction is open here. */
  readonly currentTransactionFirstOffset: number
}
