import { offsetCommit } from '../../apis/offset-commit.ts'
import { offsetFetch } from '../../apis/offset-fetch.ts'
import type { ConsumerConfigs } from '../../metadata/consumer-configs.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { RequestInput, ResponseOf } from '../../wire/api.ts'
import { CommitFailedError, errorCodes, KafkaError } from '../../wire/errors.ts'
import { zeroUuid } from '../../wire/uuid.ts'
import { ClientError } from '../client-error.ts'
import type { Connections } from '../connections.ts'
import type { Coordinators } from '../coordinators.ts'
import { byTopic } from '../list-offsets.ts'
import type { ClientMetadata } from '../metadata.ts'
import type { NodeConnection } from '../node-connection.ts'
import { type OffsetAndMetadata, partitionText, type TopicPartition } from '../topic-partition.ts'
import type { GroupMetrics } from './group-metrics.ts'
import { type MemberIdentity, type Membership, noMember } from './membership.ts'

/** An offset to commit. */
export interface OffsetToCommit extends TopicPartition, OffsetAndMetadata {}

export interface GroupOffsetOptions {
  readonly runtime: Runtime
  readonly groupId: string
  readonly configs: ConsumerConfigs
  readonly connections: Connections
  readonly metadata: ClientMetadata
  readonly coordinators: Coordinators
  readonly metrics: GroupMetrics
  /** Undefined: the consumer assigns its partitions itself. */
  readonly membership: () => Membership | undefined
}

/** Nobody is told: the same again, as whoever this member is by then. */
export class TryAgain extends Error {
  override readonly name = 'TryAgain'
}

/** The last version of OffsetCommit and OffsetFetch in which topics go by name. */
const LAST_BY_NAME = 9
/** OffsetFetch: many groups in one request; a wait for offsets of open transactions. */
const BATCHED_SINCE = 8
const STABLE_SINCE = 7

/** Refusals that are about who asks: the membership knows what they mean. */
const aboutMembers: ReadonlySet<string> = new Set([
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'FENCED_INSTANCE_ID',
  'REBALANCE_IN_PROGRESS',
  'STALE_MEMBER_EPOCH',
  'FENCED_MEMBER_EPOCH',
  'UNRELEASED_INSTANCE_ID',
  'GROUP_ID_NOT_FOUND',
])

/** What is committed in a group, asked of its coordinator once (ConsumerCoordinator's OffsetCommit and OffsetFetch). */
export class GroupOffsets {
  readonly #options: GroupOffsetOptions

  constructor(options: GroupOffsetOptions) {
    this.#options = options
  }

