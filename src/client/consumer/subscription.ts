import { IllegalArgumentError, IllegalStateError } from '../../wire/errors.ts'
import { refuseUnknown, requireArray } from '../arguments.ts'
import { partitionText, type TopicPartition } from '../topic-partition.ts'
import { AssignedPartition } from './assigned-partition.ts'

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
    const number = `a number from 0 on, not ${partition.partition}`
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

/** The partitions that a consumer reads (Kafka's SubscriptionState). */
export class Subscription {
  #partitions = new Map<string, AssignedPartition>()

  /** Replaces all; what was read before and stays keeps its place. */
  assign(partitions: readonly TopicPartition[]): void {
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

  topics(): string[] {
    return [...new Set([...this.#partitions.values()].map(({ topic }) => topic))]
  }
}
