import { isConsumerProtocol } from '../../metadata/consumer-checks.ts'
import type { ConsumerConfigs } from '../../metadata/consumer-configs.ts'
import type { Deferred, Runtime } from '../../runtime/runtime.ts'
import { IllegalStateError } from '../../wire/errors.ts'
import type { Connections } from '../connections.ts'
import { Coordinators } from '../coordinators.ts'
import type { ClientEnvironment, LivingMember } from '../environment.ts'
import type { ClientMetadata } from '../metadata.ts'
import type { OffsetAndMetadata, TopicPartition } from '../topic-partition.ts'
import { within } from '../topic-wait.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import { AutoCommitter } from './auto-commit.ts'
import { ClassicMembership } from './classic-membership.ts'
import { checkAssigned, checkOffsets, type OffsetsToCommit } from './commit-arguments.ts'
import { Commits } from './commits.ts'
import { ConsumerProtocolMembership } from './consumer-protocol-membership.ts'
import type { GroupMetrics } from './group-metrics.ts'
import { GroupOffsets, type OffsetToCommit } from './group-offsets.ts'
import { type GroupMembershipOperation, type MemberIdentity, type Membership, noMember } from './membership.ts'
import { PollInterval } from './poll-interval.ts'
import { RebalanceCallbacks } from './rebalance-callbacks.ts'
import type { Subscription } from './subscription.ts'
import type { TopicChoice } from './topic-choice.ts'

export interface ConsumerGroupOptions {
  readonly environment: ClientEnvironment
  readonly groupId: string
  readonly configs: ConsumerConfigs
  readonly connections: Connections
  readonly metadata: ClientMetadata
  readonly subscription: Subscription
  readonly metrics: GroupMetrics
  readonly committed: (offsets: ReadonlyMap<TopicPartition, OffsetAndMetadata>) => void
  readonly changed: () => void
}

/** The part of a consumer that has a `group.id`: membership, if it subscribes, and offsets of the group in any case. */
export class ConsumerGroup implements LivingMember {
  readonly groupId: string
  readonly membership: Membership
  readonly callbacks: RebalanceCallbacks
  readonly commits: Commits
  readonly autoCommit: AutoCommitter
  readonly #interval: PollInterval
  readonly #offsets: GroupOffsets
  readonly #options: ConsumerGroupOptions
  readonly #runtime: Runtime
  readonly #hurried: Deferred<void>
  /**
   * As whom it was in last: this is what a transaction commits offsets as, so that whoever lost his membership meanwhile,
   * without knowing it, is refused (KIP-447).
   */
  joinedAs: MemberIdentity
  #isCallingBack = false
  #isUnsubscribing = false
  #error: Error | undefined

