import type { ClassValue } from '../../metadata/config-definition.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { ConfigError } from '../../wire/errors.ts'
import { partitionOfKey } from '../../wire/murmur2.ts'
import type { LeaderAvailability } from './leader-availability.ts'
import type { PartitionQueue } from './partition-queue.ts'

/** What a partitioner of the user's own may look at. */
export interface PartitionerInput {
  readonly topic: string
  readonly key: unknown
  readonly keyBytes: Uint8Array | null
  readonly value: unknown
  readonly valueBytes: Uint8Array | null
  /** Partitions of the topic: 0 … partitionCount − 1. */
  readonly partitionCount: number
  /** Those that have a leader. */
  readonly available: readonly number[]
}

/** `partitioner.class`: a function, an object with `partition`, or 'RoundRobinPartitioner'. */
export type Partitioner = (input: PartitionerInput) => number

/** One partition after the other, of those that have a leader; a counter for each topic (C-14). */
export function roundRobin(): Partitioner {
  const counters = new Map<string, number>()
  return ({ topic, partitionCount, available }) => {
    const count = counters.get(topic) ?? 0
    counters.set(topic, count + 1)
    if (available.length > 0) return available[count % available.length]!
    return count % partitionCount
  }
}

/** @throws {ConfigError} for something that cannot partition. */
export function partitionerOf(value: ClassValue | null): Partitioner | undefined {
  if (value === null) return undefined
  if (typeof value === 'function') return value as Partitioner
  if (typeof value === 'object' && 'partition' in value && typeof value.partition === 'function') {
    return value.partition.bind(value)
  }
  if (typeof value === 'string' && value.split('.').at(-1) === 'RoundRobinPartitioner') return roundRobin()
  const forms = "a function, an object with partition, or 'RoundRobinPartitioner'"
  throw new ConfigError(`partitioner.class must be ${forms}`)
}

export { partitionOfKey }

export interface StickyOptions {
  readonly runtime: Runtime
  /** `batch.size`: how much goes to a partition before the next. */
  readonly stickyBytes: number
  /** `partitioner.adaptive.partitioning.enable`. */
  readonly isAdaptive: boolean
  /** `partitioner.availability.timeout.ms`; undefined: every leader is available. */
  readonly availability?: LeaderAvailability
}

/** What a sticky partitioner asks of its topic. */
export interface StickyTopic {
  readonly name: string
  readonly partitionCount: number
  /** Partitions with a leader. */
  readonly available: readonly number[]
  /** −1 where there is none. */
  leaderOf(partition: number): number
  /** The queues, by partition; undefined for a partition that never had a batch. */
  readonly queues: readonly (PartitionQueue | undefined)[]
}

/**
 * Where records without a key go (KIP-794; C-12, C-13; Kafka's BuiltInPartitioner): to one partition until it has had its
 * share, then to another, more likely one with a shorter queue.
 */
export class StickyPartitioner {
  readonly #options: StickyOptions
  readonly #topic: StickyTopic
  #current = -1
  #producedBytes = 0

  constructor(topic: StickyTopic, options: StickyOptions) {
    this.#topic = topic
    this.#options = options
  }

  current(): number {
    if (this.#current < 0 || this.#current >= this.#topic.partitionCount) this.#next()
    return this.#current
  }

  /**
   * `bytes` more went to the current partition. Moves on after `batch.size` of them at the boundary of a batch (all its
   * queued batches are full), and at twice that anyway. True: the partition is another one now.
   */
  produced(bytes: number, atBoundary: boolean): boolean {
    const { stickyBytes } = this.#options
    this.#producedBytes += bytes
    if (this.#producedBytes < stickyBytes) return false
    if (!atBoundary && this.#producedBytes < 2 * stickyBytes) return false
    const before = this.#current
    this.#next()
    return this.#current !== before
  }

  #next(): void {
    this.#producedBytes = 0
    const { available, partitionCount } = this.#topic
    if (available.length === 0) this.#current = this.#draw(partitionCount)
    else this.#current = this.#byLoad() ?? available[this.#draw(available.length)]!
  }

  /**
   * The longer the queue, the less likely; partitions of leaders that cannot be sent to, not at all. Undefined where there
   * is nothing to go by.
   */
  #byLoad(): number | undefined {
    const { partitionCount, queues } = this.#topic
    const { isAdaptive, availability } = this.#options
    if (!isAdaptive || partitionCount < 2) return undefined
    const lengths: number[] = []
    for (let partition = 0; partition < partitionCount; partition++) {
      const queue = queues[partition]
      if (queue === undefined) return undefined
      lengths.push(queue.batches.length)
    }
    const isAvailable = (partition: number) => availability?.isAvailable(this.#topic.leaderOf(partition)) !== false
    const available = this.#topic.available.filter(isAvailable)
    if (available.length === 0) return undefined
    const loads = available.map(partition => lengths[partition]!)
    const most = Math.max(...loads)
    if (loads.every(load => load === most) && loads.length === partitionCount) return undefined
    let total = 0
    for (const load of loads) total += most + 1 - load
    let drawn = this.#draw(total)
    for (const [index, load] of loads.entries()) {
      drawn -= most + 1 - load
      if (drawn < 0) return available[index]!
    }
    return undefined
  }

  #draw(n: number): number {
    return this.#options.runtime.choose('producer.partition', n)
  }
}
