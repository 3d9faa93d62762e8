import type { TopicPartition } from '../../topic-partition.ts'
import type { Assignor, MemberSubscription, TopicPartitions } from './assignor.ts'
import { compared, membersInOrder } from './member-order.ts'
import { racksMatter, racksOfMembers, racksOfPartitions } from './racks.ts'

/**
 * Topic by topic, each member a run of neighbouring partitions; the first members get one more where it does not come out
 * even. So topics with as many partitions and the same members are split alike, and can be joined.
 *
 * Where racks tell partitions apart, partitions go first to members in the rack of a replica, within the same numbers
 * (KIP-881); joined topics stay joined there, too.
 */
export class RangeAssignor implements Assignor {
  readonly name = 'range'

  assign(
    topics: ReadonlyMap<string, TopicPartitions>,
    members: ReadonlyMap<string, MemberSubscription>,
  ): Map<string, TopicPartition[]> {
    const inOrder = membersInOrder(members)
    const memberRacks = racksOfMembers(members)
    const assignment = new Map<string, TopicPartition[]>(inOrder.map(memberId => [memberId, []]))
    const splits = [...topics]
      .filter(([, { partitionCount }]) => partitionCount > 0)
      .sort(([one], [other]) => compared(one, other))
      .map(([topic, partitions]) => {
        const subscribed = inOrder.filter(memberId => members.get(memberId)!.topics.includes(topic))
        return new TopicSplit(topic, partitions, subscribed, memberRacks, assignment)
      })
      .filter(split => split.members.length > 0)
    const isRackAware = splits.some(split => split.isRackAware)
    if (isRackAware) for (const together of joinedTopics(splits)) matchRacks(together)
    for (const split of splits) split.assignRanges(() => true)
    if (isRackAware) for (const partitions of assignment.values()) partitions.sort(byTopicAndNumber)
    return assignment
  }
}

function byTopicAndNumber(one: TopicPartition, other: TopicPartition): number {
  return compared(one.topic, other.topic) || one.partition - other.partition
}

/** Topics of the same members and as many partitions: what is read as one. */
function joinedTopics(splits: readonly TopicSplit[]): TopicSplit[][] {
  const groups = new Map<string, TopicSplit[]>()
  for (const split of splits) {
    const key = JSON.stringify([split.partitionCount, split.members])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [split])
    else group.push(split)
  }
  return [...groups.values()]
}

function matchRacks(together: readonly TopicSplit[]): void {
  const [first] = together
  if (first === undefined) return
  if (together.length === 1) {
    if (first.isRackAware) first.assignRanges((memberId, partition) => first.isNear(memberId, partition))
    return
  }
  const remaining = new Set(first.members)
  for (let partition = 0; partition < first.partitionCount; partition++) {
    const memberId = [...remaining].find(candidate =>
      together.every(split => split.isNear(candidate, partition) && split.room(candidate) > 0),
    )
    if (memberId === undefined) continue
    for (const split of together) split.assign(memberId, [partition])
    if (together.every(split => split.room(memberId) === 0)) remaining.delete(memberId)
    if (remaining.size === 0) return
  }
}

/** One topic on its way to its members. */
class TopicSplit {
  readonly members: readonly string[]
  readonly partitionCount: number
  /** Whether racks tell this topic's partitions apart. */
  readonly isRackAware: boolean
  readonly #topic: string
  readonly #memberRacks: ReadonlyMap<string, string>
  readonly #racks: readonly ReadonlySet<string>[]
  readonly #assignment: ReadonlyMap<string, TopicPartition[]>
  readonly #counts = new Map<string, number>()
  readonly #unassigned: Set<number>
  readonly #least: number
  /** So many members may still get one more than the least. */
  #extras: number

  constructor(
    topic: string,
    partitions: TopicPartitions,
    members: readonly string[],
    memberRacks: ReadonlyMap<string, string>,
    assignment: ReadonlyMap<string, TopicPartition[]>,
  ) {
    const { partitionCount } = partitions
    this.#topic = topic
    this.members = members
    this.partitionCount = partitionCount
    this.#memberRacks = memberRacks
    this.#racks = racksOfPartitions(partitions)
    this.#assignment = assignment
    this.#unassigned = new Set(this.#racks.keys())
    this.#least = Math.floor(partitionCount / members.length)
    this.#extras = partitionCount % members.length
    const itsRacks = new Set(members.flatMap(memberId => memberRacks.get(memberId) ?? []))
    this.isRackAware = racksMatter(itsRacks, this.#racks)
  }

  /** A member that says no rack is near to everything. */
  isNear(memberId: string, partition: number): boolean {
    const rack = this.#memberRacks.get(memberId)
    return rack === undefined || this.#racks[partition]!.has(rack)
  }

  /** How many more partitions the member may get. */
  room(memberId: string): number {
    const most = this.#least + (this.#extras > 0 ? 1 : 0)
    return Math.max(0, most - (this.#counts.get(memberId) ?? 0))
  }

  assignRanges(mayAssign: (memberId: string, partition: number) => boolean): void {
    for (const memberId of this.members) {
      if (this.#unassigned.size === 0) return
      const fitting = [...this.#unassigned].filter(partition => mayAssign(memberId, partition))
      this.assign(memberId, fitting.slice(0, this.room(memberId)))
    }
  }

  assign(memberId: string, partitions: readonly number[]): void {
    if (partitions.length === 0) return
    const count = (this.#counts.get(memberId) ?? 0) + partitions.length
    this.#counts.set(memberId, count)
    if (count > this.#least) this.#extras--
    for (const partition of partitions) {
      this.#unassigned.delete(partition)
      this.#assignment.get(memberId)!.push({ topic: this.#topic, partition })
    }
  }
}
