import { describeQuorum as describeQuorumApi } from '../../apis/describe-quorum.ts'
import { KafkaError } from '../../wire/errors.ts'
import { type AdminClient, errorOfItem } from './admin-client.ts'

/** How far one node has come in the metadata log. Times are milliseconds since the epoch; undefined: not known. */
export interface QuorumReplica {
  readonly replicaId: number
  readonly replicaDirectoryId: string
  readonly logEndOffset: number
  readonly lastFetchTimestamp: number | undefined
  readonly lastCaughtUpTimestamp: number | undefined
}

export interface QuorumDescription {
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly highWatermark: number
  readonly voters: readonly QuorumReplica[]
  /** Brokers, which follow without a vote. */
  readonly observers: readonly QuorumReplica[]
  /** Where the controllers are. */
  readonly nodes: readonly {
    readonly nodeId: number
    readonly listeners: readonly { readonly name: string; readonly host: string; readonly port: number }[]
  }[]
}

export async function describeMetadataQuorum(client: AdminClient): Promise<QuorumDescription> {
  const body = { topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }] }
  const { topics, nodes } = await client.ask(describeQuorumApi, body, first => first.errorCode)
  const partition = topics[0]?.partitions[0]
  if (partition === undefined) throw new KafkaError('UNKNOWN_SERVER_ERROR', 'the answer does not describe the quorum')
  const error = errorOfItem(partition.errorCode, partition.errorMessage)
  if (error !== undefined) throw error
  const { leaderId, leaderEpoch, highWatermark, currentVoters, observers } = partition
  return {
    leaderId,
    leaderEpoch,
    highWatermark,
    voters: currentVoters.map(replicaOf),
    observers: observers.map(replicaOf),
    nodes,
  }
}

function replicaOf(replica: { [K in keyof QuorumReplica]: NonNullable<QuorumReplica[K]> }): QuorumReplica {
  const { lastFetchTimestamp, lastCaughtUpTimestamp } = replica
  return {
    ...replica,
    lastFetchTimestamp: lastFetchTimestamp < 0 ? undefined : lastFetchTimestamp,
    lastCaughtUpTimestamp: lastCaughtUpTimestamp < 0 ? undefined : lastCaughtUpTimestamp,
  }
}
