import { decodeSubscription, PROTOCOL_TYPE } from '../../../wire/consumer-protocol.ts'
import { KafkaError } from '../../../wire/errors.ts'
import { MalformedError } from '../../../wire/reader.ts'
import type { GroupRecord } from '../group-records.ts'
import { ClassicMember, type MemberIdentity, type MemberProtocol } from './classic-member.ts'
import { type ClassicStateName, mayBecome } from './classic-states.ts'
import { electProtocol } from './protocol-votes.ts'

export type GroupMetadata = Extract<GroupRecord, { type: 'GroupMetadata' }>['value'] & {}

/**
 * A group whose members agree through a leader among them (the classic protocol; Kafka's ClassicGroup).
 *
 * What is written of it (G-42) comes in through `replay`. What a rebalance has in hand is not written before the leader's
 * SyncGroup, and lives only on the coordinator that acts, in the group of its latest state: who has joined and who waits,
 * the generation that a join phase has just begun, pending members, sessions. A fail-over loses it, and the members that
 * find themselves in an unknown generation join again.
 */
export class ClassicGroup {
  readonly type = 'classic'
  readonly id: string
  /** 0 before the first join phase has ended. */
  generation = 0
  /** `consumer`, `connect`, …; null: nobody has ever joined, somebody only commits offsets. */
  protocolType: string | null = null
  /** The protocol that all members go by in this generation, `range` for instance. */
  protocol: string | null = null
  leaderId: string | null = null
  /** When it came into its state, in milliseconds since the epoch. */
  stateSince: number
  readonly members = new Map<string, ClassicMember>()
  /** Ids given out with MEMBER_ID_REQUIRED whose owners have not joined yet, and when they are forgotten (G-11). */
  readonly pendingMembers = new Map<string, number>()
  /** Members of the new generation that have not called SyncGroup yet. */
  readonly pendingSyncs = new Set<string>()
  /** Somebody new came while the initial rebalance waits: it may wait longer (G-12). */
  newMemberAdded = false
  /** When the timer of its sessions goes off; Infinity: there is none. */
  sessionTimerAt = Number.POSITIVE_INFINITY
  /** Topics that its members asked for when the generation began; undefined: none, or not to be read. */
  subscribedTopics: ReadonlySet<string> | undefined
  readonly #staticMembers = new Map<string, string>()
  #state: ClassicStateName = 'Empty'
  #previousState: ClassicStateName = 'Empty'

  constructor(id: string, createdAt = -1) {
    this.id = id
    this.stateSince = createdAt
  }

  // --- state ---------------------------------------------------------------------------------------------------------

  get state(): ClassicStateName {
    return this.#state
  }

  get previousState(): ClassicStateName {
    return this.#previousState
  }

  get isEmpty(): boolean {
    return this.#state === 'Empty'
  }

  /** Used for committed offsets only: nobody has ever joined (Kafka's isSimpleGroup). */
  get isSimple(): boolean {
    return this.protocolType === null && this.isEmpty && this.pendingMembers.size === 0
  }

  /** Its members speak the consumer protocol. */
  get isOfConsumers(): boolean {
    return this.protocolType === PROTOCOL_TYPE
  }

  become(state: ClassicStateName, now: number): void {
    if (!mayBecome(this.#state, state)) throw new Error(`group ${this.id} cannot go from ${this.#state} to ${state}`)
    this.#enter(state, now)
  }

  #enter(state: ClassicStateName, now: number): void {
    this.#previousState = this.#state
    this.#state = state
    this.stateSince = now
  }

  // --- members -------------------------------------------------------------------------------------------------------

  /** The member id that a static member goes by now. */
  staticMemberId(instanceId: string): string | undefined {
    return this.#staticMembers.get(instanceId)
  }

  isLeader(memberId: string): boolean {
    return this.leaderId === memberId
  }

  /**
   * The member that speaks (G-10, G-15, G-16, G-19).
   *
   * @throws {KafkaError} UNKNOWN_MEMBER_ID; FENCED_INSTANCE_ID if its instance goes by another id now
   */
  requireMember(memberId: string, instanceId: string | null): ClassicMember {
    if (instanceId !== null) {
      const known = this.#staticMembers.get(instanceId)
      if (known === undefined) throw new KafkaError('UNKNOWN_MEMBER_ID')
      if (known !== memberId) throw new KafkaError('FENCED_INSTANCE_ID')
    }
    const member = this.members.get(memberId)
    if (member === undefined) throw new KafkaError('UNKNOWN_MEMBER_ID')
    return member
  }

  add(member: ClassicMember, protocolType: string): void {
    if (this.members.size === 0) this.protocolType = protocolType
    this.leaderId ??= member.id
    this.members.set(member.id, member)
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, member.id)
    this.pendingMembers.delete(member.id)
  }

