import type { metadata } from '../apis/metadata.ts'
import type { ResponseOf } from '../wire/api.ts'
import type { Node, PartitionInfo } from './topic-partition.ts'

export interface PartitionView {
  readonly topic: string
  readonly partition: number
  /** −1 while there is none. */
  readonly leaderId: number
  /** −1 if the broker did not say. */
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly inSyncReplicas: readonly number[]
  readonly offlineReplicas: readonly number[]
}

export interface TopicView {
  readonly name: string
  readonly id: string
  readonly isInternal: boolean
  /** By partition number. */
  readonly partitions: readonly PartitionView[]
}

type TopicAnswer = ResponseOf<typeof metadata>['topics'][number]

/**
 * What an answer says of a topic, but no partition goes back to a leader epoch older than known: that answer came from a
 * broker that lags behind (C-81). A topic of another id is another topic.
 */
export function mergedTopic(known: TopicView | undefined, answer: TopicAnswer): TopicView {
  const name = answer.name ?? ''
  const same = known !== undefined && known.id === answer.topicId
  const partitions: PartitionView[] = []
  for (const said of answer.partitions) {
    const before = same ? known.partitions[said.partitionIndex] : undefined
    const isOld = before !== undefined && said.leaderEpoch >= 0 && said.leaderEpoch < before.leaderEpoch
    partitions[said.partitionIndex] = isOld
      ? before
      : {
          topic: name,
          partition: said.partitionIndex,
          leaderId: said.leaderId,
          leaderEpoch: said.leaderEpoch,
          replicas: said.replicaNodes,
          inSyncReplicas: said.isrNodes,
          offlineReplicas: said.offlineReplicas,
        }
  }
  return { name, id: answer.topicId, isInternal: answer.isInternal, partitions }
}

/** Whether two views would make a client act differently. */
export function isSameTopic(a: TopicView | undefined, b: TopicView | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  if (a.id !== b.id || a.partitions.length !== b.partitions.length) return false
  return a.partitions.every((partition, index) => {
    const other = b.partitions[index]!
    return partition.leaderId === other.leaderId && partition.leaderEpoch === other.leaderEpoch
  })
}

/** As users see it. */
export function partitionInfos(topic: TopicView): PartitionInfo[] {
  return topic.partitions.map(({ topic: name, partition, leaderId, replicas, inSyncReplicas, offlineReplicas }) => ({
    topic: name,
    partition,
    leader: leaderId < 0 ? undefined : leaderId,
    replicas: [...replicas],
    inSyncReplicas: [...inSyncReplicas],
    offlineReplicas: [...offlineReplicas],
  }))
}

export function nodeOf(broker: { nodeId: number; host: string; port: number; rack: string | null }): Node {
  return { id: broker.nodeId, host: broker.host, port: broker.port, rack: broker.rack }
}
