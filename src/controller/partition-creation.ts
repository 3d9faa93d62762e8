import type { createPartitions } from '../apis/create-partitions.ts'
import { placeReplicas } from '../metadata/placement.ts'
import type { MetadataRecordInput } from '../metadata/records.ts'
import type { RequestOf, ResponseInput } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import type { Decision, Situation } from './decision.ts'
import { type MutationQuota, unlimited } from './mutation-quotas.ts'
import { attempt, errorFields, requireTime } from './refusal.ts'
import {
  allGone,
  allGoneInAssignment,
  checkAssignment,
  invalid,
  MOST_NEW_PARTITIONS,
  newPartition,
} from './topic-assignment.ts'

type Request = RequestOf<typeof createPartitions>
type Response = ResponseInput<typeof createPartitions>

/**
 * M-13: topics get more partitions, never fewer; the new ones have as many replicas as the first. A topic that is named
 * twice is refused once.
 */
export function decideNewPartitions(
  request: Request,
  situation: Situation,
  quota: MutationQuota = unlimited,
): Decision<Response> {
  requireTime(request)
  const records: MetadataRecordInput[] = []
  const names = request.topics.map(topic => topic.name)
  let most = MOST_NEW_PARTITIONS
  const results = [...new Map(request.topics.map(topic => [topic.name, topic])).values()].map(topic => {
    const error = attempt(() => {
      if (names.indexOf(topic.name) !== names.lastIndexOf(topic.name)) {
        throw new KafkaError('INVALID_REQUEST', 'Duplicate topic name.')
      }
      const added = grow(topic, most, situation, quota)
      most -= added.length
      records.push(...added)
    })
    // Of a topic that is not there Kafka has nothing to say.
    const isMissing = error?.errorName === 'UNKNOWN_TOPIC_OR_PARTITION'
    return { name: topic.name, ...errorFields(error), ...(isMissing ? { errorMessage: null } : {}) }
  })
  return { records: request.validateOnly ? [] : records, response: { throttleTimeMs: quota.throttleTimeMs, results } }
}

function grow(
  topic: Request['topics'][number],
  most: number,
  situation: Situation,
  quota: MutationQuota,
): MetadataRecordInput[] {
  const { image } = situation
  const { name, count, assignments } = topic
  const known = image.topic(name)
  if (known === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
  const { topicId, partitions } = known
  const have = partitions.length
  if (count === have) throw new KafkaError('INVALID_PARTITIONS', `Topic already has ${have} partition(s).`)
  if (count < have) {
    throw new KafkaError(
      'INVALID_PARTITIONS',
      `The topic ${name} currently has ${have} partition(s); ${count} would not be an increase.`,
    )
  }
  const added = count - have
  if (added > most) {
    throw new KafkaError('POLICY_VIOLATION', `More than ${MOST_NEW_PARTITIONS} new partitions in one request.`)
  }
  quota.take(added)
  const replicationFactor = partitions[0]!.replicas.length
  if (assignments === null) {
    const placed = placeReplicas(image.brokers.values(), added, replicationFactor, situation.choose)
    const refusal = () => allGone(replicationFactor)
    return placed.map((replicas, index) => newPartition(topicId, have + index, replicas, image, refusal))
  }
  if (assignments.length !== added) {
    throw invalid(
      `Attempted to add ${added} additional partition(s), but only ${assignments.length} assignment(s) were specified.`,
    )
  }
  return assignments.map(({ brokerIds }, index) => {
    checkAssignment(brokerIds, replicationFactor, image)
    return newPartition(topicId, have + index, brokerIds, image, () => allGoneInAssignment(have + index))
  })
}
