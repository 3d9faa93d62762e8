import type { CommitFailedError, KafkaError } from '../../wire/errors.ts'
import { drawUuid } from '../../wire/uuid.ts'
import { partitionText, type TopicPartition } from '../topic-partition.ts'
import { commitFailed, polledTooLate } from './commit-refusals.ts'
import { assignmentOf, type GroupAssignment, isSameAssignment, resolved } from './group-assignment.ts'
import { GroupHeartbeats, type HeartbeatAnswer } from './group-heartbeats.ts'
import { explained, type Verdict } from './heartbeat-refusals.ts'
import { type Heartbeater, HeartbeatRequest } from './heartbeat-request.ts'
import {
  type LeaveOptions,
  type MemberIdentity,
  type Membership,
  type MembershipOptions,
  noMember,
} from './membership.ts'

/**
 * `outside`: no member, and nothing to join for; `joining`: epoch 0 is being told; `reconciling`: the coordinator wants
 * something else than is owned; `acknowledging`: it is owned, and the next heartbeat says so; `stable`; `lost`: fenced, or
 * gone because nobody polled: the next poll gives up what was owned, and joins again; `fatal`: nothing helps any more.
 */
type State = 'outside' | 'joining' | 'reconciling' | 'acknowledging' | 'stable' | 'lost' | 'fatal'

/** A target on its way to being owned. */
interface Reconciliation {
  readonly target: GroupAssignment
  isCommitted: boolean
}

/**
 * A member of a consumer group (KIP-848; Kafka's ConsumerMembershipManager): all it says and hears goes with heartbeats. The
 * coordinator assigns; the member first commits, then gives back what it is not to have any more, takes what is new, and
 * says with the next heartbeat what it owns.
 */
export class ConsumerProtocolMembership implements Membership {
  readonly #options: MembershipOptions
  readonly #memberId: string
  readonly #heartbeats: GroupHeartbeats
  #state: State = 'outside'
  /** 0 while it is no member. */
  #epoch = 0
  #wantsToJoin = false
  /** The coordinator may know this member: a join was sent. */
  #hasJoined = false
  /** It was one, and has lost it. */
  #wasMember = false
  /** How it lost its membership, for commits that fail. */
  #whyOut = ''
  /** As the coordinator said last; another object each time it says something else. */
  #target: GroupAssignment | undefined
  /** The target that what is owned comes from, and what is owned of it: fewer, while names are not known. */
  #reached: GroupAssignment | undefined
  #owned: GroupAssignment | undefined
  /** What the next poll throws, once. */
  #error: Error | undefined
  #reconciliation: Reconciliation | undefined
  /** Of the metadata in which the missing names were not found. */
  #searchedVersion = -1
  #fatal: Error | undefined
  #fetchers = new WeakSet<MemberIdentity>()
  #identity: MemberIdentity = noMember

