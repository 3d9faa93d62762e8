import { KafkaError } from '../../wire/errors.ts'
import { Backoff } from '../backoff.ts'
import { within } from '../topic-wait.ts'
import type { Assignor } from './assignors/assignor.ts'
import { assignorsOf, rebalanceProtocolOf } from './assignors/strategies.ts'
import { ClassicExchange, type JoinAnswer } from './classic-exchange.ts'
import { ClassicHandover, type Joined } from './classic-handover.ts'
import { ClassicHeartbeats } from './classic-heartbeats.ts'
import { ClassicLeader } from './classic-leader.ts'
import { commitFailed, isAboutMember, polledTooLate, undergoingRebalance } from './commit-refusals.ts'
import type { LeaveOptions, MemberIdentity, Membership, MembershipOptions } from './membership.ts'
import { noMember } from './membership.ts'

/**
 * `preparing`: a JoinGroup is under way; `completing`: a SyncGroup; `stable`: the assignment of the generation is there
 * (AbstractCoordinator.MemberState).
 */
type State = 'unjoined' | 'preparing' | 'completing' | 'stable'

/** A member of a classic group, whose leader assigns (Kafka's ConsumerCoordinator and AbstractCoordinator). */
export class ClassicMembership implements Membership {
  readonly #options: MembershipOptions
  readonly #assignors: readonly Assignor[]
  readonly #exchange: ClassicExchange
  readonly #heartbeats: ClassicHeartbeats
  readonly #leader: ClassicLeader
  readonly #handover: ClassicHandover
  readonly #backoff: Backoff
  #state: State = 'unjoined'
  #identity: MemberIdentity
  /** Why it has to join (again); undefined: it need not. */
  #rejoinReason: string | undefined = ''
  /** Topics as they were told with the last join. */
  #joinedTopics: string | undefined
  /** A pattern is matched against fresh metadata before a join. */
  #refresh: 'needed' | 'pending' | 'done' = 'needed'
  #isFinding = false
  /** It has left, or is about to: a poll that is still pending must not join again. */
  #hasLeft = false
  /** The join that is under way; what an older one brings is nobody's. */
  #joining: object | undefined
  #joined: Joined | undefined
  #failures = 0
  #notBefore = 0
  #error: Error | undefined
  /** FENCED_INSTANCE_ID: another process goes by this one's name. */
  #fenced: KafkaError | undefined
  #whyOut = ''

