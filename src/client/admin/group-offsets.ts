import { offsetCommit } from '../../apis/offset-commit.ts'
import { offsetDelete } from '../../apis/offset-delete.ts'
import { offsetFetch } from '../../apis/offset-fetch.ts'
import type { ResponseOf } from '../../wire/api.ts'
import { errorCodes, KafkaError } from '../../wire/errors.ts'
import { byTopic } from '../list-offsets.ts'
import type { NodeConnection } from '../node-connection.ts'
import { partitionText, type TopicPartition } from '../topic-partition.ts'
import { type AdminClient, type Answers, allOf, errorOfItem } from './admin-client.ts'
import { atCoordinators, type GroupAnswers, groupText } from './coordinator-calls.ts'

/** How far a group has come in a partition. */
export interface GroupOffset extends TopicPartition {
  /** The next record to be read; undefined: nothing was ever committed, or it has expired. */
  readonly offset: number | undefined
  /** Of the record before it; −1 if it is not known. */
  readonly leaderEpoch: number
  /** What the committer left with it; '' for nothing. */
  readonly metadata: string
}

export interface NewGroupOffset extends TopicPartition {
  /** The next record to be read. It is not compared with the log. */
  readonly offset: number
  /** Of the record before it; −1, or left out, if it is not known. */
  readonly leaderEpoch?: number
  /** At most `offset.metadata.max.bytes`, 4,096. */
  readonly metadata?: string
}

/** A list, or a Map from partitions to what is committed, or its offset alone. */
export type NewGroupOffsets =
  | readonly NewGroupOffset[]
  | ReadonlyMap<TopicPartition, number | Omit<NewGroupOffset, 'topic' | 'partition'>>

/** Of each group, by its id: these partitions, or with null all that have something committed. */
export type GroupPartitions = Readonly<Record<string, readonly TopicPartition[] | null>>

/** Topics go by name, as Kafka's admin client has it: v10 would ask by id, which other groups' deleted topics have lost. */
const BY_NAME_VERSION = 9
/** First version that asks for many groups at once. */
const BATCHED_SINCE = 8

/** G-33. Partitions with offsets of a transaction that is still open are waited for, if `requireStable` is asked for. */
export async function listConsumerGroupOffsets(
  client: AdminClient,
  groups: GroupPartitions,
  options: { readonly requireStable?: boolean },
): Promise<Map<string, GroupOffset[]>> {
  const { requireStable = false } = options
  const answers = await atCoordinators<GroupOffset[]>(client, Object.keys(groups), {
    what: 'OffsetFetch',
    passing: ['UNSTABLE_OFFSET_COMMIT'],
    ask: (node, groupIds) => fetchOffsets(client, node, groups, groupIds, requireStable),
  })
  return allOf(answers, groupText)
}

async function fetchOffsets(
  client: AdminClient,
  node: NodeConnection,
  groups: GroupPartitions,
  groupIds: readonly string[],
  requireStable: boolean,
): Promise<GroupAnswers<GroupOffset[]>> {
  const answers: GroupAnswers<GroupOffset[]> = new Map()
  await node.ready()
  const maxVersion = BY_NAME_VERSION
  const topicsOf = (groupId: string) => {
    const partitions = groups[groupId] ?? null
    if (partitions === null) return null
    return byTopic(partitions).map(([name, items]) => ({ name, partitionIndexes: items.map(item => item.partition) }))
  }
  if (node.versionOf(offsetFetch, maxVersion) >= BATCHED_SINCE) {
    const asked = groupIds.map(groupId => ({ groupId, topics: topicsOf(groupId) }))
    const body = { groups: asked, requireStable }
    const response = await client.connections.request(node, offsetFetch, () => body, { maxVersion })
    for (const { groupId, errorCode, topics } of response.groups) {
      answers.set(groupId, errorOfItem(errorCode) ?? offsetsOf(topics))
    }
    return answers
  }
  for (const groupId of groupIds) {
    const body = { groupId, topics: topicsOf(groupId), ...(requireStable ? { requireStable } : {}) }
    const { errorCode, topics } = await client.connections.request(node, offsetFetch, () => body, { maxVersion })
    answers.set(groupId, errorOfItem(errorCode) ?? offsetsOf(topics))
  }
  return answers
}

interface FetchedTopic {
  readonly name: string
  readonly partitions: ResponseOf<typeof offsetFetch>['topics'][number]['partitions']
}

/**
 * A partition that is refused fails its group: Kafka's admin client leaves it out of the result, so that it cannot be told
 * from one without a commit.
 */
