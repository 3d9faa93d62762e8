import type { ProducerConfigs } from '../../metadata/producer-configs.ts'
import { isPromise } from '../../runtime/deferred.ts'
import type { Drive, Runtime } from '../../runtime/runtime.ts'
import { loadCodec } from '../../wire/compression.ts'
import { IllegalArgumentError, IllegalStateError } from '../../wire/errors.ts'
import { noHeaders } from '../../wire/record.ts'
import { timeoutOf } from '../arguments.ts'
import { ClientError } from '../client-error.ts'
import { type ProducerOptions, producerConfigsOf } from '../configuration.ts'
import { Connections } from '../connections.ts'
import type { ClientEnvironment } from '../environment.ts'
import { ClientMetadata } from '../metadata.ts'
import { metadataSettings } from '../metadata-settings.ts'
import { partitionInfos, type TopicView } from '../metadata-view.ts'
import { RecordSerializers } from '../record-serdes.ts'
import type { Serialize } from '../serde.ts'
import type { PartitionInfo } from '../topic-partition.ts'
import { waitForTopic, within } from '../topic-wait.ts'
import { BufferPool } from './buffer-pool.ts'
import { LeaderAvailability } from './leader-availability.ts'
import { headersOf } from './producer-headers.ts'
import { ProducerInterceptors } from './producer-interceptors.ts'
import { ProducerMetrics } from './producer-metrics.ts'
import {
  checkRecord,
  type ProducerRecord,
  type RecordData,
  type RecordMetadata,
  type SendCallback,
} from './producer-record.ts'
import { ProducerTopics } from './producer-topics.ts'
import { RecordAcceptance } from './record-acceptance.ts'
import { RecordAccumulator } from './record-accumulator.ts'
import { Sender } from './sender.ts'
import type { TopicQueues } from './topic-queues.ts'
import type { TransactionManager } from './transactions/transaction-manager.ts'
import { TransactionalCalls } from './transactions/transactional-calls.ts'
import { transactionsOf } from './transactions/transactions-of.ts'
import { WaitingSends } from './waiting-sends.ts'

type Bytes = Uint8Array | null

const CLOSED = 'Cannot perform operation after producer has been closed'

/**
 * Sends records (Kafka's KafkaProducer). Configuration keys are Kafka's, with its defaults and checks; keys and values are
 * text (sent as UTF-8), bytes or null, unless `key.serializer` and `value.serializer` say otherwise.
 *
 * A call that cannot go on at once (metadata, memory, an asynchronous serializer) waits, and later ones for the same topic
 * queue behind it, so that records are appended in the order of the calls.
 */
export class Producer<Key = RecordData, Value = RecordData> extends TransactionalCalls {
  readonly #runtime: Runtime
  readonly #configs: ProducerConfigs
  readonly #clientName: string
  readonly #ended: () => void | Promise<void>
  readonly #connections: Connections
  readonly #metadata: ClientMetadata
  readonly #availability: LeaderAvailability
  readonly #pool: BufferPool
  readonly #accumulator: RecordAccumulator
  readonly #sender: Sender
  readonly #metrics: ProducerMetrics
  readonly #topics: ProducerTopics
  readonly #serializeKey: Serialize
  readonly #serializeValue: Serialize
  readonly #acceptance: RecordAcceptance
  readonly #interceptors: ProducerInterceptors
  readonly #waiting: WaitingSends
  /** Undefined without a transactional id. */
  readonly #transactions: TransactionManager | undefined
  readonly #unexplain: () => void
  /** Compressed batches need their codec loaded. */
  #codec: Promise<void> | undefined
  /** Batches that are not settled, and sends that wait. */
  #pending = 0
  #drive: Drive | undefined
  #whenIdle: (() => void) | undefined
  #closed = false
  #closing: Promise<void> | undefined

