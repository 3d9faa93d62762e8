import { consumerGroupDescribe } from '../../apis/consumer-group-describe.ts'
import { describeGroups } from '../../apis/describe-groups.ts'
import type { ResponseOf } from '../../wire/api.ts'
import { decodeAssignment, PROTOCOL_TYPE } from '../../wire/consumer-protocol.ts'
import { errorCodes, KafkaError } from '../../wire/errors.ts'
import { MalformedError } from '../../wire/reader.ts'
import type { NodeConnection } from '../node-connection.ts'
import type { Node, TopicPartition } from '../topic-partition.ts'
import { type AdminClient, allOf, errorOfItem } from './admin-client.ts'
import { atCoordinators, type GroupAnswers, groupText } from './coordinator-calls.ts'
import { type GroupState, groupStateOf } from './groups.ts'

export interface GroupMemberDescription {
  readonly memberId: string
  /** Of a static member. */
  readonly groupInstanceId: string | undefined
  readonly clientId: string
  /** Where it comes from, as in `/127.0.0.1`. */
  readonly host: string
  /** What it has, by topic and partition; of a classic member, what it was given. Empty if the protocol is not ours to read. */
  readonly assignment: readonly TopicPartition[]
}

export interface ConsumerGroupMemberDescription extends GroupMemberDescription {
  /** What it shall have in the end; undefined in a classic group. */
  readonly targetAssignment: readonly TopicPartition[] | undefined
  /** Undefined in a classic group. */
  readonly memberEpoch: number | undefined
  /** Speaks the new protocol (KIP-848), not the classic one in a group of the new; undefined in a classic group. */
  readonly isUpgraded: boolean | undefined
}

export interface ConsumerGroupDescription {
  readonly groupId: string
  readonly type: 'classic' | 'consumer'
  readonly state: GroupState
  readonly coordinator: Node
  readonly members: readonly ConsumerGroupMemberDescription[]
  /** `range`, `uniform`, …; '' while a classic group is not stable. */
  readonly partitionAssignor: string
  /** Goes up with every change of members or subscriptions; undefined for a classic group. */
  readonly groupEpoch: number | undefined
  /** The group epoch that the target assignment was computed for; undefined for a classic group. */
  readonly targetAssignmentEpoch: number | undefined
  /** It keeps offsets, and has never had a protocol. */
  readonly isSimpleConsumerGroup: boolean
}

export interface ClassicGroupDescription {
  readonly groupId: string
  readonly state: GroupState
  readonly coordinator: Node
  readonly members: readonly GroupMemberDescription[]
  /** `consumer`, `connect`, …; '' for a group that only keeps offsets. */
  readonly protocolType: string
  /** The protocol that was chosen, of consumers the assignor; '' while the group is not stable. */
  readonly protocolData: string
  readonly isSimpleConsumerGroup: boolean
}

/**
 * Groups of consumers, of either protocol: ConsumerGroupDescribe first; DescribeGroups for those that it does not know
 * (DescribeConsumerGroupsHandler).
 */
export async function describeConsumerGroups(
  client: AdminClient,
  groupIds: readonly string[],
): Promise<Map<string, ConsumerGroupDescription>> {
  const answers = await atCoordinators<ConsumerGroupDescription>(client, groupIds, {
    what: 'ConsumerGroupDescribe',
    async ask(node, here, coordinator) {
      const said = await askModern(client, node, here, coordinator)
      const others = here.filter(groupId => isClassic(said.get(groupId)))
      if (others.length === 0) return said
      for (const [groupId, answer] of await askClassic(client, node, others, coordinator)) {
        said.set(groupId, answer instanceof KafkaError ? answer : ofConsumers(answer))
      }
      return said
    },
  })
  return allOf(answers, groupText)
}

/** Classic groups of any protocol type (KIP-1043). */
export async function describeClassicGroups(
  client: AdminClient,
  groupIds: readonly string[],
): Promise<Map<string, ClassicGroupDescription>> {
  const answers = await atCoordinators<ClassicGroupDescription>(client, groupIds, {
    what: 'DescribeGroups',
    ask: (node, here, coordinator) => askClassic(client, node, here, coordinator),
  })
  return allOf(answers, groupText)
}

const otherProtocol: readonly number[] = [errorCodes.GROUP_ID_NOT_FOUND, errorCodes.UNSUPPORTED_VERSION]

function isClassic(answer: unknown): boolean {
  return answer instanceof KafkaError && otherProtocol.includes(answer.code)
}

