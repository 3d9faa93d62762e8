import type { ClusterImage } from '../metadata/image.ts'
import type { MetadataRecordInput } from '../metadata/records.ts'
import { KafkaError } from '../wire/errors.ts'

/** More than that in one request is refused (ReplicationControlManager). */
export const MOST_NEW_PARTITIONS = 10_000

/**
 * A list of replicas that somebody wrote by hand (M-11, M-15).
 *
 * @throws {KafkaError} INVALID_REPLICA_ASSIGNMENT for an empty list, an unknown broker, one named twice, or another
 * number of replicas than `replicationFactor`, where that is given.
 */
export function checkAssignment(
  replicas: readonly number[],
  replicationFactor: number | undefined,
  image: ClusterImage,
): void {
  if (replicas.length === 0) throw invalid('The manual partition assignment includes an empty replica list.')
  for (let i = 0; i < replicas.length; i++) {
    const brokerId = replicas[i]!
    if (image.broker(brokerId) === undefined) {
      throw invalid(`The manual partition assignment includes broker ${brokerId}, but no such broker is registered.`)
    }
    if (replicas.indexOf(brokerId) !== i) {
      throw invalid(`The manual partition assignment includes the broker ${brokerId} more than once.`)
    }
  }
  if (replicationFactor !== undefined && replicas.length !== replicationFactor) {
    throw invalid(
      `The manual partition assignment includes a partition with ${replicas.length} replica(s), but this is not consistent with previous partitions, which have ${replicationFactor} replica(s).`,
    )
  }
}

/**
 * A new partition: in sync are all its active replicas, the first of them leads (M-12).
 *
 * @throws {KafkaError} `refusal` when none is active.
 */
export function newPartition(
  topicId: string,
  partitionId: number,
  replicas: readonly number[],
  image: ClusterImage,
  refusal: () => KafkaError,
): MetadataRecordInput {
  const isr = replicas.filter(replica => image.isActive(replica))
  const leader = isr[0]
  if (leader === undefined) throw refusal()
  return {
    type: 'PartitionRecord',
    partitionId,
    topicId,
    replicas,
    isr,
    removingReplicas: [],
    addingReplicas: [],
    leader,
    leaderEpoch: 0,
    partitionEpoch: 0,
  }
}

export function allGoneInAssignment(partition: number): KafkaError {
  return invalid(
    `All brokers specified in the manual partition assignment for partition ${partition} are fenced or in controlled shutdown.`,
  )
}

export function allGone(replicationFactor: number): KafkaError {
  return new KafkaError(
    'INVALID_REPLICATION_FACTOR',
    `Unable to replicate the partition ${replicationFactor} time(s): All brokers are currently fenced or in controlled shutdown.`,
  )
}

export function invalid(message: string): KafkaError {
  return new KafkaError('INVALID_REPLICA_ASSIGNMENT', message)
}
