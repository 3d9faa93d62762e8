import type { Broker } from '../broker/broker.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int16, int32, string, struct, uuid } from '../wire/schema.ts'
import { demand, terseFields } from './authorization.ts'
import { requireConsumerProtocol } from './consumer-protocol-enabled.ts'

const request = {
  groupId: string,
  memberId: string,
  memberEpoch: int32,
  instanceId: string.nullable().default(null),
  rackId: string.nullable().default(null),
  rebalanceTimeoutMs: int32.default(-1),
  subscribedTopicNames: array(string).nullable().default(null),
  subscribedTopicRegex: string.nullable().since(1).default(null),
  serverAssignor: string.nullable().default(null),
  topicPartitions: array({
    topicId: uuid,
    partitions: array(int32),
  })
    .nullable()
    .default(null),
}

const response = {
  throttleTimeMs: int32,
  errorCode: int16,
  errorMessage: string.nullable().default(null),
  memberId: string.nullable().default(null),
  memberEpoch: int32,
  heartbeatIntervalMs: int32,
  assignment: struct({
    topicPartitions: array({
      topicId: uuid,
      partitions: array(int32),
    }),
  })
    .nullable()
    .default(null),
}

/**
 * A member of a consumer group joins (epoch 0), is there and says what has changed, or leaves (−1; −2 a static member that
 * will be back), and hears what it is to have (KIP-848, G-50). v1: the member brings its own id; a regular expression may
 * stand for names. The group's coordinator.
 */
export const consumerGroupHeartbeat: Api<typeof request, typeof response> = defineApi({
  key: 68,
  name: 'ConsumerGroupHeartbeat',
  versions: '0-1',
  flexibleFrom: 0,
  request,
  response,
  broker: answer,
})

type Request = Decoded<typeof request>
type Response = Encodable<typeof response>

/** From this version on members bring their own ids. */
const OWN_MEMBER_ID_VERSION = 1

function answer(broker: Broker, request: Request, context: RequestContext): Response | Promise<Response> {
  try {
    requireConsumerProtocol(broker)
    demand(broker, context, 'read', 'group', request.groupId)
    for (const topic of request.subscribedTopicNames ?? []) demand(broker, context, 'describe', 'topic', topic)
    requireValid(request, context.version)
    const answered = broker.groups.shardToHear(request).consumer.heartbeat(request, context)
    return answered instanceof Promise ? answered.catch(refused) : answered
  } catch (error) {
    return refused(error)
  }
}

function refused(error: unknown): Response {
  if (!(error instanceof KafkaError)) throw error
  return { throttleTimeMs: 0, ...terseFields(error), memberEpoch: 0, heartbeatIntervalMs: 0 }
}

/** G-51, in Kafka's order. @throws {KafkaError} INVALID_REQUEST */
function requireValid(request: Request, version: number): void {
  const { groupId, memberId, memberEpoch, instanceId, rackId, rebalanceTimeoutMs, topicPartitions } = request
  const mayLackId = version < OWN_MEMBER_ID_VERSION && memberEpoch === 0
  mustHold(memberId !== '' || mayLackId, "MemberId can't be empty.")
  mustHold(groupId.trim() !== '', "GroupId can't be empty.")
  mustHold(instanceId !== '', "InstanceId can't be empty.")
  mustHold(rackId !== '', "RackId can't be empty.")
  mustHold(memberEpoch >= -2, 'MemberEpoch is invalid.')
  if (memberEpoch === -2) mustHold(instanceId !== null, "InstanceId can't be null.")
  if (memberEpoch !== 0) return
  mustHold(rebalanceTimeoutMs !== -1, 'RebalanceTimeoutMs must be provided in first request.')
  mustHold(topicPartitions?.length === 0, 'TopicPartitions must be empty when (re-)joining.')
  mustHold(
    request.subscribedTopicNames !== null || request.subscribedTopicRegex !== null,
    'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.',
  )
}

function mustHold(holds: boolean, message: string): void {
  if (!holds) throw new KafkaError('INVALID_REQUEST', message)
}
