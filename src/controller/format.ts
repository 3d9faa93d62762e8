import { brokerConfigs } from '../metadata/broker-configs.ts'
import { brokerLayers } from '../metadata/broker-layers.ts'
import { formatConfig } from '../metadata/config-definition.ts'
import { effectiveBrokerConfig, noOverrides, type Overrides } from '../metadata/config-values.ts'
import { CLUSTER_DEFAULT, NO_LEADER, resourceTypes } from '../metadata/image.ts'
import type { MetadataRecordInput } from '../metadata/records.ts'
import { ELR_FEATURE, MIN_INSYNC_REPLICAS } from './configs.ts'

/**
 * Levels that a new cluster of 4.3 with a fixed quorum finalizes (W-17); `share.version` and `streams.version`, which it
 * finalizes too, stay at 0, since there are no such groups here.
 */
export const defaultFeatures: Readonly<Record<string, number>> = {
  'metadata.version': 30,
  'transaction.version': 2,
  [ELR_FEATURE]: 1,
  'group.version': 1,
}

/**
 * The first records of a new cluster, as `kafka-storage format` writes them: the levels of its features (0 leaves one
 * out), and with eligible leader replicas the cluster's `min.insync.replicas`, which is a dynamic default from then on
 * (R-45, M-21).
 */
export function formatRecords(
  features: Readonly<Record<string, number>>,
  staticConfigs: Overrides,
): MetadataRecordInput[] {
  const levels = { ...defaultFeatures, ...features }
  const records: MetadataRecordInput[] = []
  for (const [name, featureLevel] of Object.entries(levels)) {
    if (featureLevel > 0) records.push({ type: 'FeatureLevelRecord', name, featureLevel })
  }
  if ((levels[ELR_FEATURE] ?? 0) > 0) {
    const layers = brokerLayers(staticConfigs, noOverrides, noOverrides)
    const minimum = effectiveBrokerConfig(layers)[MIN_INSYNC_REPLICAS]
    records.push({
      type: 'ConfigRecord',
      resourceType: resourceTypes.broker,
      resourceName: CLUSTER_DEFAULT,
      name: MIN_INSYNC_REPLICAS,
      value: formatConfig(brokerConfigs[MIN_INSYNC_REPLICAS], minimum),
    })
  }
  return records
}

/** A topic whose logs are older than the cluster. */
export interface AdoptedTopic {
  readonly name: string
  readonly topicId: string
  readonly configs: Overrides
  /** The index is the partition. */
  readonly partitions: readonly {
    /** The first one has the log. */
    readonly replicas: readonly number[]
    /** The highest that is in the log; its leader's will be higher. */
    readonly leaderEpoch: number
  }[]
  /** The highest that is in any of its logs; −1 where there is none. */
  readonly producerId: number
}

/**
 * As if the only broker that is in sync were away: it leads as soon as it is there, in a higher epoch. No producer id of
 * the logs is given away once more: what its new owner sends would be taken for a duplicate (I-4).
 */
export function adoptionRecords(topics: readonly AdoptedTopic[]): MetadataRecordInput[] {
  const records: MetadataRecordInput[] = []
  const nextProducerId = Math.max(0, ...topics.map(({ producerId }) => producerId + 1))
  if (nextProducerId > 0) records.push({ type: 'ProducerIdsRecord', brokerId: -1, nextProducerId })
  for (const { name, topicId, configs, partitions } of topics) {
    records.push({ type: 'TopicRecord', name, topicId })
    for (const [key, value] of configs) {
      const resource = { resourceType: resourceTypes.topic, resourceName: name }
      records.push({ type: 'ConfigRecord', ...resource, name: key, value })
    }
    for (const [partitionId, { replicas, leaderEpoch }] of partitions.entries()) {
      records.push({
        type: 'PartitionRecord',
        partitionId,
        topicId,
        replicas,
        isr: replicas.slice(0, 1),
        removingReplicas: [],
        addingReplicas: [],
        leader: NO_LEADER,
        leaderEpoch: Math.max(0, leaderEpoch),
        partitionEpoch: 0,
      })
    }
  }
  return records
}
