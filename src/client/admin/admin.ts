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
  checkTopicNames,
  checkTopicsToDelete,
} from './admin-arguments.ts'
import { AdminClient } from './admin-client.ts'
import { ClusterAdmin } from './cluster-admin.ts'
import { type ClusterDescription, describeCluster } from './cluster-description.ts'
import {
  type ConfigAlteration,
  type ConfigEntry,
  type ConfigResource,
  type DescribeConfigsOptions,
  describeConfigs,
  incrementalAlterConfigs,
} from './configs.ts'
import {
  deleteRecords,
  describeProducers,
  type ListedOffset,
  listOffsets,
  type OffsetRequest,
  type ProducerState,
  type RecordsToDelete,
} from './partition-queries.ts'
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
  type TopicDescription,
  type TopicListing,
} from './topics.ts'

/** How long the cluster may take, in milliseconds; `request.timeout.ms` unless said. */
interface Timeout {
  readonly timeoutMs?: number
}

/** The cluster would do it, but does not. */
interface Validation {
  readonly validateOnly?: boolean
}

const timeout = ['timeoutMs']
const timeoutAndValidation = [...timeout, 'validateOnly']

/**
 * Looks after a cluster (Kafka's Admin), under the Java client's method names. A call about several things rejects with the
 * KafkaError of the first that failed; its `details` is the map of all answers, the good ones among them. Calls that get
 * no answer are made again, until `default.api.timeout.ms` is over: REQUEST_TIMED_OUT. After `close`: IllegalStateError.
 * Misspelt fields: IllegalArgumentError.
 */
export class Admin extends ClusterAdmin {
  readonly #client: AdminClient

  /** @throws {ConfigError} for a key that is not known, or a value that is not legal. */
  constructor(config: AdminOptions, environment: ClientEnvironment) {
    const client = new AdminClient(adminConfigsOf(config, environment), environment)
    super(client)
    this.#client = client
  }

  /** By name what was created. Rejects with TOPIC_ALREADY_EXISTS, INVALID_REPLICATION_FACTOR, INVALID_CONFIG, … */
  createTopics(topics: readonly NewTopic[], options: Timeout & Validation = {}): Promise<Map<string, CreatedTopic>> {
    return this.#call('createTopics', options, timeoutAndValidation, () => {
      checkNewTopics(topics)
      return createTopics(this.#client, topics, options)
    })
  }

  /** By name, or by id. Rejects with UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID. */
  deleteTopics(
    topics: readonly string[] | { readonly topicIds: readonly string[] },
    options: Timeout = {},
  ): Promise<void> {
    return this.#call('deleteTopics', options, timeout, () => {
      checkTopicsToDelete(topics)
      return deleteTopics(this.#client, topics, options)
    })
  }

  /** All topics, by name; Kafka's own only with `listInternal`. */
  listTopics(options: { readonly listInternal?: boolean } = {}): Promise<TopicListing[]> {
    return this.#call('listTopics', options, ['listInternal'], () => listTopics(this.#client, options))
  }

  /** With leaders, replicas, in-sync and eligible leader replicas of every partition. */
  describeTopics(names: readonly string[]): Promise<Map<string, TopicDescription>> {
    return this.#client.call('describeTopics', async () => {
      checkTopicNames('describeTopics', names)
      return describeTopics(this.#client, names)
    })
  }

  /** Gives topics more partitions: `{ orders: { count: 6 } }`. Rejects with INVALID_PARTITIONS for fewer. */
  createPartitions(topics: Readonly<Record<string, NewPartitions>>, options: Timeout & Validation = {}): Promise<void> {
    return this.#call('createPartitions', options, timeoutAndValidation, () => {
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

  #call<T>(name: string, options: object, known: readonly string[], run: () => Promise<T>): Promise<T> {
    return this.#client.call(name, async () => {
      refuseUnknown(`the options of ${name}`, options, known)
      return run()
    })
  }

  /** Closes its connections; pending calls reject. Twice does no harm. It waits for nothing, whatever `timeoutMs` says. */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    timeoutOf('close', options, 0)
    this.#client.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