  /** Also of a pending member. A leader's place goes to the member that is longest here. */
  remove(memberId: string): void {
    const member = this.members.get(memberId)
    if (member?.instanceId != null) this.#staticMembers.delete(member.instanceId)
    this.members.delete(memberId)
    if (this.leaderId === memberId) this.leaderId = this.members.keys().next().value ?? null
    this.pendingMembers.delete(memberId)
    this.pendingSyncs.delete(memberId)
  }

  /** A static member has come back under a new id: all else stays as it was (G-18). */
  replaceStatic(old: ClassicMember, identity: MemberIdentity): ClassicMember {
    const member = new ClassicMember(identity, old)
    member.assignment = old.assignment
    const wasLeader = this.leaderId === old.id
    this.members.delete(old.id)
    this.pendingSyncs.delete(old.id)
    this.members.set(member.id, member)
    this.#staticMembers.set(member.instanceId!, member.id)
    if (wasLeader) this.leaderId = member.id
    return member
  }

  /** How long a rebalance waits for those who have not joined: as long as the most patient member wants. */
  get rebalanceTimeoutMs(): number {
    let longest = 0
    for (const member of this.members.values()) longest = Math.max(longest, member.rebalanceTimeoutMs)
    return longest
  }

  get joiningCount(): number {
    let count = 0
    for (const member of this.members.values()) if (member.joining !== undefined) count++
    return count
  }

  get hasAllJoined(): boolean {
    return this.pendingMembers.size === 0 && this.joiningCount === this.members.size
  }

  // --- protocols -----------------------------------------------------------------------------------------------------

  /** Somebody with these protocols could join: of the group's type, and one in common with all members (G-10). */
  supports(protocolType: string, protocols: readonly MemberProtocol[]): boolean {
    if (protocolType === '' || protocols.length === 0) return false
    if (this.members.size === 0) return true
    if (this.protocolType !== protocolType) return false
    return protocols.some(({ name }) => {
      for (const member of this.members.values()) if (!member.protocols.some(own => own.name === name)) return false
      return true
    })
  }

  /**
   * Whether its members may be reading this topic. While that is not known (the first join phase, or subscriptions that
   * nobody can read), it counts as yes.
   */
  isSubscribedTo(topic: string): boolean {
    return this.subscribedTopics?.has(topic) ?? (this.isOfConsumers && this.members.size > 0)
  }

  /** The join phase has ended: a generation of those who are here (G-13). */
  beginGeneration(now: number): void {
    this.generation++
    this.protocol = electProtocol([...this.members.values()]) ?? null
    this.pendingSyncs.clear()
    this.subscribedTopics = this.#readSubscriptions()
    this.become('CompletingRebalance', now)
  }

  /**
   * What nobody can read is no reason to stop: Kafka's coordinator fails inside itself over an array that claims to be
   * longer than the metadata, and the group stays stuck.
   */
  #readSubscriptions(): ReadonlySet<string> | undefined {
    if (!this.isOfConsumers || this.members.size === 0 || this.protocol === null) return undefined
    const topics = new Set<string>()
    try {
      for (const member of this.members.values()) {
        for (const topic of decodeSubscription(member.metadataOf(this.protocol)).topics) topics.add(topic)
      }
    } catch (error) {
      if (error instanceof MalformedError) return undefined
      throw error
    }
    return topics
  }

  // --- replay --------------------------------------------------------------------------------------------------------

  /** As it was written. Of members that are here already, what is not written stays as it is. */
  replay(value: GroupMetadata): void {
    const { protocolType, generation, protocol, leader, currentStateTimestamp } = value
    const known = new Map(this.members)
    this.members.clear()
    this.#staticMembers.clear()
    for (const written of value.members) {
      const { memberId: id, groupInstanceId: instanceId, clientId, clientHost, subscription } = written
      const { sessionTimeout: sessionTimeoutMs, rebalanceTimeout } = written
      const rebalanceTimeoutMs = rebalanceTimeout === -1 ? sessionTimeoutMs : rebalanceTimeout
      const protocols = [{ name: protocol ?? '', metadata: subscription }]
      const terms = { protocols, sessionTimeoutMs, rebalanceTimeoutMs }
      const member = known.get(id) ?? new ClassicMember({ id, instanceId, clientId, clientHost }, terms)
      member.assignment = written.assignment
      this.members.set(id, member)
      if (instanceId !== null) this.#staticMembers.set(instanceId, id)
    }
    this.generation = generation
    this.protocolType = protocolType === '' ? null : protocolType
    this.protocol = protocol
    this.leaderId = leader
    this.subscribedTopics = this.#readSubscriptions()
    const state = value.members.length === 0 ? 'Empty' : 'Stable'
    if (this.#state !== state) this.#enter(state, currentStateTimestamp)
    this.stateSince = currentStateTimestamp
  }
}
