import { IllegalArgumentError, IllegalStateError } from '../../wire/errors.ts'
import { partitionText, type TopicPartition } from '../topic-partition.ts'
import { AssignedPartition } from './assigned-partition.ts'

/** @throws {IllegalArgumentError} for something that is no partition of a topic. */
export function checkPartition(partition: TopicPartition): TopicPartition {
  if (typeof partition?.topic !== 'string' || partition.topic === '') {
    throw new IllegalArgumentError("a partition is { topic: 'orders', partition: 0 }: the topic is missing")
  }
  if (!Number.isSafeInteger(partition.partition) || partition.partition < 0) {
    const number = `a number from 0 on, not ${partition.partition}`
    throw new IllegalArgumentError(`the partition of topic '${partition.topic}' must be ${number}`)
  }
  return partition
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
