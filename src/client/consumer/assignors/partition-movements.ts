/**
 * What moved between members while a balance is sought, by topic. Before a partition goes from A to B, one of the same
 * topic that went from B to A goes back instead: the balance is the same, and one partition less has moved
 * (Kafka's PartitionMovements).
 */
export class PartitionMovements {
  readonly #topicOf: (index: number) => string
  readonly #moves = new Map<number, { from: string; to: string }>()
  /** By topic, source and destination. */
  readonly #between = new Map<string, Set<number>>()

  constructor(topicOf: (index: number) => string) {
    this.#topicOf = topicOf
  }

  /** Which partition to move instead of this one. */
  better(index: number, from: string, to: string): number {
    const source = this.#moves.get(index)?.from ?? from
    const back = this.#between.get(this.#key(index, to, source))
    for (const other of back ?? []) return other
    return index
  }

  moved(index: number, from: string, to: string): void {
    const before = this.#moves.get(index)
    if (before !== undefined) {
      const key = this.#key(index, before.from, before.to)
      const moves = this.#between.get(key)
      moves?.delete(index)
      if (moves?.size === 0) this.#between.delete(key)
      this.#moves.delete(index)
      if (before.from === to) return
    }
    const source = before?.from ?? from
    this.#moves.set(index, { from: source, to })
    const key = this.#key(index, source, to)
    const moves = this.#between.get(key)
    if (moves === undefined) this.#between.set(key, new Set([index]))
    else moves.add(index)
  }

  #key(index: number, from: string, to: string): string {
    return JSON.stringify([this.#topicOf(index), from, to])
  }
}
