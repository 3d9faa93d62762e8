import { IllegalStateError } from '../../wire/errors.ts'
import { timeoutOf } from '../arguments.ts'
import type { ConsumerOptions } from '../configuration.ts'
import type { ClientEnvironment } from '../environment.ts'
import { EARLIEST, LATEST } from '../list-offsets.ts'
import type { OffsetAndMetadata, OffsetAndTimestamp, PartitionInfo, TopicPartition } from '../topic-partition.ts'
import { type OffsetsToCommit, positionToSeek, type SeekTarget } from './commit-arguments.ts'
import type { CommitCallback } from './commits.ts'
import {
  type ConsumerCloseOptions,
  checkSubscribeOptions,
  type GroupMetadata,
  type SubscribeOptions,
  withoutGroup,
} from './consumer-arguments.ts'
import { ConsumerClosing } from './consumer-closing.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerParts, consumerParts } from './consumer-parts.ts'
import type { ConsumerRecord, ConsumerRecords } from './consumer-record.ts'
import { RecordIteration } from './record-iteration.ts'
import { checkPartitions } from './subscription.ts'
import { choiceOf, type Topics } from './topic-choice.ts'

/** Calls that something new would begin with. */
const beginnings: ReadonlySet<string> = new Set(['poll', 'iterating', 'subscribe', 'unsubscribe', 'assign'])

/**
 * Reads records (Kafka's KafkaConsumer): of topics that it subscribes to, whose partitions it shares with its group, or of
 * partitions that it assigns itself. Configuration keys are Kafka's, with its defaults and checks; without deserializers
 * keys and values are Buffers. `poll` drives virtual time, `for await` rides it.
 */
export class Consumer<Key = Buffer | null, Value = Buffer | null> {
  readonly #name: string
  readonly #environment: ClientEnvironment
  readonly #parts: ConsumerParts<Key, Value>
  readonly #closing: ConsumerClosing

  /** @throws {ConfigError} for a key that is not known, a value that is not legal, or an assignor that is not known. */
  constructor(config: ConsumerOptions, environment: ClientEnvironment) {
    this.#name = environment.clientName
    this.#environment = environment
    this.#parts = consumerParts<Key, Value>(config, environment, call => this.#requireOpen(call))
    const { connections, group } = this.#parts
    const unexplain = environment.runtime.explain(() =>
      [...connections.waiting(), ...(group?.waiting() ?? [])].map(what => `${this.#name}: ${what}`),
    )
    this.#closing = new ConsumerClosing(environment, this.#parts, unexplain)
  }

  // --- what it reads -------------------------------------------------------------------------------------------------

  /**
   * Joins its group, at the next `poll`, for topics by name, those that match a RegExp (as far as this consumer may see
   * them), or `{ pattern }`, which the coordinator evaluates. A later call replaces the topics and the listener; `[]` is
   * `unsubscribe`.
   *
   * @throws {InvalidGroupIdError} without `group.id`
   * @throws {IllegalStateError} after `assign`, after a subscription of another kind, without an assignor, after close
   * @throws {IllegalArgumentError} for an empty name or pattern
   */
  subscribe(topics: Topics, options: SubscribeOptions = {}): void {
    this.#requireOpen('subscribe')
    checkSubscribeOptions(options)
    const group = this.#requireGroup()
    const choice = choiceOf(topics)
    const { subscription, metadata } = this.#parts
    if (choice.kind === 'topics' && choice.topics.length === 0) {
      this.unsubscribe().catch(error => group.failed(error as Error))
      return
    }
    group.requireSupport(choice)
    subscription.subscribe(choice)
    group.callbacks.listener = options.listener
    metadata.requestUpdate()
    group.membership.subscriptionChanged()
  }

  /**
   * Gives all partitions back and leaves the group; partitions that were assigned by hand are forgotten. Nothing is
   * committed. Rejects with ClientError if the listener threw.
   */
  async unsubscribe(): Promise<void> {
    this.#requireOpen('unsubscribe')
    const { group, subscription } = this.#parts
    try {
      if (group !== undefined && subscription.isSubscribed) {
        await this.#environment.runtime.drive(`unsubscribe of ${this.#name}`, () => group.unsubscribe())
      }
    } finally {
      subscription.unsubscribe()
    }
  }

