import { NOTHING_OWNED, type OwnedPartitions } from './partition-sets.ts'

/** Where a member stands on the way to its target (G-54): the codes of record 8. */
export const memberStates = { STABLE: 0, UNREVOKED_PARTITIONS: 1, UNRELEASED_PARTITIONS: 2, UNKNOWN: 127 } as const
export type MemberState = (typeof memberStates)[keyof typeof memberStates]

/** Epochs that say something else than a number of rounds (G-50). */
export const JOINING = 0
export const LEAVING = -1
/** A static member that is away and wants its partitions kept. */
export const AWAY = -2

/** What a member that speaks the classic protocol brought along (G-58). */
export interface ClassicMemberMetadata {
  readonly sessionTimeoutMs: number
  readonly supportedProtocols: readonly { readonly name: string; readonly metadata: Uint8Array }[]
}

/** One member of a consumer group; a change makes a new object. */
export interface ConsumerMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly serverAssignor: string | null
  /** Sorted, without doublets. */
  readonly subscribedTopicNames: readonly string[]
  /** Empty: none. */
  readonly subscribedTopicRegex: string
  /** Undefined: it speaks the consumer protocol. */
  readonly classic: ClassicMemberMetadata | undefined
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly state: MemberState
  readonly assigned: OwnedPartitions
  /** Told to give up, and not known to have done so. */
  readonly pendingRevocation: OwnedPartitions
}

export function newMember(memberId: string): ConsumerMember {
  return {
    memberId,
    instanceId: null,
    rackId: null,
    clientId: '',
    clientHost: '',
    rebalanceTimeoutMs: -1,
    serverAssignor: null,
    subscribedTopicNames: [],
    subscribedTopicRegex: '',
    classic: undefined,
    memberEpoch: 0,
    previousMemberEpoch: 0,
    state: memberStates.STABLE,
    assigned: NOTHING_OWNED,
    pendingRevocation: NOTHING_OWNED,
  }
}

/** It has all of its target of `epoch`, and nothing else. */
export function isReconciledTo(member: ConsumerMember, epoch: number): boolean {
  return member.state === memberStates.STABLE && member.memberEpoch === epoch
}

/** Names as they are kept: two subscriptions to the same topics are the same, whatever their order. */
export function namesOf(topics: readonly string[]): readonly string[] {
  return [...new Set(topics)].sort()
}

/** What record 5 says of the two is the same. */
export function sameSubscription(one: ConsumerMember, other: ConsumerMember): boolean {
  return (
    one.instanceId === other.instanceId &&
    one.rackId === other.rackId &&
    one.clientId === other.clientId &&
    one.clientHost === other.clientHost &&
    one.rebalanceTimeoutMs === other.rebalanceTimeoutMs &&
    one.serverAssignor === other.serverAssignor &&
    one.subscribedTopicRegex === other.subscribedTopicRegex &&
    sameNames(one.subscribedTopicNames, other.subscribedTopicNames) &&
    sameClassic(one.classic, other.classic)
  )
}

export function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one === other || (one.length === other.length && one.every((name, index) => name === other[index]))
}

function sameClassic(one: ClassicMemberMetadata | undefined, other: ClassicMemberMetadata | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return (
    one.sessionTimeoutMs === other.sessionTimeoutMs &&
    one.supportedProtocols.length === other.supportedProtocols.length &&
    one.supportedProtocols.every(({ name, metadata }, index) => {
      const protocol = other.supportedProtocols[index]!
      return protocol.name === name && sameBytes(protocol.metadata, metadata)
    })
  )
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}
