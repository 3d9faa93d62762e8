import type { Broker } from '../broker/broker.ts'
import { NO_LEADER, type PartitionImage } from '../metadata/image.ts'
import { internalTopics, isTopicName } from '../metadata/topic-names.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorCodes } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, boolean, int16, int32, string, struct, uuid } from '../wire/schema.ts'
import { zeroUuid } from '../wire/uuid.ts'
import { allows, authorizedOperations } from './authorization.ts'

/** Where a page begins: the first partition that it shows. */
const cursor = struct({
  topicName: string,
  partitionIndex: int32,
})

const request = {
  topics: array({
    name: string,
  }),
  responsePartitionLimit: int32.default(2000),
  cursor: cursor.nullable().default(null),
}

const response = {
  throttleTimeMs: int32.ignorable(),
  topics: array({
    errorCode: int16,
    name: string.nullable(),
    topicId: uuid.ignorable(),
    isInternal: boolean.default(false).ignorable(),
    partitions: array({
      errorCode: int16,
      partitionIndex: int32,
      leaderId: int32,
      leaderEpoch: int32.default(-1).ignorable(),
      replicaNodes: array(int32),
      isrNodes: array(int32),
      eligibleLeaderReplicas: array(int32).nullable().default(null),
      lastKnownElr: array(int32).nullable().default(null),
      offlineReplicas: array(int32).ignorable(),
    }),
    topicAuthorizedOperations: int32.default(-2147483648),
  }),
  nextCursor: cursor.nullable().default(null),
}

/**
 * Topics and their partitions page by page, with eligible leader replicas (KIP-966). Topics come in order of their
 * names; the cursor is where the next page begins. Any broker answers, from its image (M-7).
 */
export const describeTopicPartitions: Api<typeof request, typeof response> = defineApi({
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: '0',
  flexibleFrom: 0,
  request,
  response,
  broker: answer,
})

type Request = Decoded<typeof request>
type Response = Encodable<typeof response>
type Topic = Response['topics'][number]

function answer(broker: Broker, request: Request, context: RequestContext): Response {
  const { image, config } = broker
  const { cursor } = request
  const from = cursor?.topicName ?? ''
  const all = request.topics.length === 0
  const named = all ? [...image.topics.keys()] : request.topics.map(topic => topic.name)
  const isBadCursor = cursor !== null && (cursor.partitionIndex < 0 || (!all && !named.includes(from)))
  if (isBadCursor) return refused(request)
  const names = [...new Set(named)].filter(name => name >= from).sort()
  const topics: Topic[] = []
  let left = Math.max(1, Math.min(request.responsePartitionLimit, config['max.request.partition.size.limit']))
  for (const name of names) {
    if (left === 0) return { throttleTimeMs: 0, topics, nextCursor: { topicName: name, partitionIndex: 0 } }
    const topic = image.topic(name)
    if (!allows(broker, context, 'describe', 'topic', name)) {
      if (!all) topics.push(withoutPartitions(name, errorCodes.TOPIC_AUTHORIZATION_FAILED))
      continue
    }
    if (topic === undefined) {
      if (!all) topics.push(missing(broker, name, context))
      continue
    }
    const start = name === from ? cursor!.partitionIndex : 0
    const end = Math.min(topic.partitions.length, start + left)
    const partitions = topic.partitions.slice(start, end)
    topics.push({
      errorCode: errorCodes.NONE,
      name,
      topicId: topic.topicId,
      isInternal: internalTopics.has(name),
      partitions: partitions.map(partition => partitionOf(broker, partition)),
      topicAuthorizedOperations: authorizedOperations(broker, context, 'topic', name),
    })
    if (end < topic.partitions.length)
      return { throttleTimeMs: 0, topics, nextCursor: { topicName: name, partitionIndex: end } }
    left -= partitions.length
  }
  return { throttleTimeMs: 0, topics }
}

function missing(broker: Broker, name: string, context: RequestContext): Topic {
  const error = isTopicName(name) ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'INVALID_TOPIC_EXCEPTION'
  return {
    ...withoutPartitions(name, errorCodes[error]),
    isInternal: internalTopics.has(name),
    topicAuthorizedOperations: authorizedOperations(broker, context, 'topic', name),
  }
}

function withoutPartitions(name: string, errorCode: number): Topic {
  return { errorCode, name, topicId: zeroUuid, partitions: [] }
}

/** A cursor that points nowhere: there is no error of the whole, so each topic tells it. */
function refused({ topics }: Request): Response {
  return {
    throttleTimeMs: 0,
    topics: topics.map(({ name }) => withoutPartitions(name, errorCodes.INVALID_REQUEST)),
  }
}

/** Unlike in Metadata, the lack of a leader is no error (M-2). */
function partitionOf({ image }: Broker, partition: PartitionImage): Topic['partitions'][number] {
  return {
    errorCode: errorCodes.NONE,
    partitionIndex: partition.partition,
    leaderId: image.isUnfenced(partition.leader) ? partition.leader : NO_LEADER,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: partition.replicas,
    isrNodes: partition.inSyncReplicas,
    eligibleLeaderReplicas: partition.eligibleLeaderReplicas,
    lastKnownElr: partition.lastKnownElr,
    offlineReplicas: partition.replicas.filter(brokerId => !image.isUnfenced(brokerId)),
  }
}
