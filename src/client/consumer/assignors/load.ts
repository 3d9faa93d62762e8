import { compared } from './member-order.ts'

/** Who has which partitions, and the members by how many they have. */
export class Load {
  readonly #assigned = new Map<string, Set<number>>()
  readonly #owners = new Map<number, string>()
  /** Sorted by count, then by name. */
  #members: string[] = []

  static of(members: readonly string[], assigned: ReadonlyMap<string, Iterable<number>>): Load {
    const load = new Load()
    for (const memberId of members) {
      const its = new Set(assigned.get(memberId))
      load.#assigned.set(memberId, its)
      for (const index of its) load.#owners.set(index, memberId)
    }
    load.#members = [...members].sort((one, other) => load.#compare(one, other))
    return load
  }

  copy(): Load {
    return Load.of(this.#members, this.#assigned)
  }

  /** Members from the fewest partitions to the most. */
  get members(): readonly string[] {
    return this.#members
  }

  get assigned(): ReadonlyMap<string, ReadonlySet<number>> {
    return this.#assigned
  }

  count(memberId: string): number {
    return this.#assigned.get(memberId)?.size ?? 0
  }

  ownerOf(index: number): string | undefined {
    return this.#owners.get(index)
  }

  /** Gives a partition to a member, taking it from whoever has it. */
  give(index: number, memberId: string): void {
    const owner = this.#owners.get(index)
    if (owner !== undefined) this.#resized(owner, its => its.delete(index))
    this.#owners.set(index, memberId)
    this.#resized(memberId, its => its.add(index))
  }

  /** No longer takes part. */
  remove(memberId: string): void {
    this.#members = this.#members.filter(other => other !== memberId)
    for (const index of this.#assigned.get(memberId)!) this.#owners.delete(index)
    this.#assigned.delete(memberId)
  }

  /** The sum of the differences between any two; 0 is perfect. */
  imbalance(): number {
    let sum = 0
    let before = 0
    this.#members.forEach((memberId, at) => {
      const count = this.count(memberId)
      sum += count * at - before
      before += count
    })
    return sum
  }

  #resized(memberId: string, resize: (its: Set<number>) => void): void {
    this.#members.splice(this.#place(memberId), 1)
    resize(this.#assigned.get(memberId)!)
    this.#members.splice(this.#place(memberId), 0, memberId)
  }

  #place(memberId: string): number {
    let low = 0
    let high = this.#members.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#compare(this.#members[middle]!, memberId) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #compare(one: string, other: string): number {
    return this.count(one) - this.count(other) || compared(one, other)
  }
}
