import { KafkaError } from '../../../wire/errors.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerMember, isReconciledTo, memberStates } from './consumer-member.ts'
import {
  type Assignment,
  NOTHING_OWNED,
  type OwnedPartitions,
  overlaps,
  samePartitions,
  type TopicPartitions,
  union,
} from './partition-sets.ts'

export interface Reconciliation {
  readonly group: ConsumerGroup
  /** What the member is to have, and since which epoch. */
  readonly target: Assignment
  readonly targetEpoch: number
  /** What the member says it has; null: it does not say. */
  readonly reported: readonly TopicPartitions[] | null
  /** Its subscription is not what it was. */
  readonly subscriptionChanged: boolean
  /** Name of a topic by its id; undefined: deleted. */
  readonly topicName: (topicId: string) => string | undefined
}

/**
 * The next step of a member towards its target (G-54; Kafka's CurrentAssignmentBuilder). First it gives up what is not in
 * the target, at its old epoch, and its heartbeats have to stop reporting it; then it moves to the target's epoch and gets
 * what no other member has any more. The same object comes back where there is nothing to do.
 */
export function reconciled(member: ConsumerMember, change: Reconciliation): ConsumerMember {
  const { targetEpoch, subscriptionChanged, reported } = change
  if (!subscriptionChanged && isReconciledTo(member, targetEpoch)) return member
  switch (member.state) {
    case memberStates.STABLE:
      return member.memberEpoch === targetEpoch ? withoutUnsubscribed(member, change) : towardsTarget(member, change)
    case memberStates.UNREVOKED_PARTITIONS:
      if (overlaps(reported, member.pendingRevocation)) {
        return subscriptionChanged ? withoutUnsubscribed(member, change) : member
      }
      return towardsTarget(member, change)
    case memberStates.UNRELEASED_PARTITIONS:
      return towardsTarget(member, change)
    case memberStates.UNKNOWN:
      // Written by a broker of later days: only a member that has nothing can go on from there.
      if (reported === null || reported.length > 0) {
        throw new KafkaError(
          'FENCED_MEMBER_EPOCH',
          'The consumer group member is in a unknown state. The member must abandon all its partitions and rejoin.',
        )
      }
      return towardsTarget(member, change)
  }
}

function towardsTarget(member: ConsumerMember, change: Reconciliation): ConsumerMember {
  const { group, targetEpoch, reported } = change
  const kept = new Map<string, Map<number, number>>()
  const revoked = new Map<string, Map<number, number>>()
  const subscribed = subscription(member, change)
  const targetOf = (topicId: string) => (subscribed(topicId) ? (change.target.get(topicId) ?? []) : [])

  for (const [topicId, since] of member.assigned) {
    const target = new Set(targetOf(topicId))
    for (const [partition, assignedIn] of since)
      put(target.has(partition) ? kept : revoked, topicId, partition, assignedIn)
  }
  if (revoked.size > 0 && overlaps(reported, revoked)) {
    return moved(member, member.memberEpoch, memberStates.UNREVOKED_PARTITIONS, kept, revoked)
  }

  let unreleased = false
  for (const topicId of change.target.keys()) {
    for (const partition of targetOf(topicId)) {
      if (member.assigned.get(topicId)?.has(partition)) continue
      if (group.ownerOf(topicId, partition) === undefined) put(kept, topicId, partition, targetEpoch)
      else unreleased = true
    }
  }
  const state = unreleased ? memberStates.UNRELEASED_PARTITIONS : memberStates.STABLE
  return moved(member, targetEpoch, state, kept, NOTHING_OWNED)
}

/** A member that stays at its epoch gives up at once what it is no longer subscribed to. */
function withoutUnsubscribed(member: ConsumerMember, change: Reconciliation): ConsumerMember {
  const subscribed = subscription(member, change)
  const kept = new Map([...member.assigned].filter(([topicId]) => subscribed(topicId)))
  if (kept.size === member.assigned.size) return member
  const dropped = new Map([...member.assigned].filter(([topicId]) => !subscribed(topicId)))
  const revoked = union(member.pendingRevocation, dropped)
  return overlaps(change.reported, revoked)
    ? { ...member, state: memberStates.UNREVOKED_PARTITIONS, assigned: kept, pendingRevocation: revoked }
    : { ...member, assigned: kept }
}

function subscription(member: ConsumerMember, { group, topicName }: Reconciliation) {
  const topics = group.topicsOf(member)
  return (topicId: string) => {
    const name = topicName(topicId)
    return name !== undefined && topics.has(name)
  }
}

function moved(
  member: ConsumerMember,
  memberEpoch: number,
  state: ConsumerMember['state'],
  assigned: OwnedPartitions,
  pendingRevocation: OwnedPartitions,
): ConsumerMember {
  return { ...member, memberEpoch, previousMemberEpoch: member.memberEpoch, state, assigned, pendingRevocation }
}

/** Nothing of it would be written otherwise. */
export function sameStanding(one: ConsumerMember, other: ConsumerMember): boolean {
  return (
    one.memberEpoch === other.memberEpoch &&
    one.previousMemberEpoch === other.previousMemberEpoch &&
    one.state === other.state &&
    samePartitions(one.assigned, other.assigned) &&
    samePartitions(one.pendingRevocation, other.pendingRevocation)
  )
}

function put(into: Map<string, Map<number, number>>, topicId: string, partition: number, epoch: number): void {
  const since = into.get(topicId)
  if (since === undefined) into.set(topicId, new Map([[partition, epoch]]))
  else since.set(partition, epoch)
}