  /**
   * The topics that it subscribes to: of a RegExp, those that match as far as is known; of `{ pattern }` none, since only
   * the coordinator knows: `assignment` says which partitions came of it.
   */
  subscription(): string[] {
    this.#requireOpen('subscription')
    return [...this.#parts.subscription.topics]
  }

  /**
   * Reads these partitions, and no others, without a group's doing; with `group.id` they begin where the group left off.
   * Where nothing says where to begin, `auto.offset.reset` does (default `latest`). `[]` is `unsubscribe`.
   *
   * @throws {IllegalArgumentError} for a missing topic or a negative partition
   * @throws {IllegalStateError} while it is subscribed; after close
   */
  assign(partitions: readonly TopicPartition[]): void {
    this.#requireOpen('assign')
    const { subscription, group } = this.#parts
    // There is no rebalance that would commit what is left behind.
    group?.autoCommit.commitIfDue()
    subscription.assign(checkPartitions('assign', partitions))
    if (partitions.length === 0) subscription.unsubscribe()
  }

  assignment(): TopicPartition[] {
    this.#requireOpen('assignment')
    return this.#parts.subscription.assigned()
  }

  /** Joins the group anew, at the next poll. @throws {IllegalStateError} without `group.id` */
  enforceRebalance(reason = 'rebalance enforced by user'): void {
    this.#requireOpen('enforceRebalance')
    const { group } = this.#parts
    if (group === undefined)
      throw new IllegalStateError('Tried to force a rebalance but consumer does not have a group.')
    group.membership.rejoin(reason)
  }

  /**
   * As whom `sendOffsetsToTransaction` commits: what it was in the group last, also when it has lost its membership, so that
   * the coordinator refuses it then. Member id '' and generation −1 before it has joined for the first time.
   *
   * @throws {InvalidGroupIdError}
   */
  groupMetadata(): GroupMetadata {
    this.#requireOpen('groupMetadata')
    const { groupId, joinedAs } = this.#requireGroup()
    return { groupId, ...joinedAs }
  }

  // --- where it stands -----------------------------------------------------------------------------------------------

  /**
   * The next record to hand out is the one at this offset, or the first behind it. With a leader epoch, as it was
   * committed, a log that was cut since is found out (KIP-320).
   *
   * @throws {IllegalArgumentError} for a negative offset
   * @throws {IllegalStateError} if the partition is not assigned
   */
  seek(partition: TopicPartition, offset: SeekTarget): void {
    this.#requireOpen('seek')
    const assigned = this.#parts.subscription.get(partition)
    const position = positionToSeek(offset)
    assigned.seek(position.offset, position.leaderEpoch)
    this.#parts.rounds.changed()
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
    for (const assigned of this.#parts.subscription.all(call, partitions)) assigned.reset(timestamp)
    this.#parts.rounds.changed()
  }

  /**
   * The offset of the next record to hand out; looked up if nothing says so yet.
   *
   * Rejects with IllegalStateError if the partition is not assigned, KafkaError REQUEST_TIMED_OUT after
   * `default.api.timeout.ms`.
   */
  async position(partition: TopicPartition): Promise<number> {
    this.#requireOpen('position')
    const { subscription, rounds, configs } = this.#parts
    const assigned = subscription.get(partition)
    if (assigned.position !== undefined) return assigned.position
    const timeoutMs = configs['default.api.timeout.ms']
    return this.#environment.runtime.drive(`position of ${assigned.name}`, () => rounds.position(assigned, timeoutMs))
  }

  /** Stops handing out records of these partitions; their place is kept, and they stay paused over rebalances. */
  pause(partitions: readonly TopicPartition[]): void {
    this.#requireOpen('pause')
    for (const assigned of this.#parts.subscription.all('pause', partitions)) assigned.isPaused = true
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#requireOpen('resume')
    for (const assigned of this.#parts.subscription.all('resume', partitions)) assigned.isPaused = false
    this.#parts.rounds.changed()
  }

  paused(): TopicPartition[] {
    this.#requireOpen('paused')
    return this.#parts.subscription.assigned(({ isPaused }) => isPaused)
  }

  /** Records between the position and the end, as far as the last fetch told; undefined before it. */
  currentLag(partition: TopicPartition): number | undefined {
    this.#requireOpen('currentLag')
    const { subscription, configs } = this.#parts
    const { position, highWatermark, lastStableOffset } = subscription.get(partition)
    const end = configs['isolation.level'] === 'read_committed' ? lastStableOffset : highWatermark
    return position === undefined || end === undefined ? undefined : Math.max(0, end - position)
  }

  // --- records -------------------------------------------------------------------------------------------------------

  /**
   * The next records, at most `max.poll.records`; waits for the first at most `timeoutMs`. An empty answer means that none
   * came in time. Rebalances happen in here, listeners are called in here, and so are regular commits of what earlier
   * polls handed out (`enable.auto.commit`).
   *
   * Rejects with IllegalStateError if nothing is subscribed or assigned, or another poll is pending; WakeupError after
   * `wakeup`; NoOffsetForPartitionError and OFFSET_OUT_OF_RANGE where `auto.offset.reset` is `none`; LogTruncationError;
   * KafkaError for what a broker refuses for good, FENCED_INSTANCE_ID among them; ClientError if a rebalance listener
   * threw; SerializationError from a deserializer, whose record is not passed over.
   */
  async poll(options: { readonly timeoutMs: number }): Promise<ConsumerRecords<Key, Value>> {
    this.#requireOpen('poll')
    const timeoutMs = timeoutOf('poll', options)
    const { rounds, configs } = this.#parts
    rounds.requirePollable()
    const what = `poll of ${this.#name} for ${timeoutMs} ms`
    return this.#environment.runtime.drive(what, () => rounds.poll(timeoutMs, configs['max.poll.records']), {
      poll: true,
      patient: timeoutMs < Number.POSITIVE_INFINITY,
    })
  }

  /**
   * Records one after the other, for ever: until the loop is left or the consumer closed. What is committed by itself is
   * what the body is done with. It does not drive virtual time: where no other call is pending (a send, `clock.advance`,
   * `cluster.runUntil`), the loop waits without end. To drive it, `poll`, or hand the loop to `cluster.run`.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<ConsumerRecord<Key, Value>> {
    this.#requireOpen('iterating')
    const { rounds } = this.#parts
    return new RecordIteration<Key, Value>({
      runtime: this.#environment.runtime,
      name: this.#name,
      ready: () => (this.#closing.hasBegun ? undefined : rounds.ready()),
      changed: () => rounds.changed(),
      next: async isOver => {
        try {
          rounds.requirePollable()
          return await this.#environment.runtime.inside(rounds.next(() => isOver() || this.#closing.hasBegun))
        } catch (error) {
          if (this.#closing.hasBegun) return undefined
          throw error
        }
      },
    })
  }

  /** Ends a pending poll, or the next one, with a WakeupError. */
  wakeup(): void {
    this.#parts.rounds.wakeUp()
  }

  // --- commits -------------------------------------------------------------------------------------------------------

  /**
   * Commits to the group (KafkaConsumer.commitSync): these offsets, or the positions, which lie behind all that was handed
   * out. Tried until it succeeds, at most `timeoutMs` (default `default.api.timeout.ms`).
   *
   * Rejects with CommitFailedError if the consumer is no member any more: what it read, others may read again;
   * RebalanceInProgressError: poll, then commit again; IllegalStateError for a partition that is not assigned to the
   * member; InvalidGroupIdError without `group.id`; KafkaError REQUEST_TIMED_OUT, OFFSET_METADATA_TOO_LARGE, FENCED_INSTANCE_ID.
   */
  async commit(offsets?: OffsetsToCommit | undefined, options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#requireOpen('commit')
    const group = this.#requireGroup()
    const timeoutMs = timeoutOf('commit', options, this.#parts.configs['default.api.timeout.ms'])!
    const toCommit = group.toCommit('commit', offsets)
    await this.#environment.runtime.drive(`commit of ${this.#name}`, async () => {
      await group.commits.commit(toCommit, timeoutMs)
      await group.commits.callBack(this.#name)
    })
  }

  /**
   * The same once, without waiting for it. The callback is called by a later `poll`, `commit` or `close`, with
   * RetriableCommitFailedError if it may succeed when it is tried again.
   *
   * @throws what `commit` rejects with for its arguments
   */
  commitAsync(offsets?: OffsetsToCommit | undefined, callback?: CommitCallback): void {
    this.#requireOpen('commitAsync')
    const group = this.#requireGroup()
    group.commits.begin(group.toCommit('commitAsync', offsets), callback)
  }

  /** What the group has committed; null: nothing. The map's keys are the very objects that were given, and no others. */
  async committed(
    partitions: readonly TopicPartition[],
    options: { readonly timeoutMs?: number } = {},
  ): Promise<Map<TopicPartition, OffsetAndMetadata | null>> {
    this.#requireOpen('committed')
    const group = this.#requireGroup()
    const timeoutMs = timeoutOf('committed', options, this.#parts.configs['default.api.timeout.ms'])!
    checkPartitions('committed', partitions)
    const what = `committed of ${this.#name}`
    return this.#environment.runtime.drive(what, () => group.commits.committed(partitions, timeoutMs))
  }

  // --- what it can ask -----------------------------------------------------------------------------------------------

  /** The first offset of each partition, by the very objects that were given. */
  async beginningOffsets(partitions: readonly TopicPartition[]): Promise<Map<TopicPartition, number>> {
    this.#requireOpen('beginningOffsets')
    return this.#parts.queries.ends('beginningOffsets', partitions, EARLIEST)
  }

  /** The end of each: the high watermark, under read_committed the last stable offset. */
  async endOffsets(partitions: readonly TopicPartition[]): Promise<Map<TopicPartition, number>> {
    this.#requireOpen('endOffsets')
    return this.#parts.queries.ends('endOffsets', partitions, LATEST)
  }

  /** The first record at or after a time (epoch ms), for `seek`; null: none. The map's keys are the very objects given. */
  async offsetsForTimes(
    times: ReadonlyMap<TopicPartition, number>,
  ): Promise<Map<TopicPartition, OffsetAndTimestamp | null>> {
    this.#requireOpen('offsetsForTimes')
    return this.#parts.queries.forTimes(times)
  }

  /** What is known of the topic's partitions; an empty list for a topic that does not exist. */
  async partitionsFor(topic: string): Promise<PartitionInfo[]> {
    this.#requireOpen('partitionsFor')
    return this.#parts.queries.partitionsFor(topic)
  }

  /** The same of all topics that it may see, by name. */
  async listTopics(): Promise<Map<string, PartitionInfo[]>> {
    this.#requireOpen('listTopics')
    return this.#parts.queries.listTopics()
  }

  /**
   * What it has counted, under Kafka's names and in its units; where there are several of a name, with what tells them apart:
   * `records-lag{topic=orders,partition=0}`. Rates and averages are of the last minute.
   */
  metrics(): Readonly<Record<string, number>> {
    return this.#parts.metrics.read()
  }

  // --- the end -------------------------------------------------------------------------------------------------------

  /**
   * Commits what was handed out (`enable.auto.commit`), leaves its group, ends its fetch sessions and closes its
   * connections. A pending poll rejects, an iteration ends. Twice does no harm: the rebalance listener that it tells is
   * answered at once, others when it is closed; a second close with 0 ends the patience of the first. Rejects with
   * ClientError if the listener threw, or had not settled in time: it is closed nevertheless.
   */
  async close(options: ConsumerCloseOptions = {}): Promise<void> {
    return this.#closing.close(options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #requireGroup(): ConsumerGroup {
    return this.#parts.group ?? withoutGroup()
  }

  /** While it closes, its rebalance listener may still commit, seek and ask. */
  #requireOpen(call: string): void {
    if (!this.#closing.isOver && !(this.#closing.hasBegun && beginnings.has(call))) return
    throw new IllegalStateError(`${call}: this consumer (${this.#name}) has already been closed.`)
  }
}
