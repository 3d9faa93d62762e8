import { Roster } from '../../runtime/roster.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { estimateSizeUpperBound, type RecordHeader } from '../../wire/record.ts'
import { HEAD_BYTES } from '../../wire/record-batch.ts'
import type { BufferPool } from './buffer-pool.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { ProducerBatch } from './producer-batch.ts'
import type { RecordMetadata } from './producer-record.ts'
import type { TopicQueues } from './topic-queues.ts'

export interface AccumulatorOptions {
  readonly runtime: Runtime
  readonly pool: BufferPool
  /** `batch.size` */
  readonly batchBytes: number
  readonly lingerMs: number
  /** A batch of this partition began. */
  readonly began?: (queue: PartitionQueue) => void
  /** A batch began, or became full: the sender should look. */
  readonly wake: (isFull: boolean) => void
  /** There is one more batch, or one less. */
  readonly counted: (change: 1 | -1) => void
}

const LEAST_CAPACITY = 256

/**
 * Collects records in batches for each partition (C-30; Kafka's RecordAccumulator), and says which may be sent (C-32).
 */
export class RecordAccumulator {
  /** Queues with at least one batch, in the order in which they got it. */
  readonly waiting = new Set<PartitionQueue>()
  /** Batches that are not finished, wherever they are. */
  readonly unfinished = new Roster<ProducerBatch>()
  /** Flushes under way: every batch is sendable (C-70). */
  flushing = 0
  /** A transaction is being ended: nothing lingers. */
  isEnding = false
  /** Nothing will be added: every batch is sendable. */
  isClosed = false
  readonly #options: AccumulatorOptions
  /** What batches have needed lately: new ones get so much memory at once. */
  #usualBytes = LEAST_CAPACITY

  /** What is there goes at once. */
  get isUrgent(): boolean {
    return this.isClosed || this.isEnding || this.flushing > 0
  }

  constructor(options: AccumulatorOptions) {
    this.#options = options
  }

  /** What a batch that begins with this record takes of buffer.memory. */
  memoryFor(key: Uint8Array | null, value: Uint8Array | null, headers: readonly RecordHeader[]): number {
    return Math.max(this.#options.batchBytes, estimateSizeUpperBound(key, value, headers))
  }

  /**
   * Appends a record; without `partition` to the one that the sticky partitioner is at. Undefined: there is no memory for
   * another batch. `reserved` is memory that the caller has waited for: used, or given back. `most` is the upper estimate of
   * its size, where that is known.
   */
  append(
    topic: TopicQueues,
    partition: number | undefined,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[],
    reserved = 0,
    most = estimateSizeUpperBound(key, value, headers),
  ): Promise<RecordMetadata> | undefined {
    for (;;) {
      const queue = this.#queueOf(topic, partition)
      const last = queue.last
      if (last?.hasRoomFor(most - HEAD_BYTES, timestamp, key, value, headers)) {
        const before = last.size
        const future = last.append(timestamp, key, value, headers, most)
        if (reserved > 0) this.#options.pool.give(reserved)
        const isFull = last.isFull
        if (isFull) this.#options.wake(true)
        if (partition === undefined) topic.sticky.produced(last.size - before, isFull)
        return future
      }
      if (last !== undefined) {
        last.seal()
        this.#options.wake(true)
        if (partition === undefined && topic.sticky.produced(0, true)) continue
      }
      return this.#begin(topic, queue, partition === undefined, timestamp, key, value, headers, most, reserved)
    }
  }

  /** Where a partition's share was used up while its batch had room, it is passed on once that batch is full (C-12). */
  #queueOf(topic: TopicQueues, partition: number | undefined): PartitionQueue {
    if (partition !== undefined) return topic.queue(partition)
    const queue = topic.queue(topic.sticky.current())
    if (queue.isFull && topic.sticky.produced(0, true)) return topic.queue(topic.sticky.current())
    return queue
  }

  #begin(
    topic: TopicQueues,
    queue: PartitionQueue,
    isSticky: boolean,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[],
    most: number,
    reserved: number,
  ): Promise<RecordMetadata> | undefined {
    const { runtime, pool, batchBytes, wake, counted } = this.#options
    const limit = Math.max(batchBytes, most)
    if (reserved === 0 && !pool.take(limit)) return undefined
    const capacity = this.#usualBytes * 2 >= limit ? limit : Math.max(this.#usualBytes, most)
    const setup = { createdAt: runtime.now(), limit, memory: limit, capacity, ratio: topic.ratio }
    const batch = new ProducerBatch(runtime, queue, setup)
    const future = batch.append(timestamp, key, value, headers, most)
    queue.batches.push(batch)
    this.waiting.add(queue)
    this.unfinished.add(batch)
    this.#options.began?.(queue)
    counted(1)
    if (isSticky) topic.sticky.produced(batch.size, batch.isFull)
    wake(batch.isFull || queue.batches.length > 1)
    return future
  }

  /** Whether the head of a queue may go now (C-32); otherwise when that will be, in ms from now. */
  sendableIn(queue: PartitionQueue, now: number, leaderEpoch: number): number {
    const head = queue.batches[0]
    if (head === undefined || queue.isMuted) return Number.POSITIVE_INFINITY
    if (this.isBackingOff(head, now, leaderEpoch)) return head.retryAt - now
    const isUrgent = this.isUrgent || this.#options.pool.hasWaiters
    if (isUrgent || head.attempts > 0 || queue.batches.length > 1 || head.isFull) return 0
    return Math.max(0, head.createdAt + this.#options.lingerMs - now)
  }

  isBackingOff(batch: ProducerBatch, now: number, leaderEpoch: number): boolean {
    return batch.attempts > 0 && batch.retryAt > now && leaderEpoch <= batch.leaderEpochAtAttempt
  }

  /** Takes the head of a queue, to be sent. */
  take(queue: PartitionQueue): ProducerBatch {
    const batch = queue.batches.shift()!
    if (queue.batches.length === 0) this.waiting.delete(queue)
    batch.seal()
    this.#usualBytes = Math.max(LEAST_CAPACITY, batch.size, Math.floor(this.#usualBytes * 0.9))
    return batch
  }

  /** `isLast`: behind all others, which no rule of Kafka's allows; for tests of checkers. */
  putBack(batch: ProducerBatch, isLast = false): void {
    if (isLast) batch.queue.batches.push(batch)
    else batch.queue.putBack(batch)
    this.waiting.add(batch.queue)
  }

  /** The parts of a batch that was too large go first of all (C-44). */
  replace(batch: ProducerBatch, parts: readonly ProducerBatch[]): void {
    for (const part of parts) {
      this.unfinished.add(part)
      this.#options.counted(1)
    }
    for (const part of [...parts].reverse()) {
      if (part.hasSequence) batch.queue.putBack(part)
      else batch.queue.batches.unshift(part)
    }
    this.waiting.add(batch.queue)
    this.forget(batch)
  }

  /** It is settled; its memory is given back unless a request still carries it. */
  forget(batch: ProducerBatch): void {
    if (!this.unfinished.delete(batch)) return
    batch.queue.remove(batch)
    if (batch.queue.batches.length === 0) this.waiting.delete(batch.queue)
    this.#options.counted(-1)
    if (!batch.isOnWire) this.free(batch)
  }

  free(batch: ProducerBatch): void {
    if (batch.memory > 0) this.#options.pool.give(batch.memory)
  }
}
