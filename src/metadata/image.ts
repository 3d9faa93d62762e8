import { Acls } from './acls.ts'
import { ClientQuotas } from './client-quotas.ts'
import { DelegationTokens } from './delegation-tokens.ts'
import { ImageChanges } from './image-changes.ts'
import type { MetadataRecord, MetadataRecordOf } from './records.ts'
import { ScramCredentials } from './scram-credentials.ts'

/** `recoveryState` of a partition (KIP-704): RECOVERING after an unclean election, until the next AlterPartition. */
export const RECOVERED = 0
export const RECOVERING = 1
/** `leader` of a partition that has none. */
export const NO_LEADER = -1

/** Resource types of configurations (M-21). */
export const resourceTypes = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 } as const
/** The broker resource that stands for all brokers. */
export const CLUSTER_DEFAULT = ''

export interface Endpoint {
  /** Of the listener, e.g. `PLAINTEXT`. */
  readonly name: string
  readonly host: string
  readonly port: number
  readonly securityProtocol: number
}

export interface FeatureSpan {
  readonly name: string
  readonly minSupportedVersion: number
  readonly maxSupportedVersion: number
}

/** A registered broker. */
export interface BrokerImage {
  readonly brokerId: number
  readonly brokerEpoch: number
  readonly incarnationId: string
  readonly endpoints: readonly Endpoint[]
  readonly features: readonly FeatureSpan[]
  readonly rack: string | null
  readonly fenced: boolean
  readonly inControlledShutdown: boolean
  readonly logDirs: readonly string[]
  /** Where its registration stands in the metadata log: who has not read so far is not unfenced. */
  readonly registrationOffset: number
}

/** One partition's state; a change makes a new object, so that `===` tells whether it changed. */
export interface PartitionImage {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  /** In the order of the assignment: the first one is the preferred leader. */
  readonly replicas: readonly number[]
  readonly inSyncReplicas: readonly number[]
  readonly removingReplicas: readonly number[]
  readonly addingReplicas: readonly number[]
  /** KIP-966: left the in-sync replicas below `min.insync.replicas`, and have all that was committed. */
  readonly eligibleLeaderReplicas: readonly number[]
  /** The leader that was lost last, while there is none. */
  readonly lastKnownElr: readonly number[]
  readonly leader: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly recoveryState: number
}

export interface TopicImage {
  readonly name: string
  readonly topicId: string
  /** The index is the partition. */
  readonly partitions: readonly PartitionImage[]
}

export interface ConfigResource {
  readonly type: number
  readonly name: string
}

interface MutableTopic extends TopicImage {
  readonly partitions: PartitionImage[]
}

const NOTHING: ReadonlyMap<string, string> = new Map()

/**
 * What the records of the metadata log add up to. Every node has an instance of its own: a broker's may be behind the
 * controller's. `apply` is the only way to change it, so that a replay of the log gives the same image again.
 */
export class ClusterImage {
  /** Offset of the last record that was applied; −1 before the first. */
  offset = -1
  /** Leader epoch of its batch; −1 before the first. */
  epoch = -1
  /** The lowest producer id that no block contains yet (I-15). */
  nextProducerId = 0
  readonly acls = new Acls()
  readonly clientQuotas = new ClientQuotas()
  readonly scramCredentials = new ScramCredentials()
  readonly delegationTokens = new DelegationTokens()
  #changes = new ImageChanges()
  readonly #brokers = new Map<number, BrokerImage>()
  readonly #topics = new Map<string, MutableTopic>()
  readonly #topicsById = new Map<string, MutableTopic>()
  readonly #configs = new Map<string, ReadonlyMap<string, string>>()
  readonly #features = new Map<string, number>()

  /** What changed since the last `takeChanges`. */
  get changes(): ImageChanges {
    return this.#changes
  }

  /** Hands over what changed since the last call: once after each batch. */
  takeChanges(): ImageChanges {
    const changes = this.#changes
    this.#changes = new ImageChanges()
    return changes
  }

  /** Registered brokers by id, fenced ones too, in the order of their first registration. */
  get brokers(): ReadonlyMap<number, BrokerImage> {
    return this.#brokers
  }

  /** By name, in the order of their creation. */
  get topics(): ReadonlyMap<string, TopicImage> {
    return this.#topics
  }

  get topicsById(): ReadonlyMap<string, TopicImage> {
    return this.#topicsById
  }

  get features(): ReadonlyMap<string, number> {
    return this.#features
  }

  broker(brokerId: number): BrokerImage | undefined {
    return this.#brokers.get(brokerId)
  }

  topic(name: string): TopicImage | undefined {
    return this.#topics.get(name)
  }

  topicById(topicId: string): TopicImage | undefined {
    return this.#topicsById.get(topicId)
  }

