import type { Deferred, Runtime } from '../../runtime/runtime.ts'
import { BatchBuilder, type BatchOptions } from '../../wire/batch-builder.ts'
import {
  estimateSizeUpperBound,
  type LogRecord,
  RecordCursor,
  type RecordHeader,
  recordsOf,
} from '../../wire/record.ts'
import { HEAD_BYTES, incrementSequence, type RecordBatch } from '../../wire/record-batch.ts'
import type { CompressionRatio } from './compression-ratio.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { RecordMetadata } from './producer-record.ts'

const ignore = () => {}

export interface BatchSetup {
  readonly createdAt: number
  /** Bytes after which it is full (C-30). */
  readonly limit: number
  /** What it takes of buffer.memory. */
  readonly memory: number
  /** Bytes of memory to begin with. */
  readonly capacity: number
  readonly ratio: CompressionRatio | undefined
  readonly isSplit?: boolean
}

/**
 * The records that go to a partition together. Each record is a promise to its sender; all of them hang on one, in the
 * order in which the records were appended, so that a record costs no closure and a batch is settled at once.
 */
export class ProducerBatch {
  readonly queue: PartitionQueue
  readonly createdAt: number
  readonly limit: number
  readonly memory: number
  readonly isSplit: boolean
  /** The upper estimate of its largest record, in bytes (B-7). */
  largestRecord = 0
  /** Re-sends so far. */
  attempts = 0
  /** When it may be re-sent. */
  retryAt = 0
  /** The leader epoch known when it was last sent: a newer leader ends the backoff (C-36). */
  leaderEpochAtAttempt = -1
  producerId = -1
  producerEpoch = -1
  /** −1 until it is drained. */
  baseSequence = -1
  /** It got another sequence after an epoch bump. */
  wasResequenced = false
  /** A request that carries it has neither been answered nor lost. */
  isOnWire = false
  readonly #builder: BatchBuilder
  readonly #ratio: CompressionRatio | undefined
  readonly #done: Deferred<void>
  readonly #futures: Promise<RecordMetadata>[] = []
  #closed = false
  #built: RecordBatch | undefined
  /** How many of the promises have been told. */
  #told = 0
  /** At the record whose promise is told: what was sent says what it was, so nothing else is kept of a record. */
  #cursor: RecordCursor | undefined
  #baseOffset = -1
  #logAppendTime = -1
  #failure: ((index: number) => unknown) | undefined
  #children: readonly ProducerBatch[] | undefined

  constructor(runtime: Runtime, queue: PartitionQueue, setup: BatchSetup) {
    this.queue = queue
    this.createdAt = setup.createdAt
    this.limit = setup.limit
    this.memory = setup.memory
    this.isSplit = setup.isSplit ?? false
    this.#ratio = setup.ratio
    this.#builder = new BatchBuilder({ capacity: setup.capacity })
    this.#done = runtime.deferred()
  }

  get count(): number {
    return this.#builder.count
  }

  /** Bytes of the records and the head, before compression. */
  get size(): number {
    return this.#builder.size
  }

  /** Bytes that it will probably have on the wire. */
  get estimatedSize(): number {
    return this.#ratio === undefined ? this.#builder.size : this.#estimate(this.#builder.size)
  }

