import type { heartbeat } from '../../../apis/heartbeat.ts'
import type { leaveGroup } from '../../../apis/leave-group.ts'
import type { syncGroup } from '../../../apis/sync-group.ts'
import type { RequestContext, RequestOf } from '../../../wire/api.ts'
import { type ConsumerSubscription, decodeSubscription, PROTOCOL_TYPE } from '../../../wire/consumer-protocol.ts'
import { KafkaError } from '../../../wire/errors.ts'
import { MalformedError } from '../../../wire/reader.ts'
import { drawUuid } from '../../../wire/uuid.ts'
import { joinRefusal } from '../classic/classic-answers.ts'
import type { JoinAnswer, JoinRequest, SyncAnswer } from '../classic/classic-member.ts'
import type { Left } from '../classic/classic-protocol.ts'
import { peerOf } from '../peer.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { takeOver } from './consumer-heartbeats.ts'
import { type ConsumerMember, memberStates, namesOf, newMember } from './consumer-member.ts'
import type { ConsumerProtocol } from './consumer-protocol.ts'
import { currentAssignmentRecord } from './consumer-records.ts'
import { isTargetDue, takeRound } from './consumer-rounds.ts'
import { requireInstance, requireRoom } from './consumer-rules.ts'
import type { ConsumerSteps, Eventually, Step } from './consumer-steps.ts'
import type { Departures } from './departures.ts'
import { GroupDraft } from './group-draft.ts'
import { classicAssignment, isDowngradable, isMigrationDisabled } from './migration.ts'

type SyncRequest = RequestOf<typeof syncGroup>
type HeartbeatRequest = RequestOf<typeof heartbeat>
type Leaving = RequestOf<typeof leaveGroup>['members'][number]

/** JoinGroup v4 and later: a dynamic member is given its id first and joins with it (KIP-394). */
const MEMBER_ID_REQUIRED_VERSION = 4

/**
 * Members that speak the classic protocol in a consumer group, while a service changes over (G-58): JoinGroup takes part in
 * a round, SyncGroup tells what the member has, Heartbeat says when to join again. There is no leader.
 */
export class ClassicMembers {
  readonly #protocol: ConsumerProtocol
  readonly #steps: ConsumerSteps
  readonly #departures: Departures

  constructor(protocol: ConsumerProtocol, steps: ConsumerSteps, departures: Departures) {
    this.#protocol = protocol
    this.#steps = steps
    this.#departures = departures
  }

  // --- JoinGroup -----------------------------------------------------------------------------------------------------

