import type { RequestContext } from '../../../wire/api.ts'
import { KafkaError } from '../../../wire/errors.ts'
import type { GroupShard } from '../group-shard.ts'
import type { Group } from '../group-state.ts'
import { groupTombstones } from '../group-tombstones.ts'
import { peerOf } from '../peer.ts'
import { answerJoin, dismiss, joined, joinRefusal } from './classic-answers.ts'
import type { ClassicGroup } from './classic-group.ts'
import { ClassicMember, type JoinAnswer, type JoinRequest, type MemberTerms } from './classic-member.ts'
import type { ClassicRebalances } from './classic-rebalances.ts'
import { groupRecord, newGroupRecord } from './classic-records.ts'
import { newMemberId } from './member-id.ts'
import { electProtocol } from './protocol-votes.ts'

type Eventually<T> = T | Promise<T>

/** JoinGroup v4 and later: a dynamic member is given its id first and joins with it (KIP-394). */
const MEMBER_ID_REQUIRED_VERSION = 4
/** First version in which a leader can be told that the group's assignment stands (KIP-814). */
const SKIP_ASSIGNMENT_VERSION = 9
/** New members do not know their id and cannot send heartbeats: that long they are waited for. */
const NEW_MEMBER_TIMEOUT_MS = 300_000

/** JoinGroup in every state of a group (G-10…G-14, G-18). */
export class ClassicJoins {
  readonly #group: GroupShard
  readonly #rebalances: ClassicRebalances

  constructor(group: GroupShard, rebalances: ClassicRebalances) {
    this.#group = group
    this.#rebalances = rebalances
  }

  /** @throws {KafkaError} what the log refuses, of records that a join writes */
  join(request: JoinRequest, context: RequestContext): Eventually<JoinAnswer> {
    const { groupId, memberId } = request
    const known = this.#group.shard.latest.groups.get(groupId)
    if (known?.type === 'classic') return this.#joinGroup(known, request, context)
    if (known?.isEmpty === false) return this.#group.consumer.classicMembers.join(request, context)
    if (memberId !== '') return joinRefusal('UNKNOWN_MEMBER_ID', memberId)
    return this.#create(known, request, context)
  }

