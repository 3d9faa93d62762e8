import type { GroupRecord } from '../group-records.ts'
import type { ResolvedRegularExpression } from './consumer-group.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { type Assignment, ownedTopicPartitions, partitionsOf } from './partition-sets.ts'

/**
 * The records of a consumer group (G-42), with every field said: they are written, and replayed into a draft of the group
 * as they are.
 */
export type ConsumerRecord = Extract<GroupRecord, { type: `Consumer${string}` }>

export function groupEpochRecord(groupId: string, epoch: number, metadataHash: string): ConsumerRecord {
  return { type: 'ConsumerGroupMetadata', key: { groupId }, value: { epoch, metadataHash } }
}

export function memberRecord(groupId: string, member: ConsumerMember): ConsumerRecord {
  return {
    type: 'ConsumerGroupMemberMetadata',
    key: { groupId, memberId: member.memberId },
    value: {
      instanceId: member.instanceId,
      rackId: member.rackId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: member.subscribedTopicNames,
      subscribedTopicRegex: member.subscribedTopicRegex,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      serverAssignor: member.serverAssignor,
      classicMemberMetadata: member.classic ?? null,
    },
  }
}

export function targetEpochRecord(groupId: string, epoch: number, timestamp: number): ConsumerRecord {
  return {
    type: 'ConsumerGroupTargetAssignmentMetadata',
    key: { groupId },
    value: { assignmentEpoch: epoch, assignmentTimestamp: timestamp },
  }
}

export function targetRecord(groupId: string, memberId: string, target: Assignment): ConsumerRecord {
  return {
    type: 'ConsumerGroupTargetAssignmentMember',
    key: { groupId, memberId },
    value: { topicPartitions: partitionsOf(target) },
  }
}

export function currentAssignmentRecord(groupId: string, member: ConsumerMember): ConsumerRecord {
  return {
    type: 'ConsumerGroupCurrentMemberAssignment',
    key: { groupId, memberId: member.memberId },
    value: {
      memberEpoch: member.memberEpoch,
      previousMemberEpoch: member.previousMemberEpoch,
      state: member.state,
      assignedPartitions: ownedTopicPartitions(member.assigned),
      partitionsPendingRevocation: ownedTopicPartitions(member.pendingRevocation),
    },
  }
}

export function regularExpressionRecord(
  groupId: string,
  regularExpression: string,
  resolved: ResolvedRegularExpression | null,
): ConsumerRecord {
  return { type: 'ConsumerGroupRegularExpression', key: { groupId, regularExpression }, value: resolved }
}

/** Of one member: what it has, what it is to have, what it wants. */
export function memberTombstones(groupId: string, memberId: string): ConsumerRecord[] {
  const key = { groupId, memberId }
  return [
    { type: 'ConsumerGroupCurrentMemberAssignment', key, value: null },
    { type: 'ConsumerGroupTargetAssignmentMember', key, value: null },
    { type: 'ConsumerGroupMemberMetadata', key, value: null },
  ]
}
