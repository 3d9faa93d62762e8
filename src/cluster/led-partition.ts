import type { Partition } from '../broker/partition.ts'
import type { PartitionImage } from '../metadata/image.ts'
import type { BrokerHandle } from './broker-handle.ts'

/** The partition on a leader that runs and knows that it leads; undefined while there is none. */
export function ledPartition(brokers: readonly BrokerHandle[], state: PartitionImage): Partition | undefined {
  const handle = brokers.find(broker => broker.id === state.leader)
  if (handle === undefined || !handle.isRunning) return undefined
  const partition = handle.broker?.partitionOf(state.topicId, state.partition)
  return partition?.isLeader ? partition : undefined
}
