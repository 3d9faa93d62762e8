import { KafkaError } from '../../wire/errors.ts'
import type { ClassicGroup } from './classic/classic-group.ts'
import type { GroupShard } from './group-shard.ts'
import type { Group } from './group-state.ts'
import { groupTombstones } from './group-tombstones.ts'

/** One line of ListGroups. */
export interface ListedGroup {
  readonly groupId: string
  readonly protocolType: string
  readonly groupState: string
  readonly groupType: string
}

/** What to list; nothing named is everything. Lower case. */
export interface GroupFilter {
  readonly states: ReadonlySet<string>
  readonly types: ReadonlySet<string>
}

/**
 * DescribeGroups, ListGroups, DeleteGroups for the groups of one shard. Groups are seen as committed, but a classic one as it
 * is now: what a rebalance has in hand is written nowhere.
 */
export class GroupDirectory {
  readonly #group: GroupShard

  constructor(group: GroupShard) {
    this.#group = group
  }

  /** G-41. @throws {KafkaError} GROUP_ID_NOT_FOUND, also for a group of another type; as `Shard.read` does */
  classicGroup(groupId: string): ClassicGroup {
    const group = this.#group.shard.read(({ groups }) => this.#asItIs(groups.get(groupId)))
    if (group === undefined) throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`)
    if (group.type !== 'classic') throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a classic group.`)
    return group
  }

  /** G-41. @throws {KafkaError} COORDINATOR_LOAD_IN_PROGRESS */
  list({ states, types }: GroupFilter): ListedGroup[] {
    const groups = this.#group.shard.read(committed => [...committed.groups.values()])
    return groups.flatMap(committed => {
      const { id: groupId, type: groupType, state: groupState, protocolType } = this.#asItIs(committed)!
      if (states.size > 0 && !states.has(groupState.toLowerCase())) return []
      if (types.size > 0 && !types.has(groupType)) return []
      return [{ groupId, groupType, groupState, protocolType: protocolType ?? '' }]
    })
  }

  /**
   * Deletes an empty group and all that it has committed, pending offsets of open transactions too (G-35).
   *
   * @throws {KafkaError} GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP; as `Shard.write` does
   */
  delete(groupId: string): undefined | Promise<undefined> {
    const { shard, offsets } = this.#group
    return shard.write(state => {
      const group = state.groups.get(groupId)
      if (group === undefined) throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`)
      if (!group.isEmpty) throw new KafkaError('NON_EMPTY_GROUP')
      return { records: [...offsets.tombstones(state, groupId), ...groupTombstones(group)], response: undefined }
    })
  }

  /** Of a classic group, the one that acts. */
  #asItIs(committed: Group | undefined): Group | undefined {
    if (committed?.type !== 'classic') return committed
    const acting = this.#group.shard.latest.groups.get(committed.id)
    return acting?.type === 'classic' ? acting : committed
  }
}
