import { alterPartitionReassignments as alterPartitionReassignmentsApi } from '../../apis/alter-partition-reassignments.ts'
import { electLeaders as electLeadersApi } from '../../apis/elect-leaders.ts'
import { listPartitionReassignments as listPartitionReassignmentsApi } from '../../apis/list-partition-reassignments.ts'
import { IllegalArgumentError, type KafkaError } from '../../wire/errors.ts'
import { byTopic } from '../list-offsets.ts'
import { partitionText, type TopicPartition } from '../topic-partition.ts'
import { type AdminClient, type Answers, allOf, errorOfItem } from './admin-client.ts'

/** Where the replicas of a partition shall be, the preferred leader first; null calls a reassignment off. */
export interface NewReassignment extends TopicPartition {
  readonly replicas: readonly number[] | null
}

export interface Reassignment extends TopicPartition {
  readonly replicas: readonly number[]
  readonly addingReplicas: readonly number[]
  readonly removingReplicas: readonly number[]
}

export interface ElectionResult extends TopicPartition {
  /** Undefined: a leader was elected. */
  readonly error: KafkaError | undefined
}

const electionTypes = { preferred: 0, unclean: 1 } as const

/** Elections are answered partition by partition: ELECTION_NOT_NEEDED is no failure of the call. */
export async function electLeaders(
  client: AdminClient,
  type: keyof typeof electionTypes,
  partitions: readonly TopicPartition[] | null,
  options: { readonly timeoutMs?: number },
): Promise<ElectionResult[]> {
  if (!Object.hasOwn(electionTypes, type)) {
    throw new IllegalArgumentError(`an election is 'preferred' or 'unclean', not '${type}'`)
  }
  const topicPartitions =
    partitions === null
      ? null
      : byTopic(partitions).map(([topic, items]) => ({ topic, partitions: items.map(({ partition }) => partition) }))
  const timeoutMs = options.timeoutMs ?? client.configs['request.timeout.ms']
  const body = { electionType: electionTypes[type], topicPartitions, timeoutMs }
  const response = await client.ask(electLeadersApi, body, first => first.errorCode)
  return response.replicaElectionResults.flatMap(({ topic, partitionResult }) =>
    partitionResult.map(({ partitionId, errorCode, errorMessage }) => ({
      topic,
      partition: partitionId,
      error: errorOfItem(errorCode, errorMessage),
    })),
  )
}

export async function alterPartitionReassignments(
  client: AdminClient,
  reassignments: readonly NewReassignment[],
  options: { readonly timeoutMs?: number; readonly allowReplicationFactorChange?: boolean },
): Promise<void> {
  const body = {
    timeoutMs: options.timeoutMs ?? client.configs['request.timeout.ms'],
    ...(options.allowReplicationFactorChange === false ? { allowReplicationFactorChange: false } : {}),
    topics: byTopic(reassignments).map(([name, items]) => ({
      name,
      partitions: items.map(({ partition, replicas }) => ({ partitionIndex: partition, replicas })),
    })),
  }
  const response = await client.ask(alterPartitionReassignmentsApi, body, first => first.errorCode)
  const answers: Answers<TopicPartition, undefined> = new Map()
  for (const { name, partitions } of response.responses) {
    for (const { partitionIndex, errorCode, errorMessage } of partitions) {
      answers.set({ topic: name, partition: partitionIndex }, errorOfItem(errorCode, errorMessage))
    }
  }
  allOf(answers, partitionText)
}

export async function listPartitionReassignments(
  client: AdminClient,
  partitions: readonly TopicPartition[] | null,
  options: { readonly timeoutMs?: number },
): Promise<Reassignment[]> {
  const topics =
    partitions === null
      ? null
      : byTopic(partitions).map(([name, items]) => ({
          name,
          partitionIndexes: items.map(({ partition }) => partition),
        }))
  const timeoutMs = options.timeoutMs ?? client.configs['request.timeout.ms']
  const response = await client.ask(listPartitionReassignmentsApi, { timeoutMs, topics }, first => first.errorCode)
  return response.topics.flatMap(({ name, partitions: moving }) =>
    moving.map(({ partitionIndex, replicas, addingReplicas, removingReplicas }) => ({
      topic: name,
      partition: partitionIndex,
      replicas,
      addingReplicas,
      removingReplicas,
    })),
  )
}
