import { KafkaError } from '../../../wire/errors.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { AWAY, type ConsumerMember } from './consumer-member.ts'
import { isSubset, type TopicPartitions } from './partition-sets.ts'

/**
 * G-52: the epoch that a member was told last. The one before is taken if the answer with the new one may have been lost:
 * the member has nothing that is not its own.
 *
 * @throws {KafkaError} FENCED_MEMBER_EPOCH
 */
export function requireEpoch(
  member: ConsumerMember,
  received: number,
  reported: readonly TopicPartitions[] | null,
): void {
  if (received === member.memberEpoch) return
  const isSmaller = received < member.memberEpoch
  if (isSmaller && received === member.previousMemberEpoch && isSubset(reported, member.assigned)) return
  throw new KafkaError(
    'FENCED_MEMBER_EPOCH',
    `The consumer group member has a ${isSmaller ? 'smaller' : 'greater'} member epoch (${received}) than the one known ` +
      `by the group coordinator (${member.memberEpoch}). The member must abandon all its partitions and rejoin.`,
  )
}

/** The static member that speaks. @throws {KafkaError} UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID */
export function requireInstance(group: ConsumerGroup, instanceId: string, memberId: string): ConsumerMember {
  const member = group.staticMember(instanceId)
  if (member === undefined) throw new KafkaError('UNKNOWN_MEMBER_ID', `Instance id ${instanceId} is unknown.`)
  if (member.memberId !== memberId) {
    throw new KafkaError(
      'FENCED_INSTANCE_ID',
      `Static member ${memberId} with instance id ${instanceId} was fenced by member ${member.memberId}.`,
    )
  }
  return member
}

/** One who has not left for the time being is not replaced. @throws {KafkaError} UNRELEASED_INSTANCE_ID */
export function requireReleased(member: ConsumerMember, memberId: string): void {
  if (member.memberEpoch === AWAY) return
  throw new KafkaError(
    'UNRELEASED_INSTANCE_ID',
    `Static member ${memberId} with instance id ${member.instanceId} cannot join the group because the instance id is ` +
      `owned by ${member.memberId} member.`,
  )
}

/** @throws {KafkaError} GROUP_MAX_SIZE_REACHED */
export function requireRoom(group: ConsumerGroup, memberId: string, maxSize: number): void {
  if (group.members.size < maxSize || group.members.has(memberId)) return
  throw new KafkaError(
    'GROUP_MAX_SIZE_REACHED',
    `The consumer group has reached its maximum capacity of ${maxSize} members.`,
  )
}
