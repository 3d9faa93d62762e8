import type { AnyApi } from '../wire/api.ts'
import { allocateProducerIds } from './allocate-producer-ids.ts'
import { alterPartition } from './alter-partition.ts'
import { alterPartitionReassignments } from './alter-partition-reassignments.ts'
import { apiVersions } from './api-versions.ts'
import { brokerHeartbeat } from './broker-heartbeat.ts'
import { brokerRegistration } from './broker-registration.ts'
import { createPartitions } from './create-partitions.ts'
import { createTopics } from './create-topics.ts'
import { deleteRecords } from './delete-records.ts'
import { deleteTopics } from './delete-topics.ts'
import { describeCluster } from './describe-cluster.ts'
import { describeConfigs } from './describe-configs.ts'
import { describeProducers } from './describe-producers.ts'
import { describeTopicPartitions } from './describe-topic-partitions.ts'
import { electLeaders } from './elect-leaders.ts'
import { fetch } from './fetch.ts'
import { incrementalAlterConfigs } from './incremental-alter-configs.ts'
import { initProducerId } from './init-producer-id.ts'
import { listOffsets } from './list-offsets.ts'
import { listPartitionReassignments } from './list-partition-reassignments.ts'
import { metadata } from './metadata.ts'
import { offsetForLeaderEpoch } from './offset-for-leader-epoch.ts'
import { produce } from './produce.ts'

/** Everything that a node of this cluster can be asked, by key. */
export const apis: readonly AnyApi[] = [
  allocateProducerIds,
  alterPartition,
  alterPartitionReassignments,
  apiVersions,
  brokerHeartbeat,
  brokerRegistration,
  createPartitions,
  createTopics,
  deleteRecords,
  deleteTopics,
  describeCluster,
  describeConfigs,
  describeProducers,
  describeTopicPartitions,
  electLeaders,
  fetch,
  incrementalAlterConfigs,
  initProducerId,
  listOffsets,
  listPartitionReassignments,
  metadata,
  offsetForLeaderEpoch,
  produce,
].sort((a, b) => a.key - b.key)

const byKey = new Map(apis.map(api => [api.key, api]))

/** The API with this key; undefined for a key that no node here knows. */
export function apiOf(key: number): AnyApi | undefined {
  return byKey.get(key)
}
