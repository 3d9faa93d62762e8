import { errorCodes, KafkaError } from '../../../wire/errors.ts'
import type { ShardDecision } from '../../shard-decision.ts'
import type { GroupRecordInput } from '../group-records.ts'
import type { GroupState } from '../group-state.ts'
import type { OffsetKey } from './offset-table.ts'
import { offsetTombstones } from './offset-tombstones.ts'

/** What OffsetDelete asks, its topics known to exist. */
export interface OffsetDeletion {
  readonly groupId: string
  readonly topics: readonly {
    readonly name: string
    readonly partitions: readonly { readonly partitionIndex: number }[]
  }[]
}

export interface DeletedTopic {
  readonly name: string
  readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
}

/**
 * G-35. A topic that somebody of the group subscribes to keeps its offsets; a partition without one is no error.
 *
 * @throws {KafkaError} GROUP_ID_NOT_FOUND; NON_EMPTY_GROUP where the members' protocol says nothing of subscriptions
 */
export function decideDeletion(
  state: GroupState,
  { groupId, topics }: OffsetDeletion,
): ShardDecision<GroupRecordInput, readonly DeletedTopic[]> {
  const group = state.groups.get(groupId)
  if (group === undefined) throw new KafkaError('GROUP_ID_NOT_FOUND')
  if (group.type === 'classic') {
    if (group.state === 'Dead') throw new KafkaError('GROUP_ID_NOT_FOUND')
    if (!group.isEmpty && !group.isOfConsumers) throw new KafkaError('NON_EMPTY_GROUP')
  }
  const deleted: OffsetKey[] = []
  const response = topics.map(({ name: topic, partitions }) => {
    const errorCode = group.isSubscribedTo(topic) ? errorCodes.GROUP_SUBSCRIBED_TO_TOPIC : errorCodes.NONE
    for (const { partitionIndex: partition } of errorCode === errorCodes.NONE ? partitions : []) {
      if (state.offsets.has(groupId, topic, partition)) deleted.push({ group: groupId, topic, partition })
    }
    return { name: topic, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) }
  })
  return { records: offsetTombstones(deleted), response }
}
