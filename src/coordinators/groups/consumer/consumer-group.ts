import { KafkaError } from '../../../wire/errors.ts'
import { type ConsumerMember, isReconciledTo } from './consumer-member.ts'
import { NO_TOPICS } from './metadata-hash.ts'
import { type Assignment, NO_PARTITIONS, type OwnedPartitions } from './partition-sets.ts'

export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable'

/** What a regular expression was found to match (record 16). */
export interface ResolvedRegularExpression {
  /** Sorted. */
  readonly topics: readonly string[]
  /** Offset of the metadata log up to which topics were looked at. */
  readonly version: number
  readonly timestamp: number
}

/** Who commits, as the request says. */
export interface CommittingMember {
  readonly memberId: string
  readonly memberEpoch: number
  readonly instanceId: string | null
  /** Of OffsetCommit; undefined for TxnOffsetCommit. */
  readonly version: number | undefined
}

/**
 * A group whose members the coordinator assigns (KIP-848): what its records add up to, which only `consumer-replay.ts`
 * changes. Group epoch, assignment epoch and the members' epochs are G-53.
 */
export class ConsumerGroup {
  readonly type = 'consumer'
  readonly protocolType = 'consumer'
  readonly id: string
  /** Goes up when members, subscriptions or subscribed topics change. */
  groupEpoch = 0
  /** Of the subscribed topics as they were when the group epoch was written; 0: there are none. */
  metadataHash: string = NO_TOPICS
  /** The group epoch for which the target assignment was computed. */
  assignmentEpoch = 0
  /** When it was; 0: never, or by a broker before 4.3. */
  assignmentTimestamp = 0
  /** By member id, in the order in which they joined. */
  readonly members: ReadonlyMap<string, ConsumerMember> = new Map()
  /** What each member is to have, by member id. */
  readonly targets: ReadonlyMap<string, Assignment> = new Map()
  readonly regularExpressions: ReadonlyMap<string, ResolvedRegularExpression> = new Map()
  readonly #staticMembers = new Map<string, string>()
  readonly #owners = new Map<string, Map<number, string>>()
  #subscribers: ReadonlyMap<string, number> | undefined
  #expressions: ReadonlyMap<string, number> | undefined

  constructor(id: string) {
    this.id = id
  }

  get state(): ConsumerGroupState {
    if (this.members.size === 0) return 'Empty'
    if (this.groupEpoch > this.assignmentEpoch) return 'Assigning'
    for (const member of this.members.values()) if (!isReconciledTo(member, this.assignmentEpoch)) return 'Reconciling'
    return 'Stable'
  }

  get isEmpty(): boolean {
    return this.members.size === 0
  }

  /** @throws {KafkaError} UNKNOWN_MEMBER_ID */
  member(memberId: string): ConsumerMember {
    const member = this.members.get(memberId)
    if (member === undefined) {
      throw new KafkaError('UNKNOWN_MEMBER_ID', `Member ${memberId} is not a member of group ${this.id}.`)
    }
    return member
  }

  staticMember(instanceId: string): ConsumerMember | undefined {
    const memberId = this.#staticMembers.get(instanceId)
    return memberId === undefined ? undefined : this.members.get(memberId)
  }

  targetOf(memberId: string): Assignment {
    return this.targets.get(memberId) ?? NO_PARTITIONS
  }

  /** Who has a partition, or was told to give it up and is not known to have done so. */
  ownerOf(topicId: string, partition: number): string | undefined {
    return this.#owners.get(topicId)?.get(partition)
  }

  /** What a member is subscribed to, by name and by regular expression, as far as that is resolved. */
  topicsOf(member: Pick<ConsumerMember, 'subscribedTopicNames' | 'subscribedTopicRegex'>): ReadonlySet<string> {
    const resolved = this.regularExpressions.get(member.subscribedTopicRegex)
    return new Set(resolved ? [...member.subscribedTopicNames, ...resolved.topics] : member.subscribedTopicNames)
  }

