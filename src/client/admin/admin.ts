import type { AdminOptions } from '../../metadata/admin-configs.ts'
import { refuseUnknown, timeoutOf } from '../arguments.ts'
import { adminConfigsOf } from '../configuration.ts'
import { checkPartitions } from '../consumer/subscription.ts'
import type { ClientEnvironment } from '../environment.ts'
import type { TopicPartition } from '../topic-partition.ts'
import {
  checkAlterations,
  checkItems,
  checkNewPartitions,
  checkNewTopics,
  checkResources,
  checkTopics,
} from './admin-arguments.ts'
import { AdminClient } from './admin-client.ts'
import {
  type ClusterDescription,
  describeCluster,
  describeFeatures,
  type FeatureDescription,
} from './cluster-description.ts'
import {
  type ConfigAlteration,
  type ConfigEntry,
  type ConfigResource,
  type DescribeConfigsOptions,
  describeConfigs,
  incrementalAlterConfigs,
} from './configs.ts'
import {
  checkGroupId,
  checkGroupIds,
  checkGroupPartitions,
  checkListing,
  checkNewOffsets,
  checkRemoval,
} from './group-arguments.ts'
import {
  type ClassicGroupDescription,
  type ConsumerGroupDescription,
  describeClassicGroups,
  describeConsumerGroups,
} from './group-descriptions.ts'
import { type RemoveMembersOptions, removeMembersFromConsumerGroup } from './group-members.ts'
import {
  alterConsumerGroupOffsets,
  deleteConsumerGroupOffsets,
  type GroupOffset,
  type GroupPartitions,
  listConsumerGroupOffsets,
  type NewGroupOffsets,
} from './group-offsets.ts'
import {
  deleteConsumerGroups,
  type GroupListing,
  type ListConsumerGroupsOptions,
  type ListGroupsOptions,
  listConsumerGroups,
  listGroups,
} from './groups.ts'
import {
  deleteRecords,
  describeProducers,
  type ListedOffset,
  listOffsets,
  type OffsetRequest,
  type ProducerState,
  type RecordsToDelete,
} from './partition-queries.ts'
import type { QuotaRetry } from './quota-retries.ts'
import {
  alterPartitionReassignments,
  type ElectionResult,
  electLeaders,
  listPartitionReassignments,
  type NewReassignment,
  type Reassignment,
} from './replicas.ts'
import {
  type CreatedTopic,
  createPartitions,
  createTopics,
  deleteTopics,
  describeTopics,
  listTopics,
  type NewPartitions,
  type NewTopic,
  type TopicCollection,
  type TopicDescription,
  type TopicListing,
} from './topics.ts'

/** How long the cluster may take, in milliseconds; `request.timeout.ms` unless said. */
import { TransactionAdmin } from './transaction-admin.ts'

interface Timeout {
  readonly timeoutMs?: number
}

/** The cluster would do it, but does not. */
interface Validation {
  readonly validateOnly?: boolean
}

/** Offsets of a transaction that is still open are waited for. */
interface RequireStable {
  readonly requireStable?: boolean
}

const listing = ['states', 'types']
const timeout = ['timeoutMs']
const timeoutAndValidation = [...timeout, 'validateOnly']

/**
 * Looks after a cluster (Kafka's Admin), under the Java client's method names. A call about several things rejects with the
 * KafkaError of the first that failed; its `details` is the map of all answers, the good ones among them. Calls that get
 * no answer are made again, until `default.api.timeout.ms` is over: REQUEST_TIMED_OUT. After `close`: IllegalStateError.
 * Misspelt fields: IllegalArgumentError.
 */
export class Admin extends TransactionAdmin {
  readonly #client: AdminClient

  /** @throws {ConfigError} for a key that is not known, or a value that is not legal. */
  constructor(config: AdminOptions, environment: ClientEnvironment) {
    const client = new AdminClient(adminConfigsOf(config, environment), environment)
    super(client)
    this.#client = client
  }

