import type { ConsumerConfigs } from '../../metadata/consumer-configs.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { KafkaError } from '../../wire/errors.ts'
import type { Connections } from '../connections.ts'
import type { Coordinators } from '../coordinators.ts'
import type { ClientMetadata } from '../metadata.ts'
import type { GroupMetrics } from './group-metrics.ts'
import type { RebalanceCallbacks } from './rebalance-callbacks.ts'
import type { Subscription } from './subscription.ts'

/** Who a member is, as it says with whatever it sends to its coordinator. */
export interface MemberIdentity {
  /** Empty while it is no member. */
  readonly memberId: string
  /** The generation of a classic group, the member epoch of a consumer group; −1 while it is no member. */
  readonly generationId: number
  /** `group.instance.id`, of a static member. */
  readonly groupInstanceId: string | null
}

/** Nobody's: for commits of a consumer that assigns its partitions itself. */
export const noMember: MemberIdentity = { memberId: '', generationId: -1, groupInstanceId: null }

/**
 * What becomes of the membership when a consumer closes (CloseOptions, KIP-1092). `default`: dynamic members leave, static
 * members stay until their session times out. `leave`: both leave. `remain`: both stay.
 */
export type GroupMembershipOperation = 'default' | 'leave' | 'remain'

export interface LeaveOptions {
  readonly operation: GroupMembershipOperation
  /** As the coordinator logs it: `the consumer is being closed`. */
  readonly reason: string
  /** Milliseconds since the epoch until which an answer is waited for. */
  readonly deadline: number
  /** The same for the listener. Default: for ever. */
  readonly callbackDeadline?: number
}

/** What goes on at rebalances besides: offsets are committed before partitions are given back. */
export interface AutoCommit {
  readonly isEnabled: boolean
  /**
   * Commits the positions, again and again as long as that may help, until `deadline`. Settles when there is nothing more
   * to wait for, also if it did not succeed; never rejects. Without auto-commit it settles at once.
   */
  beforeRevocation(deadline: number): Promise<void>
  /** An assignment is complete: the next regular commit is due `auto.commit.interval.ms` from now. */
  reschedule(): void
}

/** What a membership is handed. Timers: `housekeeping`, unless a call of the test waits for what they bring. */
export interface MembershipOptions {
  readonly runtime: Runtime
  readonly clientName: string
  readonly groupId: string
  readonly configs: ConsumerConfigs
  readonly connections: Connections
  readonly metadata: ClientMetadata
  readonly coordinators: Coordinators
  /** What is subscribed to (`topics`, `pattern`), and what is assigned: a membership calls `assignFromGroup`. */
  readonly subscription: Subscription
  readonly callbacks: RebalanceCallbacks
  readonly autoCommit: AutoCommit
  readonly metrics: GroupMetrics
  /** It is in as this one; or left by itself and is nobody, in the protocol of KIP-848. */
  readonly identified: (identity: MemberIdentity) => void
  /** There is something for `poll` to do, or to throw: a pending poll of the application goes round once more. */
  readonly changed: () => void
}

/**
 * Taking part in a group: the classic protocol (`ClassicMembership`), or that of KIP-848 (`ConsumerProtocolMembership`).
 *
 * It lives as long as the consumer. Requests, answers and heartbeats happen by themselves, whenever they are due; but what
 * the application sees (its assignment changes, its listener is called, its errors are thrown) happens inside `poll` and
 * `leave` and nowhere else, as in Kafka's client.
 */
export interface Membership {
  /** As whom it speaks now. */
  readonly identity: MemberIdentity

  /** Its heartbeats come by themselves and are answered well; virtual time may leap over them (see `isCalm`). */
  readonly isSteady: boolean

  /** `subscription` holds something else now than before (or for the first time). No join is sent before the next `poll`. */
  subscriptionChanged(): void

  /**
   * One round of the application's poll: finds the coordinator, begins to join, gives partitions back, takes what was
   * assigned, calls the listener: as far as that is possible without waiting for the network. It answers at once (not with
   * a promise) where nothing is to be done, and awaits nothing but the application's listener. When an answer comes that
   * lets it go on, it calls `changed`, and is polled again.
   *
   * @throws what ends membership for good, each time: KafkaError FENCED_INSTANCE_ID, GROUP_MAX_SIZE_REACHED,
   * INCONSISTENT_GROUP_PROTOCOL, INVALID_SESSION_TIMEOUT, GROUP_AUTHORIZATION_FAILED, UNSUPPORTED_VERSION, …
   * @throws {ClientError} once, if the listener threw: what it threw is the cause
   */
  poll(): Promise<void> | undefined

  /** `max.poll.interval.ms` passed between two polls: leaves the group at once; the next `poll` joins again. */
  pollTimedOut(): void

  /** Partitions are being moved, or are about to be: a poll is what brings that forward. */
  readonly isRebalancing: boolean

  /**
   * As whom to commit now.
   *
   * @throws {RebalanceInProgressError} in the middle of a rebalance: poll, then commit again
   * @throws {CommitFailedError} if it is no member any more
   */
  commitIdentity(): MemberIdentity

  /** As whom to fetch committed offsets now; {@link noMember} where the protocol does not ask for it. */
  fetchIdentity(): MemberIdentity

  /**
   * The coordinator refused a commit or a fetch of offsets because of who sent it (UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION,
   * FENCED_INSTANCE_ID, REBALANCE_IN_PROGRESS, STALE_MEMBER_EPOCH, …). The membership draws its conclusions, and says what
   * the application is told; `'retry'`: nothing, it should be tried again as whoever it is then.
   */
  refused(error: KafkaError, sentAs: MemberIdentity): Error | 'retry'

  /** Joins again at the next poll: `enforceRebalance`. Nothing happens in a protocol that knows no such thing. */
  rejoin(reason: string): void

  /**
   * Gives all partitions back (listener: revoked, or lost if the membership is), then tells the coordinator, unless the
   * operation says otherwise. Settles when it has answered, or not in time. Afterwards it is no member; a later
   * `subscriptionChanged` and `poll` join again.
   *
   * @throws {ClientError} after all that, if the listener threw
   */
  leave(options: LeaveOptions): Promise<void>

  /** The consumer is closed: no timer fires any more, nothing is sent. */
  close(): void

  /** What it is waiting for, for errors: `group orders-service: JoinGroup, generation 3`. */
  waiting(): string[]
}
