import type { Broker } from '../broker/broker.ts'
import { NO_LEADER, type PartitionImage, type TopicImage } from '../metadata/image.ts'
import { internalTopics, isTopicName } from '../metadata/topic-names.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorCodes } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, boolean, int16, int32, string, uuid } from '../wire/schema.ts'
import { zeroUuid } from '../wire/uuid.ts'
import { allows, allowsCluster, authorizedOperations, clusterOperations } from './authorization.ts'

const request = {
  topics: array({
    topicId: uuid.since(10).ignorable(),
    name: string.nullable(10),
  }).nullable(1),
  allowAutoTopicCreation: boolean.since(4).default(true),
  includeClusterAuthorizedOperations: boolean.since(8).until(10),
  includeTopicAuthorizedOperations: boolean.since(8),
}

const response = {
  throttleTimeMs: int32.since(3).ignorable(),
  brokers: array({
    nodeId: int32,
    host: string,
    port: int32,
    rack: string.nullable().since(1).default(null).ignorable(),
  }),
  clusterId: string.nullable().since(2).default(null).ignorable(),
  controllerId: int32.since(1).default(-1).ignorable(),
  topics: array({
    errorCode: int16,
    name: string.nullable(12),
    topicId: uuid.since(10).ignorable(),
    isInternal: boolean.since(1).default(false).ignorable(),
    partitions: array({
      errorCode: int16,
      partitionIndex: int32,
      leaderId: int32,
      leaderEpoch: int32.since(7).default(-1).ignorable(),
      replicaNodes: array(int32),
      isrNodes: array(int32),
      offlineReplicas: array(int32).since(5).ignorable(),
    }),
    topicAuthorizedOperations: int32.since(8).default(-2147483648),
  }),
  clusterAuthorizedOperations: int32.since(8).until(10).default(-2147483648),
  errorCode: int16.since(13).ignorable(),
}

/**
 * Who the brokers are, and who leads, replicates and is in sync for each partition (W-43). v0 takes an empty list for
 * "all topics", later versions null; v4 may forbid auto-creation; v7 gives leader epochs; v8 authorized operations (of
 * the cluster only to v10); v10 topic ids; v12 asks by id, with a null name; v13 has an error of its own. Any broker
 * answers, from its image.
 *
 * Simplification: nobody is unauthorized. All brokers of a cluster have the same listeners. Nobody is ever sent back to bootstrapping (M-6).
 */
export const metadata: Api<typeof request, typeof response> = defineApi({
  key: 3,
  name: 'Metadata',
  versions: '0-13',
  flexibleFrom: 9,
  request,
  response,
  broker: answer,
})

type Request = Decoded<typeof request>
type Response = Encodable<typeof response>
type Topic = Response['topics'][number]

/** First version that asks by topic id (M-3). */
const BY_ID_VERSION = 12

function answer(broker: Broker, request: Request, context: RequestContext): Response {
  if (isMalformed(request, context.version)) return malformed(request)
  const { image, life, clusterId } = broker
  const alive = [...image.brokers.values()].filter(each => !each.fenced).sort((a, b) => a.brokerId - b.brokerId)
  const topics = topicsOf(broker, request, context)
  return {
    throttleTimeMs: 0,
    brokers: broker.endpointsOf(
      alive.map(({ brokerId }) => brokerId),
      context.listener,
    ),
    clusterId,
    // Clients send to any broker what is for the controller: which one is named is left to chance (M-1).
    controllerId: alive.length === 0 ? -1 : alive[life.choose('controller id of Metadata', alive.length)]!.brokerId,
    topics: request.includeTopicAuthorizedOperations
      ? topics.map(topic => withOperations(broker, topic, context))
      : topics,
    ...(request.includeClusterAuthorizedOperations
      ? { clusterAuthorizedOperations: clusterOperations(broker, context) }
      : {}),
    errorCode: errorCodes.NONE,
  }
}

