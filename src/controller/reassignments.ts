import type { alterPartitionReassignments } from '../apis/alter-partition-reassignments.ts'
import type { listPartitionReassignments } from '../apis/list-partition-reassignments.ts'
import type { PartitionImage } from '../metadata/image.ts'
import type { RequestOf, ResponseInput } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import { type Decision, Draft, type Situation } from './decision.ts'
import { targetOf } from './leadership.ts'
import { changePartition, type PartitionTarget } from './partition-change.ts'
import { attempt, errorFields, requireTime } from './refusal.ts'
import { checkAssignment } from './topic-assignment.ts'

type Request = RequestOf<typeof alterPartitionReassignments>
type Response = ResponseInput<typeof alterPartitionReassignments>
type ListRequest = RequestOf<typeof listPartitionReassignments>
type ListResponse = ResponseInput<typeof listPartitionReassignments>

/** R-49, M-15: partitions get other replicas, or with null the ones that they had. */
export function decideReassignments(request: Request, situation: Situation): Decision<Response> {
  requireTime(request)
  const draft = new Draft()
  const { allowReplicationFactorChange } = request
  const responses = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, replicas }) => {
      const error = reassign(name, partitionIndex, replicas, allowReplicationFactorChange, situation, draft)
      return { partitionIndex, ...errorFields(error) }
    }),
  }))
  return {
    records: draft.records,
    response: {
      throttleTimeMs: 0,
      allowReplicationFactorChange,
      errorCode: 0,
      // Where nothing was asked for Kafka leaves the text as it is made: empty.
      errorMessage: responses.length === 0 ? '' : null,
      responses,
    },
  }
}

/** The refusal of the whole, which each partition tells too. */
export function reassignmentsRefused(request: Request, error: KafkaError): Response {
  const responses = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, ...errorFields(error) })),
  }))
  return { throttleTimeMs: 0, ...errorFields(error), responses }
}

function reassign(
  topic: string,
  partitionIndex: number,
  replicas: readonly number[] | null,
  mayChangeFactor: boolean,
  situation: Situation,
  draft: Draft,
): KafkaError | undefined {
  const listed = situation.image.partition(topic, partitionIndex)
  if (listed === undefined) {
    const known = situation.image.topic(topic) !== undefined
    const what = known
      ? `Unable to find partition ${topic}:${partitionIndex}.`
      : `Unable to find a topic named ${topic}.`
    return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', what)
  }
  const partition = draft.partition(listed)
  return attempt(() => {
    const target =
      replicas === null ? cancelled(partition, situation) : begun(partition, replicas, mayChangeFactor, situation)
    const record = changePartition(partition, { ...targetOf(partition, situation), ...target })
    if (record !== undefined) draft.change(partition, record)
  })
}

/**
 * The target first, then what is to be removed: in one list, so that the target's order is the new order of preference.
 * What is added joins the in-sync replicas before anything is removed.
 */
function begun(
  partition: PartitionImage,
  target: readonly number[],
  mayChangeFactor: boolean,
  situation: Situation,
): Partial<PartitionTarget> {
  checkAssignment(target, undefined, situation.image)
  const staying = partition.replicas.filter(replica => !partition.addingReplicas.includes(replica))
  if (!mayChangeFactor && target.length !== staying.length) {
    throw new KafkaError(
      'INVALID_REPLICATION_FACTOR',
      `The replication factor is changed from ${staying.length} to ${target.length}`,
    )
  }
  const removingReplicas = partition.replicas.filter(replica => !target.includes(replica)).sort(ascending)
  const added = target.filter(replica => !partition.replicas.includes(replica))
  // What the reassignment before was adding has still been added: a cancel takes it away again. Kafka forgets it when the
  // new target adds others, so that its cancel leaves a replica that nobody asked for.
  const addingReplicas = [...partition.addingReplicas, ...added].sort(ascending)
  return { replicas: [...target, ...removingReplicas], removingReplicas, addingReplicas }
}

/** Back to the replicas before, in their order as far as the reassignment kept it. */
function cancelled(partition: PartitionImage, situation: Situation): Partial<PartitionTarget> {
  if (!isReassigning(partition)) throw new KafkaError('NO_REASSIGNMENT_IN_PROGRESS')
  const { addingReplicas } = partition
  const stays = (replica: number) => !addingReplicas.includes(replica)
  const inSyncReplicas = partition.inSyncReplicas.filter(stays)
  if (inSyncReplicas.length === 0 && !situation.settings.uncleanElectionEnabled(partition.topic)) {
    throw new KafkaError(
      'INVALID_REPLICA_ASSIGNMENT',
      `Unable to revert partition assignment for ${partition.topic}:${partition.partition} because it would require an unclean leader election.`,
    )
  }
  return {
    replicas: partition.replicas.filter(stays),
    inSyncReplicas,
    addingReplicas: [],
    removingReplicas: [],
  }
}

function ascending(a: number, b: number): number {
  return a - b
}

export function isReassigning(partition: PartitionImage): boolean {
  return partition.addingReplicas.length > 0 || partition.removingReplicas.length > 0
}

/** KIP-455: what is under way, of all topics or of the named partitions. */
export function listReassignments(request: ListRequest, situation: Situation): ListResponse {
  const { image } = situation
  const asked =
    request.topics ??
    [...image.topics.values()].map(topic => ({
      name: topic.name,
      partitionIndexes: topic.partitions.map((_, index) => index),
    }))
  const topics = asked.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.flatMap(partitionIndex => {
      const partition = image.partition(name, partitionIndex)
      if (partition === undefined || !isReassigning(partition)) return []
      const { replicas, addingReplicas, removingReplicas } = partition
      return [{ partitionIndex, replicas, addingReplicas, removingReplicas }]
    }),
  }))
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    errorMessage: null,
    topics: topics.filter(topic => topic.partitions.length > 0),
  }
}