async function askModern(
  client: AdminClient,
  node: NodeConnection,
  groupIds: readonly string[],
  coordinator: Node,
): Promise<GroupAnswers<ConsumerGroupDescription>> {
  const answers: GroupAnswers<ConsumerGroupDescription> = new Map()
  try {
    const body = { groupIds, includeAuthorizedOperations: false }
    const { groups } = await client.connections.request(node, consumerGroupDescribe, () => body)
    for (const group of groups) {
      const { groupId, errorCode, errorMessage } = group
      answers.set(groupId, errorOfItem(errorCode, errorMessage) ?? modernDescription(group, coordinator))
    }
  } catch (error) {
    // A broker from before KIP-848.
    if (!(error instanceof KafkaError) || error.errorName !== 'UNSUPPORTED_VERSION') throw error
    for (const groupId of groupIds) answers.set(groupId, error)
  }
  return answers
}

type ModernGroup = ResponseOf<typeof consumerGroupDescribe>['groups'][number]

function modernDescription(group: ModernGroup, coordinator: Node): ConsumerGroupDescription {
  return {
    groupId: group.groupId,
    type: 'consumer',
    state: groupStateOf(group.groupState),
    coordinator,
    members: group.members.map(member => ({
      memberId: member.memberId,
      groupInstanceId: member.instanceId ?? undefined,
      clientId: member.clientId,
      host: member.clientHost,
      assignment: flat(member.assignment.topicPartitions),
      targetAssignment: flat(member.targetAssignment.topicPartitions),
      memberEpoch: member.memberEpoch,
      isUpgraded: member.memberType < 0 ? undefined : member.memberType === 1,
    })),
    partitionAssignor: group.assignorName,
    groupEpoch: group.groupEpoch,
    targetAssignmentEpoch: group.assignmentEpoch,
    isSimpleConsumerGroup: false,
  }
}

function flat(
  topics: readonly { readonly topicName: string; readonly partitions: readonly number[] }[],
): TopicPartition[] {
  return topics.flatMap(({ topicName: topic, partitions }) => partitions.map(partition => ({ topic, partition })))
}

async function askClassic(
  client: AdminClient,
  node: NodeConnection,
  groups: readonly string[],
  coordinator: Node,
): Promise<GroupAnswers<ClassicGroupDescription>> {
  const response = await client.connections.request(node, describeGroups, version => ({
    groups,
    ...(version >= 3 ? { includeAuthorizedOperations: false } : {}),
  }))
  const answers: GroupAnswers<ClassicGroupDescription> = new Map()
  for (const group of response.groups) {
    const { groupId, errorCode, errorMessage } = group
    answers.set(groupId, errorOfItem(errorCode, errorMessage) ?? classicDescription(group, coordinator))
  }
  return answers
}

type ClassicGroup = ResponseOf<typeof describeGroups>['groups'][number]

function classicDescription(group: ClassicGroup, coordinator: Node): ClassicGroupDescription | KafkaError {
  const { groupId, groupState, protocolType, protocolData } = group
  const members: GroupMemberDescription[] = []
  for (const member of group.members) {
    const { memberId, groupInstanceId, clientId, clientHost, memberAssignment } = member
    const assignment = protocolType === PROTOCOL_TYPE ? partitionsOf(memberAssignment) : []
    if (assignment instanceof MalformedError) {
      const text = `what member '${memberId}' was assigned is no assignment of consumers: ${assignment.message}`
      return new KafkaError('UNKNOWN_SERVER_ERROR', text, { cause: assignment })
    }
    members.push({ memberId, groupInstanceId: groupInstanceId ?? undefined, clientId, host: clientHost, assignment })
  }
  return {
    groupId,
    state: groupStateOf(groupState),
    coordinator,
    members,
    protocolType,
    protocolData,
    isSimpleConsumerGroup: protocolType === '',
  }
}

function partitionsOf(bytes: Uint8Array): TopicPartition[] | MalformedError {
  try {
    const { assignedPartitions } = decodeAssignment(bytes)
    return assignedPartitions.flatMap(({ topic, partitions }) => partitions.map(partition => ({ topic, partition })))
  } catch (error) {
    if (error instanceof MalformedError) return error
    throw error
  }
}

function ofConsumers(group: ClassicGroupDescription): ConsumerGroupDescription | KafkaError {
  const { groupId, state, coordinator, protocolType, protocolData, isSimpleConsumerGroup } = group
  if (protocolType !== PROTOCOL_TYPE && !isSimpleConsumerGroup) {
    const advice = 'describeClassicGroups describes any'
    return new KafkaError('INVALID_GROUP_ID', `it is no group of consumers but of type '${protocolType}': ${advice}`)
  }
  return {
    groupId,
    type: 'classic',
    state,
    coordinator,
    members: group.members.map(member => ({
      ...member,
      targetAssignment: undefined,
      memberEpoch: undefined,
      isUpgraded: undefined,
    })),
    partitionAssignor: protocolData,
    groupEpoch: undefined,
    targetAssignmentEpoch: undefined,
    isSimpleConsumerGroup,
  }
}
