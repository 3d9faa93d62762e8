import type { ConsumerConfigs } from '../../metadata/consumer-configs.ts'
import type { Deferred, Runtime } from '../../runtime/runtime.ts'
import { IllegalArgumentError, IllegalStateError, KafkaError, WakeupError } from '../../wire/errors.ts'
import { timeoutOf } from '../arguments.ts'
import { type ConsumerOptions, consumerConfigsOf } from '../configuration.ts'
import { Connections } from '../connections.ts'
import type { ClientEnvironment } from '../environment.ts'
import { EARLIEST, LATEST } from '../list-offsets.ts'
import { ClientMetadata } from '../metadata.ts'
import { partitionInfos } from '../metadata-view.ts'
import { type Deserialize, deserialized, deserializerOf } from '../serdes.ts'
import { type OffsetAndTimestamp, type PartitionInfo, partitionText, type TopicPartition } from '../topic-partition.ts'
import { within } from '../topic-wait.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import { type ConsumerRecord, ConsumerRecords } from './consumer-record.ts'
import { Fetcher } from './fetcher.ts'
import { MissingCodecs } from './missing-codecs.ts'
import { OffsetQueries } from './offset-queries.ts'
import { Positions } from './positions.ts'
import { RecordIteration } from './record-iteration.ts'
import { checkPartition, checkPartitions, Subscription } from './subscription.ts'

/**
 * Reads records (Kafka's KafkaConsumer) of the partitions it is assigned. Configuration keys are Kafka's, with its defaults
 * and checks; without deserializers keys and values are Buffers. `poll` drives virtual time, `for await` rides it.
 */
export class Consumer<Key = Buffer | null, Value = Buffer | null> {
  readonly #runtime: Runtime
  readonly #name: string
  readonly #configs: ConsumerConfigs
  readonly #connections: Connections
  readonly #metadata: ClientMetadata
  readonly #subscription = new Subscription()
  readonly #positions: Positions
  readonly #fetcher: Fetcher
  readonly #queries: OffsetQueries
  readonly #deserializeKey: Deserialize
  readonly #deserializeValue: Deserialize
  /** Topics that somebody asked about, beside those that are read. */
  readonly #askedTopics = new Set<string>()
  readonly #codecs: MissingCodecs
  readonly #unexplain: () => void
  #changed: Deferred<void> | undefined
  #isPolling = false
  #isWokenUp = false
  #closed = false

