import type { Claims } from './claims.ts'
import { compared } from './member-order.ts'
import type { PartitionTable } from './partition-table.ts'

/** Who reads what, by partition numbers, and which of them their owners must give up first. */
export interface StickyAssignment {
  readonly assigned: ReadonlyMap<string, readonly number[]>
  readonly changingHands: ReadonlySet<number>
}

/**
 * Sticky assignment where all members want the same topics: every member gets the quota, some one more, and keeps as much
 * of what it has as fits. What is left over is dealt around, near racks first (Kafka's ConstrainedAssignmentBuilder).
 */
export function assignEqually(table: PartitionTable, claims: Claims): StickyAssignment {
  return new EqualAssignment(table, claims).build()
}

class EqualAssignment {
  readonly #table: PartitionTable
  readonly #claims: Claims
  readonly #least: number
  readonly #most: number
  /** So many members may have one more than the least; 0 where it comes out even. */
  readonly #extras: number
  readonly #assigned: Map<string, number[]>
  readonly #revoked = new Set<number>()
  readonly #changingHands = new Set<number>()
  #withExtra = 0
  /** Members with less than the least. */
  #wanting: string[] = []
  /** Members with exactly the least, as long as extras are left. */
  #content: string[] = []

  constructor(table: PartitionTable, claims: Claims) {
    const { partitions, members } = table
    this.#table = table
    this.#claims = claims
    this.#least = Math.floor(partitions.length / members.length)
    this.#most = Math.ceil(partitions.length / members.length)
    this.#extras = partitions.length % members.length
    this.#assigned = new Map(members.map(memberId => [memberId, []]))
  }

  build(): StickyAssignment {
    for (const memberId of this.#table.members) this.#keep(memberId)
    this.#wanting.sort(compared)
    this.#content.sort(compared)
    const taken = new Set([...this.#assigned.values()].flat())
    let left = this.#table.partitions.flatMap((_, index) => (taken.has(index) ? [] : [index]))
    left = this.#table.byNearness(left)
    if (this.#table.isRackAware) left = this.#dealNear(left)
    this.#deal(left)
    return { assigned: this.#assigned, changingHands: this.#changingHands }
  }

  #keep(memberId: string): void {
    const { partitions } = this.#table
    const owned = this.#claims.owned
      .get(memberId)!
      .filter(index => !this.#table.isFar(memberId, index))
      .sort((one, other) => partitions[one]!.partition - partitions[other]!.partition || one - other)
    let quota = this.#least
    if (owned.length < this.#least) {
      this.#wanting.push(memberId)
    } else if (owned.length >= this.#most && this.#withExtra < this.#extras) {
      quota = this.#most
      this.#withExtra++
      if (this.#withExtra === this.#extras) this.#content = []
    } else {
      this.#isContent(memberId)
    }
    this.#assigned.get(memberId)!.push(...owned.slice(0, quota))
    const kept = new Set(this.#assigned.get(memberId))
    for (const index of this.#claims.owned.get(memberId)!) if (!kept.has(index)) this.#revoked.add(index)
  }

  /** Answers what no near member had room for. */
  #dealNear(left: readonly number[]): number[] {
    const far: number[] = []
    let next = 0
    for (const index of left) {
      const at = this.#near(index, this.#wanting, next)
      if (at >= 0) {
        const memberId = this.#wanting[at]!
        next = at + 1
        if (this.#give(index, memberId) >= this.#least) {
          this.#wanting.splice(at, 1)
          next = at
          this.#isContent(memberId)
        }
        next = this.#wanting.length === 0 ? 0 : next % this.#wanting.length
        continue
      }
      const content = this.#near(index, this.#content, 0)
      if (content < 0) {
        far.push(index)
        continue
      }
      this.#give(index, this.#content[content]!)
      this.#content.splice(content, 1)
      this.#countExtra()
    }
    return far
  }

  #near(index: number, members: readonly string[], first: number): number {
    for (let step = 0; step < members.length; step++) {
      const at = (first + step) % members.length
      if (this.#table.isNear(members[at]!, index)) return at
    }
    return -1
  }

  #deal(left: readonly number[]): void {
    let next = 0
    for (const index of left) {
      if (this.#wanting.length === 0) {
        const memberId = this.#content.shift()
        if (memberId === undefined) throw new Error('no member has room for a partition that is left')
        this.#give(index, memberId)
        this.#countExtra()
        continue
      }
      if (next >= this.#wanting.length) next = 0
      const memberId = this.#wanting[next]!
      if (this.#give(index, memberId) < this.#least) {
        next++
        continue
      }
      this.#wanting.splice(next, 1)
      this.#isContent(memberId)
    }
  }

  #isContent(memberId: string): void {
    if (this.#withExtra < this.#extras) this.#content.push(memberId)
  }

  #countExtra(): void {
    this.#withExtra++
    if (this.#withExtra === this.#extras) this.#content = []
  }

  /** Answers how many the member has now. */
  #give(index: number, memberId: string): number {
    const isElsewhere = this.#revoked.has(index) && !this.#claims.owned.get(memberId)!.includes(index)
    if (isElsewhere || this.#claims.contested.has(index)) this.#changingHands.add(index)
    return this.#assigned.get(memberId)!.push(index)
  }
}