  /**
   * Whoever asks a group into being leaves it behind, even if it is refused then. An empty group of another type makes room
   * (G-4); what it has committed stays.
   */
  #create(other: Group | undefined, request: JoinRequest, context: RequestContext): Eventually<JoinAnswer> {
    const { shard, environment } = this.#group
    const tombstones = other === undefined ? [] : groupTombstones(other)
    const records = [...tombstones, newGroupRecord(request.groupId, environment.runtime.now())]
    const written = shard.write(() => ({ records, response: undefined }))
    const group = shard.latest.groups.get(request.groupId) as ClassicGroup
    const answer = this.#joinGroup(group, request, context)
    return written instanceof Promise ? written.then(() => answer) : answer
  }

  #joinGroup(group: ClassicGroup, request: JoinRequest, context: RequestContext): Eventually<JoinAnswer> {
    const { memberId, protocolType, protocols } = request
    if (!this.#hasRoomFor(group, memberId)) {
      group.remove(memberId)
      return joinRefusal('GROUP_MAX_SIZE_REACHED')
    }
    if (!group.supports(protocolType, protocols)) return joinRefusal('INCONSISTENT_GROUP_PROTOCOL', memberId)
    if (memberId !== '') return this.#rejoin(group, request, context)
    if (request.groupInstanceId !== null) return this.#joinStatic(group, request, context)
    const id = newMemberId(this.#group.environment.runtime, context.clientId ?? '')
    if (context.version < MEMBER_ID_REQUIRED_VERSION) return this.#add(group, id, request, context)
    this.#rebalances.sessions.expect(group, id, request.sessionTimeoutMs)
    return joinRefusal('MEMBER_ID_REQUIRED', id)
  }

  /** While members join anew, only those who have done so count against `group.max.size` (G-10). */
  #hasRoomFor(group: ClassicGroup, memberId: string): boolean {
    const maxSize = this.#group.environment.config()['group.max.size']
    const member = group.members.get(memberId)
    switch (group.state) {
      case 'PreparingRebalance':
        return member?.joining !== undefined || group.joiningCount < maxSize
      case 'CompletingRebalance':
      case 'Stable':
        return member !== undefined || group.members.size < maxSize
      default:
        return true
    }
  }

  #add(group: ClassicGroup, id: string, request: JoinRequest, context: RequestContext): Eventually<JoinAnswer> {
    const member = new ClassicMember(
      { id, instanceId: request.groupInstanceId, ...peerOf(context) },
      termsOf(request, context),
    )
    member.isNew = true
    if (group.state === 'PreparingRebalance' && group.previousState === 'Empty') group.newMemberAdded = true
    group.add(member, request.protocolType)
    this.#rebalances.sessions.touch(group, member, NEW_MEMBER_TIMEOUT_MS)
    return this.#waitForGeneration(group, member, `${id} joins`)
  }

  /** A member that the group knows, or has given an id (G-14). */
  #rejoin(group: ClassicGroup, request: JoinRequest, context: RequestContext): Eventually<JoinAnswer> {
    const { memberId, groupInstanceId, protocols } = request
    if (group.pendingMembers.has(memberId) && groupInstanceId === null) {
      return this.#add(group, memberId, request, context)
    }
    let member: ClassicMember
    try {
      member = this.#rebalances.requireMember(group, memberId, groupInstanceId)
    } catch (error) {
      if (error instanceof KafkaError) return joinRefusal(error.errorName, memberId)
      throw error
    }
    const isSame = member.offers(protocols)
    // The leader joins again when what is not in its metadata has changed: partitions of a topic, for instance.
    const needsRebalance = group.state === 'Stable' && group.isLeader(memberId)
    if (group.state !== 'PreparingRebalance' && isSame && !needsRebalance) return joined(group, member)
    Object.assign(member, termsOf(request, context))
    return this.#waitForGeneration(group, member, `${memberId} joins again`)
  }

  #waitForGeneration(group: ClassicGroup, member: ClassicMember, reason: string): Promise<JoinAnswer> {
    // The same member on a second connection: Kafka forgets the first one without an answer.
    answerJoin(member, joinRefusal('REBALANCE_IN_PROGRESS', member.id))
    const joining = this.#group.environment.runtime.deferred<JoinAnswer>()
    member.joining = joining
    this.#rebalances.membershipChanged(group, reason)
    return joining.promise
  }

  // --- static members ------------------------------------------------------------------------------------------------

  #joinStatic(group: ClassicGroup, request: JoinRequest, context: RequestContext): Eventually<JoinAnswer> {
    const instanceId = request.groupInstanceId!
    const id = newMemberId(this.#group.environment.runtime, instanceId)
    const knownId = group.staticMemberId(instanceId)
    const old = knownId === undefined ? undefined : group.members.get(knownId)
    if (old === undefined) return this.#add(group, id, request, context)
    const terms = termsOf(request, context)
    const identity = { id, instanceId, ...peerOf(context) }
    if (group.state === 'Stable') {
      const others = [...group.members.values()].filter(member => member !== old)
      // Its subscription alone is no reason to rebalance; another protocol for all would be.
      if (electProtocol([...others, terms]) === group.protocol) {
        return this.#takeOver(group, old, new ClassicMember(identity, terms), context)
      }
    }
    dismiss(old, 'FENCED_INSTANCE_ID', old.id)
    const member = group.replaceStatic(old, identity)
    Object.assign(member, terms)
    this.#rebalances.sessions.touch(group, member)
    return this.#waitForGeneration(group, member, `${instanceId} is back as ${id}`)
  }

  /** The restarted instance goes on where the old one was, under a new id, and nobody else notices (G-18). */
  #takeOver(
    group: ClassicGroup,
    old: ClassicMember,
    member: ClassicMember,
    { version }: RequestContext,
  ): Eventually<JoinAnswer> {
    const { shard, environment } = this.#group
    const wasLeader = group.isLeader(old.id)
    const oldLeader = group.leaderId
    const members = [...group.members.values()].map(each => (each === old ? member : each))
    const assignments = (each: ClassicMember) => (each === member ? old.assignment : each.assignment)
    const leader = wasLeader ? member.id : group.leaderId
    const records = [groupRecord(group, environment.runtime.now(), members, leader, assignments)]
    const written = shard.write(() => ({ records, response: undefined }))
    dismiss(old, 'FENCED_INSTANCE_ID', old.id)
    const replaced = group.members.get(member.id)!
    replaced.protocols = member.protocols
    this.#rebalances.sessions.touch(group, replaced)
    this.#rebalances.trace(group, { reason: `${member.instanceId} is back as ${member.id}` })
    // Older clients have no way to be told not to assign: they must not find out that they lead.
    const answer =
      version >= SKIP_ASSIGNMENT_VERSION
        ? joined(group, replaced, { skipAssignment: wasLeader })
        : joined(group, replaced, { leader: oldLeader ?? '', members: [] })
    return written instanceof Promise ? written.then(() => answer) : answer
  }
}

function termsOf(request: JoinRequest, { version }: RequestContext): MemberTerms {
  const { protocols, sessionTimeoutMs } = request
  return {
    protocols,
    sessionTimeoutMs,
    rebalanceTimeoutMs: version === 0 ? sessionTimeoutMs : request.rebalanceTimeoutMs,
  }
}
