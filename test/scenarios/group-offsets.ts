import { offsetCommit } from '../../src/apis/offset-commit.ts'
import { offsetDelete } from '../../src/apis/offset-delete.ts'
import { offsetFetch } from '../../src/apis/offset-fetch.ts'
import type { ErrorName } from '../../src/wire/errors.ts'
import { type Group, nameOf } from './group.ts'
import type { Topic } from './topic.ts'

/** Who commits or asks: a member with its generation or epoch, or, unless said, somebody from outside. */
export interface OffsetOptions {
  readonly memberId?: string | undefined
  readonly generation?: number
  readonly instanceId?: string | undefined
  readonly version?: number
  readonly partition?: number
  readonly metadata?: string | null
  readonly leaderEpoch?: number
}

type Named = Pick<Topic, 'name' | 'id'>

/** OffsetCommit of one offset, v9 unless said: its error. */
export async function commit(
  group: Group,
  topic: Named,
  committedOffset: number,
  options: OffsetOptions = {},
): Promise<ErrorName> {
  const { version = 9, memberId = '', generation = -1, instanceId, partition = 0, metadata = '' } = options
  const { topics } = await group.world.request(group.coordinator, offsetCommit, version, {
    groupId: group.name,
    generationIdOrMemberEpoch: generation,
    memberId,
    ...(instanceId === undefined ? {} : { groupInstanceId: instanceId }),
    topics: [
      {
        ...(version >= 10 ? { topicId: topic.id } : { name: topic.name }),
        partitions: [
          {
            partitionIndex: partition,
            committedOffset,
            committedMetadata: metadata,
            ...(version >= 6 ? { committedLeaderEpoch: options.leaderEpoch ?? -1 } : {}),
          },
        ],
      },
    ],
  })
  return nameOf(topics[0]!.partitions[0]!.errorCode)
}

/**
 * OffsetFetch, v9 unless said: `topic-0:5` for each partition of these topics that has or gets an answer, its metadata in
 * brackets where there is some, an error instead of the offset where there is one; or the error of the whole group.
 */
export async function committed(
  group: Group,
  topics: readonly (readonly [Named, ...number[]])[] | null = null,
  options: OffsetOptions = {},
): Promise<string> {
  const { version = 9, memberId = null, generation = -1 } = options
  const asked =
    topics?.map(([topic, ...partitionIndexes]) => ({
      ...(version >= 10 ? { topicId: topic.id } : { name: topic.name }),
      partitionIndexes,
    })) ?? null
  if (version < 8) {
    const body = { groupId: group.name, topics: asked as { name: string; partitionIndexes: number[] }[] | null }
    const answer = await group.world.request(group.coordinator, offsetFetch, version, body)
    return answer.errorCode === 0 ? textOf(answer.topics) : nameOf(answer.errorCode)
  }
  const member = version >= 9 ? { memberId, memberEpoch: generation } : {}
  const body = { groups: [{ groupId: group.name, ...member, topics: asked }] }
  const [answer] = (await group.world.request(group.coordinator, offsetFetch, version, body)).groups
  if (answer!.errorCode !== 0) return nameOf(answer!.errorCode)
  const names = new Map(topics?.map(([{ id, name }]) => [id, name]))
  return textOf(
    answer!.topics.map(topic =>
      version >= 10 ? { ...topic, name: names.get(topic.topicId) ?? topic.topicId } : topic,
    ),
  )
}

interface FetchedTopic {
  readonly name: string
  readonly partitions: readonly {
    readonly partitionIndex: number
    readonly committedOffset: number
    readonly metadata: string | null
    readonly errorCode: number
  }[]
}

export function textOf(topics: readonly FetchedTopic[]): string {
  return topics
    .flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, committedOffset, metadata, errorCode }) => {
        const offset = errorCode === 0 ? committedOffset : nameOf(errorCode)
        return `${name}-${partitionIndex}:${offset}${metadata === '' ? '' : `(${metadata})`}`
      }),
    )
    .sort()
    .join(' ')
}

/** OffsetDelete of partition 0 of one topic: the error of the group, or that of the partition. */
export async function deleteOffset(group: Group, topic: Named, partitionIndex = 0): Promise<ErrorName> {
  const body = { groupId: group.name, topics: [{ name: topic.name, partitions: [{ partitionIndex }] }] }
  const { errorCode, topics } = await group.world.request(group.coordinator, offsetDelete, 0, body)
  return nameOf(topics[0]?.partitions[0]?.errorCode ?? errorCode)
}