  /** @throws {KafkaError} GROUP_MAX_SIZE_REACHED, INCONSISTENT_GROUP_PROTOCOL, those of G-52; as `Shard.write` does */
  join(request: JoinRequest, context: RequestContext): Eventually<JoinAnswer> {
    return this.#steps.decide(request.groupId, ({ groups }) => {
      return this.#join(required(groups.get(request.groupId)), request, context)
    })
  }

  #join(group: ConsumerGroup, request: JoinRequest, context: RequestContext): Step<JoinAnswer> {
    const { environment } = this.#protocol
    const { groupInstanceId: instanceId, sessionTimeoutMs, protocols } = request
    const memberId =
      request.memberId === '' ? drawUuid(n => environment.runtime.choose('member-id', n)) : request.memberId
    requireRoom(group, memberId, environment.config()['group.consumer.max.size'])
    if (isMigrationDisabled(environment)) throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL')
    requireCommonProtocol(group, memberId, request)
    if (request.memberId === '' && instanceId === null && context.version >= MEMBER_ID_REQUIRED_VERSION) {
      return { records: [], response: joinRefusal('MEMBER_ID_REQUIRED', memberId) }
    }

    const draft = new GroupDraft(group)
    const old = instanceId === null ? undefined : group.staticMember(instanceId)
    const before = joiner(draft, memberId, request)
    const subscription = subscriptionOf(request)
    const updated: ConsumerMember = {
      ...before,
      ...peerOf(context),
      instanceId: instanceId ?? before.instanceId,
      rackId: subscription.rackId ?? before.rackId,
      rebalanceTimeoutMs: context.version === 0 ? sessionTimeoutMs : request.rebalanceTimeoutMs,
      subscribedTopicNames: namesOf(subscription.topics),
      classic: { sessionTimeoutMs, supportedProtocols: protocols },
    }
    const reported = subscription.ownedPartitions.flatMap(({ topic, partitions }) => {
      const topicId = environment.image.topic(topic)?.topicId
      return topicId === undefined ? [] : [{ topicId, partitions }]
    })
    const round = takeRound(this.#protocol, draft, before, updated, reported)
    const then = () => {
      this.#departures.cancel('join', group.id, memberId)
      this.#protocol.tookRound(group.id, round, context)
      this.#departures.removeIn(updated.rebalanceTimeoutMs, group.id, memberId, 'sync')
    }
    const response = joined(round.member)
    const step = { records: draft.records, response, then, reason: `${memberId} joins by the classic protocol` }
    const tookOver = old !== undefined && old.memberId !== memberId && old.classic === undefined
    return tookOver ? this.#downgradedIfLast(draft, round.member, step) : step
  }

  /** A static member has come back by the classic protocol, and was the last one that did not speak it. */
  #downgradedIfLast(draft: GroupDraft, member: ConsumerMember, step: Step<JoinAnswer>): Step<JoinAnswer> {
    if (!isDowngradable(draft.group, new Set(), this.#protocol.environment)) return step
    draft.add(currentAssignmentRecord(draft.group.id, member))
    const downgrade = this.#departures.downgrade(draft.group, new Set(), undefined)
    return { ...downgrade, records: [...draft.records, ...downgrade.records], response: step.response }
  }

  // --- SyncGroup, Heartbeat ------------------------------------------------------------------------------------------

  /** @throws {KafkaError} UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, INCONSISTENT_GROUP_PROTOCOL, REBALANCE_IN_PROGRESS */
  sync(request: SyncRequest): Eventually<SyncAnswer> {
    return this.#steps.decide(request.groupId, ({ groups }) => {
      const group = required(groups.get(request.groupId))
      const member = speaker(group, request)
      requireGeneration(member, request.generationId)
      const { protocolType, protocolName } = request
      const protocol = protocolOf(member)
      if ((protocolType ?? PROTOCOL_TYPE) !== PROTOCOL_TYPE || (protocolName ?? protocol) !== protocol) {
        throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL')
      }
      // Whoever still has to give up partitions has joined, and will be told to do it once more.
      if (member.memberEpoch < group.assignmentEpoch && member.state !== memberStates.UNREVOKED_PARTITIONS) {
        this.#expectJoin(group, member)
        throw new KafkaError('REBALANCE_IN_PROGRESS')
      }
      const response = {
        throttleTimeMs: 0,
        errorCode: 0,
        protocolType,
        protocolName,
        assignment: classicAssignment(member, this.#protocol.environment.image),
      }
      const then = () => {
        this.#departures.cancel('sync', group.id, member.memberId)
        this.#departures.touch(group.id, member)
      }
      return { records: [], response, then }
    })
  }

  /** @throws {KafkaError} UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS */
  heartbeat(group: ConsumerGroup, request: HeartbeatRequest): void {
    const member = speaker(group, request)
    requireGeneration(member, request.generationId)
    this.#departures.touch(group.id, member)
    const hasToJoin =
      member.memberEpoch < group.assignmentEpoch ||
      member.state === memberStates.UNREVOKED_PARTITIONS ||
      (member.state === memberStates.UNRELEASED_PARTITIONS && !isWaiting(group, member)) ||
      this.#isTargetUpToUs(group)
    if (!hasToJoin) return
    this.#expectJoin(group, member)
    throw new KafkaError('REBALANCE_IN_PROGRESS')
  }

  /**
   * A target is due, and no member of the consumer protocol is there whose heartbeat would compute it: somebody has to join.
   * Kafka has the group wait for that without telling anybody.
   */
  #isTargetUpToUs(group: ConsumerGroup): boolean {
    if (!isTargetDue(this.#protocol.environment, group)) return false
    for (const { classic } of group.members.values()) if (classic === undefined) return false
    return true
  }

  /** It is to join again within its rebalance timeout. */
  #expectJoin({ id }: ConsumerGroup, { memberId, rebalanceTimeoutMs }: ConsumerMember): void {
    if (!this.#departures.has('join', id, memberId)) this.#departures.removeIn(rebalanceTimeoutMs, id, memberId, 'join')
  }

  // --- LeaveGroup ----------------------------------------------------------------------------------------------------

  /** How it went for each, whichever protocol it speaks. @throws {KafkaError} as `Shard.write` does */
  leave(groupId: string, members: readonly Leaving[]): Eventually<readonly Left[]> {
    return this.#steps.decide(groupId, ({ groups }) => {
      const group = required(groups.get(groupId))
      const leaving = new Map<string, ConsumerMember>()
      const response = members.map(({ memberId, groupInstanceId }): Left => {
        try {
          const member = this.#leaver(group, memberId, groupInstanceId)
          leaving.set(member.memberId, member)
          return { memberId, groupInstanceId, error: 'NONE' }
        } catch (error) {
          if (error instanceof KafkaError) return { memberId, groupInstanceId, error: error.errorName }
          throw error
        }
      })
      if (leaving.size === 0) return { records: [], response }
      const reason = `${[...leaving.keys()].join(', ')} left`
      return { ...this.#departures.remove(group, [...leaving.values()]), response, reason }
    })
  }

  /** Somebody else may remove a static member by its instance id alone (KIP-345). */
  #leaver(group: ConsumerGroup, memberId: string, instanceId: string | null): ConsumerMember {
    if (instanceId === null) return group.member(memberId)
    if (memberId !== '') return requireInstance(group, instanceId, memberId)
    return requireInstance(group, instanceId, group.staticMember(instanceId)?.memberId ?? '')
  }
}

