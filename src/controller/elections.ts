import type { electLeaders } from '../apis/elect-leaders.ts'
import { NO_LEADER, type PartitionImage } from '../metadata/image.ts'
import type { RequestOf, ResponseInput } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import { type Decision, Draft, type Situation } from './decision.ts'
import { partitionsOf, targetOf } from './leadership.ts'
import { changePartition } from './partition-change.ts'
import { errorFields, requireTime } from './refusal.ts'

const PREFERRED = 0
const UNCLEAN = 1

type Request = RequestOf<typeof electLeaders>
type Response = ResponseInput<typeof electLeaders>
type ElectionType = typeof PREFERRED | typeof UNCLEAN

/**
 * elects leaders because somebody asks for it. A null list means every partition, and then those that need no
 * election are left out of the answer, though their topics are named.
 *
 * @throws {KafkaError} INVALID_REQUEST for an unknown type of election; REQUEST_TIMED_OUT.
 */
export function decideElections(request: Request, version: number, situation: Situation): Decision<Response> {
  const type = version === 0 ? PREFERRED : request.electionType
  if (type !== PREFERRED && type !== UNCLEAN) throw new KafkaError('INVALID_REQUEST', `Unknown election type ${type}.`)
  requireTime(request)
  const draft = new Draft()
  const { image } = situation
  const named = request.topicPartitions
  const asked =
    named ??
    [...image.topics.values()].map(topic => ({
      topic: topic.name,
      partitions: topic.partitions.map((_, index) => index),
    }))
  const replicaElectionResults = asked.map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions.flatMap(partitionId => {
      const error = electAsked(topic, partitionId, type, situation, draft)
      if (named === null && error?.errorName === 'ELECTION_NOT_NEEDED') return []
      return [{ partitionId, ...errorFields(error) }]
    }),
  }))
  return { records: draft.records, response: { throttleTimeMs: 0, errorCode: 0, replicaElectionResults } }
}

/** The refusal of the whole, which each partition that was named tells too. */
export function electionsRefused({ topicPartitions }: Request, error: KafkaError): Response {
  return {
    throttleTimeMs: 0,
    errorCode: error.code,
    replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map(partitionId => ({ partitionId, ...errorFields(error) })),
    })),
  }
}

function electAsked(
  topic: string,
  partitionId: number,
  type: ElectionType,
  situation: Situation,
  draft: Draft,
): KafkaError | undefined {
  const { image } = situation
  const listed = image.partition(topic, partitionId)
  if (listed === undefined) {
    const what = image.topic(topic) === undefined ? `topic as ${topic}` : `partition as ${topic}-${partitionId}`
    return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `No such ${what}`)
  }
  const partition = draft.partition(listed)
  const isLed = partition.leader !== NO_LEADER
  if (type === PREFERRED ? partition.leader === partition.replicas[0] : isLed) {
    return new KafkaError('ELECTION_NOT_NEEDED')
  }
  const election = type === PREFERRED ? 'preferred' : 'unclean'
  const record = changePartition(partition, { ...targetOf(partition, situation), election })
  // Kafka answers NONE to any change, also to one that elects nobody (an eligible replica that is dropped on the way).
  const leader = record?.leader ?? partition.leader
  if (record === undefined || leader === partition.leader) {
    return type === PREFERRED
      ? new KafkaError('PREFERRED_LEADER_NOT_AVAILABLE', 'The preferred leader was not available.')
      : new KafkaError('ELIGIBLE_LEADERS_NOT_AVAILABLE')
  }
  draft.change(partition, record)
  return undefined
}

/** leaderless partitions whose topic allows an unclean election. */
export function uncleanCandidates(situation: Situation): PartitionImage[] {
  return partitionsOf(situation.image).filter(
    partition => partition.leader === NO_LEADER && situation.settings.uncleanElectionEnabled(partition.topic),
  )
}

/** partitions that somebody else than the first of their replicas leads. */
export function imbalancedPartitions(situation: Situation): PartitionImage[] {
  return partitionsOf(situation.image).filter(({ leader, replicas }) => leader !== NO_LEADER && leader !== replicas[0])
}

/** R-46, on its interval. */
export function decideUncleanElections(situation: Situation): Decision<undefined> {
  return electionsOf(uncleanCandidates(situation), 'unclean', situation)
}

/** R-47, on its interval. */
export function decidePreferredElections(situation: Situation): Decision<undefined> {
  return electionsOf(imbalancedPartitions(situation), 'preferred', situation)
}

function electionsOf(
  partitions: readonly PartitionImage[],
  election: 'unclean' | 'preferred',
  situation: Situation,
): Decision<undefined> {
  const draft = new Draft()
  for (const partition of partitions) {
    const record = changePartition(partition, { ...targetOf(partition, situation), election })
    if (record !== undefined) draft.change(partition, record)
  }
  return { records: draft.records, response: undefined }
}
