import { KafkaError } from '../wire/errors.ts'
import type { RecordBatch } from '../wire/record-batch.ts'
import { type CompactionResult, compactLog, nextCompactionAt } from './compaction.ts'
import { thenDo } from './eventually.ts'
import type { EpochEndOffset, LeaderEpochs } from './leader-epochs.ts'
import {
  type FollowerAppendOptions,
  flushLog,
  type LeaderAppend,
  type LeaderAppendOptions,
  LogAppender,
} from './log-appender.ts'
import { numberBytes } from './log-checkpoints.ts'
import type { LogConfig } from './log-config.ts'
import { bytesBetween, maxTimestamp, offsetForTimestamp, readLog, type TimestampOffset } from './log-reader.ts'
import { openLog } from './log-recovery.ts'
import { type LogSnapshot, snapshotOf } from './log-snapshot.ts'
import type { LogState } from './log-state.ts'
import type { Eventually, LogStore } from './log-store.ts'
import { resetLog, truncateLog } from './log-truncation.ts'
import type { ProducerStates, VerificationGuard } from './producer-states.ts'
import { applyRetention, nextRetentionAt, nextSizeRetentionAt, type RetentionResult } from './retention.ts'

export type { CompactionResult } from './compaction.ts'
export type { EpochEndOffset } from './leader-epochs.ts'
export type { FollowerAppendOptions, LeaderAppend, LeaderAppendOptions } from './log-appender.ts'
export type { TimestampOffset } from './log-reader.ts'
export type { BatchSnapshot, LogSnapshot, ProducerSnapshotEntry, SegmentSnapshot } from './log-snapshot.ts'
export type { AppendOrigin } from './producer-states.ts'
export type { RecordError, RefusalDetails } from './refusal.ts'
export type { RetentionResult } from './retention.ts'

export interface ReplicaLogOptions {
  readonly store: LogStore
  /** Topic and partition, e.g. `orders-0`: for messages and refusals. */
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
  /** Safety rules to switch off, for tests of checkers: `no-duplicate-check` (I-4), those of `ProducerStates`. */
  readonly mutants?: ReadonlySet<string>
}

/**
 * What one replica remembers: its batches, in a store, and all that follows from them. Leaders and followers use the same
 * class. It has no clock: times come in as `now`, and it says when it wants to be asked again.
 *
 * With a store that answers at once, everything here answers without a promise. With one that answers later, appends may
 * be issued without awaiting one another; truncation, compaction and closing wait for them.
 */
export class ReplicaLog {
  readonly #log: LogState
  readonly #appender: LogAppender

  private constructor(log: LogState, mutants: ReadonlySet<string> | undefined) {
    this.#log = log
    this.#appender = new LogAppender(log, mutants)
  }

  /** Opens the store and finds out what is in it (S-41). @throws what the store throws */
  static open(options: ReplicaLogOptions): Eventually<ReplicaLog> {
    return thenDo(openLog(options), log => new ReplicaLog(log, options.mutants))
  }

  get name(): string {
    return this.#log.name
  }

  get config(): LogConfig {
    return this.#log.config
  }

  /** Acts from the next append, read or check on. */
  set config(config: LogConfig) {
    this.#log.config = config
  }

  /** First offset that may be read. */
  get startOffset(): number {
    return this.#log.startOffset
  }

  /** What the store has (exclusive). */
  get endOffset(): number {
    return this.#log.endOffset
  }

  /** What was given out (exclusive): above `endOffset` only while a store that answers later is writing. */
  get assignedEndOffset(): number {
    return this.#log.assignedEnd
  }

  get highWatermark(): number {
    return this.#log.highWatermark
  }

  /** F-9: nothing below it belongs to a transaction that is open, or whose marker is above the high watermark. */
  get lastStableOffset(): number {
    return this.#log.lastStableOffset
  }

  get leaderEpochs(): LeaderEpochs {
    return this.#log.leaderEpochs
  }

  get producerStates(): ProducerStates {
    return this.#log.producers
  }

  /** Settled, well or not, when the store has answered all that was handed to it: `endOffset` is the assigned end then. */
  drained(): Eventually<void> {
    return this.#appender.drained()
  }

  /** Bytes of all batches. */
  get size(): number {
    return this.#log.segments.size
  }

  /** Why writes are refused (closed, abandoned, failed); undefined while they are not. */
  get refusal(): string | undefined {
    return this.#log.refusal
  }

  /** Writes are refused: closed, abandoned, or failed beyond repair. */
  get closed(): boolean {
    return this.refusal !== undefined
  }

  /** Base offset of the segment that holds `offset`: a bound that moved into a newer one ends a wait (F-2). */
  segmentBaseOf(offset: number): number {
    const { segments } = this.#log
    return segments.all[segments.indexOf(offset)]!.baseOffset
  }

  /** Where the batch begins that contains or follows `offset`; undefined where that is not known without reading. */
  batchBaseOf(offset: number): number | undefined {
    const { segments } = this.#log
    const segment = segments.all[segments.indexOf(offset)]!
    return segment.knows(offset) ? segment.baseOffsets[segment.indexOf(offset)] : undefined
  }

