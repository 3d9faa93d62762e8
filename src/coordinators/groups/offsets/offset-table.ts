/** An offset that a group has committed, as its record says; never changed in place. */
export interface CommittedOffset {
  readonly offset: number
  /** Of the record before it, as the member knew it (KIP-320); −1: not said. */
  readonly leaderEpoch: number
  readonly metadata: string
  readonly commitTimestamp: number
  /** When it expires, whatever the configuration says: only old clients say so (G-32). −1: not said. */
  readonly expireTimestamp: number
  /** The zero uuid for what was committed in a transaction, or by an old release. */
  readonly topicId: string
  /** Where its record lies: the later one counts (G-40). */
  readonly recordOffset: number
}

export interface OffsetKey {
  readonly group: string
  readonly topic: string
  readonly partition: number
}

type Partitions = Map<number, CommittedOffset>
type Topics = Map<string, Partitions>

const NOTHING: ReadonlyMap<string, ReadonlyMap<number, CommittedOffset>> = new Map()

/** Offsets by group, topic and partition. */
export class OffsetTable {
  readonly #groups = new Map<string, Topics>()

  /** Ids of the groups that have any. */
  get groups(): Iterable<string> {
    return this.#groups.keys()
  }

  /** Of one group, by topic and partition; empty when it has none. */
  of(group: string): ReadonlyMap<string, ReadonlyMap<number, CommittedOffset>> {
    return this.#groups.get(group) ?? NOTHING
  }

  get(group: string, topic: string, partition: number): CommittedOffset | undefined {
    return this.#groups.get(group)?.get(topic)?.get(partition)
  }

  set({ group, topic, partition }: OffsetKey, offset: CommittedOffset): void {
    const topics: Topics = this.#groups.get(group) ?? new Map()
    const partitions: Partitions = topics.get(topic) ?? new Map()
    partitions.set(partition, offset)
    topics.set(topic, partitions)
    this.#groups.set(group, topics)
  }

  delete({ group, topic, partition }: OffsetKey): void {
    const topics = this.#groups.get(group)
    const partitions = topics?.get(topic)
    if (topics === undefined || partitions === undefined) return
    partitions.delete(partition)
    if (partitions.size === 0) topics.delete(topic)
    if (topics.size === 0) this.#groups.delete(group)
  }

  *entries(): Generator<[OffsetKey, CommittedOffset]> {
    for (const [group, topics] of this.#groups) {
      for (const [topic, partitions] of topics) {
        for (const [partition, offset] of partitions) yield [{ group, topic, partition }, offset]
      }
    }
  }
}
