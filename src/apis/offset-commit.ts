import type { Broker } from '../broker/broker.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import { array, int16, int32, int64, string, uuid } from '../wire/schema.ts'
import { allows } from './authorization.ts'
import { allRefused, commitAnswer, refusedTopic, sortedTopics } from './commit-topics.ts'

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
  broker: (broker: Broker, request, context) => {
    const { version } = context
    if (!allows(broker, context, 'read', 'group', request.groupId)) {
      return { throttleTimeMs: 0, topics: allRefused(request.topics, 'GROUP_AUTHORIZATION_FAILED') }
    }
    const { known, unknown } = sortedTopics(broker, request.topics, version >= 10, context)
    if (known.length === 0) return commitAnswer(unknown, [])
    const refused = (error: unknown) => {
      if (!(error instanceof KafkaError)) throw error
      return commitAnswer(
        unknown,
        known.map(topic => refusedTopic(topic, error.errorName)),
      )
    }
    try {
      const { groupId, generationIdOrMemberEpoch, memberId, groupInstanceId, retentionTimeMs } = request
      const committer = { groupId, generationIdOrMemberEpoch, memberId, groupInstanceId, version }
      const { offsets } = broker.groups.shardOf(groupId)
      const answer = offsets.commit({ ...committer, retentionTimeMs, topics: known })
      return answer instanceof Promise
        ? answer.then(topics => commitAnswer(unknown, topics), refused)
        : commitAnswer(unknown, answer)
    } catch (error) {
      return refused(error)
    }
  },
})
