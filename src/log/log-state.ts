/**
 * What the parts of one replica's log share: its bounds, its facts above the store, and the steps that several of them
 * take. The parts (append, read, truncate, recover, retention, compaction) are functions and classes over it;
 * `ReplicaLog` is the whole.
 *
 * Simplification: of the producer snapshots, which Kafka keeps for every segment, the last three are kept. A cut that goes
 * back further rebuilds the producers from the log alone, without those whose records retention has already taken.
 */
import { KafkaError } from '../wire/errors.ts'
import type { RecordBatch } from '../wire/record-batch.ts'
import { isLater, repeat, thenDo } from './eventually.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import { LogCheckpoints, numberBytes, type SnapshotAt, segmentsBytes, snapshotsBytes } from './log-checkpoints.ts'
import type { LogConfig } from './log-config.ts'
import type { Eventually } from './log-store.ts'
import { producerSnapshotBytes } from './producer-snapshot.ts'
import type { ProducerStates } from './producer-states.ts'
import type { Segments } from './segments.ts'
import type { StoreOfALife } from './store-life.ts'

/** How many producer snapshots are kept: those of the last two rolls, and of a clean shutdown behind them (I-14). */
const KEPT_SNAPSHOTS = 3
const CHUNK_BYTES = 1024 * 1024

export interface LogParts {
  readonly name: string
  readonly store: StoreOfALife
  readonly config: LogConfig
  readonly segments: Segments
  readonly leaderEpochs: LeaderEpochs
  readonly producers: ProducerStates
  readonly now: number
}

export class LogState {
  readonly name: string
  readonly store: StoreOfALife
  readonly checkpoints: LogCheckpoints
  readonly segments: Segments
  readonly leaderEpochs: LeaderEpochs
  readonly producers: ProducerStates
  config: LogConfig
  startOffset = 0
  /** What the store has (exclusive). */
  endOffset = 0
  /** What was given out (exclusive). */
  assignedEnd = 0
  highWatermark = 0
  /** Up to here the log was compacted (S-20). */
  cleanedTo = 0
  /** What a power loss cannot take, and what needs no check after a crash (S-41). */
  recoveryPoint = 0
  lastFlushAt: number
  snapshots: readonly SnapshotAt[] = []
  /** Why writes are refused; undefined while they are not. */
  refusal: string | undefined
  /** A synchronous look found that batches cannot be had at once. */
  storeAnswersLater = false
  onHighWatermark: ((highWatermark: number, previous: number) => void) | undefined
  onEndOffset: ((endOffset: number) => void) | undefined
  #savedHighWatermark = 0
  #savedStartOffset = 0

  constructor(parts: LogParts) {
    this.name = parts.name
    this.store = parts.store
    this.config = parts.config
    this.segments = parts.segments
    this.leaderEpochs = parts.leaderEpochs
    this.producers = parts.producers
    this.checkpoints = new LogCheckpoints(parts.store)
    this.lastFlushAt = parts.now
  }

  /** @throws {KafkaError} KAFKA_STORAGE_ERROR once the log is closed, abandoned or failed */
  mustBeWritable(): void {
    if (this.refusal !== undefined) throw new KafkaError('KAFKA_STORAGE_ERROR', `${this.name}: ${this.refusal}`)
  }

  get lastStableOffset(): number {
    const unstable = this.producers.firstUnstableOffset
    if (unstable === undefined || unstable >= this.highWatermark) return this.highWatermark
    return Math.max(unstable, this.startOffset)
  }

  /** startOffset ≤ high watermark ≤ endOffset. True when it moved. */
  moveHighWatermark(to: number): boolean {
    const previous = this.highWatermark
    const highWatermark = Math.max(this.startOffset, Math.min(to, this.endOffset))
    if (highWatermark === previous) return false
    this.highWatermark = highWatermark
    this.producers.highWatermarkMoved(highWatermark)
    this.onHighWatermark?.(highWatermark, previous)
    return true
  }

  /** The log begins at `offset` now (S-13, S-30); never lower than before. */
  raiseStart(offset: number): void {
    if (offset <= this.startOffset) return
    this.startOffset = offset
    if (this.leaderEpochs.truncateFromStart(offset)) this.saveEpochs()
    this.producers.aborted.trimBefore(offset)
    if (this.highWatermark < offset) this.moveHighWatermark(offset)
  }

