import { IllegalArgumentError, IllegalStateError } from '../../wire/errors.ts'
import { refuseUnknown, requireArray, textOf } from '../arguments.ts'
import type { ClientMetadata } from '../metadata.ts'
import { partitionText, type TopicPartition } from '../topic-partition.ts'
import { AssignedPartition } from './assigned-partition.ts'
import { choiceText, type TopicChoice } from './topic-choice.ts'

/**
 * Whatever has a topic and a partition will do: a record, what `partitionsFor` told. A field too many is refused only where
 * one of the two is missing, for then it is a misspelling.
 *
 * @throws {IllegalArgumentError} for something that is no partition of a topic.
 */
export function checkPartition(partition: TopicPartition): TopicPartition {
  if (partition?.topic === undefined || partition.partition === undefined) {
    refuseUnknown("a partition, as in { topic: 'orders', partition: 0 }", partition, ['topic', 'partition'])
  }
  if (typeof partition?.topic !== 'string' || partition.topic === '') {
    throw new IllegalArgumentError("a partition is { topic: 'orders', partition: 0 }: the topic is missing")
  }
  if (!Number.isSafeInteger(partition.partition) || partition.partition < 0) {
    const number = `a number from 0 on, not ${textOf(partition.partition)}`
    throw new IllegalArgumentError(`the partition of topic '${partition.topic}' must be ${number}`)
  }
  return partition
}

/** @throws {IllegalArgumentError} for what is no list of partitions. */
export function checkPartitions<P extends TopicPartition>(call: string, partitions: readonly P[]): readonly P[] {
  requireArray(call, partitions, "[{ topic: 'orders', partition: 0 }]")
  for (const partition of partitions) checkPartition(partition)
  return partitions
}

/**
 * What a consumer wants to read and what it reads (Kafka's SubscriptionState): it assigns partitions itself, or subscribes
 * and is assigned them by its group.
 */
export class Subscription {
  #choice: TopicChoice | undefined
  #topics: ReadonlySet<string> = new Set()
  #groupTopics: ReadonlySet<string> = new Set()
  /** Topics that the coordinator assigned by ids whose names are not known yet. */
  topicIds: ReadonlySet<string> = new Set()
  #isManual = false
  #partitions = new Map<string, AssignedPartition>()

  // --- what it wants -------------------------------------------------------------------------------------------------

  /** What was subscribed to; undefined: nothing, or partitions are assigned by hand. */
  get choice(): TopicChoice | undefined {
    return this.#choice
  }

  /** The topics subscribed to; of a pattern those that match as far as is known. */
  get topics(): ReadonlySet<string> {
    return this.#topics
  }

  get isSubscribed(): boolean {
    return this.#choice !== undefined
  }

  /** Neither subscribed nor assigned. */
  get isIdle(): boolean {
    return this.#choice === undefined && !this.#isManual
  }

  /** @throws {IllegalStateError} after `assign`, or a subscription of another kind, without `unsubscribe` between. */
  subscribe(choice: TopicChoice): void {
    if (this.#isManual) throw exclusive('partitions are assigned by hand')
    if (this.#choice !== undefined && this.#choice.kind !== choice.kind) {
      throw exclusive(`it is subscribed to ${choiceText(this.#choice)}`)
    }
    this.#choice = choice
    if (choice.kind === 'topics') this.#topics = new Set(choice.topics)
    else if (choice.kind === 'pattern') this.#topics = new Set()
  }

  /** Matches a RegExp against all topics, as far as they are known. */
  followPattern(metadata: ClientMetadata, skipsInternal: boolean): void {
    const choice = this.#choice
    if (choice?.kind !== 'pattern' || !metadata.hasAllTopics) return
    const topics = [...metadata.topics()].filter(({ isInternal }) => !(isInternal && skipsInternal))
    this.#topics = new Set(topics.map(({ name }) => name).filter(name => choice.pattern.test(name)))
  }

  /** Topics of other members, which this one as their leader has to know. */
  set groupTopics(topics: ReadonlySet<string>) {
    this.#groupTopics = topics
  }

  get groupTopics(): ReadonlySet<string> {
    return this.#groupTopics
  }

  unsubscribe(): void {
    this.#choice = undefined
    this.#isManual = false
    this.#topics = new Set()
    this.#groupTopics = new Set()
    this.topicIds = new Set()
    this.#partitions = new Map()
  }

  /** What metadata is needed of; null: all topics. */
  wantedTopics(): string[] | null {
    if (this.#choice?.kind === 'pattern') return null
    const wanted = new Set([...this.#topics, ...this.#groupTopics])
    for (const { topic } of this.#partitions.values()) wanted.add(topic)
    return [...wanted]
  }

  // --- what it has ---------------------------------------------------------------------------------------------------

  /**
   * Replaces all; what was read before and stays keeps its place.
   *
   * @throws {IllegalStateError} while it is subscribed.
   */
  assign(partitions: readonly TopicPartition[]): void {
    if (this.#choice !== undefined) throw exclusive(`it is subscribed to ${choiceText(this.#choice)}`)
    this.#replace(partitions)
    this.#isManual = true
  }

  /** What the group gives to this member. Paused partitions that stay are still paused. */
  assignFromGroup(partitions: readonly TopicPartition[]): void {
    this.#replace(partitions)
    for (const assigned of this.#partitions.values()) assigned.isRevoking = false
  }

  #replace(partitions: readonly TopicPartition[]): void {
    const assigned = new Map<string, AssignedPartition>()
    for (const partition of partitions) {
      const name = partitionText(checkPartition(partition))
      assigned.set(name, this.#partitions.get(name) ?? new AssignedPartition(partition))
    }
    this.#partitions = assigned
  }

  get size(): number {
    return this.#partitions.size
  }

  [Symbol.iterator](): IterableIterator<AssignedPartition> {
    return this.#partitions.values()
  }

  /** As plain pairs; all, or those of a kind. */
  assigned(which: (partition: AssignedPartition) => boolean = () => true): TopicPartition[] {
    return [...this.#partitions.values()].filter(which).map(({ topic, partition }) => ({ topic, partition }))
  }

  has(partition: AssignedPartition): boolean {
    return this.#partitions.get(partition.name) === partition
  }

  find(topic: string, partition: number): AssignedPartition | undefined {
    return this.#partitions.get(partitionText({ topic, partition }))
  }

  /** @throws {IllegalStateError} if it is not assigned. */
  get(partition: TopicPartition): AssignedPartition {
    const found = this.#partitions.get(partitionText(checkPartition(partition)))
    if (found !== undefined) return found
    const known = [...this.#partitions.keys()]
    const has = known.length === 0 ? 'nothing is assigned' : `assigned are ${known.join(', ')}`
    throw new IllegalStateError(`No current assignment for partition ${partitionText(partition)}: ${has}`)
  }

  /** @throws {IllegalArgumentError} @throws {IllegalStateError} if one of them is not assigned. */
  all(call: string, partitions: readonly TopicPartition[]): AssignedPartition[] {
    return checkPartitions(call, partitions).map(partition => this.get(partition))
  }
}

function exclusive(why: string): IllegalStateError {
  const rule = 'Subscription to topics, partitions and pattern are mutually exclusive'
  return new IllegalStateError(`${rule}: ${why}; await unsubscribe() first`)
}