  /** @throws {ConfigError} for assignors that are not known or do not go together. */
  constructor(options: MembershipOptions) {
    const { configs, runtime, groupId, connections, coordinators, metadata, subscription } = options
    this.#options = options
    this.#assignors = assignorsOf(configs['partition.assignment.strategy'])
    const protocol = rebalanceProtocolOf(this.#assignors)
    this.#identity = { ...noMember, groupInstanceId: configs['group.instance.id'] }
    this.#exchange = new ClassicExchange({ groupId, configs, connections, assignors: this.#assignors })
    this.#heartbeats = new ClassicHeartbeats({
      runtime,
      groupId,
      configs,
      coordinators,
      exchange: this.#exchange,
      metrics: options.metrics,
      identity: () => this.#identity,
      refused: (error, sentAs) => this.#heartbeatRefused(error, sentAs),
    })
    this.#leader = new ClassicLeader({ configs, metadata, subscription, protocol })
    this.#handover = new ClassicHandover(options, protocol, reason => this.rejoin(reason))
    this.#backoff = new Backoff(runtime, 'client.group', configs['retry.backoff.ms'], configs['retry.backoff.max.ms'])
  }

  get identity(): MemberIdentity {
    return this.#identity
  }

  get isSteady(): boolean {
    return this.#heartbeats.isSteady
  }

  get isRebalancing(): boolean {
    return this.#rejoinReason !== undefined || this.#joined !== undefined || this.#error !== undefined
  }

  subscriptionChanged(): void {
    this.#hasLeft = false
    this.#fenced = undefined
    this.#refresh = 'needed'
    if (this.#state === 'unjoined') this.rejoin('')
  }

  rejoin(reason: string): void {
    this.#rejoinReason ??= reason
    this.#options.changed()
  }

  // --- poll ----------------------------------------------------------------------------------------------------------

  poll(): Promise<void> | undefined {
    if (this.#fenced !== undefined) return this.#giveUp(this.#fenced)
    if (this.#hasLeft || !this.#options.subscription.isSubscribed) return undefined
    this.#followMetadata()
    return this.isRebalancing ? this.#advance() : undefined
  }

  /** Topics came or went, or got partitions. */
  #followMetadata(): void {
    const { metadata, subscription, configs } = this.#options
    subscription.followPattern(metadata, configs['exclude.internal.topics'])
    for (const topic of subscription.topics) if (metadata.topic(topic) === undefined) metadata.requestUpdate()
    if (this.#state === 'unjoined') return
    if (this.#joinedTopics !== undefined && this.#joinedTopics !== this.#topicsText()) {
      this.#rejoinReason ??= 'subscription has changed'
    } else if (this.#leader.isOutdated) {
      this.#rejoinReason ??= 'cached metadata has changed'
    }
  }

  #topicsText(): string {
    return JSON.stringify([...this.#options.subscription.topics].sort())
  }

  /** As far as it goes without waiting for the network. */
  async #advance(): Promise<void> {
    const { runtime } = this.#options
    for (;;) {
      if (this.#fenced !== undefined) return this.#giveUp(this.#fenced)
      const error = this.#error
      this.#error = undefined
      if (error !== undefined) throw error
      if (this.#joined !== undefined) {
        const joined = this.#joined
        this.#joined = undefined
        this.#refresh = 'needed'
        await this.#handover.complete(joined)
        continue
      }
      if (this.#rejoinReason === undefined || this.#joining !== undefined) return
      if (this.#notBefore > runtime.now() || !this.#knowsCoordinator() || !this.#isRefreshed()) return
      if (this.#handover.isDue && !(await this.#prepare())) return
      // While the listener was told, it may have unsubscribed, or lost its membership.
      if (this.#hasLeft || !this.#options.subscription.isSubscribed) return
      if (this.#handover.isDue || this.#joining !== undefined) continue
      void this.#join(this.#rejoinReason ?? '')
      return
    }
  }

  #knowsCoordinator(): boolean {
    const { coordinators, groupId, changed } = this.#options
    if (coordinators.known('group', groupId) !== undefined) return true
    if (this.#isFinding) return false
    this.#isFinding = true
    const forever = { deadline: Number.POSITIVE_INFINITY, timeoutMs: Number.POSITIVE_INFINITY }
    const found = coordinators.find('group', groupId, forever).catch((error: Error) => {
      this.#error ??= error
    })
    void found.then(() => {
      this.#isFinding = false
      changed()
    })
    return false
  }

  /** One new topic, and each member would see it at another time and ask for another rebalance: better all look now. */
  #isRefreshed(): boolean {
    const { subscription, metadata, changed } = this.#options
    if (subscription.choice?.kind !== 'pattern' || this.#refresh === 'done') return true
    if (this.#refresh === 'pending') return false
    this.#refresh = 'pending'
    const ended = (refresh: 'done' | 'needed') => {
      this.#refresh = refresh
      changed()
    }
    const look = async () => {
      do await metadata.refreshed()
      while (!metadata.hasAllTopics && subscription.choice?.kind === 'pattern')
    }
    look().then(
      () => ended('done'),
      () => ended('needed'),
    )
    return false
  }

  async #prepare(): Promise<boolean> {
    const isPrepared = await this.#handover.prepare(this.#isMember())
    if (isPrepared) this.#leader.resign()
    return isPrepared
  }

  #isMember(): boolean {
    return this.#identity.memberId !== '' && this.#identity.generationId >= 0
  }

  // --- the join ------------------------------------------------------------------------------------------------------

  async #join(reason: string): Promise<void> {
    const { subscription, coordinators, groupId, changed, runtime, metrics } = this.#options
    const joining = {}
    const sentAt = runtime.now()
    metrics.rebalanceBegan()
    this.#joining = joining
    this.#state = 'preparing'
    this.#heartbeats.stop()
    this.#joinedTopics = this.#topicsText()
    const node = coordinators.connectionTo(coordinators.known('group', groupId)!)
    try {
      const answer = await this.#exchange.join(node, {
        identity: this.#identity,
        topics: [...subscription.topics].sort(),
        ownedPartitions: subscription.assigned(),
        reason,
      })
      if (this.#joining !== joining) return
      if ('newMemberId' in answer) {
        metrics.attemptFailed()
        this.#identity = { ...this.#identity, memberId: answer.newMemberId, generationId: -1 }
        this.#rejoinReason = `need to re-join with the given member-id: ${answer.newMemberId}`
        return
      }
      metrics.joined(runtime.now() - sentAt)
      await this.#sync(joining, answer)
    } catch (error) {
      if (this.#joining === joining) this.#joinFailed(error as Error, node.nodeId)
    } finally {
      if (this.#joining === joining) {
        this.#joining = undefined
        changed()
      }
    }
  }

  async #sync(joining: object, answer: JoinAnswer): Promise<void> {
    const { coordinators, groupId, runtime, metrics } = this.#options
    const { memberId, generationId, protocolName } = answer
    const identity = { ...this.#identity, memberId, generationId }
    this.#identity = identity
    this.#state = 'completing'
    this.#heartbeats.start()
    const assignor = this.#assignorOf(protocolName)
    const assignments = answer.isLeader ? await this.#leader.assign(answer, assignor) : new Map()
    if (this.#joining !== joining) return
    const forever = { deadline: Number.POSITIVE_INFINITY, timeoutMs: Number.POSITIVE_INFINITY }
    const node = await coordinators.find('group', groupId, forever)
    if (this.#joining !== joining) return
    const sentAt = runtime.now()
    const assignment = await this.#exchange.sync(node, identity, protocolName, assignments)
    if (this.#joining !== joining) return
    metrics.synced(runtime.now() - sentAt)
    metrics.rebalanceEnded()
    this.#state = 'stable'
    this.#rejoinReason = undefined
    this.#failures = 0
    this.#joined = { identity, assignor, assignment }
  }

  #assignorOf(name: string): Assignor {
    const found = this.#assignors.find(assignor => assignor.name === name)
    if (found !== undefined) return found
    const own = this.#assignors.map(assignor => assignor.name).join(', ')
    throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL', `the group chose '${name}', but this member has ${own}`)
  }

  #joinFailed(error: Error, nodeId: number): void {
    const { runtime, coordinators, groupId, changed, metrics } = this.#options
    metrics.attemptFailed()
    this.#rejoinReason = `rebalance failed due to ${error instanceof KafkaError ? error.exception : error.name}`
    const name = error instanceof KafkaError ? error.errorName : undefined
    if (name === 'UNKNOWN_MEMBER_ID') this.#reset('', this.#rejoinReason)
    else if (name === 'ILLEGAL_GENERATION') this.#reset(this.#identity.memberId, this.#rejoinReason)
    else if (name === 'REBALANCE_IN_PROGRESS') return
    else if (name === 'FENCED_INSTANCE_ID') this.#fence()
    else if (error instanceof KafkaError && error.retriable) {
      if (name !== 'COORDINATOR_LOAD_IN_PROGRESS') coordinators.forget('group', groupId, { id: nodeId })
      const pauseMs = this.#backoff.delay(++this.#failures)
      this.#notBefore = runtime.now() + pauseMs
      runtime.after(pauseMs, changed)
    } else this.#error = error
  }

  // --- losing it, and leaving ----------------------------------------------------------------------------------------

  /** It is no member of the generation any more: what it has is lost, and it has to join anew. */
  #reset(memberId: string, reason: string): void {
    this.#state = 'unjoined'
    this.#identity = { ...this.#identity, memberId, generationId: -1 }
    this.#heartbeats.stop()
    this.#joining = undefined
    this.#joined = undefined
    this.#handover.restart()
    this.#rejoinReason = undefined
    this.rejoin(reason)
  }

  #fence(): void {
    const { groupInstanceId } = this.#identity
    const text = `another consumer has joined with group.instance.id '${groupInstanceId}': give each its own`
    this.#reset('', '')
    this.#fenced = new KafkaError('FENCED_INSTANCE_ID', text)
  }

  /** Whoever goes by its name now has what it had. */
  async #giveUp(fenced: KafkaError): Promise<never> {
    await this.#handover.giveBack(true)
    throw fenced
  }

  #heartbeatRefused(error: KafkaError, sentAs: MemberIdentity): void {
    const { errorName } = error
    if (errorName === 'REBALANCE_IN_PROGRESS') {
      if (this.#state === 'stable') this.rejoin('group is already rebalancing')
    } else if (isAboutMember(errorName)) {
      if (sentAs === this.#identity) this.#lost(error)
    } else {
      this.#error ??= error
      this.#options.changed()
    }
  }

  #lost({ errorName, exception }: KafkaError): void {
    this.#whyOut = errorName
    if (errorName === 'FENCED_INSTANCE_ID') this.#fence()
    // After ILLEGAL_GENERATION the coordinator still knows the id.
    else this.#reset(errorName === 'ILLEGAL_GENERATION' ? this.#identity.memberId : '', `encountered ${exception}`)
  }

  pollTimedOut(): void {
    const { configs, clientName, runtime, groupId } = this.#options
    if (this.#state === 'unjoined') return
    runtime.trace.add('client', clientName, { what: `leaves group ${groupId}`, why: 'max.poll.interval.ms' })
    this.#whyOut = polledTooLate(configs['max.poll.interval.ms'])
    const deadline = runtime.now() + configs['request.timeout.ms']
    void this.#depart({ operation: 'default', reason: 'consumer poll timeout has expired.', deadline })
    this.rejoin('consumer pro-actively leaving the group')
  }

  async leave(options: LeaveOptions): Promise<void> {
    this.#hasLeft = true
    const isRebalancing = this.#state === 'preparing' || this.#state === 'completing'
    const error = await this.#handover.giveBack(!this.#isMember() || isRebalancing, options.callbackDeadline)
    await this.#depart(options)
    if (error !== undefined) throw error
  }

  async #depart({ operation, reason, deadline }: LeaveOptions): Promise<void> {
    const { coordinators, groupId, runtime } = this.#options
    const identity = this.#identity
    const isKnown = this.#state !== 'unjoined' && identity.memberId !== ''
    const leaves = operation === 'leave' || (operation === 'default' && identity.groupInstanceId === null)
    this.#reset('', '')
    this.#joinedTopics = undefined
    this.#error = undefined
    this.#fenced = undefined
    this.#leader.resign()
    const node = coordinators.known('group', groupId)
    if (!isKnown || !leaves || node === undefined) return
    const answered = this.#exchange.leave(coordinators.connectionTo(node), identity, reason).catch(() => {})
    await within(runtime, answered, Math.max(0, deadline - runtime.now()))
  }

  close(): void {
    this.#heartbeats.stop()
    this.#joining = undefined
  }

  // --- commits -------------------------------------------------------------------------------------------------------

  commitIdentity(): MemberIdentity {
    if (this.#state === 'stable') return this.#identity
    if (this.#state !== 'unjoined') throw undergoingRebalance()
    throw commitFailed(this.#whyOut)
  }

  fetchIdentity(): MemberIdentity {
    return noMember
  }

  refused(error: KafkaError, sentAs: MemberIdentity): Error {
    const { errorName } = error
    if (errorName === 'REBALANCE_IN_PROGRESS') {
      this.rejoin('offset commit failed since group is already rebalancing')
      return undergoingRebalance()
    }
    if (!isAboutMember(errorName)) return error
    if (sentAs !== this.#identity) {
      return this.#state === 'unjoined' ? commitFailed(this.#whyOut, error) : undergoingRebalance()
    }
    this.#lost(error)
    return this.#fenced ?? commitFailed(this.#whyOut, error)
  }

  waiting(): string[] {
    const { groupId } = this.#options
    if (!this.isRebalancing) return []
    const { generationId } = this.#identity
    return [`group ${groupId}: ${this.#state}, generation ${generationId}, ${this.#rejoinReason || 'joining'}`]
  }
}
