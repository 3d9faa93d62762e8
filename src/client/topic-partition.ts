/** One partition of a topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface OffsetAndTimestamp {
  readonly offset: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly leaderEpoch: number | undefined
}

/** How far a group has come in a partition, as it was committed. */
export interface OffsetAndMetadata {
  /** The next record to be read. */
  readonly offset: number
  /** Of the record before it; −1 if it is not known. */
  readonly leaderEpoch: number
  /** Whatever the application left with it; '' for nothing. */
  readonly metadata: string
}

/** A broker as clients know it. */
export interface Node {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** What a client knows of a partition. */
export interface PartitionInfo {
  readonly topic: string
  readonly partition: number
  /** Broker id; undefined while there is no leader. */
  readonly leader: number | undefined
  readonly replicas: readonly number[]
  readonly inSyncReplicas: readonly number[]
  readonly offlineReplicas: readonly number[]
}

/** `orders-0`, as Kafka writes it. */
export function partitionText({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}
