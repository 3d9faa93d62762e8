import type { GroupState } from '../client/admin/groups.ts'
import type { TopicPartition } from '../client/topic-partition.ts'
import type { ClassicGroup } from '../coordinators/groups/classic/classic-group.ts'
import type { ConsumerGroup } from '../coordinators/groups/consumer/consumer-group.ts'
import { union } from '../coordinators/groups/consumer/partition-sets.ts'
import { resolvedTopics } from '../coordinators/groups/consumer/regular-expressions.ts'
import type { GroupShard } from '../coordinators/groups/group-shard.ts'
import type { Group } from '../coordinators/groups/group-state.ts'
import type { ClusterImage } from '../metadata/image.ts'
import { decodeAssignment, decodeSubscription } from '../wire/consumer-protocol.ts'
import { MalformedError } from '../wire/reader.ts'

/** A member as the coordinator has it. */
export interface GroupMemberView {
  readonly memberId: string
  /** Of a static member. */
  readonly groupInstanceId: string | undefined
  readonly clientId: string
  /** Where it comes from, as in `/127.0.0.1`. */
  readonly host: string
  /** What it has, by topic and partition: of a classic group, what the leader gave it last. */
  readonly assignment: readonly TopicPartition[]
  /** Topics that it wants; those that a pattern of its stands for at the moment among them. */
  readonly subscribedTopics: readonly string[]
  /** Undefined in a classic group. */
  readonly memberEpoch: number | undefined
}

/** Who is in a group, and where it stands. */
export interface Membership {
  /** `consumer`: KIP-848. */
  readonly type: 'classic' | 'consumer'
  readonly state: GroupState
  /** `consumer` for groups of consumers; '' for one that only keeps offsets. */
  readonly protocolType: string
  /** What partitions are assigned by: `range`, `cooperative-sticky`, `uniform`; '' while that is not decided. */
  readonly protocol: string
  /** Of a classic group its generation, else the group epoch. */
  readonly generation: number
  readonly members: readonly GroupMemberView[]
  /** Topics that patterns of members match, also those that the coordinator has not held against them yet. */
  readonly patternTopics: () => readonly string[]
  /** It is committed, so that members are told: a classic group is stable as soon as its assignment is written. */
  readonly isCommitted: boolean
}

/**
 * The group as its coordinator has it; undefined if it has none. Of a classic group what the coordinator goes by, since
 * much of it is never written; of a consumer group what is committed, which is what its members were told.
 */
export function membershipOf(shard: GroupShard, id: string, image: ClusterImage): Membership | undefined {
  const group = groupOf(shard, id)
  if (group === undefined) return undefined
  if (group.type === 'classic') {
    const written = shard.shard.committed.groups.get(id)
    const isCommitted = written?.type === 'classic' && written.generation === group.generation
    return classicMembership(group, isCommitted)
  }
  const { assignorName } = shard.consumer.described(id)
  return consumerMembership(group, assignorName, image)
}

function groupOf({ shard: { latest, committed } }: GroupShard, id: string): Group | undefined {
  const group = latest.groups.get(id)
  return group?.type === 'classic' ? group : committed.groups.get(id)
}

function classicMembership(group: ClassicGroup, isCommitted: boolean): Membership {
  const { isOfConsumers } = group
  return {
    type: 'classic',
    state: group.state,
    protocolType: group.protocolType ?? '',
    protocol: group.protocol ?? '',
    generation: group.generation,
    isCommitted,
    patternTopics: () => [],
    members: [...group.members.values()].map(member => {
      // While the first join phase lasts, the group goes by no protocol yet.
      const subscription = group.protocol === null ? member.protocols[0]?.metadata : member.metadataOf(group.protocol)
      return {
        memberId: member.id,
        groupInstanceId: member.instanceId ?? undefined,
        clientId: member.clientId,
        host: member.clientHost,
        assignment: isOfConsumers ? assigned(member.assignment) : [],
        subscribedTopics: isOfConsumers && subscription !== undefined ? subscribed(subscription) : [],
        memberEpoch: undefined,
      }
    }),
  }
}

/** Bytes of a member stay the same object for as long as they stay the same: waits look at them after every event. */
const assignments = new WeakMap<Uint8Array, readonly TopicPartition[]>()
const subscriptions = new WeakMap<Uint8Array, readonly string[]>()

function assigned(bytes: Uint8Array): readonly TopicPartition[] {
  let known = assignments.get(bytes)
  if (known === undefined) {
    const topics = ifReadable(() => decodeAssignment(bytes))?.assignedPartitions ?? []
    known = inOrder(topics.flatMap(({ topic, partitions }) => partitions.map(partition => ({ topic, partition }))))
    assignments.set(bytes, known)
  }
  return known
}

function subscribed(bytes: Uint8Array): readonly string[] {
  let known = subscriptions.get(bytes)
  if (known === undefined) {
    known = bytes.length === 0 ? [] : [...(ifReadable(() => decodeSubscription(bytes))?.topics ?? [])].sort()
    subscriptions.set(bytes, known)
  }
  return known
}

/** What other clients say to one another is theirs: who looks on sees nothing where it is no such thing. */
function ifReadable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof MalformedError) return undefined
    throw error
  }
}

function consumerMembership(group: ConsumerGroup, protocol: string, image: ClusterImage): Membership {
  return {
    type: 'consumer',
    state: group.state,
    protocolType: group.protocolType,
    protocol,
    generation: group.groupEpoch,
    isCommitted: true,
    patternTopics: () => [...group.expressions.keys()].flatMap(regex => resolvedTopics(regex, image)),
    members: [...group.members.values()].map(member => ({
      memberId: member.memberId,
      groupInstanceId: member.instanceId ?? undefined,
      clientId: member.clientId,
      host: member.clientHost,
      assignment: inOrder(
        // What it is told to give up is its own until it has done so.
        [...union(member.assigned, member.pendingRevocation)].flatMap(([topicId, since]) => {
          const topic = image.topicById(topicId)?.name
          return topic === undefined ? [] : [...since.keys()].map(partition => ({ topic, partition }))
        }),
      ),
      subscribedTopics: [...group.topicsOf(member)].sort(),
      memberEpoch: member.memberEpoch,
    })),
  }
}

/** By name and number, so that a test can say what it expects. */
export function inOrder<P extends TopicPartition>(partitions: readonly P[]): P[] {
  return [...partitions].sort((a, b) => {
    if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
    return a.partition - b.partition
  })
}
