import { KafkaError } from '../../../wire/errors.ts'
import type { ShardDecision } from '../../shard-decision.ts'
import type { GroupRecordInput } from '../group-records.ts'
import type { GroupShard } from '../group-shard.ts'
import { answerJoin, answerSync, dismiss, joined, syncRefusal } from './classic-answers.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { ClassicMember } from './classic-member.ts'
import { emptyGroupRecord } from './classic-records.ts'
import { ClassicSessions } from './classic-sessions.ts'

type Records = readonly GroupRecordInput[]
type Decision<Response> = ShardDecision<GroupRecordInput, Response>

const NONE: Records = []
const NOTHING = new Uint8Array(0)
/** How long before a generation of nobody, which the log did not take, is tried again. */
const RETRY_MS = 500
/** The least between two looks whether one of the static members that stay away has come back. */
const STAY_AWAY_MS = 1_000

/**
 * How a group gets from one generation to the next (G-12, G-13, G-17). What happens here happens in decisions on the latest
 * state; the records are those that the step needs, which is one: of a group that has become empty.
 */
export class ClassicRebalances {
  readonly sessions: ClassicSessions
  readonly #group: GroupShard

  constructor(group: GroupShard) {
    this.#group = group
    this.sessions = new ClassicSessions({
      runtime: group.environment.runtime,
      timers: group.shard.timers,
      expired: expired => this.#schedule(expired, 'expiry', 0, () => this.#expire(expired)),
    })
  }

