import type { GroupRecord } from '../group-records.ts'
import type { GroupState } from '../group-state.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { type MemberState, memberStates, namesOf, newMember } from './consumer-member.ts'
import { assignmentOf, NOTHING_OWNED, ownedOf } from './partition-sets.ts'

type Of<T extends GroupRecord['type']> = Extract<GroupRecord, { type: T }>
type Replay<T extends GroupRecord['type']> = (state: Groups, key: Of<T>['key'], value: Of<T>['value']) => void

/** All that replay needs of a shard's state: decisions replay their own records into a copy of one group. */
export interface Groups {
  readonly groups: GroupState['groups']
}

/** The first record of a group makes it, whichever that is: a compacted log need not have the others. */
function made(state: Groups, groupId: string): ConsumerGroup {
  const known = state.groups.get(groupId)
  if (known?.type === 'consumer') return known
  const group = new ConsumerGroup(groupId)
  state.groups.set(groupId, group)
  return group
}

/** A tombstone for a group that is not there, or of another type by now, says nothing. */
function there(state: Groups, groupId: string): ConsumerGroup | undefined {
  const group = state.groups.get(groupId)
  return group?.type === 'consumer' ? group : undefined
}

export const replayGroupEpoch: Replay<'ConsumerGroupMetadata'> = (state, { groupId }, value) => {
  if (value === null) {
    if (there(state, groupId) !== undefined) state.groups.delete(groupId)
    return
  }
  const group = made(state, groupId)
  group.groupEpoch = value.epoch
  group.metadataHash = value.metadataHash
}

export const replayMember: Replay<'ConsumerGroupMemberMetadata'> = (state, { groupId, memberId }, value) => {
  if (value === null) {
    there(state, groupId)?.setMember(memberId, undefined)
    return
  }
  const group = made(state, groupId)
  const { classicMemberMetadata, subscribedTopicNames, subscribedTopicRegex, ...rest } = value
  group.setMember(memberId, {
    ...(group.members.get(memberId) ?? newMember(memberId)),
    ...rest,
    subscribedTopicNames: namesOf(subscribedTopicNames),
    subscribedTopicRegex: subscribedTopicRegex ?? '',
    classic: classicMemberMetadata ?? undefined,
  })
}

export const replayTargetEpoch: Replay<'ConsumerGroupTargetAssignmentMetadata'> = (state, { groupId }, value) => {
  const group = value === null ? there(state, groupId) : made(state, groupId)
  if (group === undefined) return
  group.assignmentEpoch = value?.assignmentEpoch ?? 0
  group.assignmentTimestamp = value?.assignmentTimestamp ?? 0
}

export const replayTargetAssignment: Replay<'ConsumerGroupTargetAssignmentMember'> = (state, key, value) => {
  const group = value === null ? there(state, key.groupId) : made(state, key.groupId)
  group?.setTarget(key.memberId, value === null ? undefined : assignmentOf(value.topicPartitions))
}

export const replayCurrentAssignment: Replay<'ConsumerGroupCurrentMemberAssignment'> = (state, key, value) => {
  const { groupId, memberId } = key
  if (value === null) {
    const group = there(state, groupId)
    const member = group?.members.get(memberId)
    if (member === undefined) return
    group?.setMember(memberId, {
      ...member,
      memberEpoch: -1,
      previousMemberEpoch: -1,
      state: memberStates.STABLE,
      assigned: NOTHING_OWNED,
      pendingRevocation: NOTHING_OWNED,
    })
    return
  }
  const group = made(state, groupId)
  group.setMember(memberId, {
    ...(group.members.get(memberId) ?? newMember(memberId)),
    memberEpoch: value.memberEpoch,
    previousMemberEpoch: value.previousMemberEpoch,
    state: stateOf(value.state),
    assigned: ownedOf(value.assignedPartitions, value.memberEpoch),
    pendingRevocation: ownedOf(value.partitionsPendingRevocation, value.memberEpoch),
  })
}

export const replayRegularExpression: Replay<'ConsumerGroupRegularExpression'> = (state, key, value) => {
  if (value === null) there(state, key.groupId)?.setRegularExpression(key.regularExpression, undefined)
  else made(state, key.groupId).setRegularExpression(key.regularExpression, value)
}

/** A state of later days is one that nobody here can go on from (UNKNOWN). */
function stateOf(code: number): MemberState {
  return code >= memberStates.STABLE && code <= memberStates.UNRELEASED_PARTITIONS
    ? (code as MemberState)
    : memberStates.UNKNOWN
}
