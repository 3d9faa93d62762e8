import type { heartbeat } from '../../../apis/heartbeat.ts'
import type { leaveGroup } from '../../../apis/leave-group.ts'
import type { syncGroup } from '../../../apis/sync-group.ts'
import type { RequestContext, RequestOf } from '../../../wire/api.ts'
import { type ErrorName, KafkaError } from '../../../wire/errors.ts'
import type { GroupShard } from '../group-shard.ts'
import type { Group } from '../group-state.ts'
import { dismiss, synced, syncRefusal } from './classic-answers.ts'
import type { ClassicGroup } from './classic-group.ts'
import { ClassicJoins } from './classic-joins.ts'
import type { ClassicMember, JoinAnswer, JoinRequest, SyncAnswer } from './classic-member.ts'
import { ClassicRebalances } from './classic-rebalances.ts'
import { groupRecord } from './classic-records.ts'

type Eventually<T> = T | Promise<T>
type SyncRequest = RequestOf<typeof syncGroup>
type HeartbeatRequest = RequestOf<typeof heartbeat>
type LeaveRequest = RequestOf<typeof leaveGroup>
type Leaving = LeaveRequest['members'][number]

/** How it went for one of those who leave. */
export interface Left {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly error: ErrorName
}

const NOTHING = new Uint8Array(0)

/** JoinGroup, SyncGroup, Heartbeat, LeaveGroup of the groups of one shard (G-10…G-19; Kafka's GroupMetadataManager). */
export class ClassicProtocol {
  readonly #group: GroupShard
  readonly #rebalances: ClassicRebalances
  readonly #joins: ClassicJoins
  readonly #unexplain: () => void

  constructor(group: GroupShard) {
    this.#group = group
    this.#rebalances = new ClassicRebalances(group)
    this.#joins = new ClassicJoins(group, this.#rebalances)
    this.#unexplain = group.environment.runtime.explain(() => this.#waiting())
  }

  // --- requests ------------------------------------------------------------------------------------------------------

  /** @throws {KafkaError} as `Shard.write` does; every other error is in the answer, with the member id that it is about */
  join(request: JoinRequest, context: RequestContext): Eventually<JoinAnswer> {
    this.#group.shard.requireActive()
    return this.#joins.join(request, context)
  }

  /** @throws {KafkaError} as `Shard.write` does; UNKNOWN_MEMBER_ID and the other errors of G-15 */
  sync(request: SyncRequest): Eventually<SyncAnswer> {
    this.#group.shard.requireActive()
    const { groupId, generationId, memberId, groupInstanceId, protocolType, protocolName } = request
    const group = this.#knownGroup(groupId)
    if (group.type === 'consumer') return this.#group.consumer.classicMembers.sync(request)
    const member = this.#rebalances.requireMember(group, memberId, groupInstanceId)
    this.#rebalances.requireGeneration(group, generationId)
    if (
      (protocolType ?? group.protocolType) !== group.protocolType ||
      (protocolName ?? group.protocol) !== group.protocol
    )
      throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL')
    switch (group.state) {
      case 'CompletingRebalance':
        return this.#waitForLeader(group, member, request)
      case 'Stable':
        this.#rebalances.hasSynced(group, member)
        // The assignment may not be committed yet: nobody may act on what a fail-over can undo.
        return this.#group.shard.write(() => ({ records: [], response: synced(group, member) }))
      default:
        throw new KafkaError('REBALANCE_IN_PROGRESS')
    }
  }

  /** @throws {KafkaError} UNKNOWN_MEMBER_ID and the other errors of G-16; as `Shard.read` does */
  heartbeat(request: HeartbeatRequest): void {
    this.#group.shard.requireActive()
    const { groupId, generationId, memberId, groupInstanceId } = request
    const group = this.#knownGroup(groupId)
    if (group.type === 'consumer') {
      this.#group.consumer.classicMembers.heartbeat(group, request)
      return
    }
    const member = this.#rebalances.requireMember(group, memberId, groupInstanceId)
    this.#rebalances.requireGeneration(group, generationId)
    this.#rebalances.sessions.touch(group, member)
    if (group.state === 'PreparingRebalance') throw new KafkaError('REBALANCE_IN_PROGRESS')
  }

