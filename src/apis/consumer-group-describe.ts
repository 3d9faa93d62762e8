import type { Broker } from '../broker/broker.ts'
import type { ConsumerGroup } from '../coordinators/groups/consumer/consumer-group.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, boolean, int8, int16, int32, string, struct, uuid } from '../wire/schema.ts'
import { allows, authorizedOperations, demand, terseFields } from './authorization.ts'
import { requireConsumerProtocol } from './consumer-protocol-enabled.ts'

const request = {
  groupIds: array(string),
  includeAuthorizedOperations: boolean,
}

const response = {
  throttleTimeMs: int32,
  groups: array({
    errorCode: int16,
    errorMessage: string.nullable().default(null),
    groupId: string,
    groupState: string,
    groupEpoch: int32,
    assignmentEpoch: int32,
    assignorName: string,
    members: array({
      memberId: string,
      instanceId: string.nullable().default(null),
      rackId: string.nullable().default(null),
      memberEpoch: int32,
      clientId: string,
      clientHost: string,
      subscribedTopicNames: array(string),
      subscribedTopicRegex: string.nullable().default(null),
      assignment: struct({
        topicPartitions: array({
          topicId: uuid,
          topicName: string,
          partitions: array(int32),
        }),
      }),
      targetAssignment: struct({
        topicPartitions: array({
          topicId: uuid,
          topicName: string,
          partitions: array(int32),
        }),
      }),
      memberType: int8.since(1).default(-1).ignorable(),
    }),
    authorizedOperations: int32.default(-2147483648),
  }),
}

/**
 * Consumer groups as they are committed: epochs, members, what each has and is to have (KIP-848, G-41). v1 says which members
 * speak the classic protocol. The groups' coordinator. A group of another type is none.
 */
export const consumerGroupDescribe: Api<typeof request, typeof response> = defineApi({
  key: 69,
  name: 'ConsumerGroupDescribe',
  versions: '0-1',
  flexibleFrom: 0,
  request,
  response,
  broker: answer,
})

type DescribedGroup = Encodable<typeof response>['groups'][number]
type DescribedMember = DescribedGroup['members'][number]
type Member = ConsumerGroup['members'] extends ReadonlyMap<string, infer M> ? M : never

/** Kinds of members (KIP-1099). */
const CLASSIC_MEMBER = 0
const CONSUMER_MEMBER = 1

function answer(
  broker: Broker,
  { groupIds, includeAuthorizedOperations }: Decoded<typeof request>,
  context: RequestContext,
): Encodable<typeof response> {
  const groups = groupIds.map(groupId => described(broker, groupId, context, includeAuthorizedOperations))
  return { throttleTimeMs: 0, groups }
}

function described(broker: Broker, groupId: string, context: RequestContext, withOperations: boolean): DescribedGroup {
  try {
    requireConsumerProtocol(broker)
    demand(broker, context, 'describe', 'group', groupId)
    if (groupId === '') throw new KafkaError('INVALID_GROUP_ID')
    const { group, assignorName } = broker.groups.shardOf(groupId).consumer.described(groupId)
    const members = [...group.members.values()].map(member => describedMember(broker, group, member))
    const isShown = (name: string) => allows(broker, context, 'describe', 'topic', name)
    if (!topicsOf(members).every(isShown)) throw new KafkaError('TOPIC_AUTHORIZATION_FAILED', HIDDEN)
    return {
      errorCode: 0,
      groupId,
      groupState: group.state,
      groupEpoch: group.groupEpoch,
      assignmentEpoch: group.assignmentEpoch,
      assignorName,
      members,
      ...(withOperations ? { authorizedOperations: authorizedOperations(broker, context, 'group', groupId) } : {}),
    }
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    const none = { groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] }
    return { ...terseFields(error), groupId, ...none }
  }
}

/** What members have and are to have would tell of topics that the asker must not know. */
const HIDDEN = 'The group has topics that the client is not authorized to describe.'

function topicsOf(members: readonly DescribedMember[]): string[] {
  const lists = members.flatMap(({ assignment, targetAssignment }) => [assignment, targetAssignment])
  return lists.flatMap(({ topicPartitions }) => topicPartitions.map(({ topicName }) => topicName))
}

function describedMember({ image }: Broker, group: ConsumerGroup, member: Member): DescribedMember {
  const { memberId, instanceId, rackId, memberEpoch, clientId, clientHost, subscribedTopicNames } = member
  const listed = (partitions: ReadonlyMap<string, readonly number[]>) => ({
    topicPartitions: [...partitions].flatMap(([topicId, indexes]) => {
      const topic = image.topicById(topicId)
      return topic === undefined ? [] : [{ topicId, topicName: topic.name, partitions: indexes }]
    }),
  })
  return {
    memberId,
    instanceId,
    rackId,
    memberEpoch,
    clientId,
    clientHost,
    subscribedTopicNames,
    subscribedTopicRegex: member.subscribedTopicRegex,
    assignment: listed(heldBy(member)),
    targetAssignment: listed(group.targetOf(memberId)),
    memberType: member.classic === undefined ? CONSUMER_MEMBER : CLASSIC_MEMBER,
  }
}

/** What it is told to give up is still its own (G-54). */
function heldBy({ assigned, pendingRevocation }: Member): ReadonlyMap<string, readonly number[]> {
  const held = new Map<string, number[]>()
  for (const owned of [assigned, pendingRevocation]) {
    for (const [topicId, since] of owned) held.set(topicId, [...(held.get(topicId) ?? []), ...since.keys()])
  }
  for (const partitions of held.values()) partitions.sort((a, b) => a - b)
  return held
}