  /** Told after every move of the high watermark, whoever moved it. */
  get onHighWatermark(): ((highWatermark: number, previous: number) => void) | undefined {
    return this.#log.onHighWatermark
  }

  set onHighWatermark(told: ((highWatermark: number, previous: number) => void) | undefined) {
    this.#log.onHighWatermark = told
  }

  /** Told when an append has arrived in the store, and moved `endOffset`: within the append where the store answers at once. */
  get onEndOffset(): ((endOffset: number) => void) | undefined {
    return this.#log.onEndOffset
  }

  set onEndOffset(told: ((endOffset: number) => void) | undefined) {
    this.#log.onEndOffset = told
  }

  /** Never down; held within [startOffset, endOffset]. True when it moved. */
  advanceHighWatermark(to: number): boolean {
    return to > this.#log.highWatermark && this.#log.moveHighWatermark(to)
  }

  /** Up or down, held within [startOffset, endOffset]. True when it moved. */
  setHighWatermark(to: number): boolean {
    return this.#log.moveHighWatermark(to)
  }

  /** (leaderEpoch, end) enters the epoch cache, once. */
  becomeLeader(leaderEpoch: number): void {
    const log = this.#log
    log.mustBeWritable()
    if (leaderEpoch > log.leaderEpochs.latestEpoch && log.leaderEpochs.assign(leaderEpoch, log.assignedEnd)) {
      log.saveEpochs()
    }
  }

  /**
   * Decides at once (P-10…P-22): validated, in sequence or a duplicate, placed at the assigned end, handed to the store.
   *
   * @throws {KafkaError} what validation (`validateBatch`) and producer state (`ProducerStates.check`) refuse, with
   * `RefusalDetails`; RECORD_LIST_TOO_LARGE; KAFKA_STORAGE_ERROR from the store, or when the log takes no more writes
   */
  appendAsLeader(batch: RecordBatch, options: LeaderAppendOptions): LeaderAppend {
    return this.#appender.asLeader(batch, options)
  }

  /**
   * P-24: offsets kept, CRC checked, nothing of a later epoch than the fetch had. Answers how many batches were appended,
   * once the store has them.
   *
   * @throws {KafkaError} CORRUPT_MESSAGE, UNKNOWN_SERVER_ERROR for a batch below the end, KAFKA_STORAGE_ERROR; batches
   * before the refused one stay
   */
  appendAsFollower(batches: readonly RecordBatch[], options: FollowerAppendOptions): Eventually<number> {
    return this.#appender.asFollower(batches, options)
  }

  /**
   * A guard for the first batch of a transaction (KIP-890, I-5); undefined when it is open here and needs none.
   *
   * @throws {KafkaError} INVALID_PRODUCER_EPOCH where the producer is known with a later epoch
   */
  startVerification(
    producerId: number,
    producerEpoch: number,
    baseSequence: number,
    supportsEpochBump: boolean,
    now: number,
  ): VerificationGuard | undefined {
    return this.#log.producers.startVerification(producerId, producerEpoch, baseSequence, supportsEpochBump, now)
  }