  get #now(): number {
    return this.#group.environment.runtime.now()
  }

  /** What somebody decided about a group, with what a rebalance that follows from it writes. */
  decision<Response>(group: ClassicGroup, records: Records, response: Response): Decision<Response> {
    if (records.length === 0) return { records, response }
    return { records, response, settled: error => this.#settledEmpty(group, error) }
  }

  // --- who speaks ----------------------------------------------------------------------------------------------------

  /** @throws {KafkaError} UNKNOWN_MEMBER_ID; FENCED_INSTANCE_ID if its instance goes by another id now (G-16, G-18) */
  requireMember(group: ClassicGroup, memberId: string, instanceId: string | null): ClassicMember {
    if (instanceId !== null && this.#group.environment.mutants.has('no-member-fencing')) {
      const successor = group.members.get(group.staticMemberId(instanceId) ?? '')
      if (successor !== undefined) return successor
    }
    return group.requireMember(memberId, instanceId)
  }

  /** @throws {KafkaError} ILLEGAL_GENERATION */
  requireGeneration(group: ClassicGroup, generation: number): void {
    if (generation === group.generation || this.#group.environment.mutants.has('no-generation-check')) return
    throw new KafkaError('ILLEGAL_GENERATION')
  }

  // --- the join phase ------------------------------------------------------------------------------------------------

  /** A member came, or changed, or left: begins a join phase, or looks whether the one under way is over. */
  membershipChanged(group: ClassicGroup, reason: string): Records {
    if (group.state === 'PreparingRebalance') return this.completeIfAllJoined(group)
    if (group.state === 'Dead') return NONE
    return this.prepare(group, reason)
  }

  /** Whoever stays has to join again. */
  prepare(group: ClassicGroup, reason: string): Records {
    for (const member of group.members.values()) {
      if (group.state === 'CompletingRebalance') member.assignment = NOTHING
      this.answerSync(group, member, syncRefusal('REBALANCE_IN_PROGRESS'))
    }
    this.#cancel(group, 'sync')
    const isInitial = group.isEmpty
    group.become('PreparingRebalance', this.#now)
    this.trace(group, { reason })
    if (isInitial) {
      this.#delayInitial(group)
      return NONE
    }
    if (group.hasAllJoined) return this.#complete(group)
    this.#schedule(group, 'join', group.rebalanceTimeoutMs, () => this.#complete(group))
    return NONE
  }

  completeIfAllJoined(group: ClassicGroup): Records {
    if (group.state !== 'PreparingRebalance') return NONE
    // The first join phase waits for its delay, so that not every member of a fleet that starts makes a generation.
    if (group.previousState === 'Empty') return NONE
    return group.hasAllJoined ? this.#complete(group) : NONE
  }

  /** G-12: the delay is extended while members come, but never beyond the rebalance timeout. */
  #delayInitial(group: ClassicGroup): void {
    const delayMs = this.#group.environment.config()['group.initial.rebalance.delay.ms']
    const wait = (ms: number, remainingMs: number): void =>
      this.#schedule(group, 'join', ms, () => {
        if (!group.newMemberAdded || remainingMs === 0) return this.#complete(group)
        group.newMemberAdded = false
        wait(Math.min(delayMs, remainingMs), Math.max(remainingMs - ms, 0))
        return NONE
      })
    wait(delayMs, Math.max(group.rebalanceTimeoutMs - delayMs, 0))
  }

  /** Of those who have joined, whom static members join who stay away until their session ends (KIP-345). */
  #complete(group: ClassicGroup, isRetry = false): Records {
    if (group.state !== 'PreparingRebalance') return NONE
    this.#cancel(group, 'join')
    group.newMemberAdded = false
    for (const member of [...group.members.values()]) {
      if (member.joining === undefined && !member.isStatic) this.#drop(group, member)
    }
    if (group.members.size === 0) return [emptyGroupRecord(group, this.#now)]
    if (!electLeader(group)) {
      if (!isRetry) this.trace(group, { reason: 'only static members that stay away are left' })
      // Kafka's coordinator tries again after the rebalance timeout, however short that is: with one of 0 again and again
      // at the same instant, at which virtual time would stay. Nothing changes before one of them joins or its session
      // ends; when the last one's ends, or all have joined, this is not waited for.
      const waitMs = Math.max(group.rebalanceTimeoutMs, STAY_AWAY_MS)
      this.#schedule(group, 'join', waitMs, () => this.#complete(group, true))
      return NONE
    }
    group.beginGeneration(this.#now)
    this.trace(group, { protocol: group.protocol, leader: group.leaderId })
    for (const member of group.members.values()) {
      member.isNew = false
      answerJoin(member, joined(group, member))
      this.sessions.touch(group, member)
      group.pendingSyncs.add(member.id)
    }
    const { generation } = group
    this.#schedule(group, 'sync', group.rebalanceTimeoutMs, () => this.#expireSyncs(group, generation))
    return NONE
  }

  // --- the sync phase ------------------------------------------------------------------------------------------------

  /** A member has called SyncGroup; the last one ends the wait for them. */
  hasSynced(group: ClassicGroup, member: ClassicMember): void {
    group.pendingSyncs.delete(member.id)
    if (group.pendingSyncs.size === 0) this.#cancel(group, 'sync')
  }

  /** Its session begins anew: while it waited nobody counted. */
  answerSync(group: ClassicGroup, member: ClassicMember, answer: Parameters<typeof answerSync>[1]): void {
    if (member.syncing === undefined) return
    answerSync(member, answer)
    this.sessions.touch(group, member)
  }

  /** G-15: whoever has not called SyncGroup a rebalance timeout after its JoinGroup was answered is out. */
  #expireSyncs(group: ClassicGroup, generation: number): Records {
    if (group.generation !== generation || group.pendingSyncs.size === 0) return NONE
    if (group.state !== 'CompletingRebalance' && group.state !== 'Stable') return NONE
    const late = [...group.pendingSyncs]
    for (const id of late) group.remove(id)
    return this.prepare(group, `no SyncGroup from ${late.join(', ')}`)
  }

  // --- leaving -------------------------------------------------------------------------------------------------------

  /** One who left, was removed, or was given up. What follows for the group is up to the caller. */
  #drop(group: ClassicGroup, member: ClassicMember): void {
    dismiss(member, 'UNKNOWN_MEMBER_ID')
    group.remove(member.id)
  }

  removed(group: ClassicGroup, member: ClassicMember): void {
    this.#drop(group, member)
  }

  #expire(group: ClassicGroup): Records {
    const { members, pending } = this.sessions.ended(group)
    for (const id of pending) group.remove(id)
    for (const member of members) this.#drop(group, member)
    if (members.length === 0) return this.completeIfAllJoined(group)
    return this.membershipChanged(group, `no heartbeat from ${members.map(({ id }) => id).join(', ')}`)
  }

  // --- timers --------------------------------------------------------------------------------------------------------

  /** Every one of these moves the group on: it is progress of the test. */
  #schedule(group: ClassicGroup, what: string, ms: number, decide: () => Records): void {
    this.#group.shard.schedule(
      timerKey(group, what),
      ms,
      ({ groups }) => (groups.get(group.id) === group ? this.decision(group, decide(), undefined) : undefined),
      { housekeeping: false },
    )
  }

  #cancel(group: ClassicGroup, what: string): void {
    this.#group.shard.timers.cancel(timerKey(group, what))
  }

  /** Nothing of this group happens by itself any more. */
  stop(group: ClassicGroup): void {
    for (const what of ['join', 'sync', 'expiry']) this.#cancel(group, what)
    this.sessions.forget(group)
  }

  /** The log did not take the generation of nobody: it still has to become empty. */
  #settledEmpty(group: ClassicGroup, error: KafkaError | undefined): void {
    if (error === undefined) {
      if (group.isEmpty) this.trace(group, {})
    } else if (this.#group.shard.isActive && group.state === 'PreparingRebalance' && group.members.size === 0) {
      this.#schedule(group, 'join', RETRY_MS, () => this.#complete(group))
    }
  }

  /** One line for each change of a group's state. */
  trace(group: ClassicGroup, more: Readonly<Record<string, string | null>>): void {
    const { runtime, name } = this.#group.environment
    const { id, state, generation, members } = group
    runtime.trace.add('group', name, { what: id, state, generation, members: members.size, ...more })
  }
}

function timerKey(group: ClassicGroup, what: string): string {
  return `${what} of ${group.id}`
}

/** The leader stays if it has joined; else whoever has joined first. False: nobody has. */
function electLeader(group: ClassicGroup): boolean {
  const leader = group.leaderId === null ? undefined : group.members.get(group.leaderId)
  if (leader?.joining !== undefined) return true
  for (const member of group.members.values()) {
    if (member.joining === undefined) continue
    group.leaderId = member.id
    return true
  }
  return false
}
