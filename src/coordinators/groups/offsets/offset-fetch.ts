import { noOffset } from '../../../apis/offset-fetch.ts'
import { errorCodes } from '../../../wire/errors.ts'
import { zeroUuid } from '../../../wire/uuid.ts'
import type { GroupState } from '../group-state.ts'
import type { CommittedOffset } from './offset-table.ts'

/** What OffsetFetch asks of one group, its topics known by name. */
export interface OffsetFetch {
  readonly groupId: string
  /** Null or empty: somebody who is no member asks. */
  readonly memberId: string | null
  readonly memberEpoch: number
  /** Null: whatever the group has committed. */
  readonly topics: readonly FetchTopic[] | null
  /** Offsets that a transaction is about to replace are refused; and it waits for what is being committed. */
  readonly requireStable: boolean
}

export interface FetchTopic {
  readonly name: string
  /** The zero uuid where the request has none. */
  readonly topicId: string
  readonly partitionIndexes: readonly number[]
}

export interface FetchedPartition {
  readonly partitionIndex: number
  readonly committedOffset: number
  readonly committedLeaderEpoch: number
  readonly metadata: string
  readonly errorCode: number
}

export interface FetchedTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly FetchedPartition[]
}

/**
 * G-33. A group that is not there has committed nothing, whoever asks; a classic one does not look at who asks.
 *
 * @throws {KafkaError} UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH for a consumer group
 */
export function fetchedOffsets(state: GroupState, asked: OffsetFetch): readonly FetchedTopic[] {
  const { groupId, memberId, memberEpoch } = asked
  const group = state.groups.get(groupId)
  if (group?.type === 'consumer') group.validateOffsetFetch(memberId, memberEpoch)
  const partition = (topic: string, index: number, offset: CommittedOffset | undefined): FetchedPartition => {
    if (asked.requireStable && state.offsets.isPending(groupId, topic, index)) {
      return noOffset(index, errorCodes.UNSTABLE_OFFSET_COMMIT)
    }
    if (offset === undefined) return noOffset(index, errorCodes.NONE)
    const { offset: committedOffset, leaderEpoch: committedLeaderEpoch, metadata } = offset
    return { partitionIndex: index, committedOffset, committedLeaderEpoch, metadata, errorCode: errorCodes.NONE }
  }
  if (asked.topics === null) {
    return Array.from(state.offsets.of(groupId), ([name, partitions]) => ({
      name,
      topicId: zeroUuid,
      partitions: Array.from(partitions, ([index, offset]) => partition(name, index, offset)),
    }))
  }
  return asked.topics.map(({ name, topicId, partitionIndexes }) => ({
    name,
    topicId,
    partitions: partitionIndexes.map(index => {
      const offset = state.offsets.get(groupId, name, index)
      return partition(name, index, isOf(topicId, offset) ? offset : undefined)
    }),
  }))
}

/** An offset of a topic that was deleted meanwhile is not one of its namesake, as far as both ids are known. */
function isOf(topicId: string, offset: CommittedOffset | undefined): boolean {
  return topicId === zeroUuid || offset?.topicId === zeroUuid || topicId === offset?.topicId
}