  /** A batch was handed to the store, at its place: all that follows from it (R-30, I-13, S-40). */
  account(batch: RecordBatch, now: number): void {
    this.segments.add(batch, this.config, now)
    if (this.leaderEpochs.assign(batch.leaderEpoch, batch.baseOffset)) this.saveEpochs()
    this.producers.apply(batch)
    this.assignedEnd = batch.nextOffset
  }

  /** S-2: a new segment from the log's end on, the producers' snapshot at that offset, and the old one flushed. */
  roll(now: number): void {
    const at = this.assignedEnd
    this.takeSnapshot()
    this.segments.roll(at, now)
    const flushed = thenDo(this.store.flush(at), () => {
      this.recoveryPoint = Math.max(this.recoveryPoint, Math.min(at, this.endOffset))
      this.lastFlushAt = now
    })
    // An unflushed segment costs a longer check after a crash, nothing else; a broken store says so at the next append.
    if (isLater(flushed)) flushed.catch(() => undefined)
    this.saveSegments()
  }

  /** One batch of each producer (I-14), at the log's end. */
  takeSnapshot(): void {
    const offset = this.assignedEnd
    const bytes = producerSnapshotBytes(this.producers.all())
    const earlier = this.snapshots.filter(each => each.offset < offset)
    this.snapshots = [...earlier, { offset, bytes }].slice(-KEPT_SNAPSHOTS)
    this.saveSnapshots()
  }

  saveSnapshots(): void {
    this.checkpoints.save('producers', snapshotsBytes(this.snapshots))
  }

  saveSegments(): void {
    const { recoveryPoint, cleanedTo } = this
    const { aborted, unreplicated } = this.producers
    const transactions = { aborted: aborted.entries, unreplicated }
    const { all: segments } = this.segments
    this.checkpoints.save('segments', segmentsBytes({ recoveryPoint, cleanedTo, segments, ...transactions }))
  }

  saveEpochs(): void {
    this.checkpoints.save('leaderEpochs', this.leaderEpochs.toBytes())
  }

  get boundsNeedSaving(): boolean {
    return this.highWatermark !== this.#savedHighWatermark || this.startOffset !== this.#savedStartOffset
  }

  /** The high watermark every 5 s, the log start every 60 s in Kafka (R-13, S-41); here together. */
  saveBounds(): void {
    if (this.highWatermark !== this.#savedHighWatermark) {
      this.#savedHighWatermark = this.highWatermark
      this.checkpoints.save('highWatermark', numberBytes(this.highWatermark))
    }
    if (this.startOffset !== this.#savedStartOffset) {
      this.#savedStartOffset = this.startOffset
      this.checkpoints.save('startOffset', numberBytes(this.startOffset))
    }
  }

  boundsAreSaved(highWatermark: number, startOffset: number): void {
    this.#savedHighWatermark = highWatermark
    this.#savedStartOffset = startOffset
  }

  /** Every batch in [from, to), oldest first, until `visit` answers false. */
  forEachBatch(from: number, to: number, visit: (batch: RecordBatch) => boolean): Eventually<void> {
    let at = from
    const step = (): Eventually<boolean> => {
      if (at >= to) return true
      return thenDo(this.store.read(at, CHUNK_BYTES), batches => {
        for (const batch of batches) {
          if (batch.baseOffset >= to || !visit(batch)) return true
          at = batch.nextOffset
        }
        return batches.length === 0
      })
    }
    return repeat(step)
  }

  /** Counts a segment of an earlier life anew, from its batches, where that was not done before. */
  know(index: number): Eventually<void> {
    const segment = this.segments.all[index]!
    if (segment.known) return undefined
    const batches: RecordBatch[] = []
    const end = Math.min(this.segments.endOf(index), this.endOffset)
    const counted = this.forEachBatch(segment.baseOffset, end, batch => batches.push(batch) > 0)
    return thenDo(counted, () => {
      if (segment.known) return
      segment.complete(batches, this.config['index.interval.bytes'])
      this.segments.recount()
    })
  }
}