function required(group: unknown): ConsumerGroup {
  if (group instanceof ConsumerGroup) return group
  throw new KafkaError('UNKNOWN_MEMBER_ID')
}

/** Who joins, as it is so far: known, new, or a static member in another's place. */
function joiner(draft: GroupDraft, memberId: string, request: JoinRequest): ConsumerMember {
  const { group } = draft
  const { groupInstanceId: instanceId } = request
  if (instanceId === null) return group.members.get(memberId) ?? newMember(memberId)
  if (request.memberId !== '') return requireInstance(group, instanceId, memberId)
  const known = group.staticMember(instanceId)
  return known === undefined ? newMember(memberId) : takeOver(draft, known, memberId)
}

/** A protocol that all members of the classic protocol have in common; which, matters to nobody. */
function requireCommonProtocol(group: ConsumerGroup, memberId: string, request: JoinRequest): void {
  const others = [...group.members.values()].flatMap(({ memberId: id, classic }) =>
    id === memberId || classic === undefined ? [] : [new Set(classic.supportedProtocols.map(({ name }) => name))],
  )
  const isCommon = request.protocols.some(({ name }) => others.every(names => names.has(name)))
  if (request.protocolType !== PROTOCOL_TYPE || !isCommon) throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL')
}

/** Kafka fails inside itself over a subscription that cannot be read (UNKNOWN_SERVER_ERROR). */
function subscriptionOf({ protocols }: JoinRequest): ConsumerSubscription {
  try {
    return decodeSubscription(protocols[0]!.metadata)
  } catch (error) {
    if (error instanceof MalformedError) throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL')
    throw error
  }
}

function joined(member: ConsumerMember): JoinAnswer {
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    generationId: member.memberEpoch,
    protocolType: PROTOCOL_TYPE,
    protocolName: protocolOf(member),
    leader: '',
    memberId: member.memberId,
    members: [],
  }
}

function protocolOf({ classic }: ConsumerMember): string {
  return classic?.supportedProtocols[0]?.name ?? ''
}

/** @throws {KafkaError} UNKNOWN_MEMBER_ID, also for a member of the other protocol; FENCED_INSTANCE_ID */
function speaker(group: ConsumerGroup, { memberId, groupInstanceId }: SyncRequest | HeartbeatRequest): ConsumerMember {
  const member = groupInstanceId === null ? group.member(memberId) : requireInstance(group, groupInstanceId, memberId)
  if (member.classic !== undefined) return member
  throw new KafkaError('UNKNOWN_MEMBER_ID', `Member ${memberId} does not use the classic protocol.`)
}

function requireGeneration({ memberEpoch }: ConsumerMember, generation: number): void {
  if (generation !== memberEpoch) throw new KafkaError('ILLEGAL_GENERATION')
}

/** Something of its target is still another's. */
function isWaiting(group: ConsumerGroup, { memberId, assigned }: ConsumerMember): boolean {
  return [...group.targetOf(memberId)].some(([topicId, partitions]) =>
    partitions.some(partition => {
      return assigned.get(topicId)?.has(partition) !== true && group.ownerOf(topicId, partition) !== undefined
    }),
  )
}
