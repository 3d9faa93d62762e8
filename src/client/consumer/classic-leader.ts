import type { ConsumerConfigs } from '../../metadata/consumer-configs.ts'
import { decodeSubscription } from '../../wire/consumer-protocol.ts'
import { IllegalStateError } from '../../wire/errors.ts'
import type { ClientMetadata } from '../metadata.ts'
import { partitionText, type TopicPartition } from '../topic-partition.ts'
import type { Assignor, MemberSubscription, RebalanceProtocol, TopicPartitions } from './assignors/assignor.ts'
import type { JoinAnswer } from './classic-exchange.ts'
import type { Subscription } from './subscription.ts'

export interface LeaderOptions {
  readonly configs: ConsumerConfigs
  readonly metadata: ClientMetadata
  readonly subscription: Subscription
  readonly protocol: RebalanceProtocol
}

/**
 * What the leader of a classic group has to do besides: it says who reads what, and watches the topics of all members: when
 * they get partitions, the group has to rebalance (ConsumerCoordinator).
 */
export class ClassicLeader {
  readonly #options: LeaderOptions
  /** What the topics looked like when they were assigned; undefined: another member leads. */
  #assigned: string | undefined
  #seenVersion = -1

  constructor(options: LeaderOptions) {
    this.#options = options
  }

  /** Leads no longer, or not yet. */
  resign(): void {
    this.#assigned = undefined
    this.#options.subscription.groupTopics = new Set()
  }

  /** Topics of the group are not what they were when they were assigned. */
  get isOutdated(): boolean {
    if (this.#assigned === undefined) return false
    const { metadata, subscription } = this.#options
    if (metadata.version === this.#seenVersion) return false
    this.#seenVersion = metadata.version
    return this.#snapshot(subscription.groupTopics) !== this.#assigned
  }

  /** Partitions of every member. Waits for metadata of topics that only others subscribe to. */
  async assign(answer: JoinAnswer, assignor: Assignor): Promise<Map<string, readonly TopicPartition[]>> {
    const members = new Map<string, MemberSubscription>()
    const topics = new Set<string>()
    for (const { memberId, groupInstanceId, metadata } of answer.members) {
      const { topics: wanted, userData, ownedPartitions, generationId, rackId } = decodeSubscription(metadata)
      for (const topic of wanted) topics.add(topic)
      const owned = ownedPartitions.flatMap(({ topic, partitions }) =>
        partitions.map(partition => ({ topic, partition })),
      )
      const subscription = { topics: wanted, userData, ownedPartitions: owned, generationId, rackId, groupInstanceId }
      members.set(memberId, subscription)
    }
    await this.#learn(topics)
    this.#assigned = this.#snapshot(topics)
    if (answer.skipsAssignment) return new Map()
    const assigned = assignor.assign(new Map([...topics].map(topic => [topic, this.#partitionsOf(topic)])), members)
    const complete = new Map([...members.keys()].map(memberId => [memberId, assigned.get(memberId) ?? []]))
    if (this.#options.protocol === 'cooperative' && assignor.name !== 'cooperative-sticky') {
      checkCooperative(assignor, members, complete)
    }
    return complete
  }

  async #learn(topics: ReadonlySet<string>): Promise<void> {
    const { metadata, subscription } = this.#options
    subscription.groupTopics = topics
    if ([...topics].every(topic => metadata.topic(topic) !== undefined)) return
    await metadata.refreshed()
    // Not in the answer, neither with partitions nor with an error: the question was an older one.
    const isOpen = (topic: string) => metadata.topic(topic) === undefined && metadata.errorOf(topic) === undefined
    while (subscription.wantedTopics() !== null && [...topics].some(isOpen)) await metadata.refreshed()
  }

  #partitionsOf(topic: string): TopicPartitions {
    const { metadata } = this.#options
    const view = metadata.topic(topic)
    if (view === undefined) return { partitionCount: 0 }
    const racks = view.partitions.map(({ replicas }) =>
      replicas.flatMap(id => {
        const rack = metadata.nodes.get(id)?.rack ?? null
        return rack === null ? [] : [rack]
      }),
    )
    return { partitionCount: view.partitions.length, racks }
  }

  /** Racks count only where members care for theirs: `client.rack`. */
  #snapshot(topics: ReadonlySet<string>): string {
    const seesRacks = this.#options.configs['client.rack'] !== ''
    const snapshot = [...topics].sort().map(topic => {
      const { partitionCount, racks } = this.#partitionsOf(topic)
      return [topic, partitionCount, seesRacks ? racks : undefined]
    })
    return JSON.stringify(snapshot)
  }
}

/** What somebody still has may be given to nobody else in the same generation (KIP-429). */
function checkCooperative(
  { name }: Assignor,
  members: ReadonlyMap<string, MemberSubscription>,
  assigned: ReadonlyMap<string, readonly TopicPartition[]>,
): void {
  const owners = new Map<string, string>()
  for (const [memberId, { ownedPartitions }] of members) {
    for (const partition of ownedPartitions) owners.set(partitionText(partition), memberId)
  }
  for (const [memberId, partitions] of assigned) {
    for (const partition of partitions) {
      const owner = owners.get(partitionText(partition))
      if (owner === undefined || owner === memberId) continue
      const what = `it gives ${partitionText(partition)} to ${memberId} while ${owner} has it`
      const rule = 'such a partition must be revoked first, and given away in the rebalance that follows'
      throw new IllegalStateError(`Assignor ${name} supports the cooperative protocol, but ${what}: ${rule}`)
    }
  }
}
