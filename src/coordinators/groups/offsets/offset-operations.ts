import type { ImageChanges } from '../../../metadata/image-changes.ts'
import type { GroupRecordInput } from '../group-records.ts'
import type { GroupShard } from '../group-shard.ts'
import type { GroupState } from '../group-state.ts'
import { decideCommit, type OffsetCommit, type OffsetTopic } from './offset-commit.ts'
import { type DeletedTopic, decideDeletion, type OffsetDeletion } from './offset-deletion.ts'
import { OffsetExpiry } from './offset-expiry.ts'
import { type FetchedTopic, fetchedOffsets, type OffsetFetch } from './offset-fetch.ts'
import type { CommittedOffset } from './offset-table.ts'
import { offsetTombstones } from './offset-tombstones.ts'

/** OffsetCommit, OffsetFetch, OffsetDelete, expiry of the groups of one shard (G-30…G-40). */
export class OffsetOperations {
  readonly #group: GroupShard
  readonly #expiry: OffsetExpiry

  constructor(group: GroupShard) {
    this.#group = group
    this.#expiry = new OffsetExpiry(group)
  }

  /**
   * G-30…G-32, G-40. A commit shows that a member of a classic group is alive.
   *
   * @throws {KafkaError} for the whole request: of the group and its members (`validateCommit`), or as `Shard.write` does
   */
  commit(commit: OffsetCommit): readonly OffsetTopic[] | Promise<readonly OffsetTopic[]> {
    const { shard, environment } = this.#group
    return shard.write(state => {
      const decision = decideCommit(state, environment, commit)
      this.#heard(state, commit)
      return decision
    })
  }

  #heard(state: GroupState, { groupId, memberId, transaction }: OffsetCommit): void {
    const group = state.groups.get(groupId)
    if (transaction !== undefined || group?.type !== 'classic') return
    if (group.state === 'Stable' || group.state === 'PreparingRebalance') this.#group.classic.touch(group, memberId)
  }

  /**
   * G-33. What is committed; with `requireStable` what was written by now, once that is committed.
   *
   * @throws {KafkaError} UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH, or as `Shard.write` does
   */
  fetch(asked: OffsetFetch): readonly FetchedTopic[] | Promise<readonly FetchedTopic[]> {
    const { shard, environment } = this.#group
    if (!asked.requireStable || environment.mutants.has('no-stable-offsets'))
      return shard.read(state => fetchedOffsets(state, { ...asked, requireStable: false }))
    return shard.write(state => ({ records: [], response: fetchedOffsets(state, asked) }))
  }

  /** G-35. @throws {KafkaError} GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP, or as `Shard.write` does */
  delete(asked: OffsetDeletion): readonly DeletedTopic[] | Promise<readonly DeletedTopic[]> {
    return this.#group.shard.write(state => decideDeletion(state, asked))
  }

  /**
   * What a group has committed, by topic and partition: nobody can take it back. Empty for a group that is not there.
   *
   * @throws {KafkaError} as `Shard.read` does
   */
  of(groupId: string): ReadonlyMap<string, ReadonlyMap<number, CommittedOffset>> {
    return this.#group.shard.read(state => state.offsets.of(groupId))
  }

  /** What deletes all offsets of a group, those of open transactions too. */
  tombstones(state: GroupState, groupId: string): GroupRecordInput[] {
    return offsetTombstones(state.offsets.keysOf(groupId))
  }

  loaded(): void {
    this.#expiry.start()
  }

  /** Something was written: what it makes expire is looked for at the next check. */
  written(): void {
    this.#expiry.touch()
  }

  metadataChanged(changes: ImageChanges): void {
    if (changes.deletedTopics.length > 0) this.#expiry.topicsDeleted(changes.deletedTopics)
  }

  closed(): void {}
}