  /**
   * @throws {KafkaError} a retriable one where it may be tried again, what the coordinator refuses for good otherwise
   * @throws {RebalanceInProgressError} @throws {CommitFailedError} @throws {TryAgain}
   */
  async commit(offsets: readonly OffsetToCommit[], deadline: number): Promise<void> {
    if (offsets.length === 0) return
    const { connections, membership, metrics, runtime } = this.#options
    const node = await this.#coordinator(deadline)
    const identity = membership()?.commitIdentity() ?? noMember
    const askedAt = runtime.now()
    const response = await this.#asked(node, () => {
      const maxVersion = this.#maxVersion(offsets)
      return connections.request(node, offsetCommit, () => this.#commitBody(offsets, identity), { maxVersion })
    })
    metrics.committed(runtime.now() - askedAt)
    const refused: string[] = []
    for (const { name, topicId, partitions } of response.topics) {
      const topic = this.#nameOf(name, topicId)
      for (const { partitionIndex, errorCode } of partitions) {
        if (errorCode === errorCodes.NONE) continue
        const error = KafkaError.of(errorCode)
        if (error.errorName === 'TOPIC_AUTHORIZATION_FAILED') refused.push(topic)
        else throw this.#commitRefused(error, { topic, partition: partitionIndex }, identity, node)
      }
    }
    if (refused.length > 0) {
      const topics = [...new Set(refused)].join(', ')
      throw new KafkaError('TOPIC_AUTHORIZATION_FAILED', `Not authorized to access topics: [${topics}]`)
    }
  }

  #commitBody(offsets: readonly OffsetToCommit[], identity: MemberIdentity): RequestInput<typeof offsetCommit> {
    const { groupId } = this.#options
    return {
      groupId,
      generationIdOrMemberEpoch: identity.generationId,
      memberId: identity.memberId,
      ...(identity.groupInstanceId === null ? {} : { groupInstanceId: identity.groupInstanceId }),
      topics: byTopic(offsets).map(([name, items]) => ({
        name,
        topicId: this.#idOf(name),
        partitions: items.map(({ partition, offset, leaderEpoch, metadata }) => ({
          partitionIndex: partition,
          committedOffset: offset,
          committedLeaderEpoch: leaderEpoch,
          committedMetadata: metadata,
        })),
      })),
    }
  }

  #commitRefused(error: KafkaError, partition: TopicPartition, identity: MemberIdentity, node: NodeConnection): Error {
    const { errorName } = error
    if (aboutMembers.has(errorName)) return this.#refusedAs(error, identity)
    if (errorName === 'COORDINATOR_NOT_AVAILABLE' || errorName === 'NOT_COORDINATOR') this.#forget(node)
    else if (errorName === 'REQUEST_TIMED_OUT') this.#forget(node)
    if (errorName === 'UNKNOWN_TOPIC_ID' || errorName === 'UNKNOWN_TOPIC_OR_PARTITION') {
      this.#options.metadata.requestUpdate()
      return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `${partitionText(partition)}: ${error.message}`)
    }
    if (errorName === 'OFFSET_METADATA_TOO_LARGE') {
      const text = `the metadata committed with ${partitionText(partition)} is larger than offset.metadata.max.bytes`
      return new KafkaError(errorName, `${text} of the broker allows`)
    }
    if (error.retriable || errorName === 'GROUP_AUTHORIZATION_FAILED') return error
    if (errorName === 'INVALID_COMMIT_OFFSET_SIZE') return error
    return new ClientError(`Unexpected error in commit: ${error.message}`, { cause: error })
  }

  /**
   * Of each partition, by its name, what is committed; null: nothing. With offsets of an open transaction among them, the
   * answer is UNSTABLE_OFFSET_COMMIT (KIP-447), and to be asked for again.
   *
   * @throws as `commit` does
   */
  async fetch(partitions: readonly TopicPartition[], deadline: number): Promise<Map<string, OffsetAndMetadata | null>> {
    const found = new Map<string, OffsetAndMetadata | null>()
    if (partitions.length === 0) return found
    const { connections, membership } = this.#options
    const node = await this.#coordinator(deadline)
    const identity = membership()?.fetchIdentity() ?? noMember
    const response = await this.#asked(node, () => {
      const body = (version: number) => this.#fetchBody(version, partitions, identity)
      return connections.request(node, offsetFetch, body, { maxVersion: this.#maxVersion(partitions) })
    })
    const group = response.groups[0] ?? response
    if (group.errorCode !== errorCodes.NONE) throw this.#fetchRefused(KafkaError.of(group.errorCode), identity, node)
    for (const { name, topicId, partitions: answers } of topicsOf(response)) {
      const topic = this.#nameOf(name, topicId)
      for (const { partitionIndex, errorCode, committedOffset, committedLeaderEpoch, metadata } of answers) {
        const partition = { topic, partition: partitionIndex }
        if (errorCode !== errorCodes.NONE) throw this.#partitionRefused(KafkaError.of(errorCode), partition)
        const isThere = committedOffset >= 0
        const committed = { offset: committedOffset, leaderEpoch: committedLeaderEpoch, metadata: metadata ?? '' }
        found.set(partitionText(partition), isThere ? committed : null)
      }
    }
    return found
  }

  #fetchBody(
    version: number,
    partitions: readonly TopicPartition[],
    identity: MemberIdentity,
  ): RequestInput<typeof offsetFetch> {
    const { groupId, configs } = this.#options
    const topics = byTopic(partitions).map(([name, items]) => ({
      name,
      topicId: this.#idOf(name),
      partitionIndexes: items.map(({ partition }) => partition),
    }))
    if (version < STABLE_SINCE && configs['internal.throw.on.fetch.stable.offset.unsupported']) {
      const text = `the broker has OffsetFetch up to v${version}: it cannot wait for offsets of open transactions`
      throw new KafkaError('UNSUPPORTED_VERSION', text)
    }
    const stable = version < STABLE_SINCE ? {} : { requireStable: true }
    if (version < BATCHED_SINCE) return { groupId, topics, ...stable }
    const isMember = identity.memberId !== ''
    const member = isMember ? { memberId: identity.memberId, memberEpoch: identity.generationId } : {}
    return { groups: [{ groupId, topics, ...member }], ...stable }
  }

  #fetchRefused(error: KafkaError, identity: MemberIdentity, node: NodeConnection): Error {
    const { errorName } = error
    if (aboutMembers.has(errorName)) return this.#refusedAs(error, identity)
    if (errorName === 'NOT_COORDINATOR' || errorName === 'COORDINATOR_NOT_AVAILABLE') this.#forget(node)
    if (error.retriable || errorName === 'GROUP_AUTHORIZATION_FAILED') return error
    return new ClientError(`Unexpected error in fetch offset response: ${error.message}`, { cause: error })
  }

  #partitionRefused(error: KafkaError, partition: TopicPartition): Error {
    const name = partitionText(partition)
    if (error.errorName === 'UNSTABLE_OFFSET_COMMIT') {
      return new KafkaError('UNSTABLE_OFFSET_COMMIT', `a transaction that is still open has offsets of ${name}`)
    }
    if (error.errorName === 'UNKNOWN_TOPIC_ID' || error.errorName === 'UNKNOWN_TOPIC_OR_PARTITION') {
      this.#options.metadata.requestUpdate()
      return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `Topic or Partition ${name} does not exist`)
    }
    if (error.retriable || error.errorName === 'TOPIC_AUTHORIZATION_FAILED') return error
    return new ClientError(`Unexpected error in fetch offset response for ${name}: ${error.message}`, { cause: error })
  }

  #refusedAs(error: KafkaError, identity: MemberIdentity): Error {
    const membership = this.#options.membership()
    if (membership !== undefined) {
      const answer = membership.refused(error, identity)
      return answer === 'retry' ? new TryAgain(error.message) : answer
    }
    const why = `group '${this.#options.groupId}' has members (${error.errorName})`
    const advice = 'a consumer that assigns its partitions itself may commit only to groups without members'
    return new CommitFailedError(`Offset commit cannot be completed since ${why}: ${advice}`, { cause: error })
  }

  async #coordinator(deadline: number): Promise<NodeConnection> {
    const { coordinators, groupId, runtime } = this.#options
    return coordinators.find('group', groupId, { deadline, timeoutMs: Math.max(0, deadline - runtime.now()) })
  }

  /** A coordinator that does not answer is perhaps none any more. */
  async #asked<Response>(node: NodeConnection, ask: () => Promise<Response>): Promise<Response> {
    try {
      return await ask()
    } catch (error) {
      if (error instanceof KafkaError && error.retriable) this.#forget(node)
      throw error
    }
  }

  #forget(node: NodeConnection): void {
    const { coordinators, groupId } = this.#options
    coordinators.forget('group', groupId, { id: node.nodeId })
  }

  #idOf(topic: string): string {
    return this.#options.metadata.topic(topic)?.id ?? zeroUuid
  }

  #nameOf(name: string, topicId: string): string {
    return name === '' ? (this.#options.metadata.nameOf(topicId) ?? topicId) : name
  }

  /** By id only where all ids are known: Kafka's clients do the same. */
  #maxVersion(partitions: readonly TopicPartition[]): number {
    const areKnown = partitions.every(({ topic }) => this.#idOf(topic) !== zeroUuid)
    return areKnown ? Number.POSITIVE_INFINITY : LAST_BY_NAME
  }
}

type FetchedTopics = ResponseOf<typeof offsetFetch>['groups'][number]['topics']

function topicsOf(response: ResponseOf<typeof offsetFetch>): FetchedTopics {
  const group = response.groups[0]
  return group?.topics ?? response.topics.map(topic => ({ ...topic, topicId: zeroUuid }))
}
