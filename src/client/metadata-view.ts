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

/** Whether an answer brought something: a topic or partition that was not known, or a leader of a newer epoch. */
export function hasNews(known: TopicView | undefined, told: TopicView): boolean {
  if (known === undefined || known.id !== told.id) return true
  return told.partitions.some(({ partition, leaderId, leaderEpoch }) => {
    const before = known.partitions[partition]
    if (before === undefined || leaderEpoch > before.leaderEpoch) return true
    return leaderEpoch < 0 && leaderId !== before.leaderId
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
