import type { Broker } from '../broker/broker.ts'
import type { OffsetCommit, OffsetTopic } from '../coordinators/groups/offsets/offset-commit.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { type ErrorName, errorCodes, KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int16, int32, int64, string, uuid } from '../wire/schema.ts'
import { mergedTopics } from './merged-topics.ts'

const request = {
  groupId: string,
  generationIdOrMemberEpoch: int32.default(-1).ignorable(),
  memberId: string.ignorable(),
  groupInstanceId: string.nullable().since(7).default(null),
  retentionTimeMs: int64.until(4).default(-1).ignorable(),
  topics: array({
    name: string.until(9).ignorable(),
    topicId: uuid.since(10).ignorable(),
    partitions: array({
      partitionIndex: int32,
      committedOffset: int64,
      committedLeaderEpoch: int32.since(6).default(-1).ignorable(),
      committedMetadata: string.nullable(),
    }),
  }),
}

const response = {
  throttleTimeMs: int32.since(3).ignorable(),
  topics: array({
    name: string.until(9).ignorable(),
    topicId: uuid.since(10).ignorable(),
    partitions: array({
      partitionIndex: int32,
      errorCode: int16,
    }),
  }),
}

/**
 * Keeps how far a group has read, on the group's coordinator: for its members, and, while it has none, for anybody. v5 gives
 * up retention times, v6 adds leader epochs (KIP-320), v7 static members (KIP-345), v9 knows member epochs (KIP-848), v10
 * names topics by id. Nothing asked is nothing checked.
 */
export const offsetCommit: Api<typeof request, typeof response> = defineApi({
  key: 8,
  name: 'OffsetCommit',
  versions: '2-10',
  flexibleFrom: 8,
  request,
  response,
  broker: (broker: Broker, request, { version }) => {
    const { known, unknown } = sorted(broker, request, version)
    if (known.length === 0) return answerOf(unknown, [])
    const refused = (error: unknown) => {
      if (!(error instanceof KafkaError)) throw error
      return answerOf(
        unknown,
        known.map(topic => refusal(topic, error.errorName)),
      )
    }
    try {
      const { groupId, generationIdOrMemberEpoch, memberId, groupInstanceId, retentionTimeMs } = request
      const committer = { groupId, generationIdOrMemberEpoch, memberId, groupInstanceId, version }
      const { offsets } = broker.groups.shardOf(groupId)
      const answer = offsets.commit({ ...committer, retentionTimeMs, topics: known })
      return answer instanceof Promise
        ? answer.then(topics => answerOf(unknown, topics), refused)
        : answerOf(unknown, answer)
    } catch (error) {
      return refused(error)
    }
  },
})

type Request = Decoded<typeof request>

/** What the metadata knows, for the coordinator, and answers for the rest (G-32). */
function sorted(
  { image }: Broker,
  { topics }: Request,
  version: number,
): { known: OffsetCommit['topics'][number][]; unknown: OffsetTopic[] } {
  const known: OffsetCommit['topics'][number][] = []
  const unknown: OffsetTopic[] = []
  for (const asked of topics) {
    const topic = version >= 10 ? image.topicById(asked.topicId) : image.topic(asked.name)
    if (topic === undefined) {
      unknown.push(refusal(asked, version >= 10 ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION'))
      continue
    }
    const { name, topicId } = topic
    const isThere = ({ partitionIndex }: { partitionIndex: number }) => topic.partitions[partitionIndex] !== undefined
    const partitions = asked.partitions.filter(isThere)
    const others = asked.partitions.filter(partition => !isThere(partition))
    if (partitions.length > 0) known.push({ name, topicId, partitions })
    if (others.length > 0) unknown.push(refusal({ name, topicId, partitions: others }, 'UNKNOWN_TOPIC_OR_PARTITION'))
  }
  return { known, unknown }
}

function refusal(
  topic: Omit<OffsetTopic, 'partitions'> & { partitions: readonly { partitionIndex: number }[] },
  error: ErrorName,
): OffsetTopic {
  const { name, topicId, partitions } = topic
  const errorCode = errorCodes[error]
  return { name, topicId, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) }
}

function answerOf(unknown: readonly OffsetTopic[], answered: readonly OffsetTopic[]): Encodable<typeof response> {
  return { throttleTimeMs: 0, topics: mergedTopics(unknown, answered) }
}