  /** Topic → how many members are subscribed to it. */
  get subscribers(): ReadonlyMap<string, number> {
    if (this.#subscribers !== undefined) return this.#subscribers
    const subscribers = new Map<string, number>()
    for (const member of this.members.values()) {
      for (const topic of this.topicsOf(member)) subscribers.set(topic, (subscribers.get(topic) ?? 0) + 1)
    }
    this.#subscribers = subscribers
    return subscribers
  }

  isSubscribedTo(topic: string): boolean {
    return this.subscribers.has(topic)
  }

  /** Regular expression → how many members are subscribed by it. */
  get expressions(): ReadonlyMap<string, number> {
    if (this.#expressions !== undefined) return this.#expressions
    const expressions = new Map<string, number>()
    for (const { subscribedTopicRegex: regex } of this.members.values()) {
      if (regex !== '') expressions.set(regex, (expressions.get(regex) ?? 0) + 1)
    }
    this.#expressions = expressions
    return expressions
  }

  // --- offsets (G-31) ------------------------------------------------------------------------------------------------

  /**
   * May this member commit these partitions? Its own epoch may; so may an older one since which all of them have been
   * its own (KIP-1251): a commit that was under way while the group moved on.
   *
   * @throws {KafkaError} UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH, ILLEGAL_GENERATION (of a member of the classic protocol,
   * and in transactions), UNSUPPORTED_VERSION
   */
  validateOffsetCommit(
    { memberId, memberEpoch, instanceId, version }: CommittingMember,
    partitions: Iterable<{ readonly topicId: string; readonly partition: number }>,
  ): void {
    if (memberEpoch < 0 && this.isEmpty) return
    const transactional = version === undefined
    if (transactional && memberEpoch === -1 && memberId === '' && instanceId === null) return
    const member = this.member(memberId)
    if (!transactional && member.classic === undefined && version < 9) {
      throw new KafkaError(
        'UNSUPPORTED_VERSION',
        'OffsetCommit version 9 or above must be used by members using the modern group protocol',
      )
    }
    if (memberEpoch === member.memberEpoch) return
    const stale = transactional ? new KafkaError('ILLEGAL_GENERATION') : staleEpoch(member, memberEpoch)
    if (memberEpoch > member.memberEpoch) throw stale
    for (const { topicId, partition } of partitions) {
      const since =
        member.assigned.get(topicId)?.get(partition) ?? member.pendingRevocation.get(topicId)?.get(partition)
      if (since === undefined || memberEpoch < since) throw stale
    }
  }

  /** @throws {KafkaError} UNKNOWN_MEMBER_ID, STALE_MEMBER_EPOCH, ILLEGAL_GENERATION (of a member of the classic protocol) */
  validateOffsetFetch(memberId: string | null, memberEpoch: number): void {
    if (memberId === null && memberEpoch < 0) return
    const member = this.member(memberId ?? '')
    if (memberEpoch !== member.memberEpoch) throw staleEpoch(member, memberEpoch)
  }

  // --- replay --------------------------------------------------------------------------------------------------------

  /** A member as it is now; undefined: it is gone. Only records do this. */
  setMember(memberId: string, member: ConsumerMember | undefined): void {
    const members = this.members as Map<string, ConsumerMember>
    const before = members.get(memberId)
    if (before !== undefined && before !== member) {
      this.#release(memberId, before.assigned)
      this.#release(memberId, before.pendingRevocation)
      const { instanceId } = before
      if (instanceId !== null && this.#staticMembers.get(instanceId) === memberId)
        this.#staticMembers.delete(instanceId)
    }
    this.#subscribers = undefined
    this.#expressions = undefined
    if (member === undefined) {
      members.delete(memberId)
      return
    }
    members.set(memberId, member)
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, memberId)
    this.#claim(memberId, member.pendingRevocation)
    this.#claim(memberId, member.assigned)
  }

  /** Only records do this. */
  setTarget(memberId: string, target: Assignment | undefined): void {
    const targets = this.targets as Map<string, Assignment>
    if (target === undefined) targets.delete(memberId)
    else targets.set(memberId, target)
  }

  /** Only records do this. */
  setRegularExpression(regex: string, resolved: ResolvedRegularExpression | undefined): void {
    const expressions = this.regularExpressions as Map<string, ResolvedRegularExpression>
    this.#subscribers = undefined
    if (resolved === undefined) expressions.delete(regex)
    else expressions.set(regex, resolved)
  }

  /** For decisions of more than one step: records are replayed into it while the next ones are still being decided. */
  copy(): ConsumerGroup {
    const copy = new ConsumerGroup(this.id)
    copy.groupEpoch = this.groupEpoch
    copy.metadataHash = this.metadataHash
    copy.assignmentEpoch = this.assignmentEpoch
    copy.assignmentTimestamp = this.assignmentTimestamp
    for (const [memberId, member] of this.members) (copy.members as Map<string, ConsumerMember>).set(memberId, member)
    for (const [memberId, target] of this.targets) copy.setTarget(memberId, target)
    for (const [regex, resolved] of this.regularExpressions) copy.setRegularExpression(regex, resolved)
    for (const [instanceId, memberId] of this.#staticMembers) copy.#staticMembers.set(instanceId, memberId)
    for (const [topicId, owners] of this.#owners) copy.#owners.set(topicId, new Map(owners))
    return copy
  }

  #claim(memberId: string, owned: OwnedPartitions): void {
    for (const [topicId, since] of owned) {
      const owners = this.#owners.get(topicId) ?? new Map<number, string>()
      this.#owners.set(topicId, owners)
      for (const partition of since.keys()) owners.set(partition, memberId)
    }
  }

  #release(memberId: string, owned: OwnedPartitions): void {
    for (const [topicId, since] of owned) {
      const owners = this.#owners.get(topicId)
      for (const partition of since.keys()) if (owners?.get(partition) === memberId) owners.delete(partition)
    }
  }
}

/** A member of the classic protocol knows its epoch as a generation. */
function staleEpoch(member: ConsumerMember, received: number): KafkaError {
  if (member.classic !== undefined) {
    return new KafkaError(
      'ILLEGAL_GENERATION',
      `The received generation id ${received} does not match the expected member epoch ${member.memberEpoch}.`,
    )
  }
  return new KafkaError(
    'STALE_MEMBER_EPOCH',
    `The received member epoch ${received} does not match the expected member epoch ${member.memberEpoch}.`,
  )
}