  /** @throws {ConfigError} for a key that is not known, or a value that is not legal. */
  constructor(config: ConsumerOptions, environment: ClientEnvironment) {
    const configs = consumerConfigsOf(config, environment)
    const { runtime } = environment
    this.#runtime = runtime
    this.#name = environment.clientName
    this.#codecs = new MissingCodecs(runtime)
    this.#configs = configs
    this.#deserializeKey = deserializerOf('key.deserializer', configs['key.deserializer']!)
    this.#deserializeValue = deserializerOf('value.deserializer', configs['value.deserializer']!)
    const connections = new Connections(environment, configs)
    const metadata = new ClientMetadata(environment, connections, {
      maxAgeMs: configs['metadata.max.age.ms'],
      retryBackoffMs: configs['retry.backoff.ms'],
      retryBackoffMaxMs: configs['retry.backoff.max.ms'],
      allowAutoTopicCreation: configs['allow.auto.create.topics'],
      topics: () => [...this.#subscription.topics(), ...this.#askedTopics],
    })
    this.#connections = connections
    this.#metadata = metadata
    const changed = () => this.#changed?.resolve()
    metadata.onUpdate(changed)
    connections.onChange(changed)
    const isReadCommitted = configs['isolation.level'] === 'read_committed'
    const subscription = this.#subscription
    this.#positions = new Positions({
      runtime,
      connections,
      metadata,
      subscription,
      isReadCommitted,
      resetPolicy: configs['auto.offset.reset'],
      retryBackoffMs: configs['retry.backoff.ms'],
      requestTimeoutMs: configs['request.timeout.ms'],
      changed,
    })
    this.#fetcher = new Fetcher({
      runtime,
      configs,
      connections,
      metadata,
      subscription,
      positions: this.#positions,
      read: {
        isReadCommitted,
        checksCrcs: configs['check.crcs'],
        deserialize: (partition, offset, key, value) => this.#deserialize(partition, offset, key, value),
      },
      changed,
    })
    this.#queries = new OffsetQueries({ runtime, connections, metadata, isReadCommitted, configs })
    this.#unexplain = runtime.explain(() => connections.waiting().map(what => `${this.#name}: ${what}`))
  }

  /**
   * Reads these partitions, and no others. Where nothing says where to begin, `auto.offset.reset` does (default `latest`).
   *
   * @throws {IllegalArgumentError} for a missing topic or a negative partition
   * @throws {IllegalStateError} after close
   */
  assign(partitions: readonly TopicPartition[]): void {
    this.#requireOpen('assign')
    this.#subscription.assign(checkPartitions('assign', partitions))
  }

  assignment(): TopicPartition[] {
    this.#requireOpen('assignment')
    return [...this.#subscription].map(({ topic, partition }) => ({ topic, partition }))
  }

  /**
   * The next record to hand out is the one at `offset`, or the first behind it.
   *
   * @throws {IllegalArgumentError} for a negative offset
   * @throws {IllegalStateError} if the partition is not assigned
   */
  seek(partition: TopicPartition, offset: number): void {
    this.#requireOpen('seek')
    const assigned = this.#subscription.get(partition)
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new IllegalArgumentError(`the offset to seek to must be a number from 0 on, not ${offset}`)
    }
    assigned.seek(offset)
    this.#changed?.resolve()
  }

  /** Goes to the first offsets; of all assigned partitions unless said. Looked up at the next poll or `position`. */
  seekToBeginning(partitions: readonly TopicPartition[] = this.assignment()): void {
    this.#seekTo('seekToBeginning', partitions, EARLIEST)
  }

  /** Goes to the ends: the high watermark, under read_committed the last stable offset. */
  seekToEnd(partitions: readonly TopicPartition[] = this.assignment()): void {
    this.#seekTo('seekToEnd', partitions, LATEST)
  }

  #seekTo(call: string, partitions: readonly TopicPartition[], timestamp: number): void {
    this.#requireOpen(call)
    for (const assigned of this.#assigned(call, partitions)) assigned.reset(timestamp)
    this.#changed?.resolve()
  }

  /**
   * The next records, at most `max.poll.records`; waits for the first at most `timeoutMs`. An empty answer means that none
   * came in time.
   *
   * Rejects with IllegalStateError if nothing is assigned or another poll is pending; WakeupError after `wakeup`;
   * NoOffsetForPartitionError and OFFSET_OUT_OF_RANGE where `auto.offset.reset` is `none`; LogTruncationError; KafkaError
   * for what a broker refuses for good; SerializationError from a deserializer, whose record is not passed over.
   */
  async poll(options: { readonly timeoutMs: number }): Promise<ConsumerRecords<Key, Value>> {
    this.#requireOpen('poll')
    const timeoutMs = timeoutOf('poll', options)
    this.#requirePollable()
    const what = `poll of ${this.#name} for ${timeoutMs} ms`
    return this.#runtime.drive(what, () => this.#poll(timeoutMs), {
      poll: true,
      patient: timeoutMs < Number.POSITIVE_INFINITY,
    })
  }

  #requirePollable(): void {
    if (this.#subscription.size === 0) {
      throw new IllegalStateError('Consumer is not subscribed to any topics or assigned any partitions')
    }
    if (this.#isPolling)
      throw new IllegalStateError(`${this.#name} is being polled already: await one poll before the next`)
  }

  async #poll(timeoutMs: number): Promise<ConsumerRecords<Key, Value>> {
    const runtime = this.#runtime
    // In virtual time a poll that must not wait would never see an answer: a millisecond is the least.
    const leastMs = runtime.time === 'virtual' ? 1 : 0
    const deadline = runtime.now() + Math.max(timeoutMs, leastMs)
    this.#isPolling = true
    try {
      for (;;) {
        this.#changed = runtime.deferred()
        const records = await this.#advance()
        if (records.length > 0) {
          runtime.progressed()
          return records
        }
        const left = deadline - runtime.now()
        if (left <= 0) return records
        await within(runtime, this.#changed.promise, left)
        this.#requireOpen('poll')
      }
    } finally {
      this.#isPolling = false
      this.#changed = undefined
    }
  }

  /** One round: settle positions, hand out what is there, ask for more. */
  async #advance(): Promise<ConsumerRecords<Key, Value>> {
    this.#throwPending()
    this.#positions.update()
    this.#throwPending()
    const records = new ConsumerRecords<Key, Value>()
    try {
      this.#fetcher.collect(this.#configs['max.poll.records'], records as ConsumerRecords<unknown, unknown>)
    } catch (error) {
      if (!(await this.#codecs.load(error))) throw error
      this.#changed?.resolve()
    }
    this.#fetcher.send()
    return records
  }

  #throwPending(): void {
    if (this.#isWokenUp) {
      this.#isWokenUp = false
      throw new WakeupError(`${this.#name} was woken up`)
    }
    const error = this.#positions.takeError() ?? this.#fetcher.takeError()
    if (error !== undefined) throw error
  }

  #deserialize(partition: TopicPartition, offset: number, key: Uint8Array | null, value: Uint8Array | null) {
    const { topic } = partition
    const where = () => `${partitionText(partition)} at offset ${offset}`
    return {
      key: deserialized(this.#deserializeKey, topic, key, where),
      value: deserialized(this.#deserializeValue, topic, value, where),
    }
  }

  /**
   * Records one after the other, for ever: until the loop is left or the consumer closed. It does not drive virtual time:
   * where no other call is pending (a poll, a send, `clock.advance`), the loop waits without end. To drive it, `poll`.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<ConsumerRecord<Key, Value>> {
    this.#requireOpen('iterating')
    return new RecordIteration<Key, Value>({
      runtime: this.#runtime,
      name: this.#name,
      next: async () => {
        if (this.#closed) return undefined
        this.#requirePollable()
        try {
          return await this.#runtime.inside(this.#poll(Number.POSITIVE_INFINITY))
        } catch (error) {
          if (this.#closed) return undefined
          throw error
        }
      },
    })
  }

  /** Ends a pending poll, or the next one, with a WakeupError. */
  wakeup(): void {
    this.#isWokenUp = true
    this.#changed?.resolve()
  }

  /**
   * The offset of the next record to hand out; looked up if nothing says so yet.
   *
   * Rejects with IllegalStateError if the partition is not assigned, KafkaError REQUEST_TIMED_OUT after
   * `default.api.timeout.ms`.
   */
  async position(partition: TopicPartition): Promise<number> {
    this.#requireOpen('position')
    const assigned = this.#subscription.get(partition)
    if (assigned.position !== undefined) return assigned.position
    const timeoutMs = this.#configs['default.api.timeout.ms']
    return this.#runtime.drive(`position of ${assigned.name}`, async () => {
      const deadline = this.#runtime.now() + timeoutMs
      for (;;) {
        this.#changed ??= this.#runtime.deferred()
        const { promise } = this.#changed
        this.#positions.update()
        this.#throwPending()
        if (assigned.position !== undefined) return assigned.position
        const left = deadline - this.#runtime.now()
        if (left <= 0) {
          const what = `the position for partition ${assigned.name} could be determined`
          throw new KafkaError('REQUEST_TIMED_OUT', `Timeout of ${timeoutMs}ms expired before ${what}`)
        }
        await within(this.#runtime, promise, left)
        if (!this.#isPolling) this.#changed = undefined
        this.#requireOpen('position')
      }
    })
  }

  /** Stops handing out records of these partitions; their place is kept. */
  pause(partitions: readonly TopicPartition[]): void {
    this.#requireOpen('pause')
    for (const assigned of this.#assigned('pause', partitions)) assigned.isPaused = true
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#requireOpen('resume')
    for (const assigned of this.#assigned('resume', partitions)) assigned.isPaused = false
    this.#changed?.resolve()
  }

  paused(): TopicPartition[] {
    this.#requireOpen('paused')
    const paused = [...this.#subscription].filter(({ isPaused }) => isPaused)
    return paused.map(({ topic, partition }) => ({ topic, partition }))
  }

  /** Records between the position and the end, as far as the last fetch told; undefined before it. */
  currentLag(partition: TopicPartition): number | undefined {
    this.#requireOpen('currentLag')
    const { position, highWatermark, lastStableOffset } = this.#subscription.get(partition)
    const end = this.#configs['isolation.level'] === 'read_committed' ? lastStableOffset : highWatermark
    return position === undefined || end === undefined ? undefined : Math.max(0, end - position)
  }

  /** The first offset of each partition, by the very objects that were given. */
  async beginningOffsets(partitions: readonly TopicPartition[]): Promise<Map<TopicPartition, number>> {
    return this.#ends('beginningOffsets', partitions, EARLIEST)
  }

  /** The end of each: the high watermark, under read_committed the last stable offset. */
  async endOffsets(partitions: readonly TopicPartition[]): Promise<Map<TopicPartition, number>> {
    return this.#ends('endOffsets', partitions, LATEST)
  }

  async #ends(call: string, partitions: readonly TopicPartition[], at: number): Promise<Map<TopicPartition, number>> {
    this.#requireOpen(call)
    const found = await this.#query(call, new Map(checkPartitions(call, partitions).map(partition => [partition, at])))
    return new Map([...found].map(([partition, { offset }]) => [partition, offset]))
  }

  /** For each partition the first record at or after a time (milliseconds since the epoch); null if there is none. */
  async offsetsForTimes(
    times: ReadonlyMap<TopicPartition, number>,
  ): Promise<Map<TopicPartition, OffsetAndTimestamp | null>> {
    this.#requireOpen('offsetsForTimes')
    for (const [partition, timestamp] of times) {
      checkPartition(partition)
      if (!(timestamp >= 0)) throw new IllegalArgumentError(`The target time cannot be negative, as ${timestamp} is`)
    }
    const found = await this.#query('offsetsForTimes', times)
    const answer = ({ offset, timestamp, leaderEpoch }: { offset: number; timestamp: number; leaderEpoch: number }) =>
      offset < 0 ? null : { offset, timestamp, leaderEpoch: leaderEpoch < 0 ? undefined : leaderEpoch }
    return new Map([...found].map(([partition, offset]) => [partition, answer(offset)]))
  }

  #query(call: string, targets: ReadonlyMap<TopicPartition, number>) {
    for (const { topic } of targets.keys()) this.#askedTopics.add(topic)
    return this.#runtime.drive(`${call} of ${this.#name}`, () => this.#queries.ask(targets))
  }

  /** What is known of the topic's partitions; an empty list for a topic that does not exist. */
  async partitionsFor(topic: string): Promise<PartitionInfo[]> {
    this.#requireOpen('partitionsFor')
    this.#askedTopics.add(topic)
    const view = await this.#runtime.drive(`partitionsFor ${topic}`, () => this.#queries.topic(topic))
    return view === undefined ? [] : partitionInfos(view)
  }

  /**
   * Ends its fetch sessions and closes its connections. A pending poll rejects, an iteration ends. Twice does no harm. It
   * waits for nothing, whatever `timeoutMs` says.
   */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    timeoutOf('close', options, 0)
    if (this.#closed) return
    this.#closed = true
    this.#unexplain()
    this.#fetcher.close()
    const reason = new IllegalStateError(`${this.#name} is closed`)
    this.#metadata.close(reason)
    this.#connections.close(reason)
    this.#changed?.resolve()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #assigned(call: string, partitions: readonly TopicPartition[]): AssignedPartition[] {
    return checkPartitions(call, partitions).map(partition => this.#subscription.get(partition))
  }

  #requireOpen(call: string): void {
    if (this.#closed) throw new IllegalStateError(`${call}: this consumer (${this.#name}) has already been closed.`)
  }
}
