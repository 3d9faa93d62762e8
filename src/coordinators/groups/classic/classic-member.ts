import type { joinGroup } from '../../../apis/join-group.ts'
import type { syncGroup } from '../../../apis/sync-group.ts'
import type { Deferred } from '../../../runtime/runtime.ts'
import type { RequestOf, ResponseInput } from '../../../wire/api.ts'

export type JoinRequest = RequestOf<typeof joinGroup>
export type JoinAnswer = ResponseInput<typeof joinGroup>
export type SyncAnswer = ResponseInput<typeof syncGroup>

/** One way to assign that a member offers, and what it says under it (its subscription, to consumers). */
export interface MemberProtocol {
  readonly name: string
  readonly metadata: Uint8Array
}

export interface MemberIdentity {
  readonly id: string
  /** KIP-345: what a static member is known by over its restarts; null for a dynamic member. */
  readonly instanceId: string | null
  readonly clientId: string
  /** As in `/127.0.0.1`. */
  readonly clientHost: string
}

export interface MemberTerms {
  readonly protocols: readonly MemberProtocol[]
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
}

const NOTHING = new Uint8Array(0)

/** One member of a classic group: what is written of it, and, on the coordinator that acts, what it waits for. */
export class ClassicMember implements MemberIdentity, MemberTerms {
  readonly id: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** In the member's order of preference. Only the group's protocol is written: after a fail-over it is the only one. */
  protocols: readonly MemberProtocol[]
  rebalanceTimeoutMs: number
  sessionTimeoutMs: number
  /** What the leader gave it; no bytes before that. */
  assignment: Uint8Array = NOTHING
  /** It joins for the first time and does not know its id yet, so that it cannot send heartbeats. */
  isNew = false
  /** Its JoinGroup waits for the join phase to end. */
  joining: Deferred<JoinAnswer> | undefined
  /** Its SyncGroup waits for the leader's. */
  syncing: Deferred<SyncAnswer> | undefined
  /** When its session ends unless it is heard of; Infinity: nobody counts. */
  sessionEnds = Number.POSITIVE_INFINITY

  constructor({ id, instanceId, clientId, clientHost }: MemberIdentity, terms: MemberTerms) {
    this.id = id
    this.instanceId = instanceId
    this.clientId = clientId
    this.clientHost = clientHost
    this.protocols = terms.protocols
    this.rebalanceTimeoutMs = terms.rebalanceTimeoutMs
    this.sessionTimeoutMs = terms.sessionTimeoutMs
  }

  get isStatic(): boolean {
    return this.instanceId !== null
  }

  /** What it says under a protocol; no bytes under one that it does not offer. */
  metadataOf(protocol: string | null): Uint8Array {
    return this.protocols.find(({ name }) => name === protocol)?.metadata ?? NOTHING
  }

  /** The same protocols, in the same order, saying the same. */
  offers(protocols: readonly MemberProtocol[]): boolean {
    if (protocols.length !== this.protocols.length) return false
    return this.protocols.every(({ name, metadata }, index) => {
      const other = protocols[index]!
      return name === other.name && Buffer.compare(metadata, other.metadata) === 0
    })
  }

  /** Members that wait in a rebalance are not expired, but for new ones, who may have gone while they wait (G-17). */
  get isExcused(): boolean {
    return !this.isNew && (this.joining !== undefined || this.syncing !== undefined)
  }
}