  constructor(options: MembershipOptions) {
    const { runtime, groupId, configs, connections, coordinators, subscription, metrics } = options
    this.#options = options
    this.#memberId = drawUuid(n => runtime.choose('client.member-id', n))
    this.#heartbeats = new GroupHeartbeats({
      runtime,
      groupId,
      configs,
      connections,
      coordinators,
      metrics,
      request: new HeartbeatRequest(groupId, configs, subscription),
      isBeating: () => this.#isBeating(),
      sender: () => this.#sender(),
      answered: answer => this.#answered(answer),
      told: error => {
        this.#error = error
        options.changed()
      },
      ended: (verdict, error) => this.#ended(verdict, error),
    })
    this.#identify()
  }

  get identity(): MemberIdentity {
    return this.#identity
  }

  get isSteady(): boolean {
    return this.#heartbeats.isSteady
  }

  get isRebalancing(): boolean {
    return this.#wantsToJoin || (this.#state !== 'outside' && this.#state !== 'stable' && this.#state !== 'fatal')
  }

  #identify(): void {
    const groupInstanceId = this.#options.configs['group.instance.id']
    const generationId = this.#epoch > 0 ? this.#epoch : -1
    this.#identity = { memberId: this.#memberId, generationId, groupInstanceId }
    if (this.#epoch > 0) this.#options.identified(this.#identity)
  }

  /** A member says what it wants with its next regular heartbeat, as Kafka's do. */
  subscriptionChanged(): void {
    if (this.#state === 'outside') this.#wantsToJoin = true
  }

  /** There is no such thing: the coordinator knows best. */
  rejoin(_reason: string): void {}

  // --- heartbeats ----------------------------------------------------------------------------------------------------

  #isBeating(): boolean {
    return this.#state !== 'outside' && this.#state !== 'lost' && this.#state !== 'fatal'
  }

  /** As whom a heartbeat goes out now. */
  #sender(): Heartbeater {
    if (this.#state === 'joining') this.#hasJoined = true
    if (this.#state === 'acknowledging') this.#follow()
    return { memberId: this.#memberId, memberEpoch: this.#epoch, owned: this.#owned }
  }

  /** All that the coordinator wants is owned. */
  #isReached(): boolean {
    if (this.#target === undefined) return true
    if (this.#reached !== this.#target || this.#owned === undefined) return false
    return isSameAssignment(this.#owned, this.#target)
  }

  #answered({ memberEpoch, assignment }: HeartbeatAnswer): boolean {
    if (memberEpoch !== this.#epoch) {
      this.#epoch = memberEpoch
      this.#identify()
    }
    if (assignment !== null) {
      const target = assignmentOf(assignment.topicPartitions)
      if (this.#target === undefined || !isSameAssignment(target, this.#target)) this.#target = target
    }
    if (this.#state === 'joining' || this.#state === 'stable') this.#follow()
    if (this.#state === 'reconciling') this.#options.changed()
    return this.#state === 'acknowledging'
  }

  /** Whether there is something to do depends on what the coordinator wants. */
  #follow(): void {
    this.#state = this.#isReached() ? 'stable' : 'reconciling'
    if (this.#state === 'reconciling') this.#options.metrics.rebalanceBegan()
  }

  #ended(verdict: Verdict, error: KafkaError): void {
    const { runtime, clientName, groupId, changed, metrics } = this.#options
    metrics.rebalanceFailed()
    runtime.trace.add('client', clientName, { what: `is out of group ${groupId}`, why: error.errorName })
    this.#lose()
    this.#whyOut = error.errorName
    if (verdict === 'fatal') this.#fatal = explained(error)
    changed()
  }

  /** No member any more; what it owns is given up by the next poll. */
  #lose(): void {
    this.#state = 'lost'
    this.#epoch = 0
    this.#wasMember = true
    this.#hasJoined = false
    this.#target = undefined
    this.#reached = undefined
    this.#owned = undefined
    this.#reconciliation = undefined
    this.#identify()
    this.#heartbeats.stop()
  }

  // --- poll ----------------------------------------------------------------------------------------------------------

  poll(): Promise<void> | undefined {
    if (this.#state === 'fatal') throw this.#fatal!
    const error = this.#error
    this.#error = undefined
    if (error !== undefined) throw error
    const { subscription, metadata, configs } = this.#options
    subscription.followPattern(metadata, configs['exclude.internal.topics'])
    if (this.#wantsToJoin) this.#join()
    if (this.#state === 'lost') return this.#giveUp()
    return this.#state === 'reconciling' ? this.#reconcile() : undefined
  }

  #join(): void {
    const { subscription, metadata } = this.#options
    // The topics of a pattern have to be known first.
    if (subscription.choice?.kind === 'pattern' && !metadata.hasAllTopics) {
      metadata.requestUpdate()
      return
    }
    this.#wantsToJoin = false
    this.#state = 'joining'
    this.#heartbeats.now()
  }

  /** What was owned may be another's by now. (transitionToFenced, transitionToStale, transitionToFatal) */
  async #giveUp(): Promise<void> {
    const { subscription, callbacks } = this.#options
    const partitions = subscription.assigned()
    const error = partitions.length > 0 ? await callbacks.lost(partitions) : undefined
    if (this.#state !== 'lost') return
    subscription.assignFromGroup([])
    if (this.#fatal !== undefined) {
      this.#state = 'fatal'
      throw this.#fatal
    }
    this.#state = 'outside'
    this.#wantsToJoin = subscription.isSubscribed
    if (this.#wantsToJoin) this.#join()
    if (error !== undefined) throw error
  }

  #reconcile(): Promise<void> | undefined {
    const { autoCommit, runtime, configs, changed } = this.#options
    const under = this.#reconciliation
    if (under !== undefined) return under.isCommitted ? this.#takeOver(under) : undefined
    const target = this.#target!
    if (!this.#isWorthwhile(target)) return undefined
    if (this.#owned !== undefined && isSameAssignment(this.#resolved(target).known, this.#owned)) {
      // Nothing changes, or nothing whose name is known: the coordinator is to hear of it, the listener is not.
      this.#acknowledge(target, new Map(this.#owned))
      return undefined
    }
    const reconciliation = { target, isCommitted: !autoCommit.isEnabled }
    this.#reconciliation = reconciliation
    const { partitions } = this.#resolved(target)
    const kept = new Set(partitions.map(partitionText))
    for (const assigned of this.#options.subscription) if (!kept.has(assigned.name)) assigned.isRevoking = true
    if (reconciliation.isCommitted) return this.#takeOver(reconciliation)
    void autoCommit.beforeRevocation(runtime.now() + configs['max.poll.interval.ms']).then(() => {
      reconciliation.isCommitted = true
      changed()
    })
    return undefined
  }

  /** Not again for topics whose names are still missing: only when metadata is newer. */
  #isWorthwhile(target: GroupAssignment): boolean {
    const { metadata, subscription } = this.#options
    const { unknownIds, known } = this.#resolved(target)
    // Those of a pattern of the coordinator's are nowhere asked for by name.
    subscription.topicIds = new Set(subscription.choice?.kind === 'server-pattern' ? target.keys() : unknownIds)
    if (unknownIds.length > 0 && this.#searchedVersion !== metadata.version) {
      this.#searchedVersion = metadata.version
      metadata.requestUpdate()
    }
    // Before it owns anything, it waits for the first name.
    if (this.#owned === undefined) return known.size > 0 || unknownIds.length === 0
    return this.#reached !== target || !isSameAssignment(known, this.#owned)
  }

  #resolved(target: GroupAssignment) {
    // A name that was known once stays known, also while a broker denies that there is such a topic.
    return resolved(target, topicId => this.#options.metadata.nameOf(topicId))
  }

  /** Revoke, assign, and be ready to say so. (revokeAndAssign) */
  async #takeOver(reconciliation: Reconciliation): Promise<void> {
    const { subscription, callbacks, autoCommit } = this.#options
    const { known, partitions } = this.#resolved(reconciliation.target)
    const owned = subscription.assigned()
    const revoked = without(owned, partitions)
    const added = without(partitions, owned)
    if (revoked.length > 0) {
      const error = await callbacks.revoked(revoked)
      if (this.#reconciliation !== reconciliation) return
      if (error !== undefined) throw this.#unreconciled(error)
    }
    subscription.assignFromGroup(partitions)
    autoCommit.reschedule()
    const error = await callbacks.assigned(added)
    if (this.#reconciliation !== reconciliation) return
    if (error !== undefined) throw this.#unreconciled(error)
    this.#acknowledge(reconciliation.target, known)
  }

  #acknowledge(target: GroupAssignment, owned: GroupAssignment): void {
    this.#reconciliation = undefined
    this.#reached = target
    this.#owned = owned
    this.#state = 'acknowledging'
    this.#options.metrics.rebalanceEnded()
    this.#heartbeats.now()
  }

  /** Kafka's member says nothing then: a later poll tries again, or the coordinator loses patience. */
  #unreconciled(error: Error): Error {
    this.#reconciliation = undefined
    return error
  }

  // --- leaving -------------------------------------------------------------------------------------------------------

  pollTimedOut(): void {
    const { configs, clientName, runtime, groupId, changed, metrics } = this.#options
    if (!this.#isBeating()) return
    runtime.trace.add('client', clientName, { what: `leaves group ${groupId}`, why: 'max.poll.interval.ms' })
    metrics.rebalanceFailed()
    const isKnown = this.#hasJoined
    this.#lose()
    this.#whyOut = polledTooLate(configs['max.poll.interval.ms'])
    const epoch = configs['group.instance.id'] === null ? -1 : -2
    if (isKnown) void this.#heartbeats.leave(this.#memberId, epoch, runtime.now() + configs['request.timeout.ms'])
    changed()
  }

  async leave({ operation, deadline, callbackDeadline: limit }: LeaveOptions): Promise<void> {
    const { subscription, callbacks, configs, metrics } = this.#options
    const partitions = subscription.assigned()
    const isMember = this.#epoch > 0
    let error: Error | undefined
    if (partitions.length > 0) {
      error = isMember ? await callbacks.revoked(partitions, limit) : await callbacks.lost(partitions, limit)
      subscription.assignFromGroup([])
    }
    metrics.rebalanceFailed()
    const isKnown = this.#hasJoined
    this.#lose()
    this.#state = this.#fatal === undefined ? 'outside' : 'fatal'
    this.#wantsToJoin = false
    this.#wasMember = false
    const groupInstanceId = configs['group.instance.id']
    this.#options.identified({ ...noMember, groupInstanceId })
    const isStatic = groupInstanceId !== null
    const says = operation !== 'remain' || isStatic
    // −2 keeps what a static member owns for it until its session times out (G-50).
    const epoch = isStatic && operation !== 'leave' ? -2 : -1
    if (isKnown && says) await this.#heartbeats.leave(this.#memberId, epoch, deadline)
    if (error !== undefined) throw error
  }

  close(): void {
    this.#heartbeats.stop()
    this.#state = 'outside'
    this.#wantsToJoin = false
  }

  // --- commits -------------------------------------------------------------------------------------------------------

  commitIdentity(): MemberIdentity {
    if (this.#epoch > 0) return this.#identity
    // Before it ever joined, it commits as anybody may to an empty group; afterwards what it has may be another's.
    if (!this.#wasMember) return noMember
    throw commitFailed(this.#whyOut)
  }

  fetchIdentity(): MemberIdentity {
    if (this.#epoch <= 0) return noMember
    const identity = { ...this.#identity }
    this.#fetchers.add(identity)
    return identity
  }

  refused(error: KafkaError, sentAs: MemberIdentity): Error | 'retry' {
    const isFetch = this.#fetchers.has(sentAs)
    switch (error.errorName) {
      case 'STALE_MEMBER_EPOCH': {
        // Reads, and the commit before partitions are given back, go out once more under the epoch that is known by then.
        const isCommitting = this.#reconciliation?.isCommitted === false
        if (this.#epoch > 0 && (isFetch || isCommitting)) return 'retry'
        return isFetch ? error : this.#commitFailed(error)
      }
      case 'UNKNOWN_MEMBER_ID':
      case 'GROUP_ID_NOT_FOUND':
      case 'ILLEGAL_GENERATION':
      case 'FENCED_MEMBER_EPOCH':
        // What follows for the membership, the next heartbeat tells.
        return isFetch ? error : this.#commitFailed(error)
      default:
        return error
    }
  }

  #commitFailed(cause: KafkaError): CommitFailedError {
    return commitFailed(this.#epoch > 0 || this.#whyOut === '' ? cause.errorName : this.#whyOut, cause)
  }

  waiting(): string[] {
    if (!this.isRebalancing) return []
    const beat = this.#heartbeats.isUnderWay ? ', ConsumerGroupHeartbeat' : ''
    return [`group ${this.#options.groupId}: ${this.#state}, member epoch ${this.#epoch}${beat}`]
  }
}

/** Those of the first that are not in the second. */
function without(partitions: readonly TopicPartition[], others: readonly TopicPartition[]): TopicPartition[] {
  const names = new Set(others.map(partitionText))
  return partitions.filter(partition => !names.has(partitionText(partition)))
}