  /** @throws {ConfigError} for a key that is not known, a value that is not legal, or two that do not agree. */
  constructor(config: ProducerOptions, environment: ClientEnvironment) {
    super()
    const configs = producerConfigsOf(config, environment)
    const { runtime } = environment
    this.#runtime = runtime
    this.#configs = configs
    this.#clientName = environment.clientName
    const serializers = new RecordSerializers(configs)
    this.#serializeKey = serializers.key
    this.#serializeValue = serializers.value
    this.#ended = () => {
      serializers.close(runtime, environment.clientName)
      this.#interceptors.close()
      return environment.closed?.()
    }
    this.#acceptance = new RecordAcceptance(configs)
    this.#interceptors = new ProducerInterceptors(configs, runtime, environment.clientName)
    this.#metrics = new ProducerMetrics(runtime, configs)
    this.#connections = new Connections(environment, configs, this.#metrics.traffic)
    this.#metadata = new ClientMetadata(environment, this.#connections, {
      ...metadataSettings(configs),
      allowAutoTopicCreation: true,
      topics: () => this.#topics.used(this.#metadata),
      refreshesUnused: true,
    })
    this.#metadata.onUpdate(() => this.#topics.refreshed(this.#metadata))
    this.#availability = new LeaderAvailability(runtime, configs['partitioner.availability.timeout.ms'])
    this.#topics = new ProducerTopics(runtime, configs, this.#availability)
    this.#pool = new BufferPool(runtime, configs['buffer.memory'], (ms, inVain) =>
      this.#metrics.waitedForMemory(ms, inVain),
    )
    const lingerMs = configs['linger.ms']
    this.#accumulator = new RecordAccumulator({
      runtime,
      pool: this.#pool,
      batchBytes: configs['batch.size'],
      lingerMs,
      began: queue => this.#transactions?.sentTo(queue),
      wake: isFull => (isFull ? this.#sender.wake() : this.#sender.lingering(lingerMs)),
      counted: change => this.#count(change),
    })
    const { sequences, transactions } = transactionsOf(configs, environment, this.#connections, this.#metadata, {
      hasUnfinished: () => this.#pending > 0,
      setFlushing: isFlushing => {
        this.#accumulator.isEnding = isFlushing
        this.#sender.wake()
      },
      abortUnsent: reason => {
        this.#waiting.refuse(reason)
        this.#sender.abortUnsent(reason)
      },
      failForEver: error => this.#sender.failForEver(error),
      wake: () => this.#sender.wake(),
    })
    this.#transactions = transactions
    this.#sender = new Sender({
      sequences,
      transactions,
      environment,
      configs,
      connections: this.#connections,
      metadata: this.#metadata,
      accumulator: this.#accumulator,
      metrics: this.#metrics,
      availability: this.#availability,
      topicOf: name => this.#topics.of(name),
    })
    this.#waiting = new WaitingSends({
      runtime,
      maxBlockMs: configs['max.block.ms'],
      counted: change => this.#count(change),
      refused: error => this.#refused(error),
    })
    if (configs['compression.type'] !== 'none') {
      this.#codec = this.#loadCodec()
      // Whoever sends is told.
      this.#codec.catch(() => {})
    }
    this.#unexplain = runtime.explain(() => this.#connections.waiting().map(what => `${this.#clientName}: ${what}`))
  }

  /**
   * Sends a record; resolves with where it went, once that is settled as `acks` demands. The partition is the given one,
   * else that of the key's hash, else one that the sticky partitioner is at. Never throws: what is wrong rejects, and is told
   * to the callback, if there is one; callbacks of one partition are called in the order of its log.
   *
   * Rejects with IllegalStateError after `close`; IllegalArgumentError for a negative partition or timestamp, a missing topic,
   * and unknown fields of a record without a value; SerializationError; KafkaError: REQUEST_TIMED_OUT (no metadata or memory
   * within max.block.ms, no answer within delivery.timeout.ms: then the record may be in the log or not), MESSAGE_TOO_LARGE,
   * and what the broker says.
   */
  send(record: ProducerRecord<Key, Value>, callback?: SendCallback): Promise<RecordMetadata> {
    if (callback === undefined && this.#interceptors.isEmpty) return this.#send(record)
    return this.#interceptors.send(record as ProducerRecord, callback, changed => this.#send(changed))
  }

  #send(record: ProducerRecord<unknown, unknown>): Promise<RecordMetadata> {
    try {
      this.#check(record)
      const name = record.topic
      const topic = this.#topics.of(name)
      const now = this.#runtime.now()
      topic.lastUsedAt = now
      if (topic.view === undefined || topic.waiting > 0 || this.#codec !== undefined)
        return this.#sendLater(topic, record)
      const key = this.#serializeKey(name, record.key)
      const value = this.#serializeValue(name, record.value)
      if (isPromise(key) || isPromise(value)) return this.#sendLater(topic, record, key, value)
      const headers = record.headers === undefined ? noHeaders : headersOf(record.headers)
      const partition = this.#acceptance.partitionOf(topic, record, key, value)
      if (partition !== undefined && partition >= topic.partitionCount)
        return this.#sendLater(topic, record, key, value)
      const most = this.#acceptance.checkSize(key, value, headers)
      const timestamp = record.timestamp ?? now
      const future = this.#accumulator.append(topic, partition, timestamp, key, value, headers, 0, most)
      return future ?? this.#sendLater(topic, record, key, value)
    } catch (error) {
      this.#refused(error)
      return Promise.reject(error)
    }
  }

  /** Kafka counts what it has exceptions of its own for, not IllegalArgument and IllegalState. */
  #refused(error: unknown): void {
    if (!(error instanceof IllegalArgumentError) && !(error instanceof IllegalStateError)) this.#metrics.refused()
    this.#transactions?.sendFailed(error)
  }

  #check(record: ProducerRecord<unknown, unknown>): void {
    if (this.#closed) throw new IllegalStateError(CLOSED)
    const { fatal } = this.#sender
    if (fatal !== undefined) {
      if (fatal.errorName === 'PRODUCER_FENCED') throw fatal
      throw new ClientError('Cannot execute transactional method because we are in an error state', { cause: fatal })
    }
    this.#transactions?.requireSendable()
    checkRecord(record)
  }

  /** Steps that may have to wait, in the order of the calls for this topic (C-20). */
  #sendLater(
    topic: TopicQueues,
    record: ProducerRecord<unknown, unknown>,
    serializedKey?: Bytes | Promise<Bytes>,
    serializedValue?: Bytes | Promise<Bytes>,
  ): Promise<RecordMetadata> {
    const calledAt = this.#runtime.now()
    return this.#waiting.add(topic, async send => {
      if (this.#codec !== undefined) await this.#codec
      await this.#known(topic, record.partition, send.deadline)
      const key = await this.#outside(serializedKey ?? this.#serializeKey(topic.name, record.key))
      const value = await this.#outside(serializedValue ?? this.#serializeValue(topic.name, record.value))
      const headers = headersOf(record.headers)
      const partition = this.#acceptance.partitionOf(topic, record, key, value)
      this.#acceptance.checkSize(key, value, headers)
      const timestamp = record.timestamp ?? calledAt
      const bytes = this.#accumulator.memoryFor(key, value, headers)
      let reserved = 0
      for (;;) {
        if (send.isGivenUp) {
          this.#pool.give(reserved)
          return
        }
        const future = this.#accumulator.append(topic, partition, timestamp, key, value, headers, reserved)
        if (future !== undefined) {
          send.admit(future)
          return
        }
        await this.#pool.wait(bytes, send.deadline - this.#runtime.now())
        reserved = bytes
      }
    })
  }

  #outside(bytes: Bytes | Promise<Bytes>): Promise<Bytes> | Bytes {
    return isPromise(bytes) ? this.#runtime.outside(`a serializer of ${this.#clientName}`, bytes) : bytes
  }

  async #loadCodec(): Promise<void> {
    await this.#runtime.outside('loading a compression codec', loadCodec(this.#configs['compression.type']))
    this.#codec = undefined
  }

  /**
   * What is known of the topic's partitions. Creates the topic where the cluster does that by itself.
   *
   * @throws {KafkaError} REQUEST_TIMED_OUT if the cluster does not know it within max.block.ms
   */
  partitionsFor(topic: string): Promise<PartitionInfo[]> {
    const known = this.#metadata.topic(topic)
    if (known !== undefined) return Promise.resolve(partitionInfos(known))
    if (this.#closed) return Promise.reject(new IllegalStateError(CLOSED))
    const queues = this.#topics.of(topic)
    queues.lastUsedAt = this.#runtime.now()
    return this.#runtime.drive(`producer.partitionsFor ${topic}`, async () => {
      const view = await this.#known(queues, undefined, this.#runtime.now() + this.#configs['max.block.ms'])
      return partitionInfos(view)
    })
  }

  async #known(topic: TopicQueues, partition: number | undefined, deadline: number): Promise<TopicView> {
    if (topic.view !== undefined && (partition ?? 0) < topic.partitionCount) return topic.view
    const limits = { deadline, timeoutMs: this.#configs['max.block.ms'] }
    const since = this.#runtime.now()
    const view = await waitForTopic(this.#runtime, this.#metadata, topic.name, partition, limits)
    this.#metrics.waitedForMetadata(this.#runtime.now() - since)
    topic.view = view
    return view
  }

  /**
   * Sends what lingers, and waits until every record sent before is settled, well or not (C-70).
   *
   * @throws {ClientError} in a callback of `send`
   */
  flush(): Promise<void> {
    if (this.#interceptors.isCalling) {
      return Promise.reject(new ClientError('flush() in a callback of send() would wait for that callback'))
    }
    if (this.#pending === 0) return Promise.resolve()
    return this.#runtime.drive(`producer.flush of ${this.#clientName}`, async () => {
      const since = this.#runtime.now()
      this.#accumulator.flushing++
      try {
        this.#sender.wake()
        await this.#topics.waited()
        this.#sender.wake()
        await Promise.all([...this.#accumulator.unfinished].map(batch => batch.finished()))
      } finally {
        this.#accumulator.flushing--
        this.#metrics.flushed(this.#runtime.now() - since)
      }
    })
  }

  protected override transactions(): TransactionManager | undefined {
    if (this.#closed) throw new IllegalStateError(CLOSED)
    return this.#transactions
  }

  /**
   * What it has counted, under Kafka's names and in Kafka's units; where one client has several of a name, with the tags
   * that tell them apart: `record-send-total`, `record-send-total{topic=orders}`. NaN for an average of nothing.
   */
  metrics(): Readonly<Record<string, number>> {
    const { inFlight } = this.#connections
    return this.#metrics.read({ inFlight, pool: this.#pool, metadataAt: this.#metadata.refreshedAt })
  }

  /**
   * Takes no more records, sends what is there, waits for it at most `timeoutMs` (for ever unless said), fails the rest with
   * "Producer is closed forcefully.", and closes all connections (C-71). A second close does nothing, except that one with
   * 0 ends the patience of the first. In a callback of `send` the timeout counts as 0.
   */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    const given = timeoutOf('close', options, Number.POSITIVE_INFINITY)
    const timeoutMs = this.#interceptors.isCalling ? 0 : given
    if (this.#closing !== undefined && timeoutMs === 0) this.#giveUpClosing()
    this.#closing ??= this.#close(timeoutMs).finally(this.#ended)
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#closed = true
    this.#accumulator.isClosed = true
    if (this.#pending > 0 && timeoutMs > 0) {
      this.#sender.wake()
      await this.#runtime.drive(`producer.close of ${this.#clientName}`, () => this.#settledWithin(timeoutMs), {
        patient: timeoutMs < Number.POSITIVE_INFINITY,
      })
    }
    if (timeoutMs > 0 && this.#transactions?.isOpen) await this.#transactions.abortTransaction().catch(() => {})
    this.#giveUpClosing()
    this.#unexplain()
    this.#sender.close()
    const reason = new IllegalStateError(`${this.#clientName} is closed`)
    this.#metadata.close(reason)
    this.#connections.close(reason)
  }

  #giveUpClosing(): void {
    this.#transactions?.close() // First: a commit must not take what is failed now for its end.
    if (this.#pending === 0) return
    this.#waiting.refuse(new ClientError('Producer closed while send in progress'))
    this.#pool.refuse(new ClientError('Producer closed while allocating memory'))
    this.#sender.abort(new ClientError('Producer is closed forcefully.'))
  }

  async #settledWithin(timeoutMs: number): Promise<void> {
    const settled = this.#runtime.deferred()
    this.#whenIdle = () => settled.resolve()
    await within(this.#runtime, settled.promise, timeoutMs)
  }

  /** Time runs for as long as anything is pending: one drive for all of it. */
  #count(change: 1 | -1): void {
    this.#pending += change
    if (this.#pending === 1 && change === 1) {
      this.#drive = this.#runtime.begin(`producer.send of ${this.#clientName}`, reason => this.#giveUp(reason))
    } else if (this.#pending === 0) {
      this.#drive?.end()
      this.#drive = undefined
      this.#sender.rest()
      this.#transactions?.progressed()
      this.#whenIdle?.()
    }
  }

  #giveUp(reason: Error): void {
    this.#waiting.refuse(reason)
    this.#pool.refuse(reason)
    this.#sender.abort(reason)
  }
}
