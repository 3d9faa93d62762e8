import type { GroupEnvironment } from '../group-environment.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerMember, sameNames, sameSubscription } from './consumer-member.ts'
import {
  currentAssignmentRecord,
  groupEpochRecord,
  memberRecord,
  regularExpressionRecord,
  targetEpochRecord,
} from './consumer-records.ts'
import { reconciled, sameStanding } from './current-assignment.ts'
import type { GroupDraft } from './group-draft.ts'
import { metadataHash } from './metadata-hash.ts'
import type { TopicPartitions } from './partition-sets.ts'
import { requireRegularExpression } from './regular-expressions.ts'
import { assignorOf, newTarget } from './target-assignment.ts'

/** What a shard knows of its consumer groups besides their records; made anew after a fail-over. */
export interface RoundHost {
  readonly environment: GroupEnvironment
  /** Offset of the metadata log with the newest topic that regular expressions have to be held against. */
  readonly newestTopicAt: number
  /** The group's hash is known to be the one of the subscribed topics as they are now. */
  isFresh(groupId: string): boolean
}

export interface Round {
  /** As it leaves the round: what it has, and its epoch. */
  readonly member: ConsumerMember
  /** Its regular expressions are to be held against the topics, in the background. */
  readonly resolve: boolean
}

/** New regular expressions are resolved this long after the last ones at the earliest. */
const MIN_RESOLVE_INTERVAL_MS = 10_000

/**
 * One step of a group, which a member's request makes happen (G-53): its subscription, the group epoch, the target of all
 * members, the member's own assignment. Heartbeats take it, and JoinGroup of members that speak the classic protocol.
 */
export function takeRound(
  host: RoundHost,
  draft: GroupDraft,
  before: ConsumerMember,
  member: ConsumerMember,
  reported: readonly TopicPartitions[] | null,
): Round {
  const { environment } = host
  const { image } = environment
  const groupId = draft.group.id
  const resolvedAt = lastResolvedAt(draft.group)
  const isNew = !draft.group.members.has(member.memberId)
  const expression = expressionChange(draft, before, member)
  if (isNew || !sameSubscription(before, member)) draft.add(memberRecord(groupId, member))
  const namesChanged = !sameNames(before.subscribedTopicNames, member.subscribedTopicNames)
  updateEpoch(host, draft, namesChanged || expression.moves)

  updateTarget(environment, draft)
  const { group } = draft
  const standing = reconciled(member, {
    group,
    target: group.targetOf(member.memberId),
    targetEpoch: group.assignmentEpoch,
    reported,
    subscriptionChanged: namesChanged || expression.changed,
    topicName: topicId => image.topicById(topicId)?.name,
  })
  if (!sameStanding(member, standing)) draft.addLast(currentAssignmentRecord(groupId, standing))
  return { member: standing, resolve: needsResolving(host, draft, resolvedAt) }
}

/** A new group begins with epoch 1, and its first subscription makes that 2 (G-53). */
function updateEpoch(host: RoundHost, draft: GroupDraft, moves: boolean): void {
  const { id, groupEpoch, metadataHash: known } = draft.group
  if (!moves && groupEpoch > 0 && host.isFresh(id)) return
  const hash = metadataHash(draft.group, host.environment.image)
  if (moves || hash !== known) draft.add(groupEpochRecord(id, Math.max(1, groupEpoch) + 1, hash))
  // The target of a group that wants nothing is no target that others would have to wait after.
  else if (groupEpoch === 0) draft.add(groupEpochRecord(id, 1, hash), targetEpochRecord(id, 1, 0))
}

/** At most once in an assignment interval: joins of a fleet that starts make few targets (G-5). */
export function isTargetDue(environment: GroupEnvironment, group: ConsumerGroup): boolean {
  if (group.groupEpoch <= group.assignmentEpoch) return false
  if (group.assignmentTimestamp === 0) return true
  const intervalMs = environment.groupConfig(group.id)['consumer.assignment.interval.ms']
  return environment.runtime.now() >= group.assignmentTimestamp + intervalMs
}

function updateTarget(environment: GroupEnvironment, draft: GroupDraft): void {
  const { group } = draft
  if (!isTargetDue(environment, group)) return
  const assignor = assignorOf(group, environment.config()['group.consumer.assignors'])
  draft.add(...newTarget(group, environment.image, assignor, environment.runtime.now()))
}

interface ExpressionChange {
  readonly changed: boolean
  /** What the member is subscribed to is known to be something else now. */
  readonly moves: boolean
}

/** @throws {KafkaError} INVALID_REGULAR_EXPRESSION */
function expressionChange(draft: GroupDraft, before: ConsumerMember, member: ConsumerMember): ExpressionChange {
  const { group } = draft
  const [old, regex] = [before.subscribedTopicRegex, member.subscribedTopicRegex]
  if (old === regex) return { changed: false, moves: false }
  const { expressions } = group
  if (regex !== '' && !expressions.has(regex)) requireRegularExpression(regex)
  const hadTopics = old !== '' && (group.regularExpressions.get(old)?.topics.length ?? 0) > 0
  if (old !== '' && expressions.get(old) === 1) draft.add(regularExpressionRecord(group.id, old, null))
  const moves = (regex !== '' && group.regularExpressions.has(regex)) || (regex === '' && hadTopics)
  return { changed: true, moves }
}

/**
 * Unresolved expressions, new topics, or a long time since: then the expressions are held against the topics again, but
 * not soon after the last time.
 */
function needsResolving({ environment, newestTopicAt }: RoundHost, { group }: GroupDraft, lastAt: number): boolean {
  const { expressions, regularExpressions } = group
  if (expressions.size === 0) return false
  const now = environment.runtime.now()
  if (now <= lastAt + MIN_RESOLVE_INTERVAL_MS) return false
  if (regularExpressions.size !== expressions.size) return true
  for (const { version } of regularExpressions.values()) if (version < newestTopicAt) return true
  return now > lastAt + environment.config()['group.consumer.regex.refresh.interval.ms']
}

function lastResolvedAt({ regularExpressions }: ConsumerGroup): number {
  let last = Number.NEGATIVE_INFINITY
  for (const { timestamp } of regularExpressions.values()) last = Math.max(last, timestamp)
  return last
}
