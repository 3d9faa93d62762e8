import type { TopicPartition } from '../../topic-partition.ts'
import type { MemberSubscription, TopicPartitions } from './assignor.ts'
import { compared } from './member-order.ts'
import { racksMatter, racksOfMembers, racksOfPartitions } from './racks.ts'

const NONE: ReadonlySet<string> = new Set()

/** Every partition that somebody subscribed to, numbered through in the order of topics; and which racks have it. */
export class PartitionTable {
  /** Sorted by name; only those that have partitions. */
  readonly topics: readonly string[]
  readonly partitions: readonly TopicPartition[]
  /** Sorted. */
  readonly members: readonly string[]
  readonly #first = new Map<string, number>()
  readonly #counts = new Map<string, number>()
  readonly #subscribers = new Map<string, string[]>()
  /** Empty where racks tell nothing apart. */
  readonly #memberRacks: ReadonlyMap<string, string>
  readonly #racks: readonly ReadonlySet<string>[]

  constructor(topics: ReadonlyMap<string, TopicPartitions>, members: ReadonlyMap<string, MemberSubscription>) {
    this.members = [...members.keys()].sort(compared)
    for (const memberId of this.members) {
      for (const topic of new Set(members.get(memberId)!.topics)) {
        if (!topics.get(topic)?.partitionCount) continue
        const subscribers = this.#subscribers.get(topic)
        if (subscribers === undefined) this.#subscribers.set(topic, [memberId])
        else subscribers.push(memberId)
      }
    }
    this.topics = [...this.#subscribers.keys()].sort(compared)
    const partitions: TopicPartition[] = []
    for (const topic of this.topics) {
      const { partitionCount } = topics.get(topic)!
      this.#first.set(topic, partitions.length)
      this.#counts.set(topic, partitionCount)
      for (let partition = 0; partition < partitionCount; partition++) partitions.push({ topic, partition })
    }
    this.partitions = partitions
    const memberRacks = racksOfMembers(members)
    const racks = memberRacks.size === 0 ? [] : this.topics.flatMap(topic => racksOfPartitions(topics.get(topic)!))
    const isRackAware = racksMatter(new Set(memberRacks.values()), racks)
    this.#memberRacks = isRackAware ? memberRacks : new Map()
    this.#racks = isRackAware ? racks : []
  }

  get isRackAware(): boolean {
    return this.#memberRacks.size > 0
  }

  /** The number of a partition; undefined if there is none, or nobody subscribed to it. */
  indexOf({ topic, partition }: TopicPartition): number | undefined {
    const first = this.#first.get(topic)
    return first !== undefined && partition >= 0 && partition < this.#counts.get(topic)! ? first + partition : undefined
  }

  /** The partitions of a topic, by number. */
  indexesOf(topic: string): number[] {
    const first = this.#first.get(topic)!
    return Array.from({ length: this.#counts.get(topic)! }, (_, partition) => first + partition)
  }

  partitionCountOf(topic: string): number {
    return this.#counts.get(topic) ?? 0
  }

  /** Sorted. */
  subscribersOf(topic: string): readonly string[] {
    return this.#subscribers.get(topic) ?? []
  }

  /** The member is in a rack of a replica. */
  isNear(memberId: string, index: number): boolean {
    const rack = this.#memberRacks.get(memberId)
    return rack !== undefined && (this.#racks[index] ?? NONE).has(rack)
  }

  /** The member says a rack, and no replica is there: what it has it may not keep. */
  isFar(memberId: string, index: number): boolean {
    return this.#memberRacks.has(memberId) && !this.isNear(memberId, index)
  }

  /** Where racks matter: those first that the fewest members are near to. */
  byNearness(indexes: readonly number[]): number[] {
    if (!this.isRackAware) return [...indexes]
    const perRack = new Map<string, number>()
    for (const rack of this.#memberRacks.values()) perRack.set(rack, (perRack.get(rack) ?? 0) + 1)
    const near = (index: number) => [...this.#racks[index]!].reduce((sum, rack) => sum + (perRack.get(rack) ?? 0), 0)
    const counts = new Map(indexes.map(index => [index, near(index)]))
    return [...indexes].sort((one, other) => counts.get(one)! - counts.get(other)!)
  }
}