  /** By name what was created. Rejects with TOPIC_ALREADY_EXISTS, INVALID_REPLICATION_FACTOR, INVALID_CONFIG, … */
  createTopics(
    topics: readonly NewTopic[],
    options: Timeout & Validation & QuotaRetry = {},
  ): Promise<Map<string, CreatedTopic>> {
    return this.#call('createTopics', options, [...timeoutAndValidation, 'retryOnQuotaViolation'], () => {
      checkNewTopics(topics)
      return createTopics(this.#client, topics, options)
    })
  }

  /** By name, or by id. Rejects with UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID. */
  deleteTopics(topics: TopicCollection, options: Timeout & QuotaRetry = {}): Promise<void> {
    return this.#call('deleteTopics', options, [...timeout, 'retryOnQuotaViolation'], () => {
      checkTopics('deleteTopics', topics)
      return deleteTopics(this.#client, topics, options)
    })
  }

  /** All topics, by name; Kafka's own only with `listInternal`. */
  listTopics(options: { readonly listInternal?: boolean } = {}): Promise<TopicListing[]> {
    return this.#call('listTopics', options, ['listInternal'], () => listTopics(this.#client, options))
  }

  /**
   * By what was asked for, name or id, with leaders, replicas and in-sync replicas of every partition; by name also with
   * eligible leader replicas.
   */
  describeTopics(topics: TopicCollection): Promise<Map<string, TopicDescription>> {
    return this.#client.call('describeTopics', async () => {
      checkTopics('describeTopics', topics)
      return describeTopics(this.#client, topics)
    })
  }

  /** Gives topics more partitions: `{ orders: { count: 6 } }`. Rejects with INVALID_PARTITIONS for fewer. */
  createPartitions(
    topics: Readonly<Record<string, NewPartitions>>,
    options: Timeout & Validation & QuotaRetry = {},
  ): Promise<void> {
    return this.#call('createPartitions', options, [...timeoutAndValidation, 'retryOnQuotaViolation'], () => {
      checkNewPartitions(topics)
      return createPartitions(this.#client, topics, options)
    })
  }

  /** Deletes all records before an offset; answers the new log start offset, by the very objects that were given. */
  deleteRecords(
    records: readonly RecordsToDelete[],
    options: Timeout = {},
  ): Promise<Map<RecordsToDelete, { lowWatermark: number }>> {
    return this.#call('deleteRecords', options, timeout, () => {
      checkItems('deleteRecords', records, 'beforeOffset')
      return deleteRecords(this.#client, records, options)
    })
  }

  /** Offsets by place or time, by the very objects that were given. `read_committed`: `latest` is the last stable offset. */
  listOffsets(
    requests: readonly OffsetRequest[],
    options: { readonly isolationLevel?: 'read_committed' | 'read_uncommitted' } = {},
  ): Promise<Map<OffsetRequest, ListedOffset>> {
    return this.#call('listOffsets', options, ['isolationLevel'], () => {
      checkItems('listOffsets', requests, 'spec')
      return listOffsets(this.#client, requests, options)
    })
  }

  /** The producers that each partition's leader knows (KIP-664). */
  describeProducers(partitions: readonly TopicPartition[]): Promise<Map<TopicPartition, ProducerState[]>> {
    return this.#client.call('describeProducers', async () => {
      checkPartitions('describeProducers', partitions)
      return describeProducers(this.#client, partitions)
    })
  }

  describeConfigs(
    resources: readonly ConfigResource[],
    options: DescribeConfigsOptions = {},
  ): Promise<Map<ConfigResource, Map<string, ConfigEntry>>> {
    return this.#call('describeConfigs', options, ['keys', 'includeSynonyms', 'includeDocumentation'], () => {
      checkResources('describeConfigs', resources)
      return describeConfigs(this.#client, resources, options)
    })
  }

  /** Sets, deletes, appends to or subtracts from single keys (KIP-339). Rejects with INVALID_CONFIG. */
  incrementalAlterConfigs(alterations: readonly ConfigAlteration[], options: Validation = {}): Promise<void> {
    return this.#call('incrementalAlterConfigs', options, ['validateOnly'], () => {
      checkAlterations(alterations)
      return incrementalAlterConfigs(this.#client, alterations, options)
    })
  }

  /** Elects leaders of these partitions, null for all; says of each whether one was elected. */
  electLeaders(
    type: 'preferred' | 'unclean',
    partitions: readonly TopicPartition[] | null,
    options: Timeout = {},
  ): Promise<ElectionResult[]> {
    return this.#call('electLeaders', options, timeout, () => {
      if (partitions !== null) checkPartitions('electLeaders', partitions)
      return electLeaders(this.#client, type, partitions, options)
    })
  }

  /** Gives partitions other replicas, or calls that off (KIP-455). Resolves when it has begun, not when it is done. */
  alterPartitionReassignments(
    reassignments: readonly NewReassignment[],
    options: Timeout & { readonly allowReplicationFactorChange?: boolean } = {},
  ): Promise<void> {
    return this.#call('alterPartitionReassignments', options, [...timeout, 'allowReplicationFactorChange'], () => {
      checkItems('alterPartitionReassignments', reassignments, 'replicas')
      return alterPartitionReassignments(this.#client, reassignments, options)
    })
  }

  /** What is being moved, of these partitions or of all. */
  listPartitionReassignments(
    partitions: readonly TopicPartition[] | null = null,
    options: Timeout = {},
  ): Promise<Reassignment[]> {
    return this.#call('listPartitionReassignments', options, timeout, () => {
      if (partitions !== null) checkPartitions('listPartitionReassignments', partitions)
      return listPartitionReassignments(this.#client, partitions, options)
    })
  }

  describeCluster(options: { readonly includeFencedBrokers?: boolean } = {}): Promise<ClusterDescription> {
    return this.#call('describeCluster', options, ['includeFencedBrokers'], () =>
      describeCluster(this.#client, options),
    )
  }

  /** Levels of features: what the cluster has finalized, and what the broker that was asked supports (KIP-584). */
  describeFeatures(): Promise<FeatureDescription> {
    return this.#client.call('describeFeatures', () => describeFeatures(this.#client))
  }

  // --- groups --------------------------------------------------------------------------------------------------------

  /** Groups of every type, by their ids, from all brokers. */
  listGroups(options: ListGroupsOptions = {}): Promise<GroupListing[]> {
    return this.#call('listGroups', options, [...listing, 'protocolTypes'], () => {
      checkListing(options)
      return listGroups(this.#client, options)
    })
  }

  /** Groups of consumers, by their ids: of either protocol, and those that only keep offsets. */
  listConsumerGroups(options: ListConsumerGroupsOptions = {}): Promise<GroupListing[]> {
    return this.#call('listConsumerGroups', options, listing, () => {
      checkListing(options)
      return listConsumerGroups(this.#client, options)
    })
  }

  /** By id, with members and what each has. Rejects with GROUP_ID_NOT_FOUND. */
  describeConsumerGroups(groupIds: readonly string[]): Promise<Map<string, ConsumerGroupDescription>> {
    return this.#client.call('describeConsumerGroups', async () => {
      checkGroupIds('describeConsumerGroups', groupIds)
      return describeConsumerGroups(this.#client, groupIds)
    })
  }

  /** Classic groups of any protocol type, by id. Rejects with GROUP_ID_NOT_FOUND, for groups of the new protocol too. */
  describeClassicGroups(groupIds: readonly string[]): Promise<Map<string, ClassicGroupDescription>> {
    return this.#client.call('describeClassicGroups', async () => {
      checkGroupIds('describeClassicGroups', groupIds)
      return describeClassicGroups(this.#client, groupIds)
    })
  }

  /** With all their offsets. Rejects with NON_EMPTY_GROUP while a group has members, GROUP_ID_NOT_FOUND. */
  deleteConsumerGroups(groupIds: readonly string[]): Promise<void> {
    return this.#client.call('deleteConsumerGroups', async () => {
      checkGroupIds('deleteConsumerGroups', groupIds)
      return deleteConsumerGroups(this.#client, groupIds)
    })
  }

  /**
   * What groups have committed: all that one group has, or of several, by id, what is asked for: partitions, or null for all.
   * A group that nobody knows has committed nothing. `requireStable` waits for transactions that commit offsets.
   */
  listConsumerGroupOffsets(groupId: string, options?: RequireStable): Promise<GroupOffset[]>
  listConsumerGroupOffsets(groups: GroupPartitions, options?: RequireStable): Promise<Map<string, GroupOffset[]>>
  listConsumerGroupOffsets(
    groups: string | GroupPartitions,
    options: RequireStable = {},
  ): Promise<GroupOffset[] | Map<string, GroupOffset[]>> {
    const name = 'listConsumerGroupOffsets'
    return this.#call<GroupOffset[] | Map<string, GroupOffset[]>>(name, options, ['requireStable'], async () => {
      checkGroupPartitions(name, groups)
      if (typeof groups !== 'string') return listConsumerGroupOffsets(this.#client, groups, options)
      return (await listConsumerGroupOffsets(this.#client, { [groups]: null }, options)).get(groups)!
    })
  }

  /** Moves a group that has no members, and makes it if need be. Rejects with UNKNOWN_MEMBER_ID while it has some. */
  alterConsumerGroupOffsets(groupId: string, offsets: NewGroupOffsets): Promise<void> {
    return this.#client.call('alterConsumerGroupOffsets', async () => {
      checkGroupId('alterConsumerGroupOffsets', groupId)
      return alterConsumerGroupOffsets(this.#client, groupId, checkNewOffsets(offsets))
    })
  }

  /** Rejects with GROUP_SUBSCRIBED_TO_TOPIC for a topic that a member reads, GROUP_ID_NOT_FOUND. */
  deleteConsumerGroupOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void> {
    return this.#client.call('deleteConsumerGroupOffsets', async () => {
      checkGroupId('deleteConsumerGroupOffsets', groupId)
      checkPartitions('deleteConsumerGroupOffsets', partitions)
      return deleteConsumerGroupOffsets(this.#client, groupId, partitions)
    })
  }

  /** Static members by their instance ids, or every member (KIP-345, KIP-571). Who still runs joins again. */
  removeMembersFromConsumerGroup(groupId: string, options: RemoveMembersOptions = {}): Promise<void> {
    return this.#call('removeMembersFromConsumerGroup', options, ['groupInstanceIds', 'reason'], () => {
      checkGroupId('removeMembersFromConsumerGroup', groupId)
      checkRemoval(options)
      return removeMembersFromConsumerGroup(this.#client, groupId, options)
    })
  }

  // -------------------------------------------------------------------------------------------------------------------

  #call<T>(name: string, options: object, known: readonly string[], run: () => Promise<T>): Promise<T> {
    return this.#client.call(name, async () => {
      refuseUnknown(`the options of ${name}`, options, known)
      return run()
    })
  }

  /** Closes its connections; pending calls reject. Twice does no harm. It waits for nothing, whatever `timeoutMs` says. */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    timeoutOf('close', options, 0)
    await this.#client.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
