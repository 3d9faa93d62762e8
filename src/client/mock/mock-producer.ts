/**
 * A producer without a cluster (Kafka's MockProducer), for tests that want to look at what was sent and to say how it ends.
 *
 * Methods are those of the Java class, and do what they do there, its oddities included: partition 0 without metadata whatever
 * the record says, timestamp −1, sizes 0, a failed record stays in the history. What the Java class throws, methods that answer
 * a promise reject with. Without serializers the Java class fails with a NullPointerException: here text, bytes and null are
 * taken, as by a Producer.
 */
import { deferred } from '../../runtime/deferred.ts'
import type { Deferred } from '../../runtime/runtime.ts'
import { IllegalArgumentError, IllegalStateError, KafkaError } from '../../wire/errors.ts'
import { refuseUnknown } from '../arguments.ts'
import { ClientError } from '../client-error.ts'
import type { Producer } from '../clients.ts'
import { checkOffsets, type OffsetsToCommit } from '../consumer/commit-arguments.ts'
import type { GroupMetadata } from '../consumer/consumer-arguments.ts'
import type { OffsetToCommit } from '../consumer/group-offsets.ts'
import {
  checkRecord,
  type ProducerRecord,
  type RecordMetadata,
  type SendCallback,
} from '../producer/producer-record.ts'
import { type PartitionInfo, partitionText } from '../topic-partition.ts'
import { MockPlacement } from './mock-placement.ts'
import type { MockProducerOptions } from './mock-producer-options.ts'
import { MockTelemetry } from './mock-telemetry.ts'

/** Offsets by consumer group, then by partition (`orders-0`). */
export type GroupOffsets = Map<string, Map<string, OffsetToCommit>>

/** What an exception field holds: thrown at every call until it is null again. */
type Injected = Error | null

interface PendingSend {
  readonly metadata: RecordMetadata
  readonly result: Deferred<RecordMetadata>
  readonly callback: SendCallback | undefined
}

const OPTIONS = ['autoComplete', 'topics', 'key.serializer', 'value.serializer', 'partitioner.class'] as const

/** What `MockProducer` is made of; its types of keys and values are told by whoever makes it: see `MockProducer`. */
export class RecordMock<Key, Value> implements Producer<Key, Value> {
  /** Thrown by `initTransactions`. */
  initTransactionException: Injected = null
  /** Thrown by `beginTransaction`. */
  beginTransactionException: Injected = null
  /** Thrown by `sendOffsetsToTransaction`. */
  sendOffsetsToTransactionException: Injected = null
  /** Thrown by `commitTransaction`. */
  commitTransactionException: Injected = null
  /** Thrown by `abortTransaction`. */
  abortTransactionException: Injected = null
  /** Thrown by `send`: nothing is recorded. */
  sendException: Injected = null
  /** Thrown by `flush`, and so by `commitTransaction` and `abortTransaction`. */
  flushException: Injected = null
  /** Thrown by `partitionsFor`. */
  partitionsForException: Injected = null
  /** Thrown by `close`: it stays open. */
  closeException: Injected = null
  readonly #autoComplete: boolean
  readonly #placement: MockPlacement
  readonly #pending: PendingSend[] = []
  readonly #sent: ProducerRecord<Key, Value>[] = []
  readonly #uncommitted: ProducerRecord<Key, Value>[] = []
  readonly #committedOffsets: GroupOffsets[] = []
  readonly #metrics: Record<string, number> = {}
  readonly #telemetry = new MockTelemetry()
  #uncommittedOffsets: GroupOffsets = new Map()
  #closed = false
  #initialized = false
  #inFlight = false
  #committed = false
  #aborted = false
  #fenced = false
  #sentOffsets = false
  #commitCount = 0

  /** @throws {ConfigError} for serializers or a partitioner that are none */
  constructor(options: MockProducerOptions = {}) {
    refuseUnknown('a MockProducer', options, OPTIONS)
    this.#autoComplete = options.autoComplete ?? false
    this.#placement = new MockPlacement(options)
  }

  // --- sending -------------------------------------------------------------------------------------------------------

