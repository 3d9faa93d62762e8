import { heartbeat } from '../../apis/heartbeat.ts'
import { joinGroup } from '../../apis/join-group.ts'
import { leaveGroup } from '../../apis/leave-group.ts'
import { syncGroup } from '../../apis/sync-group.ts'
import type { ConsumerConfigs } from '../../metadata/consumer-configs.ts'
import { encodeAssignment, encodeSubscription, PROTOCOL_TYPE } from '../../wire/consumer-protocol.ts'
import { errorCodes, KafkaError } from '../../wire/errors.ts'
import type { Connections } from '../connections.ts'
import { byTopic } from '../list-offsets.ts'
import type { NodeConnection } from '../node-connection.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { Assignor } from './assignors/assignor.ts'
import type { MemberIdentity } from './membership.ts'

/** JoinGroup is answered when the others have joined, which may take the whole rebalance timeout: that long, and longer. */
const JOIN_LAPSE_MS = 5_000

/** What a member says of itself when it joins. */
export interface Application {
  readonly identity: MemberIdentity
  readonly topics: readonly string[]
  readonly ownedPartitions: readonly TopicPartition[]
  readonly reason: string
}

/** A member as its leader is told of it. */
export interface JoinedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** A ConsumerProtocolSubscription. */
  readonly metadata: Uint8Array
}

export interface JoinAnswer {
  readonly memberId: string
  readonly generationId: number
  readonly protocolName: string
  readonly isLeader: boolean
  /** The leader need not assign: the assignment still holds (KIP-814). */
  readonly skipsAssignment: boolean
  /** For the leader only. */
  readonly members: readonly JoinedMember[]
}

/** The coordinator wants the member to join once more, under an id that it gives (KIP-394). */
export interface NewMemberId {
  readonly newMemberId: string
}

export interface ExchangeOptions {
  readonly groupId: string
  readonly configs: ConsumerConfigs
  readonly connections: Connections
  readonly assignors: readonly Assignor[]
}

/** What a member of a classic group and its coordinator say to each other. Throws what the coordinator refuses. */
export class ClassicExchange {
  readonly #options: ExchangeOptions

  constructor(options: ExchangeOptions) {
    this.#options = options
  }

  async join(node: NodeConnection, application: Application): Promise<JoinAnswer | NewMemberId> {
    const { groupId, configs, connections } = this.#options
    const { identity, reason } = application
    const rebalanceTimeoutMs = configs['max.poll.interval.ms']
    const timeoutMs = Math.max(configs['request.timeout.ms'], rebalanceTimeoutMs + JOIN_LAPSE_MS)
    const body = {
      groupId,
      sessionTimeoutMs: configs['session.timeout.ms'],
      rebalanceTimeoutMs,
      memberId: identity.memberId,
      groupInstanceId: identity.groupInstanceId,
      protocolType: PROTOCOL_TYPE,
      protocols: this.#protocols(application),
      reason: reason.slice(0, 255),
    }
    const response = await connections.request(node, joinGroup, () => body, { timeoutMs })
    if (response.errorCode === errorCodes.MEMBER_ID_REQUIRED) return { newMemberId: response.memberId }
    if (response.errorCode !== errorCodes.NONE) throw KafkaError.of(response.errorCode)
    const { memberId, generationId, protocolName, leader, skipAssignment: skipsAssignment, members } = response
    this.#checkType(response.protocolType)
    const isLeader = memberId === leader
    return { memberId, generationId, protocolName: protocolName ?? '', isLeader, skipsAssignment, members }
  }

  #protocols({ topics, ownedPartitions, identity }: Application): { name: string; metadata: Uint8Array }[] {
    const { assignors, configs } = this.#options
    const subscription = {
      topics,
      ownedPartitions: grouped(ownedPartitions),
      generationId: identity.generationId,
      rackId: configs['client.rack'] === '' ? null : configs['client.rack'],
    }
    return assignors.map(assignor => {
      const userData = assignor.subscriptionUserData?.(topics) ?? null
      return { name: assignor.name, metadata: encodeSubscription({ ...subscription, userData }) }
    })
  }

  /** Answers the assignment: a ConsumerProtocolAssignment. */
  async sync(
    node: NodeConnection,
    identity: MemberIdentity,
    protocolName: string,
    assignments: ReadonlyMap<string, readonly TopicPartition[]>,
  ): Promise<Uint8Array> {
    const { groupId, connections } = this.#options
    const response = await connections.request(node, syncGroup, () => ({
      groupId,
      generationId: identity.generationId,
      memberId: identity.memberId,
      groupInstanceId: identity.groupInstanceId,
      protocolType: PROTOCOL_TYPE,
      protocolName,
      assignments: [...assignments].map(([memberId, partitions]) => ({
        memberId,
        assignment: encodeAssignment({ assignedPartitions: grouped(partitions) }),
      })),
    }))
    if (response.errorCode !== errorCodes.NONE) throw KafkaError.of(response.errorCode)
    this.#checkType(response.protocolType)
    if (response.protocolName !== null && response.protocolName !== protocolName) {
      const text = `the group changed its assignor from ${protocolName} to ${response.protocolName} meanwhile`
      throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL', text)
    }
    return response.assignment
  }

  async heartbeat(node: NodeConnection, identity: MemberIdentity): Promise<void> {
    const { groupId, connections } = this.#options
    const response = await connections.request(node, heartbeat, () => ({ groupId, ...identity }))
    if (response.errorCode !== errorCodes.NONE) throw KafkaError.of(response.errorCode)
  }

  async leave(node: NodeConnection, identity: MemberIdentity, reason: string): Promise<void> {
    const { groupId, connections } = this.#options
    const { memberId, groupInstanceId } = identity
    const members = [{ memberId, groupInstanceId, reason: reason.slice(0, 255) }]
    const body = (version: number) => (version < 3 ? { groupId, memberId } : { groupId, members })
    await connections.request(node, leaveGroup, body)
  }

  /** Of v7 on; older ones do not say. */
  #checkType(protocolType: string | null): void {
    if (protocolType === null || protocolType === PROTOCOL_TYPE) return
    const text = `group '${this.#options.groupId}' is one of protocol type '${protocolType}', not of consumers`
    throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL', text)
  }
}

function grouped(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  return byTopic(partitions).map(([topic, items]) => ({ topic, partitions: items.map(({ partition }) => partition) }))
}