  /** How it went for each. @throws {KafkaError} as `Shard.write` does */
  leave(groupId: string, members: readonly Leaving[]): Eventually<readonly Left[]> {
    const { shard } = this.#group
    shard.requireActive()
    const group = shard.latest.groups.get(groupId)
    if (group === undefined) return members.map(leaving => left(leaving, 'UNKNOWN_MEMBER_ID'))
    if (group.type === 'consumer') return this.#group.consumer.classicMembers.leave(groupId, members)
    return shard.write(() => {
      const answers = members.map(leaving => left(leaving, this.#removeOne(group, leaving)))
      const gone = answers.filter(({ error }) => error === 'NONE')
      const why = members.find((_, i) => answers[i]!.error === 'NONE')?.reason
      const names = gone.map(({ memberId, groupInstanceId }) => groupInstanceId ?? memberId).join(', ')
      const reason = `${names} left${why ? `: ${why}` : ''}`
      const mayRebalance = gone.length > 0 && !group.isEmpty
      const records = mayRebalance ? this.#rebalances.membershipChanged(group, reason) : []
      return this.#rebalances.decision(group, records, answers)
    })
  }

  // --- for the other parts of the coordinator ------------------------------------------------------------------------

  /** A member has shown that it is there: a commit counts like a heartbeat (G-30). */
  touch(group: ClassicGroup, memberId: string): void {
    const member = group.members.get(memberId)
    if (member !== undefined) this.#rebalances.sessions.touch(group, member)
  }

  /** The errors of G-16, for whoever else hears a member speak: unknown, fenced, or of another generation. */
  requireMember(group: ClassicGroup, memberId: string, instanceId: string | null): ClassicMember {
    return this.#rebalances.requireMember(group, memberId, instanceId)
  }

  /** @throws {KafkaError} ILLEGAL_GENERATION */
  requireGeneration(group: ClassicGroup, generation: number): void {
    this.#rebalances.requireGeneration(group, generation)
  }

  /**
   * This group is about to be deleted, or written anew as a group of another type (G-58): its timers end, and whoever waits
   * is told to join again. To be called once the records are replayed.
   */
  dissolved(group: ClassicGroup): void {
    this.#rebalances.stop(group)
    for (const member of group.members.values()) dismiss(member, 'REBALANCE_IN_PROGRESS', member.id)
  }

  /** A group of another type has been written anew as this one (G-58). With a reason, its members have to join again. */
  adopted(group: ClassicGroup, reason: string | undefined): void {
    this.#rebalances.sessions.restart(group)
    if (reason === undefined) this.#rebalances.trace(group, {})
    else this.#rebalances.prepare(group, reason)
  }

  /** The log is read: sessions begin anew, since nobody knows when the members were last heard of. */
  loaded(): void {
    const { shard, environment } = this.#group
    const maxSize = environment.config()['group.max.size']
    for (const group of shard.latest.groups.values()) {
      if (group.type !== 'classic') continue
      this.#rebalances.sessions.restart(group)
      this.#rebalances.trace(group, { reason: 'loaded' })
      if (group.members.size > maxSize) this.#rebalances.prepare(group, 'more members than group.max.size')
    }
  }

  /** Led elsewhere from now on: whoever waits is told so. */
  leapt(ms: number): void {
    for (const group of this.#group.shard.latest.groups.values()) {
      if (group.type === 'classic') this.#rebalances.sessions.leapt(group, ms)
    }
  }

  closed(): void {
    this.#unexplain()
    for (const group of this.#group.shard.latest.groups.values()) {
      if (group.type !== 'classic') continue
      for (const member of group.members.values()) dismiss(member, 'NOT_COORDINATOR', member.id)
    }
  }

  /** Whom a rebalance waits for, for a call that has to be given up. */
  #waiting(): string[] {
    const lines: string[] = []
    for (const group of this.#group.shard.latest.groups.values()) {
      if (group.type !== 'classic') continue
      const members = [...group.members.values()]
      const late = members.filter(member => group.state === 'PreparingRebalance' && member.joining === undefined)
      const ids = [...late.map(({ id }) => id), ...(late.length > 0 ? group.pendingMembers.keys() : [])]
      if (ids.length > 0) lines.push(`group ${group.id}: ${ids.join(', ')} to join again`)
      if (group.state === 'CompletingRebalance') lines.push(`group ${group.id}: its leader ${group.leaderId} to assign`)
    }
    return lines
  }

  // --- within --------------------------------------------------------------------------------------------------------

  /**
   * Of a consumer group, members that speak the classic protocol are looked after there (G-58).
   *
   * @throws {KafkaError} UNKNOWN_MEMBER_ID: there is no member where there is no group
   */
  #knownGroup(groupId: string): Group {
    const group = this.#group.shard.latest.groups.get(groupId)
    if (group === undefined || group.isEmpty) throw new KafkaError('UNKNOWN_MEMBER_ID')
    return group
  }

