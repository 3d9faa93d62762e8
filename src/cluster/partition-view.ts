import type { Partition } from '../broker/partition.ts'
import type { LogSnapshot } from '../log/replica-log.ts'
import { NO_LEADER, type PartitionImage } from '../metadata/image.ts'
import type { BrokerHandle } from './broker-handle.ts'

/** One replica as its broker has it: its log's bounds, segments with their indexes, epochs, batch headers, producers. */
export interface ReplicaView extends LogSnapshot {
  readonly brokerId: number
  readonly isLeader: boolean
  /** The leader epoch that this broker knows; a cut-off broker's is old. */
  readonly leaderEpoch: number
}

/** A partition at one moment. Bounds are those of the leader; −1 while there is none that runs. */
export interface PartitionView {
  readonly topic: string
  readonly partition: number
  /** Broker id of the leader; undefined while the controller knows none. */
  readonly leader: number | undefined
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  /** In the order of the assignment: the first is the preferred leader. */
  readonly replicas: readonly number[]
  readonly inSyncReplicas: readonly number[]
  readonly eligibleLeaderReplicas: readonly number[]
  readonly addingReplicas: readonly number[]
  readonly removingReplicas: readonly number[]
  readonly startOffset: number
  readonly endOffset: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  /** Of the brokers that run, by broker id. */
  readonly replicaLogs: ReadonlyMap<number, ReplicaView>
}

export function viewPartition(facts: PartitionImage, brokers: Iterable<BrokerHandle>): PartitionView {
  const replicaLogs = new Map<number, ReplicaView>()
  for (const handle of brokers) {
    const partition = handle.broker?.partitionOf(facts.topicId, facts.partition)
    if (partition === undefined) continue
    replicaLogs.set(handle.id, viewReplica(handle.id, partition))
  }
  const leader = replicaLogs.get(facts.leader)
  return {
    topic: facts.topic,
    partition: facts.partition,
    leader: facts.leader === NO_LEADER ? undefined : facts.leader,
    leaderEpoch: facts.leaderEpoch,
    partitionEpoch: facts.partitionEpoch,
    replicas: facts.replicas,
    inSyncReplicas: facts.inSyncReplicas,
    eligibleLeaderReplicas: facts.eligibleLeaderReplicas,
    addingReplicas: facts.addingReplicas,
    removingReplicas: facts.removingReplicas,
    startOffset: leader?.startOffset ?? -1,
    endOffset: leader?.endOffset ?? -1,
    highWatermark: leader?.highWatermark ?? -1,
    lastStableOffset: leader?.lastStableOffset ?? -1,
    replicaLogs,
  }
}

/**
 * Bounds are those of this moment. Segments, epochs and producers are read when one of them is first asked for, since
 * conditions look at partitions after every event and seldom need them.
 */
function viewReplica(brokerId: number, { isLeader, leaderEpoch, log }: Partition): ReplicaView {
  let details: LogSnapshot | undefined
  const detail = <Name extends 'segments' | 'leaderEpochs' | 'producers'>(name: Name) => ({
    enumerable: true,
    get: (): LogSnapshot[Name] => {
      details ??= log.snapshot()
      return details[name]
    },
  })
  const { startOffset, endOffset, highWatermark, lastStableOffset, size } = log
  const bounds = { brokerId, isLeader, leaderEpoch, startOffset, endOffset, highWatermark, lastStableOffset, size }
  return Object.defineProperties(bounds, {
    segments: detail('segments'),
    leaderEpochs: detail('leaderEpochs'),
    producers: detail('producers'),
  }) as unknown as ReplicaView
}