function offsetsOf(topics: readonly FetchedTopic[]): GroupOffset[] | KafkaError {
  const offsets: GroupOffset[] = []
  for (const { name: topic, partitions } of topics) {
    for (const {
      partitionIndex: partition,
      committedOffset,
      committedLeaderEpoch,
      metadata,
      errorCode,
    } of partitions) {
      if (errorCode !== errorCodes.NONE) {
        const { message } = KafkaError.of(errorCode)
        return KafkaError.of(errorCode, `${partitionText({ topic, partition })}: ${message}`)
      }
      // G-32: a negative offset can be committed; it reads as none, as in Kafka's clients.
      const offset = committedOffset < 0 ? undefined : committedOffset
      offsets.push({ topic, partition, offset, leaderEpoch: committedLeaderEpoch, metadata: metadata ?? '' })
    }
  }
  return offsets
}

/** Commits in the group's name; only while it has no members (G-30: UNKNOWN_MEMBER_ID). Makes the group, if need be. */
export async function alterConsumerGroupOffsets(
  client: AdminClient,
  groupId: string,
  offsets: readonly NewGroupOffset[],
): Promise<void> {
  const body = {
    groupId,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    topics: byTopic(offsets).map(([name, items]) => ({
      name,
      partitions: items.map(({ partition, offset, leaderEpoch = -1, metadata = '' }) => ({
        partitionIndex: partition,
        committedOffset: offset,
        committedLeaderEpoch: leaderEpoch,
        committedMetadata: metadata,
      })),
    })),
  }
  await changeOffsets(client, groupId, offsets, {
    what: 'OffsetCommit',
    passing: ['REBALANCE_IN_PROGRESS'],
    async change(node) {
      const { topics } = await client.connections.request(node, offsetCommit, () => body, {
        maxVersion: BY_NAME_VERSION,
      })
      return topics
    },
  })
}

/** G-35: GROUP_SUBSCRIBED_TO_TOPIC for partitions of topics that a member has subscribed to. */
export async function deleteConsumerGroupOffsets(
  client: AdminClient,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<void> {
  const topics = byTopic(partitions).map(([name, items]) => ({
    name,
    partitions: items.map(({ partition }) => ({ partitionIndex: partition })),
  }))
  await changeOffsets(client, groupId, partitions, {
    what: 'OffsetDelete',
    passing: [],
    async change(node) {
      const response = await client.connections.request(node, offsetDelete, () => ({ groupId, topics }))
      if (response.errorCode !== errorCodes.NONE) throw KafkaError.of(response.errorCode)
      return response.topics
    },
  })
}

interface OffsetChange {
  readonly what: string
  readonly passing: readonly 'REBALANCE_IN_PROGRESS'[]
  change(node: NodeConnection): Promise<
    readonly {
      readonly name: string
      readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
    }[]
  >
}

/** The error of one partition that all would have counts for the group: it is asked for again, as a whole. */
async function changeOffsets(
  client: AdminClient,
  groupId: string,
  partitions: readonly TopicPartition[],
  { what, passing, change }: OffsetChange,
): Promise<void> {
  const answered = await atCoordinators<Answers<TopicPartition, undefined>>(client, [groupId], {
    what,
    passing,
    async ask(node) {
      const left = () => new KafkaError('UNKNOWN_SERVER_ERROR', 'the answer leaves it out')
      const answers: Answers<TopicPartition, undefined> = new Map(partitions.map(partition => [partition, left()]))
      for (const { name, partitions: said } of await change(node)) {
        for (const { partitionIndex, errorCode } of said) {
          const found = partitions.find(({ topic, partition }) => topic === name && partition === partitionIndex)
          if (found !== undefined) answers.set(found, errorOfItem(errorCode))
        }
      }
      return new Map([[groupId, ofWholeGroup(answers) ?? answers]])
    },
  })
  const answers = allOf(answered, groupText).get(groupId)!
  allOf(answers, partition => `${groupText(groupId)}, ${partitionText(partition)}`)
}

const ofGroup: readonly number[] = [
  errorCodes.NOT_COORDINATOR,
  errorCodes.COORDINATOR_NOT_AVAILABLE,
  errorCodes.COORDINATOR_LOAD_IN_PROGRESS,
  errorCodes.REBALANCE_IN_PROGRESS,
  errorCodes.UNKNOWN_MEMBER_ID,
  errorCodes.INVALID_GROUP_ID,
  errorCodes.GROUP_AUTHORIZATION_FAILED,
]

function ofWholeGroup(answers: Answers<TopicPartition, undefined>): KafkaError | undefined {
  for (const answer of answers.values()) {
    if (!(answer instanceof KafkaError) || !ofGroup.includes(answer.code)) continue
    if (answer.errorName !== 'UNKNOWN_MEMBER_ID') return answer
    const text = 'it has members, who commit for themselves: offsets are altered while it has none'
    return new KafkaError('UNKNOWN_MEMBER_ID', text)
  }
  return undefined
}