  #waitForLeader(group: ClassicGroup, member: ClassicMember, request: SyncRequest): Promise<SyncAnswer> {
    // The same member on a second connection: Kafka forgets the first one without an answer.
    this.#rebalances.answerSync(group, member, syncRefusal('REBALANCE_IN_PROGRESS'))
    const syncing = this.#group.environment.runtime.deferred<SyncAnswer>()
    member.syncing = syncing
    this.#rebalances.hasSynced(group, member)
    if (group.isLeader(member.id)) this.#storeAssignment(group, request)
    return syncing.promise
  }

  /** The group is Stable as soon as the leader's assignment is written, and all are told when it is committed (G-15). */
  #storeAssignment(group: ClassicGroup, { assignments }: SyncRequest): void {
    const { shard, environment } = this.#group
    const given = new Map(assignments.map(({ memberId, assignment }) => [memberId, assignment]))
    const { generation } = group
    try {
      const written = shard.write(() => ({
        records: [
          groupRecord(group, environment.runtime.now(), group.members.values(), group.leaderId, member => {
            return given.get(member.id) ?? NOTHING
          }),
        ],
        response: undefined,
        settled: error => this.#assigned(group, generation, error),
      }))
      if (written instanceof Promise) written.catch(toldAlready)
    } catch (error) {
      toldAlready(error)
    }
  }

  #assigned(group: ClassicGroup, generation: number, error: KafkaError | undefined): void {
    // Given up with the partition, or another rebalance has begun: whoever waited knows.
    if (!this.#group.shard.isActive || group.generation !== generation) return
    if (group.state !== 'Stable' && group.state !== 'CompletingRebalance') return
    if (error === undefined) this.#rebalances.trace(group, {})
    for (const member of group.members.values()) {
      const answer = error === undefined ? synced(group, member) : syncRefusal(error.errorName)
      this.#rebalances.answerSync(group, member, answer)
    }
    if (error !== undefined) this.#rebalances.prepare(group, `the assignment was not stored: ${error.errorName}`)
  }

  /** One member that wants to leave, or whom somebody removes by its instance id (KIP-345). */
  #removeOne(group: ClassicGroup, { memberId, groupInstanceId }: Leaving): ErrorName {
    if (memberId === '' && groupInstanceId !== null) {
      const member = group.members.get(group.staticMemberId(groupInstanceId) ?? '')
      if (member === undefined) return 'UNKNOWN_MEMBER_ID'
      this.#rebalances.removed(group, member)
      return 'NONE'
    }
    if (group.pendingMembers.has(memberId)) {
      group.remove(memberId)
      return 'NONE'
    }
    try {
      this.#rebalances.removed(group, this.#rebalances.requireMember(group, memberId, groupInstanceId))
      return 'NONE'
    } catch (error) {
      if (error instanceof KafkaError) return error.errorName
      throw error
    }
  }
}

function left({ memberId, groupInstanceId }: Leaving, error: ErrorName): Left {
  return { memberId, groupInstanceId, error }
}

/** Whoever waits was told by `settled`. */
function toldAlready(error: unknown): void {
  if (!(error instanceof KafkaError)) throw error
}