  constructor(options: ConsumerGroupOptions) {
    const { environment, groupId, configs, connections, metadata, subscription, metrics, changed } = options
    const { runtime, clientName } = environment
    this.groupId = groupId
    this.#options = options
    this.#runtime = runtime
    this.#hurried = runtime.deferred()
    this.joinedAs = { ...noMember, groupInstanceId: configs['group.instance.id'] }
    const coordinators = new Coordinators(environment, connections, metadata, configs)
    const membership = () => (subscription.isSubscribed ? this.membership : undefined)
    this.#offsets = new GroupOffsets({
      runtime,
      groupId,
      configs,
      connections,
      metadata,
      coordinators,
      metrics,
      membership,
    })
    const { committed } = options
    this.commits = new Commits({ runtime, configs, offsets: this.#offsets, metrics, committed, changed })
    this.callbacks = new RebalanceCallbacks(runtime, clientName, metrics)
    const isEnabled = configs['enable.auto.commit']
    this.autoCommit = new AutoCommitter({ runtime, configs, commits: this.commits, subscription, isEnabled })
    const Protocol = isConsumerProtocol(configs) ? ConsumerProtocolMembership : ClassicMembership
    this.membership = new Protocol({
      runtime,
      clientName,
      groupId,
      configs,
      connections,
      metadata,
      coordinators,
      subscription,
      callbacks: this.callbacks,
      autoCommit: this.autoCommit,
      metrics,
      identified: identity => {
        this.joinedAs = identity
      },
      changed,
    })
    this.#interval = new PollInterval(runtime, configs['max.poll.interval.ms'], () => {
      if (subscription.isSubscribed) this.membership.pollTimedOut()
    })
    environment.members?.add(this)
  }

  get name(): string {
    return this.#options.environment.clientName
  }

  get memberId(): string {
    return this.membership.identity.memberId
  }

  get choice(): TopicChoice | undefined {
    return this.#options.subscription.choice
  }

  get isManual(): boolean {
    const { isIdle, isSubscribed } = this.#options.subscription
    return !isIdle && !isSubscribed
  }

  get partitions(): Iterable<AssignedPartition> {
    return this.#options.subscription
  }

  get isPolling(): boolean {
    return this.#interval.isPolling
  }

  get polledAt(): number | undefined {
    return this.#interval.polledAt
  }

  get commitsByItself(): boolean {
    return this.autoCommit.isEnabled
  }

  get metadataMaxAgeMs(): number {
    return this.#options.configs['metadata.max.age.ms']
  }

  get steadyMemberId(): string | undefined {
    return this.membership.isSteady ? this.membership.identity.memberId : undefined
  }

  /** @throws {IllegalStateError} where the protocol does not know such a subscription, or no assignor is configured */
  requireSupport({ kind }: TopicChoice): void {
    const { configs } = this.#options
    if (isConsumerProtocol(configs)) return
    if (configs['partition.assignment.strategy'].length === 0) {
      throw new IllegalStateError('Must configure at least one assignor in partition.assignment.strategy')
    }
    if (kind !== 'server-pattern') return
    const what = 'Subscribe to RE2/J pattern is not supported when using the CLASSIC group protocol'
    throw new IllegalStateError(`${what}: set group.protocol to 'consumer', or subscribe with a RegExp`)
  }

  /** What was given, checked, or the positions. @throws {IllegalArgumentError} @throws {IllegalStateError} */
  toCommit(call: string, given: OffsetsToCommit | undefined): OffsetToCommit[] {
    if (given === undefined) return this.autoCommit.positions()
    const { subscription } = this.#options
    const offsets = checkOffsets(call, given)
    if (subscription.isSubscribed) checkAssigned(offsets, subscription)
    return offsets
  }

  /** What the next poll throws. */
  failed(error: Error): void {
    this.#error = error
    this.#options.changed()
  }

  // --- in poll -------------------------------------------------------------------------------------------------------

  pollBegan(): void {
    this.#interval.began()
  }

  pollEnded(): void {
    this.#interval.ended()
  }

  /** A record was handed out without a round of polling: the application is alive. */
  polled(): void {
    this.#interval.polled()
  }

  /** There is something that only a round of polling does. */
  get needsRound(): boolean {
    const isRebalancing = this.#options.subscription.isSubscribed && this.membership.isRebalancing
    return isRebalancing || this.commits.hasCallbacks || this.autoCommit.dueAt <= this.#runtime.now()
  }

  /** What one round of polling does; awaits nothing but code of the application. */
  round(): Promise<void> | undefined {
    const error = this.#error
    this.#error = undefined
    if (error !== undefined) throw error
    if (this.commits.hasCallbacks) return this.#callBack()
    const step = this.membership.poll()
    if (step === undefined) {
      this.autoCommit.commitIfDue()
      return undefined
    }
    return step.then(() => this.autoCommit.commitIfDue())
  }

  async #callBack(): Promise<void> {
    await this.commits.callBack(this.#options.environment.clientName)
    await this.round()
  }

  /** What is committed of these partitions, asked once: where their positions begin. */
  async positionsOf(partitions: readonly TopicPartition[]): Promise<Map<string, OffsetAndMetadata | null>> {
    const timeoutMs = this.#options.configs['request.timeout.ms']
    return this.#offsets.fetch(partitions, this.#runtime.now() + timeoutMs)
  }

  // --- leaving -------------------------------------------------------------------------------------------------------

  /** Its rebalance listener, or a callback as it closes, has been called and has not settled: it may be who calls. */
  get isCalling(): boolean {
    return this.#isCallingBack || this.callbacks.isCalling
  }

  /** By the listener that it tells, it is answered at once. @throws {ClientError} if the listener threw */
  async unsubscribe(): Promise<void> {
    const { subscription, configs } = this.#options
    this.#interval.stop()
    if (!subscription.isSubscribed || (this.#isUnsubscribing && this.callbacks.isCalling)) return
    const deadline = this.#runtime.now() + configs['request.timeout.ms']
    const reason = 'the consumer unsubscribed from all topics'
    this.#isUnsubscribing = true
    try {
      await this.membership.leave({ operation: 'default', reason, deadline })
    } finally {
      this.#isUnsubscribing = false
    }
  }

  /**
   * Commits what was handed out, if that is to happen by itself, then leaves. Callbacks and answers are waited for at most
   * `timeoutMs`.
   *
   * @throws {ClientError}
   */
  async close(operation: GroupMembershipOperation, timeoutMs: number): Promise<void> {
    await Promise.race([this.#close(operation, timeoutMs), this.#hurried.promise])
  }

  /** Nothing is waited for any more by a `close` that is under way. */
  hurry(): void {
    this.#hurried.resolve()
  }

  async #close(operation: GroupMembershipOperation, timeoutMs: number): Promise<void> {
    const { subscription } = this.#options
    const deadline = this.#runtime.now() + timeoutMs
    this.#interval.stop()
    // That it could not be committed is no reason not to close.
    const positions = this.autoCommit.isEnabled ? this.autoCommit.positions() : []
    if (positions.length > 0) await this.commits.commit(positions, timeoutMs).catch(() => {})
    await this.commits.settled(deadline)
    await this.#callBackUntil(deadline)
    if (subscription.isSubscribed) {
      const reason = 'the consumer is being closed'
      await this.membership.leave({ operation, reason, deadline, callbackDeadline: deadline })
    }
  }

  async #callBackUntil(deadline: number): Promise<void> {
    if (!this.commits.hasCallbacks) return
    this.#isCallingBack = true
    try {
      await within(this.#runtime, this.commits.callBack(this.name), Math.max(0, deadline - this.#runtime.now()))
    } finally {
      this.#isCallingBack = false
    }
  }

  /** Nothing is sent any more. */
  end(): void {
    this.#interval.stop()
    this.membership.close()
    this.#options.environment.members?.delete(this)
  }

  waiting(): string[] {
    return this.#options.subscription.isSubscribed ? this.membership.waiting() : []
  }
}
