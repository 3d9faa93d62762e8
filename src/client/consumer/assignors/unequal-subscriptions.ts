import type { MemberSubscription } from './assignor.ts'
import type { Claims } from './claims.ts'
import { Load } from './load.ts'
import { compared } from './member-order.ts'
import { PartitionMovements } from './partition-movements.ts'
import type { PartitionTable } from './partition-table.ts'

/**
 * Sticky assignment where members want different topics: what may stay stays, the rest goes to whoever has least, and then
 * partitions move from those who have more to those who have less as long as that helps; unless nothing comes of it, for
 * then all stays as it was (Kafka's GeneralAssignmentBuilder).
 */
export function assignUnequally(
  table: PartitionTable,
  claims: Claims,
  members: ReadonlyMap<string, MemberSubscription>,
): ReadonlyMap<string, readonly number[]> {
  return new UnequalAssignment(table, claims, members).build()
}

class UnequalAssignment {
  readonly #table: PartitionTable
  readonly #previous: ReadonlyMap<number, string>
  readonly #wanted: ReadonlyMap<string, ReadonlySet<string>>
  readonly #movements: PartitionMovements
  /** By how few members want it: those first that can go to few. */
  readonly #inOrder: readonly number[]
  #load: Load
  /** Somebody lost what it had, by what it wants or by its rack: then the old ones move, too. */
  #mustRevoke = false

  constructor(table: PartitionTable, claims: Claims, members: ReadonlyMap<string, MemberSubscription>) {
    this.#table = table
    this.#wanted = new Map([...members].map(([memberId, { topics }]) => [memberId, new Set(topics)]))
    this.#previous = new Map([...claims.previous].filter(([index, memberId]) => this.#wants(memberId, index)))
    this.#movements = new PartitionMovements(index => table.partitions[index]!.topic)
    const subscribers = (topic: string) => table.subscribersOf(topic).length
    const topics = [...table.topics].sort((one, other) => subscribers(one) - subscribers(other) || compared(one, other))
    this.#inOrder = topics.flatMap(topic => table.indexesOf(topic))
    this.#load = Load.of(table.members, new Map([...claims.owned].map(([id, owned]) => [id, this.#kept(id, owned)])))
  }

  #kept(memberId: string, owned: readonly number[]): number[] {
    const kept = owned.filter(index => this.#wants(memberId, index) && !this.#table.isFar(memberId, index))
    if (kept.length < owned.length) this.#mustRevoke = true
    return kept
  }

  #wants(memberId: string, index: number): boolean {
    return this.#wanted.get(memberId)?.has(this.#table.partitions[index]!.topic) === true
  }

  build(): ReadonlyMap<string, readonly number[]> {
    const { members } = this.#load
    const isFirst = members.length > 0 && this.#load.count(members.at(-1)!) === 0
    const left = this.#inOrder.filter(index => this.#load.ownerOf(index) === undefined)
    if (this.#table.isRackAware)
      for (const index of left) this.#give(index, memberId => !this.#table.isFar(memberId, index))
    for (const index of left) if (this.#load.ownerOf(index) === undefined) this.#give(index, () => true)
    const fixed = this.#setAside()
    const before = this.#load.copy()
    const movable = (index: number) => this.#table.subscribersOf(this.#table.partitions[index]!.topic).length > 1
    if (!this.#mustRevoke) this.#balance(left.filter(movable))
    const hasMoved = this.#balance(this.#inOrder.filter(movable))
    if (!isFirst && hasMoved && this.#load.imbalance() >= before.imbalance()) this.#load = before
    return new Map([...fixed, ...this.#load.assigned].map(([memberId, its]) => [memberId, [...its]]))
  }

  /** To the one with least. */
  #give(index: number, may: (memberId: string) => boolean): void {
    const to = this.#load.members.find(memberId => this.#wants(memberId, index) && may(memberId))
    if (to !== undefined) this.#load.give(index, to)
  }

  /** Members who have all they want, of topics that nobody else wants, take no part in the balancing. */
  #setAside(): Map<string, ReadonlySet<number>> {
    const fixed = new Map<string, ReadonlySet<number>>()
    for (const memberId of this.#table.members) {
      const its = this.#load.assigned.get(memberId)!
      if (its.size < this.#most(memberId)) continue
      const isShared = [...its].some(
        index => this.#table.subscribersOf(this.#table.partitions[index]!.topic).length > 1,
      )
      if (isShared) continue
      fixed.set(memberId, its)
      this.#load.remove(memberId)
    }
    return fixed
  }

  /** How many partitions the topics have that it wants. */
  #most(memberId: string): number {
    return [...this.#wanted.get(memberId)!].reduce((sum, topic) => sum + this.#table.partitionCountOf(topic), 0)
  }

  /** Moves these partitions to members with less until that helps no more. Answers whether any moved. */
  #balance(indexes: readonly number[]): boolean {
    let hasMoved = false
    for (let again = true; again; ) {
      again = false
      for (const index of indexes) {
        if (this.#isBalanced()) break
        if (!this.#improve(index)) continue
        again = true
        hasMoved = true
      }
    }
    return hasMoved
  }

  #improve(index: number): boolean {
    const load = this.#load
    const owner = load.ownerOf(index)
    if (owner === undefined) return false
    const count = load.count(owner)
    const previous = this.#previous.get(index)
    if (previous !== undefined && load.assigned.has(previous) && count > load.count(previous) + 1) {
      this.#move(index, previous)
      return true
    }
    const candidates = load.members.filter(id => this.#wants(id, index) && count > load.count(id) + 1)
    const near = this.#table.isNear(owner, index) ? candidates.find(id => this.#table.isNear(id, index)) : undefined
    const to = near ?? candidates[0]
    if (to === undefined) return false
    this.#move(index, to)
    return true
  }

  #move(index: number, to: string): void {
    const from = this.#load.ownerOf(index)!
    const better = this.#movements.better(index, from, to)
    const owner = this.#load.ownerOf(better)!
    this.#movements.moved(better, owner, to)
    this.#load.give(better, to)
  }

  #isBalanced(): boolean {
    const load = this.#load
    const { members } = load
    if (members.length === 0 || load.count(members[0]!) >= load.count(members.at(-1)!) - 1) return true
    for (const memberId of members) {
      const count = load.count(memberId)
      if (count === this.#most(memberId)) continue
      for (const topic of this.#wanted.get(memberId)!) {
        if (this.#table.partitionCountOf(topic) === 0) continue
        for (const index of this.#table.indexesOf(topic)) {
          const owner = load.ownerOf(index)
          if (owner !== undefined && owner !== memberId && count < load.count(owner)) return false
        }
      }
    }
    return true
  }
}
