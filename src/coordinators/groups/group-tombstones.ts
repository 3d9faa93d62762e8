import { groupTombstone } from './classic/classic-records.ts'
import type { ConsumerGroup } from './consumer/consumer-group.ts'
import type { GroupRecordInput } from './group-records.ts'
import type { Group } from './group-state.ts'

/** What deletes a group, its offsets apart (createGroupTombstoneRecords of Kafka's groups). */
export function groupTombstones(group: Group): GroupRecordInput[] {
  return group.type === 'classic' ? [groupTombstone(group.id)] : consumerTombstones(group)
}

function consumerTombstones({ id: groupId, members, regularExpressions }: ConsumerGroup): GroupRecordInput[] {
  const ofMembers = (
    type:
      | 'ConsumerGroupCurrentMemberAssignment'
      | 'ConsumerGroupTargetAssignmentMember'
      | 'ConsumerGroupMemberMetadata',
  ): GroupRecordInput[] => Array.from(members.keys(), memberId => ({ type, key: { groupId, memberId }, value: null }))
  return [
    ...ofMembers('ConsumerGroupCurrentMemberAssignment'),
    ...ofMembers('ConsumerGroupTargetAssignmentMember'),
    { type: 'ConsumerGroupTargetAssignmentMetadata', key: { groupId }, value: null },
    ...ofMembers('ConsumerGroupMemberMetadata'),
    ...Array.from(
      regularExpressions.keys(),
      (regularExpression): GroupRecordInput => ({
        type: 'ConsumerGroupRegularExpression',
        key: { groupId, regularExpression },
        value: null,
      }),
    ),
    { type: 'ConsumerGroupPartitionMetadata', key: { groupId }, value: null },
    { type: 'ConsumerGroupMetadata', key: { groupId }, value: null },
  ]
}
