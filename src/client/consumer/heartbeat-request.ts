import type { consumerGroupHeartbeat } from '../../apis/consumer-group-heartbeat.ts'
import type { ConsumerConfigs } from '../../metadata/consumer-configs.ts'
import type { RequestInput } from '../../wire/api.ts'
import { KafkaError } from '../../wire/errors.ts'
import { type GroupAssignment, topicPartitionsOf } from './group-assignment.ts'
import type { Subscription } from './subscription.ts'

type Request = RequestInput<typeof consumerGroupHeartbeat>

/** Subscribing by a pattern that the coordinator evaluates came with this version. */
const PATTERNS_SINCE = 1

/** The fields that are sent when they changed, as text to compare by; the owned partitions by identity. */
interface Fields {
  readonly names: string
  readonly regex: string | null
  readonly owned: GroupAssignment | undefined
}

/** Who sends it. */
export interface Heartbeater {
  readonly memberId: string
  readonly memberEpoch: number
  /** What it owns; undefined before the first reconciliation. */
  readonly owned: GroupAssignment | undefined
}

/**
 * What a member says with its heartbeats (KIP-848): everything when it joins, and after a heartbeat whose answer did not
 * come or was an error; otherwise only what changed since the last (Kafka's ConsumerHeartbeatRequestManager.HeartbeatState).
 */
export class HeartbeatRequest {
  readonly #groupId: string
  readonly #configs: ConsumerConfigs
  readonly #subscription: Subscription
  #sent: Fields | undefined

  constructor(groupId: string, configs: ConsumerConfigs, subscription: Subscription) {
    this.#groupId = groupId
    this.#configs = configs
    this.#subscription = subscription
  }

  /** The next one says everything. */
  reset(): void {
    this.#sent = undefined
  }

  /** @throws {KafkaError} UNSUPPORTED_VERSION for a pattern that the coordinator cannot evaluate. */
  next(version: number, { memberId, memberEpoch, owned }: Heartbeater): Request {
    const choice = this.#subscription.choice
    const names = choice?.kind === 'server-pattern' ? [] : [...this.#subscription.topics].sort()
    const regex = choice?.kind === 'server-pattern' ? choice.pattern : null
    if (regex !== null && version < PATTERNS_SINCE) {
      const text = `The cluster does not support resolution of SubscriptionPattern on version ${version}`
      throw new KafkaError('UNSUPPORTED_VERSION', `${text} of the ConsumerGroupHeartbeat API; subscribe to a RegExp`)
    }
    const fields: Fields = { names: JSON.stringify(names), regex, owned }
    const sent = this.#sent
    const isFull = sent === undefined || memberEpoch === 0
    this.#sent = fields
    return {
      ...this.#identity(memberId, memberEpoch),
      ...(isFull ? this.#constants() : {}),
      ...(isFull || fields.names !== sent.names ? { subscribedTopicNames: names } : {}),
      // An empty pattern says that there is none any more.
      ...(regex !== (sent?.regex ?? null) || (isFull && regex !== null) ? { subscribedTopicRegex: regex ?? '' } : {}),
      ...(isFull || owned !== sent.owned ? { topicPartitions: topicPartitionsOf(owned ?? new Map()) } : {}),
    }
  }

  /** Epoch −1: leaves for good; −2: a static member that may come back. */
  leave(memberId: string, memberEpoch: -1 | -2): Request {
    return this.#identity(memberId, memberEpoch)
  }

  #identity(memberId: string, memberEpoch: number) {
    const instanceId = this.#configs['group.instance.id']
    return { groupId: this.#groupId, memberId, memberEpoch, ...(instanceId === null ? {} : { instanceId }) }
  }

  #constants() {
    const rackId = this.#configs['client.rack']
    const serverAssignor = this.#configs['group.remote.assignor']
    return {
      rebalanceTimeoutMs: this.#configs['max.poll.interval.ms'],
      ...(rackId === '' ? {} : { rackId }),
      ...(serverAssignor === null || serverAssignor === '' ? {} : { serverAssignor }),
    }
  }
}