/** A topic without name or id, or one asked for by id in a version that does not have it, spoils the request (M-3). */
function isMalformed({ topics }: Request, version: number): boolean {
  if (topics === null) return false
  return topics.some(({ name, topicId }) =>
    version < BY_ID_VERSION ? name === null || topicId !== zeroUuid : name === null && topicId === zeroUuid,
  )
}

function malformed({ topics }: Request): Response {
  return {
    throttleTimeMs: 0,
    brokers: [],
    topics: (topics ?? []).map(({ name, topicId }) => ({
      errorCode: errorCodes.INVALID_REQUEST,
      name: name ?? '',
      topicId,
      partitions: [],
    })),
    errorCode: errorCodes.INVALID_REQUEST,
  }
}

/** Of a topic that is nothing to whoever asks, nothing is told. */
function withOperations(broker: Broker, topic: Topic, context: RequestContext): Topic {
  if (topic.name === null || topic.errorCode === errorCodes.TOPIC_AUTHORIZATION_FAILED) return topic
  return { ...topic, topicAuthorizedOperations: authorizedOperations(broker, context, 'topic', topic.name) }
}

function topicsOf(broker: Broker, { topics, allowAutoTopicCreation }: Request, context: RequestContext): Topic[] {
  const { image } = broker
  const isShown = (name: string) => allows(broker, context, 'describe', 'topic', name)
  const hidden = errorCodes.TOPIC_AUTHORIZATION_FAILED
  if (topics === null || (context.version === 0 && topics.length === 0)) {
    const listed = [...image.topics.values()].filter(({ name }) => isShown(name))
    return listed.map(topic => found(broker, topic))
  }
  const ids = new Set(topics.map(topic => topic.topicId))
  ids.delete(zeroUuid)
  // One id, and the names beside it do not count (M-3).
  if (ids.size > 0) {
    return [...ids].map(topicId => {
      const topic = image.topicById(topicId)
      if (topic === undefined) return missing(null, errorCodes.UNKNOWN_TOPIC_ID, topicId)
      return isShown(topic.name) ? found(broker, topic) : missing(null, hidden, topicId)
    })
  }
  const unknown: string[] = []
  const creates = allowAutoTopicCreation && broker.config['auto.create.topics.enable']
  const mayCreate = (name: string) =>
    allowsCluster(broker, context, 'create') || allows(broker, context, 'create', 'topic', name)
  const answers = [...new Set(topics.map(topic => topic.name!))].map(name => {
    if (!isShown(name)) return missing(name, hidden)
    const topic = image.topic(name)
    if (topic !== undefined) return found(broker, topic)
    if (creates && !mayCreate(name)) return missing(name, hidden)
    if (!isTopicName(name)) return missing(name, errorCodes.INVALID_TOPIC_EXCEPTION)
    unknown.push(name)
    return missing(name, errorCodes.UNKNOWN_TOPIC_OR_PARTITION)
  })
  if (unknown.length > 0 && creates) broker.autoCreation.create(unknown, context)
  return answers
}

function missing(name: string | null, errorCode: number, topicId = zeroUuid): Topic {
  return { errorCode, name, topicId, isInternal: name !== null && internalTopics.has(name), partitions: [] }
}

function found(broker: Broker, topic: TopicImage): Topic {
  return {
    errorCode: errorCodes.NONE,
    name: topic.name,
    topicId: topic.topicId,
    isInternal: internalTopics.has(topic.name),
    partitions: topic.partitions.map(partition => partitionOf(broker, partition)),
  }
}

/** M-2: a leader that is not alive is none. */
function partitionOf({ image }: Broker, partition: PartitionImage): Topic['partitions'][number] {
  const hasLeader = partition.leader !== NO_LEADER && image.isUnfenced(partition.leader)
  return {
    errorCode: hasLeader ? errorCodes.NONE : errorCodes.LEADER_NOT_AVAILABLE,
    partitionIndex: partition.partition,
    leaderId: hasLeader ? partition.leader : NO_LEADER,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: partition.replicas,
    isrNodes: partition.inSyncReplicas,
    offlineReplicas: partition.replicas.filter(brokerId => !image.isUnfenced(brokerId)),
  }
}
