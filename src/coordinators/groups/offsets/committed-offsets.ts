import type { TransactionMarker } from '../../../wire/control-record.ts'
import { zeroUuid } from '../../../wire/uuid.ts'
import type { RecordPlace } from '../../shard.ts'
import type { GroupRecord } from '../group-records.ts'
import { type CommittedOffset, type OffsetKey, OffsetTable } from './offset-table.ts'

type OffsetRecord = Extract<GroupRecord, { type: 'OffsetCommit' | 'LegacyOffsetCommit' }>

/** What the groups of one shard have committed, as its records say (Kafka's OffsetMetadataManager). */
export class CommittedOffsets {
  readonly #offsets = new OffsetTable()
  /** Committed in transactions that are still open, by producer id. */
  readonly #pending = new Map<number, OffsetTable>()
  /** Producers whose open transactions have written for a group, so that most groups need not be looked for in all. */
  readonly #producersOf = new Map<string, Set<number>>()

  /** Of one group, by topic and partition; empty when it has none. */
  of(group: string): ReadonlyMap<string, ReadonlyMap<number, CommittedOffset>> {
    return this.#offsets.of(group)
  }

  get(group: string, topic: string, partition: number): CommittedOffset | undefined {
    return this.#offsets.get(group, topic, partition)
  }

  /** Whether there is an offset of this partition, or one in an open transaction. */
  has(group: string, topic: string, partition: number): boolean {
    return this.get(group, topic, partition) !== undefined || this.isPending(group, topic, partition)
  }

  /** Whether an open transaction is to commit an offset of this partition. */
  isPending(group: string, topic: string, partition: number): boolean {
    for (const producerId of this.#producersOf.get(group) ?? []) {
      if (this.#pending.get(producerId)!.get(group, topic, partition) !== undefined) return true
    }
    return false
  }

  /** Whether an open transaction is to commit any offset of this group. */
  hasPending(group: string): boolean {
    return this.#producersOf.has(group)
  }

  /** Groups that have an offset here, or will have one if a transaction commits. */
  *groups(): Generator<string> {
    yield* this.#offsets.groups
    for (const group of this.#producersOf.keys()) if (this.#offsets.of(group).size === 0) yield group
  }

  /** Every partition of a group that has an offset, or a pending one, once: what a tombstone is written for. */
  *keysOf(group: string): Generator<OffsetKey> {
    for (const [topic, partitions] of this.#offsets.of(group)) {
      for (const partition of partitions.keys()) yield { group, topic, partition }
    }
    const seen = new OffsetTable()
    for (const producerId of this.#producersOf.get(group) ?? []) {
      for (const [topic, partitions] of this.#pending.get(producerId)!.of(group)) {
        for (const [partition, offset] of partitions) {
          if (this.get(group, topic, partition) ?? seen.get(group, topic, partition)) continue
          const key = { group, topic, partition }
          seen.set(key, offset)
          yield key
        }
      }
    }
  }

  // --- replay --------------------------------------------------------------------------------------------------------

  replay(key: OffsetRecord['key'], value: OffsetRecord['value'], { offset, producerId }: RecordPlace): void {
    if (value === null) {
      this.#delete(key)
      return
    }
    const { offset: committed, metadata, commitTimestamp } = value
    const isLegacy = !('topicId' in value)
    const replayed: CommittedOffset = {
      offset: committed,
      leaderEpoch: isLegacy ? -1 : value.leaderEpoch,
      metadata,
      commitTimestamp,
      expireTimestamp: isLegacy ? -1 : value.expireTimestamp,
      topicId: isLegacy ? zeroUuid : value.topicId,
      recordOffset: offset,
    }
    if (producerId < 0) this.#offsets.set(key, replayed)
    else this.#suspend(producerId, key, replayed)
  }

  /** It counts once the transaction commits. */
  #suspend(producerId: number, key: OffsetKey, offset: CommittedOffset): void {
    const pending = this.#pending.get(producerId) ?? new OffsetTable()
    pending.set(key, offset)
    this.#pending.set(producerId, pending)
    const producers = this.#producersOf.get(key.group)
    if (producers === undefined) this.#producersOf.set(key.group, new Set([producerId]))
    else producers.add(producerId)
  }

  /** A tombstone takes what is pending with it: the marker then has nothing to write. */
  #delete(key: OffsetKey): void {
    this.#offsets.delete(key)
    for (const producerId of [...(this.#producersOf.get(key.group) ?? [])]) {
      const pending = this.#pending.get(producerId)!
      pending.delete(key)
      if (pending.of(key.group).size === 0) this.#forget(producerId, key.group)
    }
  }

  #forget(producerId: number, group: string): void {
    const producers = this.#producersOf.get(group)
    producers?.delete(producerId)
    if (producers?.size === 0) this.#producersOf.delete(group)
  }

  /** G-40: a commit counts only where nothing was committed after it; an abort drops it. */
  endTransaction({ producerId, type }: TransactionMarker): void {
    const pending = this.#pending.get(producerId)
    if (pending === undefined) return
    this.#pending.delete(producerId)
    for (const group of pending.groups) this.#forget(producerId, group)
    if (type !== 'COMMIT') return
    for (const [key, offset] of pending.entries()) {
      const known = this.#offsets.get(key.group, key.topic, key.partition)
      if (known === undefined || offset.recordOffset > known.recordOffset) this.#offsets.set(key, offset)
    }
  }
}
