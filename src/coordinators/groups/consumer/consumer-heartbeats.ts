import type { consumerGroupHeartbeat } from '../../../apis/consumer-group-heartbeat.ts'
import type { RequestContext, RequestOf, ResponseInput } from '../../../wire/api.ts'
import { KafkaError } from '../../../wire/errors.ts'
import { drawUuid } from '../../../wire/uuid.ts'
import type { GroupEnvironment } from '../group-environment.ts'
import { peerOf } from '../peer.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { AWAY, type ConsumerMember, JOINING, type LEAVING, namesOf, newMember } from './consumer-member.ts'
import { currentAssignmentRecord, memberRecord, memberTombstones, targetRecord } from './consumer-records.ts'
import { type Round, type RoundHost, takeRound } from './consumer-rounds.ts'
import { requireEpoch, requireInstance, requireReleased, requireRoom } from './consumer-rules.ts'
import type { GroupDraft } from './group-draft.ts'
import { NOTHING_OWNED, partitionsOf, samePartitions, withoutEpochs } from './partition-sets.ts'
import { assignorNames } from './target-assignment.ts'

export type HeartbeatRequest = RequestOf<typeof consumerGroupHeartbeat>
export type HeartbeatAnswer = ResponseInput<typeof consumerGroupHeartbeat>

export interface HeartbeatDecision {
  readonly answer: HeartbeatAnswer
  readonly round: Round
}

/** @throws {KafkaError} UNSUPPORTED_ASSIGNOR (G-51) */
export function requireAssignor({ serverAssignor }: HeartbeatRequest, environment: GroupEnvironment): void {
  const names = assignorNames(environment.config()['group.consumer.assignors'])
  if (serverAssignor === null || names.includes(serverAssignor)) return
  throw new KafkaError(
    'UNSUPPORTED_ASSIGNOR',
    `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${names.join(', ')}.`,
  )
}

/** A member joins, or says that it is there and what it has (G-50, G-56). `draft`: of its group, or of a new one. */
export function decideHeartbeat(
  host: RoundHost,
  draft: GroupDraft,
  request: HeartbeatRequest,
  context: RequestContext,
): HeartbeatDecision {
  const { environment } = host
  const memberId =
    request.memberId === '' ? drawUuid(n => environment.runtime.choose('member-id', n)) : request.memberId
  requireRoom(draft.group, memberId, environment.config()['group.consumer.max.size'])
  const before = speaker(host, draft, memberId, request)
  const updated: ConsumerMember = { ...before, ...wishesOf(request, before), ...peerOf(context), classic: undefined }
  const round = takeRound(host, draft, before, updated, request.topicPartitions)
  return { round, answer: answerTo(request, environment, before, round.member) }
}

/** Who speaks, as it is so far. Whoever joins need not be there; whoever does not has to be, with the right epoch. */
function speaker(host: RoundHost, draft: GroupDraft, memberId: string, request: HeartbeatRequest): ConsumerMember {
  const { instanceId, memberEpoch, topicPartitions } = request
  const { group } = draft
  if (memberEpoch === JOINING) {
    const known = instanceId === null ? undefined : group.staticMember(instanceId)
    if (known === undefined || known.memberId === memberId) return group.members.get(memberId) ?? newMember(memberId)
    if (known.classic === undefined) requireReleased(known, memberId)
    return takeOver(draft, known, memberId)
  }
  const member = instanceId === null ? group.member(memberId) : requireInstance(group, instanceId, memberId)
  if (!host.environment.mutants.has('no-member-fencing')) requireEpoch(member, memberEpoch, topicPartitions)
  return member
}

/** A static member has returned under another id: it has what the old one had, and is to have the same (G-52). */
export function takeOver(draft: GroupDraft, old: ConsumerMember, memberId: string): ConsumerMember {
  const { group } = draft
  const member: ConsumerMember = { ...old, memberId, memberEpoch: JOINING, previousMemberEpoch: JOINING }
  const target = group.targetOf(old.memberId)
  draft.add(
    ...memberTombstones(group.id, old.memberId),
    memberRecord(group.id, member),
    targetRecord(group.id, memberId, target),
    currentAssignmentRecord(group.id, member),
  )
  return member
}

function wishesOf(request: HeartbeatRequest, before: ConsumerMember): Partial<ConsumerMember> {
  const { instanceId, rackId, rebalanceTimeoutMs, serverAssignor, subscribedTopicNames, subscribedTopicRegex } = request
  return {
    instanceId: instanceId ?? before.instanceId,
    rackId: rackId ?? before.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? before.rebalanceTimeoutMs : rebalanceTimeoutMs,
    serverAssignor: serverAssignor ?? before.serverAssignor,
    subscribedTopicNames: subscribedTopicNames === null ? before.subscribedTopicNames : namesOf(subscribedTopicNames),
    subscribedTopicRegex: subscribedTopicRegex ?? before.subscribedTopicRegex,
  }
}

/** The assignment goes along when it changed, to whoever joins, and to whoever said everything (G-56). */
function answerTo(
  request: HeartbeatRequest,
  environment: GroupEnvironment,
  before: ConsumerMember,
  member: ConsumerMember,
): HeartbeatAnswer {
  const { memberEpoch, rebalanceTimeoutMs, subscribedTopicNames, subscribedTopicRegex, topicPartitions } = request
  const saidAll =
    rebalanceTimeoutMs !== -1 &&
    (subscribedTopicNames !== null || subscribedTopicRegex !== null) &&
    topicPartitions !== null
  const changed = !samePartitions(before.assigned, member.assigned)
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    memberId: member.memberId,
    memberEpoch: member.memberEpoch,
    heartbeatIntervalMs: environment.groupConfig(request.groupId)['consumer.heartbeat.interval.ms'],
    assignment:
      memberEpoch === JOINING || saidAll || changed
        ? { topicPartitions: partitionsOf(withoutEpochs(member.assigned)) }
        : null,
  }
}

// --- leaving ---------------------------------------------------------------------------------------------------------

/** Who leaves, for good (−1) or, a static member, for the time being (−2). @throws {KafkaError} */
export function leaver(group: ConsumerGroup, { memberId, instanceId }: HeartbeatRequest): ConsumerMember {
  return instanceId === null ? group.member(memberId) : requireInstance(group, instanceId, memberId)
}

/** A static member is away and will be back: it keeps its partitions, for a session timeout (KIP-848). */
export function stepAway(draft: GroupDraft, member: ConsumerMember): void {
  const away: ConsumerMember = { ...member, memberEpoch: AWAY, pendingRevocation: NOTHING_OWNED }
  draft.addLast(currentAssignmentRecord(draft.group.id, away))
}

export function farewell(memberId: string, memberEpoch: typeof AWAY | typeof LEAVING): HeartbeatAnswer {
  return { throttleTimeMs: 0, errorCode: 0, memberId, memberEpoch, heartbeatIntervalMs: 0 }
}