  partition(topic: string, partition: number): PartitionImage | undefined {
    return this.#topics.get(topic)?.partitions[partition]
  }

  partitionById(topicId: string, partition: number): PartitionImage | undefined {
    return this.#topicsById.get(topicId)?.partitions[partition]
  }

  /** Registered and not fenced: what Metadata lists (M-1). */
  isUnfenced(brokerId: number): boolean {
    const broker = this.#brokers.get(brokerId)
    return broker !== undefined && !broker.fenced
  }

  /** Unfenced and not about to leave: may lead and be in sync. */
  isActive(brokerId: number): boolean {
    const broker = this.#brokers.get(brokerId)
    return broker !== undefined && !broker.fenced && !broker.inControlledShutdown
  }

  /**
   * What was set on one resource, as text; empty when nothing was. `''` names all brokers (`resourceTypes.broker`).
   * A change makes a new map, so that values may be kept for as long as the map is the same (`BrokerConfigLayers`).
   */
  configsOf(type: number, name: string): ReadonlyMap<string, string> {
    return this.#configs.get(`${type}:${name}`) ?? NOTHING
  }

  /** Names of the resources of one type on which something was set. */
  configuredNames(type: number): string[] {
    const prefix = `${type}:`
    return [...this.#configs.keys()].filter(key => key.startsWith(prefix)).map(key => key.slice(prefix.length))
  }

  /** The level of a finalized feature; 0 when it is not. */
  featureLevel(name: string): number {
    return this.#features.get(name) ?? 0
  }

  /** `offset` and `epoch` are those of the record in the metadata log. */
  apply(record: MetadataRecord, offset: number, epoch: number): void {
    switch (record.type) {
      case 'RegisterBrokerRecord':
        this.#register(record, offset)
        break
      case 'UnregisterBrokerRecord':
        if (this.#brokers.delete(record.brokerId)) this.#changes.brokerChanged(record.brokerId)
        break
      case 'BrokerRegistrationChangeRecord':
        this.#changeBroker(record.brokerId, {
          ...(record.fenced === 0 ? {} : { fenced: record.fenced > 0 }),
          ...(record.inControlledShutdown === 0 ? {} : { inControlledShutdown: record.inControlledShutdown > 0 }),
          ...(record.logDirs.length === 0 ? {} : { logDirs: record.logDirs }),
        })
        break
      case 'FenceBrokerRecord':
        this.#changeBroker(record.id, { fenced: true })
        break
      case 'UnfenceBrokerRecord':
        this.#changeBroker(record.id, { fenced: false })
        break
      case 'TopicRecord': {
        const topic: MutableTopic = { name: record.name, topicId: record.topicId, partitions: [] }
        this.#topics.set(topic.name, topic)
        this.#topicsById.set(topic.topicId, topic)
        break
      }
      case 'PartitionRecord':
        this.#addPartition(record)
        break
      case 'PartitionChangeRecord': {
        const before = this.partitionById(record.topicId, record.partitionId)
        if (before === undefined) throw unknown(record.type, `${record.topicId}-${record.partitionId}`)
        this.#replace(mergedPartition(before, record), before)
        break
      }
      case 'RemoveTopicRecord':
        this.#removeTopic(record.topicId)
        break
      case 'ConfigRecord':
        this.#setConfig(record)
        break
      case 'ClearElrRecord':
        this.#clearElr(record.topicName)
        break
      case 'ProducerIdsRecord':
        this.nextProducerId = record.nextProducerId
        break
      case 'FeatureLevelRecord':
        if (record.featureLevel === 0) this.#features.delete(record.name)
        else this.#features.set(record.name, record.featureLevel)
        this.#changes.featureChanged(record.name)
        break
      case 'ClientQuotaRecord':
        this.clientQuotas.apply(record)
        break
      case 'UserScramCredentialRecord':
        this.scramCredentials.set(record)
        break
      case 'RemoveUserScramCredentialRecord':
        this.scramCredentials.remove(record)
        break
      case 'DelegationTokenRecord':
        this.delegationTokens.set(record)
        break
      case 'RemoveDelegationTokenRecord':
        this.delegationTokens.remove(record)
        break
      case 'AccessControlEntryRecord':
        this.acls.set(record)
        break
      case 'RemoveAccessControlEntryRecord':
        this.acls.remove(record)
        break
      case 'NoOpRecord':
        break
    }
    this.offset = offset
    this.epoch = epoch
  }