  #estimate(size: number): number {
    return HEAD_BYTES + this.#ratio!.estimate(size - HEAD_BYTES)
  }

  /** Bytes that it has on the wire, once it was built; before, those without compression. */
  get sizeOnWire(): number {
    return this.#built?.size ?? this.#builder.size
  }

  /** Bytes of its records on the wire for one of them as they were appended; 1 without compression. */
  get compressionRatio(): number {
    return (this.sizeOnWire - HEAD_BYTES) / (this.#builder.size - HEAD_BYTES)
  }

  get isDone(): boolean {
    return this.#done.settled
  }

  get isFull(): boolean {
    return this.#closed || this.limit <= this.estimatedSize
  }

  get hasSequence(): boolean {
    return this.baseSequence >= 0
  }

  get lastSequence(): number {
    return incrementSequence(this.baseSequence, this.count - 1)
  }

  /** Takes no more records. */
  seal(): void {
    this.#closed = true
  }

  /** Whether a record fits (C-30); `most` is an upper bound of what it takes, so that the exact size is seldom asked for. */
  hasRoomFor(
    most: number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[],
  ): boolean {
    if (this.#closed) return false
    if (this.#ratio === undefined) {
      const builder = this.#builder
      return builder.size + most <= this.limit || builder.sizeWith(timestamp, key, value, headers) <= this.limit
    }
    const record = this.#builder.sizeWith(timestamp, key, value, headers) - this.#builder.size
    return this.#estimate(this.#builder.size) + record <= this.limit
  }

  /** `estimate`: what the record takes at the most (B-7). */
  append(
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[],
    estimate: number,
  ): Promise<RecordMetadata> {
    this.#builder.append(timestamp, key, value, headers)
    if (estimate > this.largestRecord) this.largestRecord = estimate
    const future = this.#done.promise.then(this.#tell)
    this.#futures.push(future)
    return future
  }

  /** Reactions run in the order in which they were registered: the next call is the next record's. */
  readonly #tell = (): RecordMetadata | Promise<RecordMetadata> => {
    const index = this.#told++
    if (this.#children !== undefined) return this.#childOf(index)
    if (this.#failure !== undefined) throw this.#failure(index)
    this.#cursor ??= new RecordCursor(this.#built ?? this.#builder.build(), this.#builder.plain)
    const cursor = this.#cursor
    cursor.next()
    const { topic, partition } = this.queue
    return {
      topic,
      partition,
      offset: this.#baseOffset < 0 ? -1 : this.#baseOffset + index,
      timestamp: this.#logAppendTime >= 0 ? this.#logAppendTime : cursor.timestamp,
      serializedKeySize: cursor.keyLength,
      serializedValueSize: cursor.valueLength,
    }
  }

  #childOf(index: number): Promise<RecordMetadata> {
    let before = 0
    for (const child of this.#children!) {
      if (index < before + child.count) return child.#futures[index - before]!
      before += child.count
    }
    throw new RangeError(`a batch of ${before} records has no record ${index}`)
  }

  /** Settles once all its records have, for `flush`; whether well or not does not matter. */
  async finished(): Promise<void> {
    await this.#done.promise
    for (const child of this.#children ?? []) await child.finished()
  }

  /** The batch under its producer's stamp. Made again only if that has changed. */
  build(options: BatchOptions): RecordBatch {
    const { producerId, producerEpoch, baseSequence } = this
    const built = this.#built
    if (
      built !== undefined &&
      built.producerId === producerId &&
      built.producerEpoch === producerEpoch &&
      built.baseSequence === baseSequence
    ) {
      return built
    }
    this.#closed = true
    const batch = this.#builder.build({ ...options, producerId, producerEpoch, baseSequence })
    if (built === undefined && this.#ratio !== undefined) {
      this.#ratio.observed((batch.size - HEAD_BYTES) / (this.#builder.size - HEAD_BYTES))
    }
    this.#built = batch
    return batch
  }

  /** The broker has it, at this offset (−1: nobody said). */
  complete(baseOffset: number, logAppendTime: number): void {
    this.#baseOffset = baseOffset
    this.#logAppendTime = logAppendTime
    this.#done.resolve()
  }

  /** No record will be known to be in the log; each has a reason of its own. A rejection that nobody awaits is no bug. */
  fail(reason: (index: number) => unknown): void {
    if (this.isDone) return
    this.#failure = reason
    for (const future of this.#futures) future.catch(ignore)
    this.#done.resolve()
  }

  /** Its records go on as those of smaller batches, whatever becomes of them (C-44). */
  split(limit: number, runtime: Runtime): readonly ProducerBatch[] {
    const children: ProducerBatch[] = []
    let last: ProducerBatch | undefined
    for (const { timestamp, key, value, headers } of this.#records()) {
      if (last === undefined || !last.hasRoomFor(Number.POSITIVE_INFINITY, timestamp, key, value, headers)) {
        const setup = {
          createdAt: this.createdAt,
          limit,
          memory: 0,
          capacity: limit,
          ratio: this.#ratio,
          isSplit: true,
        }
        last = new ProducerBatch(runtime, this.queue, setup)
        last.attempts = this.attempts
        children.push(last)
      }
      last.append(timestamp, key, value, headers, estimateSizeUpperBound(key, value, headers))
    }
    for (const child of children) child.seal()
    this.#children = children
    for (const future of this.#futures) future.catch(ignore)
    this.#done.resolve()
    return children
  }

  #records(): LogRecord[] {
    return recordsOf(this.#builder.build())
  }

  /** Bytes of its largest record, with a head around it. */
  largestRecordSize(): number {
    let largest = 0
    for (const { timestamp, key, value, headers } of this.#records()) {
      largest = Math.max(largest, new BatchBuilder({ capacity: 0 }).sizeWith(timestamp, key, value, headers))
    }
    return largest
  }
}