  /**
   * Records it, at once: in `history()`, or inside a transaction in `uncommittedRecords()`. With `autoComplete` it is
   * completed, callback included, before this returns; otherwise by `completeNext`, `errorNext` or `flush`.
   */
  send(record: ProducerRecord<Key, Value>, callback?: SendCallback): Promise<RecordMetadata> {
    const result = deferred<RecordMetadata>()
    try {
      this.#requireOpen()
      if (this.#fenced) throw new ClientError('MockProducer is fenced.', { cause: fencedError() })
      thrown(this.sendException)
      checkRecord(record)
      const partition = this.#placement.partitionOf(record)
      const metadata = metadataOf(record.topic, partition, this.#placement.nextOffset(record.topic, partition), 0)
      if (this.#inFlight) this.#uncommitted.push(record)
      else this.#sent.push(record)
      const pending = { metadata, result, callback }
      if (this.#autoComplete) complete(pending)
      else this.#pending.push(pending)
    } catch (error) {
      result.reject(error)
    }
    return result.promise
  }

  /** Completes everything that is pending. */
  async flush(): Promise<void> {
    this.#flush()
  }

  /** None of a topic that `topics` does not name. */
  async partitionsFor(topic: string): Promise<PartitionInfo[]> {
    thrown(this.partitionsForException)
    return [...this.#placement.partitionsOf(topic)]
  }

  /** What `setMockMetrics` has set. */
  metrics(): Record<string, number> {
    return this.#metrics
  }

  /** What is pending stays so, and a transaction open. */
  async close(_options?: { readonly timeoutMs?: number }): Promise<void> {
    thrown(this.closeException)
    this.#closed = true
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // --- transactions --------------------------------------------------------------------------------------------------

  async initTransactions(): Promise<void> {
    this.#requireUsable()
    if (this.#initialized) {
      throw new IllegalStateError('MockProducer has already been initialized for transactions.')
    }
    thrown(this.initTransactionException)
    this.#initialized = true
    this.#inFlight = false
    this.#committed = false
    this.#aborted = false
    this.#sentOffsets = false
  }

  async beginTransaction(): Promise<void> {
    this.#requireInitialized()
    thrown(this.beginTransactionException)
    if (this.#inFlight) throw new IllegalStateError('Transaction already started')
    this.#inFlight = true
    this.#committed = false
    this.#aborted = false
    this.#sentOffsets = false
  }

  async sendOffsetsToTransaction(offsets: OffsetsToCommit, group: GroupMetadata): Promise<void> {
    if (typeof group?.groupId !== 'string') {
      throw new IllegalArgumentError('sendOffsetsToTransaction takes the group as consumer.groupMetadata() tells it')
    }
    this.#requireTransaction()
    thrown(this.sendOffsetsToTransactionException)
    const checked = checkOffsets('sendOffsetsToTransaction', offsets)
    if (checked.length === 0) return
    const known = this.#uncommittedOffsets.get(group.groupId) ?? new Map<string, OffsetToCommit>()
    for (const offset of checked) known.set(partitionText(offset), offset)
    this.#uncommittedOffsets.set(group.groupId, known)
    this.#sentOffsets = true
  }

  async commitTransaction(): Promise<void> {
    this.#requireTransaction()
    thrown(this.commitTransactionException)
    this.#flush()
    this.#sent.push(...this.#uncommitted.splice(0))
    if (this.#uncommittedOffsets.size > 0) this.#committedOffsets.push(this.#uncommittedOffsets)
    this.#uncommittedOffsets = new Map()
    this.#committed = true
    this.#aborted = false
    this.#inFlight = false
    this.#commitCount++
  }

  /** Records that are pending complete well, as in the Java class. */
  async abortTransaction(): Promise<void> {
    this.#requireTransaction()
    thrown(this.abortTransactionException)
    this.#flush()
    this.#uncommitted.length = 0
    this.#uncommittedOffsets.clear()
    this.#committed = false
    this.#aborted = true
    this.#inFlight = false
  }

  // --- what a test does ----------------------------------------------------------------------------------------------

  /** Completes the oldest pending send; false: there is none. @throws what its callback throws: then it stays pending for ever */
  completeNext(): boolean {
    const next = this.#pending.shift()
    if (next !== undefined) complete(next)
    return next !== undefined
  }

  /** Fails the oldest pending send; false: there is none. It stays in the history. */
  errorNext(error: Error): boolean {
    const next = this.#pending.shift()
    if (next !== undefined) fail(next, error)
    return next !== undefined
  }

  /** From now on another producer has taken over. @throws {IllegalStateError} before initTransactions, after close */
  fenceProducer(): void {
    this.#requireInitialized()
    this.#fenced = true
  }

  /** Forgets what was sent and what is pending; counters of offsets and commits go on, flags stay. */
  clear(): void {
    this.#sent.length = 0
    this.#uncommitted.length = 0
    this.#committedOffsets.length = 0
    this.#pending.length = 0
    this.#uncommittedOffsets = new Map()
  }

  /** What was sent, in order, failed ones too; of transactions what was committed. A copy; the records are those that were sent. */
  history(): ProducerRecord<Key, Value>[] {
    return [...this.#sent]
  }

  /** What was sent in the transaction that is open. A copy. */
  uncommittedRecords(): ProducerRecord<Key, Value>[] {
    return [...this.#uncommitted]
  }

  /** The offsets of each committed transaction that had any. A copy. */
  consumerGroupOffsetsHistory(): GroupOffsets[] {
    return [...this.#committedOffsets]
  }

  /** The offsets of the transaction that is open: the map itself. */
  uncommittedOffsets(): GroupOffsets {
    return this.#uncommittedOffsets
  }

  closed(): boolean {
    return this.#closed
  }

  /** Nothing is pending. */
  flushed(): boolean {
    return this.#pending.length === 0
  }

  transactionInitialized(): boolean {
    return this.#initialized
  }

  transactionInFlight(): boolean {
    return this.#inFlight
  }

  transactionCommitted(): boolean {
    return this.#committed
  }

  transactionAborted(): boolean {
    return this.#aborted
  }

  /** The transaction, or the last one, had offsets. */
  sentOffsets(): boolean {
    return this.#sentOffsets
  }

  commitCount(): number {
    return this.#commitCount
  }

  setMockMetrics(name: string, value: number): void {
    this.#metrics[name] = value
  }

  /** @throws {IllegalStateError} after disableTelemetry; {ClientError} if it was not set; {KafkaError} REQUEST_TIMED_OUT if injected */
  async clientInstanceId(_options?: { readonly timeoutMs?: number }): Promise<string> {
    return this.#telemetry.clientInstanceId()
  }

  setClientInstanceId(id: string): void {
    this.#telemetry.id = id
  }

  /** The next `times` calls of `clientInstanceId` time out; −1: all of them. */
  injectTimeoutException(times: number): void {
    this.#telemetry.timeouts = times
  }

  disableTelemetry(): void {
    this.#telemetry.isDisabled = true
  }

  registerMetricForSubscription(metric: string): void {
    this.#telemetry.subscribed.push(metric)
  }

  unregisterMetricFromSubscription(metric: string): void {
    const index = this.#telemetry.subscribed.indexOf(metric)
    if (index >= 0) this.#telemetry.subscribed.splice(index, 1)
  }

  /** Those registered for subscription. */
  addedMetrics(): string[] {
    return [...this.#telemetry.subscribed]
  }

  // --- inside --------------------------------------------------------------------------------------------------------

  #flush(): void {
    this.#requireOpen()
    thrown(this.flushException)
    while (this.completeNext()) {}
  }

  #requireOpen(): void {
    if (this.#closed) throw new IllegalStateError('MockProducer is already closed.')
  }

  #requireUsable(): void {
    this.#requireOpen()
    if (this.#fenced) throw fencedError()
  }

  #requireInitialized(): void {
    this.#requireUsable()
    if (!this.#initialized) throw new IllegalStateError("MockProducer hasn't been initialized for transactions.")
  }

  #requireTransaction(): void {
    this.#requireInitialized()
    if (!this.#inFlight) throw new IllegalStateError('There is no open transaction.')
  }
}

function thrown(error: Injected): void {
  if (error !== null && error !== undefined) throw error
}

function fencedError(): KafkaError {
  return new KafkaError('PRODUCER_FENCED', 'MockProducer is fenced.')
}

function metadataOf(topic: string, partition: number, offset: number, size: number): RecordMetadata {
  return { topic, partition, offset, timestamp: -1, serializedKeySize: size, serializedValueSize: size }
}

/** The callback is called first: if it throws, nobody else is told. */
function complete({ metadata, callback, result }: PendingSend): void {
  callback?.(metadata, undefined)
  result.resolve(metadata)
}

function fail({ metadata, callback, result }: PendingSend, error: Error): void {
  callback?.(metadataOf(metadata.topic, metadata.partition, -1, -1), error)
  result.reject(error)
}