  #register(record: MetadataRecordOf<'RegisterBrokerRecord'>, offset: number): void {
    this.#brokers.set(record.brokerId, {
      brokerId: record.brokerId,
      brokerEpoch: record.brokerEpoch,
      incarnationId: record.incarnationId,
      endpoints: record.endPoints,
      features: record.features,
      rack: record.rack,
      fenced: record.fenced,
      inControlledShutdown: record.inControlledShutdown,
      logDirs: record.logDirs,
      registrationOffset: offset,
    })
    this.#changes.brokerChanged(record.brokerId)
  }

  #changeBroker(brokerId: number, change: Partial<BrokerImage>): void {
    const before = this.#brokers.get(brokerId)
    if (before === undefined) throw unknown('a change of registration', `broker ${brokerId}`)
    this.#brokers.set(brokerId, { ...before, ...change })
    this.#changes.brokerChanged(brokerId)
  }

  #addPartition(record: MetadataRecordOf<'PartitionRecord'>): void {
    const topic = this.#topicsById.get(record.topicId)
    if (topic === undefined) throw unknown(record.type, `topic ${record.topicId}`)
    const partition: PartitionImage = {
      topic: topic.name,
      topicId: topic.topicId,
      partition: record.partitionId,
      replicas: record.replicas,
      inSyncReplicas: record.isr,
      removingReplicas: record.removingReplicas,
      addingReplicas: record.addingReplicas,
      eligibleLeaderReplicas: record.eligibleLeaderReplicas ?? [],
      lastKnownElr: record.lastKnownElr ?? [],
      leader: record.leader,
      leaderEpoch: record.leaderEpoch,
      partitionEpoch: record.partitionEpoch,
      recoveryState: record.leaderRecoveryState,
    }
    const previous = topic.partitions[record.partitionId]
    topic.partitions[record.partitionId] = partition
    this.#changes.partitionChanged(partition, previous)
  }

  #replace(partition: PartitionImage, previous: PartitionImage): void {
    this.#topicsById.get(partition.topicId)!.partitions[partition.partition] = partition
    this.#changes.partitionChanged(partition, previous)
  }

  /** With its configurations, which go without a record of their own. */
  #removeTopic(topicId: string): void {
    const topic = this.#topicsById.get(topicId)
    if (topic === undefined) throw unknown('RemoveTopicRecord', `topic ${topicId}`)
    this.#topicsById.delete(topicId)
    this.#topics.delete(topic.name)
    const resource = { type: resourceTypes.topic, name: topic.name }
    if (this.#configs.delete(`${resource.type}:${resource.name}`)) this.#changes.configChanged(resource)
    this.#changes.topicDeleted(topic)
  }

  #setConfig(record: MetadataRecordOf<'ConfigRecord'>): void {
    const key = `${record.resourceType}:${record.resourceName}`
    const configs = new Map(this.#configs.get(key))
    if (record.value === null) configs.delete(record.name)
    else configs.set(record.name, record.value)
    if (configs.size === 0) this.#configs.delete(key)
    else this.#configs.set(key, configs)
    this.#changes.configChanged({ type: record.resourceType, name: record.resourceName })
  }

  /** Of one topic, or with an empty name of all. A partition that had any moves on by one partition epoch. */
  #clearElr(topicName: string): void {
    const named = this.#topics.get(topicName)
    const topics = topicName === '' ? [...this.#topics.values()] : named === undefined ? [] : [named]
    for (const topic of topics) {
      for (const before of topic.partitions) {
        if (before.eligibleLeaderReplicas.length === 0 && before.lastKnownElr.length === 0) continue
        const partitionEpoch = before.partitionEpoch + 1
        this.#replace({ ...before, eligibleLeaderReplicas: [], lastKnownElr: [], partitionEpoch }, before)
      }
    }
  }
}

/** What a partition is after a change record: each raises the partition epoch, a named leader the leader epoch. */
export function mergedPartition(
  before: PartitionImage,
  record: Partial<MetadataRecordOf<'PartitionChangeRecord'>>,
): PartitionImage {
  const { leader = LEADER_STAYS, leaderRecoveryState = STATE_STAYS } = record
  return {
    topic: before.topic,
    topicId: before.topicId,
    partition: before.partition,
    replicas: record.replicas ?? before.replicas,
    inSyncReplicas: record.isr ?? before.inSyncReplicas,
    removingReplicas: record.removingReplicas ?? before.removingReplicas,
    addingReplicas: record.addingReplicas ?? before.addingReplicas,
    eligibleLeaderReplicas: record.eligibleLeaderReplicas ?? before.eligibleLeaderReplicas,
    lastKnownElr: record.lastKnownElr ?? before.lastKnownElr,
    leader: leader === LEADER_STAYS ? before.leader : leader,
    leaderEpoch: leader === LEADER_STAYS ? before.leaderEpoch : before.leaderEpoch + 1,
    partitionEpoch: before.partitionEpoch + 1,
    recoveryState: leaderRecoveryState === STATE_STAYS ? before.recoveryState : leaderRecoveryState,
  }
}

const LEADER_STAYS = -2
const STATE_STAYS = -1

function unknown(what: string, whom: string): Error {
  return new Error(`${what} names ${whom}, which the metadata log has not introduced`)
}
