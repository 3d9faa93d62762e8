import { IllegalArgumentError } from '../../wire/errors.ts'
import { textOf } from '../arguments.ts'
import type { TopicView } from '../metadata-view.ts'
import { CompressionRatio } from './compression-ratio.ts'
import { PartitionQueue } from './partition-queue.ts'
import { type StickyOptions, StickyPartitioner, type StickyTopic } from './partitioner.ts'

/** A topic as its producer sees it: what is known of it, and the queues of its partitions. */
export class TopicQueues implements StickyTopic {
  readonly name: string
  readonly queues: (PartitionQueue | undefined)[] = []
  readonly sticky: StickyPartitioner
  readonly ratio: CompressionRatio | undefined
  lastUsedAt = 0
  /** Sends that have to wait for metadata, memory or a serializer: one after the other, so that order stays. */
  waiting = 0
  chain: Promise<unknown> = Promise.resolve()
  /** Undefined until metadata knows it. */
  #view: TopicView | undefined
  #available: readonly number[] = []

  constructor(name: string, sticky: StickyOptions, isCompressed: boolean) {
    this.name = name
    this.sticky = new StickyPartitioner(this, sticky)
    this.ratio = isCompressed ? new CompressionRatio() : undefined
  }

  get view(): TopicView | undefined {
    return this.#view
  }

  set view(view: TopicView | undefined) {
    if (view === this.#view) return
    this.#view = view
    this.#available = view?.partitions.filter(({ leaderId }) => leaderId >= 0).map(({ partition }) => partition) ?? []
  }

  get partitionCount(): number {
    return this.#view?.partitions.length ?? 0
  }

  get available(): readonly number[] {
    return this.#available
  }

  leaderOf(partition: number): number {
    return this.#view?.partitions[partition]?.leaderId ?? -1
  }

  queue(partition: number): PartitionQueue {
    const known = this.queues[partition]
    if (known !== undefined) return known
    if (!Number.isSafeInteger(partition) || partition < 0) {
      throw new IllegalArgumentError(`a partition is a number from 0 on, not ${textOf(partition)}`)
    }
    const made = new PartitionQueue(this.name, partition)
    // Without holes: a sparse array is slow.
    while (this.queues.length < partition) this.queues.push(undefined)
    this.queues[partition] = made
    return made
  }
}