  /**
   * Whole batches from the one that contains or follows `fromOffset`, none beyond `upperBoundOffset`, within one segment,
   * at most `maxBytes` together; with `minOneBatch` (F-6) the first one whatever its size. The caller owns the array.
   *
   * @throws {KafkaError} OFFSET_OUT_OF_RANGE (F-10)
   */
  read(
    fromOffset: number,
    maxBytes: number,
    upperBoundOffset: number,
    { minOneBatch = false }: { readonly minOneBatch?: boolean } = {},
  ): Eventually<RecordBatch[]> {
    return readLog(this.#log, fromOffset, maxBytes, upperBoundOffset, minOneBatch)
  }

  /** Those that a reader of [fromOffset, upperBoundOffset) must know, to skip their records (F-9). */
  abortedTransactions(
    fromOffset: number,
    upperBoundOffset: number,
  ): { readonly producerId: number; readonly firstOffset: number }[] {
    const found = this.#log.producers.aborted.between(fromOffset, upperBoundOffset)
    return found.map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
  }

  /** Bytes that are there to be read in that range, for `min_bytes` of a waiting fetch (F-2). */
  bytesBetween(fromOffset: number, upperBoundOffset: number): number {
    return bytesBetween(this.#log, fromOffset, upperBoundOffset)
  }

  /** */
  endOffsetForEpoch(leaderEpoch: number): EpochEndOffset {
    return this.#log.leaderEpochs.endOffsetFor(leaderEpoch, this.#log.endOffset)
  }

  /** The first record, by offset, with a timestamp ≥ `timestamp` (F-36). The caller knows the upper bound. */
  offsetForTimestamp(timestamp: number): Eventually<TimestampOffset | undefined> {
    return offsetForTimestamp(this.#log, timestamp)
  }

  /** The first record with the largest timestamp (F-32). */
  maxTimestamp(): Eventually<TimestampOffset | undefined> {
    return maxTimestamp(this.#log)
  }

  /** whole batches; answers the end that is left. Epochs and producers follow, the high watermark is held below. */
  truncateTo(endOffset: number, now: number): Eventually<number> {
    this.#appender.recover(now)
    this.#log.mustBeWritable()
    return thenDo(this.#appender.drained(), () => truncateLog(this.#log, endOffset, now))
  }

  /** */
  truncateFullyAndStartAt(startOffset: number, now = this.#log.segments.active.modifiedAt): Eventually<void> {
    this.#appender.recover(now)
    this.#log.mustBeWritable()
    return thenDo(this.#appender.drained(), () => resetLog(this.#log, startOffset, now))
  }

  /**
   * Raises the log start (S-30, S-31); −1 means the high watermark. Segments below go with the next retention. Answers the
   * log start.
   *
   * @throws {KafkaError} OFFSET_OUT_OF_RANGE above the high watermark, or below −1
   */
  deleteRecordsBefore(offset: number): number {
    const log = this.#log
    log.mustBeWritable()
    if (offset < -1 || offset > log.highWatermark) {
      const what = `records of ${log.name} may be deleted up to its high watermark, ${log.highWatermark}, not to ${offset}`
      throw new KafkaError('OFFSET_OUT_OF_RANGE', what)
    }
    log.raiseStart(offset === -1 ? log.highWatermark : offset)
    return log.startOffset
  }

  /** A follower takes over its leader's log start, as far as its own high watermark. */
  raiseStartOffset(offset: number): void {
    this.#log.mustBeWritable()
    this.#log.raiseStart(Math.min(offset, this.#log.highWatermark))
  }

  /** S-10…S-14; undefined when nothing was deleted. */
  applyRetention(now: number, options: { readonly only?: 'size' } = {}): Eventually<RetentionResult | undefined> {
    this.#log.mustBeWritable()
    return applyRetention(this.#log, now, options)
  }

  /** The same, with `only: 'size'`. */
  nextSizeRetentionAt(now: number): number {
    return nextSizeRetentionAt(this.#log, now)
  }

  /** The earliest time at which `applyRetention` could delete something; Infinity while nothing can expire. */
  nextRetentionAt(now: number): number {
    return nextRetentionAt(this.#log, now)
  }

  /** S-20…S-26. Cleans what may be cleaned, due or not; undefined when there is nothing. One at a time. */
  compact(now: number): Eventually<CompactionResult | undefined> {
    this.#log.mustBeWritable()
    return compactLog(this.#log, now)
  }

  /** When a cleaning is due (S-20); `now` when it already is, Infinity until an append or the last stable offset moves. */
  nextCompactionAt(now: number): number {
    return nextCompactionAt(this.#log, now)
  }

  /** I-11, every `producer.id.expiration.check.interval.ms` where `nextProducerExpiryAt` says so. */
  expireProducers(now: number): void {
    this.#log.producers.expire(now)
  }

  /** No producer expires before; Infinity while nobody can. */
  nextProducerExpiryAt(): number {
    return this.#log.producers.nextExpiryAt
  }

  /** Has high watermark or log start moved since the last checkpoint? */
  get checkpointNeeded(): boolean {
    return this.#log.boundsNeedSaving
  }

  /** Saves high watermark and log start (R-13, S-41). */
  checkpoint(): Eventually<void> {
    this.#log.mustBeWritable()
    this.#log.saveBounds()
    return this.#log.checkpoints.settled()
  }

  /** When `flush.ms` asks for the next flush; Infinity by default, and while there is nothing to flush (S-42). */
  get nextFlushAt(): number {
    const { endOffset, recoveryPoint, lastFlushAt, config } = this.#log
    return endOffset > recoveryPoint ? lastFlushAt + config['flush.ms'] : Number.POSITIVE_INFINITY
  }

  flush(now: number): Eventually<void> {
    this.#log.mustBeWritable()
    return flushLog(this.#log, now)
  }

  /**
   * Clean shutdown: flushed, producers' snapshot (one batch each, I-14), checkpoints, the mark of a clean end. A log whose
   * store failed it is closed without that mark. Closing again changes nothing.
   */
  close(): Eventually<void> {
    const log = this.#log
    if (log.store.ended) return undefined
    return thenDo(this.#appender.drained(), () => {
      if (log.store.ended) return undefined
      const failed = log.refusal !== undefined
      log.refusal = 'the log is closed'
      return thenDo(failed ? undefined : this.#endCleanly(), () => thenDo(log.store.close(), () => log.store.end()))
    })
  }

  #endCleanly(): Eventually<void> {
    const log = this.#log
    return thenDo(flushLog(log, log.lastFlushAt), () => {
      log.takeSnapshot()
      log.saveSegments()
      log.saveBounds()
      log.checkpoints.save('clean', numberBytes(log.endOffset))
      return log.checkpoints.settled()
    })
  }

  /** The broker died: whoever still holds this log can write nothing more, whatever it was in the middle of. */
  abandon(): void {
    this.#log.store.end()
    this.#log.refusal = 'the broker that held this log is gone'
  }

  snapshot(): LogSnapshot {
    return snapshotOf(this.#log)
  }
}
