import { consumerGroupDescribe } from '../../src/apis/consumer-group-describe.ts'
import { consumerGroupHeartbeat } from '../../src/apis/consumer-group-heartbeat.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import type { ConsumerGroup } from '../../src/coordinators/groups/consumer/consumer-group.ts'
import { ask, nameOf } from './asking.ts'
import { coordinatorOf } from './committing.ts'

/** Topic → partitions. */
export type Partitions = Readonly<Record<string, readonly number[]>>

/** What a member says in ConsumerGroupHeartbeat; nothing else is said. */
export interface Saying {
  readonly epoch: number
  readonly instanceId?: string | null
  readonly rackId?: string | null
  readonly rebalanceTimeoutMs?: number
  readonly topics?: readonly string[] | null
  readonly regex?: string | null
  readonly assignor?: string | null
  /** What it says it has. */
  readonly owned?: Partitions | null
  readonly version?: number
  /** The group's coordinator unless said. */
  readonly to?: number
}

export interface Heard {
  readonly error: string
  readonly message: string | null
  readonly memberId: string | null
  readonly epoch: number
  readonly heartbeatMs: number
  /** Null: nothing is said of it. */
  readonly assignment: Partitions | null
}

interface TopicPartitions {
  readonly topicId: string
  readonly partitions: readonly number[]
}

export function byName(cluster: Cluster, topics: readonly TopicPartitions[]): Partitions {
  const nameOfTopic = (id: string) => cluster.controller.controller!.image.topicById(id)?.name ?? id
  return Object.fromEntries(topics.map(({ topicId, partitions }) => [nameOfTopic(topicId), partitions] as const).sort())
}

export function byId(cluster: Cluster, partitions: Partitions): TopicPartitions[] {
  return Object.entries(partitions).map(([topic, indexes]) => ({
    topicId: cluster.topic(topic).topicId,
    partitions: indexes,
  }))
}

export async function heartbeat(cluster: Cluster, group: string, memberId: string, saying: Saying): Promise<Heard> {
  const { epoch, instanceId = null, rackId = null, rebalanceTimeoutMs = -1, topics = null, regex = null } = saying
  const { assignor = null, owned = null, version = 1, to = coordinatorOf(cluster, group) } = saying
  const body = {
    groupId: group,
    memberId,
    memberEpoch: epoch,
    instanceId,
    rackId,
    rebalanceTimeoutMs,
    subscribedTopicNames: topics,
    ...(version > 0 ? { subscribedTopicRegex: regex } : {}),
    serverAssignor: assignor,
    topicPartitions: owned === null ? null : byId(cluster, owned),
  }
  const answer = await ask(cluster, to, consumerGroupHeartbeat, body, version)
  return {
    error: nameOf(answer.errorCode),
    message: answer.errorMessage,
    memberId: answer.memberId,
    epoch: answer.memberEpoch,
    heartbeatMs: answer.heartbeatIntervalMs,
    assignment: answer.assignment === null ? null : byName(cluster, answer.assignment.topicPartitions),
  }
}

/** Epoch 0, with all that a first request has to say; subscribed to `t` unless said. */
export function joinConsumers(cluster: Cluster, group: string, memberId: string, saying: Partial<Saying> = {}) {
  const topics = saying.regex === undefined ? ['t'] : null
  return heartbeat(cluster, group, memberId, { epoch: 0, rebalanceTimeoutMs: 60_000, topics, owned: {}, ...saying })
}

export interface Described {
  readonly error: string
  readonly message: string | null
  readonly state: string
  readonly groupEpoch: number
  readonly assignmentEpoch: number
  readonly assignor: string
  /** Member id → epoch, what it has, what it is to have. */
  readonly members: Readonly<Record<string, readonly [epoch: number, has: Partitions, target: Partitions]>>
}

export async function describeConsumers(
  cluster: Cluster,
  group: string,
  to: number = coordinatorOf(cluster, group),
): Promise<Described> {
  const body = { groupIds: [group], includeAuthorizedOperations: false }
  const [answer] = (await ask(cluster, to, consumerGroupDescribe, body)).groups
  const { errorCode, errorMessage, groupState, groupEpoch, assignmentEpoch, assignorName, members } = answer!
  return {
    error: nameOf(errorCode),
    message: errorMessage,
    state: groupState,
    groupEpoch,
    assignmentEpoch,
    assignor: assignorName,
    members: Object.fromEntries(
      members.map(({ memberId, memberEpoch, assignment, targetAssignment }) => [
        memberId,
        [
          memberEpoch,
          byName(cluster, assignment.topicPartitions),
          byName(cluster, targetAssignment.topicPartitions),
        ] as const,
      ]),
    ),
  }
}

/** The group as its coordinator has it, committed or not. */
export function consumerGroupOf(cluster: Cluster, group: string): ConsumerGroup | undefined {
  const broker = cluster.broker(coordinatorOf(cluster, group)).broker!
  const found = broker.groups.shardOf(group).shard.latest.groups.get(group)
  return found?.type === 'consumer' ? found : undefined
}
