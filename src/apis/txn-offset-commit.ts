import type { Broker } from '../broker/broker.ts'
import type { Verified } from '../broker/transaction-verification.ts'
import type { OffsetCommit, OffsetTopic } from '../coordinators/groups/offsets/offset-commit.ts'
import { OFFSETS_TOPIC } from '../metadata/topic-names.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { type ErrorName, KafkaError } from '../wire/errors.ts'
import type { Decoded } from '../wire/schema.ts'
import { array, int16, int32, int64, string } from '../wire/schema.ts'
import { refusalOf } from './authorization.ts'
import { allRefused, commitAnswer, refusedTopic, sortedTopics } from './commit-topics.ts'

const request = {
  transactionalId: string,
  groupId: string,
  producerId: int64,
  producerEpoch: int16,
  generationId: int32.since(3).default(-1),
  memberId: string.since(3).default(''),
  groupInstanceId: string.nullable().since(3).default(null),
  topics: array({
    name: string,
    partitions: array({
      partitionIndex: int32,
      committedOffset: int64,
      committedLeaderEpoch: int32.since(2).default(-1).ignorable(),
      committedMetadata: string.nullable(),
    }),
  }),
}

const response = {
  throttleTimeMs: int32,
  topics: array({
    name: string,
    partitions: array({
      partitionIndex: int32,
      errorCode: int16,
    }),
  }),
}

/**
 * Keeps how far a group has read, on the group's coordinator, as a part of a transaction: nobody sees it before the
 * transaction is committed (T-35, T-36). v2 adds leader epochs (KIP-320), v3 says which member commits (KIP-447), v4 may
 * answer TRANSACTION_ABORTABLE, from v5 on the transaction takes in the group's partition by itself (KIP-890). Nothing asked
 * is nothing verified.
 */
export const txnOffsetCommit: Api<typeof request, typeof response> = defineApi({
  key: 28,
  name: 'TxnOffsetCommit',
  versions: '0-5',
  flexibleFrom: 3,
  request,
  response,
  broker: (broker: Broker, request, context) => {
    const { version } = context
    const { transactionalId, groupId } = request
    const forbidden =
      refusalOf(broker, context, 'write', 'transactionalId', transactionalId) ??
      refusalOf(broker, context, 'read', 'group', groupId)
    if (forbidden !== undefined) {
      return { throttleTimeMs: 0, topics: allRefused(request.topics, forbidden.errorName) }
    }
    const { known, unknown } = sortedTopics(broker, request.topics, false, context)
    if (known.length === 0) return commitAnswer(unknown, [])
    const refused = (error: unknown) => {
      const { errorName } = errorOf(error, version)
      return commitAnswer(
        unknown,
        known.map(topic => refusedTopic(topic, errorName)),
      )
    }
    try {
      const answer = commit(broker, request, known, version)
      return answer instanceof Promise
        ? answer.then(topics => commitAnswer(unknown, topics), refused)
        : commitAnswer(unknown, answer)
    } catch (error) {
      return refused(error)
    }
  },
})

type Committed = readonly OffsetTopic[] | Promise<readonly OffsetTopic[]>

/** T-30, T-31: what the transaction's coordinator says comes before anything that the group's says. */
function commit(
  broker: Broker,
  {
    transactionalId,
    groupId,
    producerId,
    producerEpoch,
    generationId,
    memberId,
    groupInstanceId,
  }: Decoded<typeof request>,
  topics: OffsetCommit['topics'],
  version: number,
): Committed {
  if (groupId === '') throw new KafkaError('INVALID_GROUP_ID')
  const partition = broker.requirePartition(OFFSETS_TOPIC, broker.groups.partitionOf(groupId))
  const write = { transactionalId, producerId, producerEpoch, adds: version >= 5, knowsAbortable: version >= 4 }
  const committed = ([verified]: readonly Verified[]): Committed => {
    const { guard, error } = verified!
    if (error !== undefined) throw new KafkaError(error)
    const transaction = { producerId, producerEpoch, ...(guard === undefined ? {} : { verification: guard }) }
    return broker.groups.shardOf(groupId).offsets.commit({
      groupId,
      generationIdOrMemberEpoch: generationId,
      memberId,
      groupInstanceId,
      version: undefined,
      retentionTimeMs: -1,
      topics,
      transaction,
    })
  }
  const verified = broker.verification.verify(write, [{ partition, baseSequence: -1 }])
  return verified instanceof Promise ? verified.then(committed) : committed(verified)
}

/** How a coordinator says what its partition, or the way to the other coordinator, has met (G-2). */
const translations: Partial<Record<ErrorName, ErrorName>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'COORDINATOR_NOT_AVAILABLE',
  NOT_LEADER_OR_FOLLOWER: 'NOT_COORDINATOR',
  // A client tries this again as it is.
  NETWORK_EXCEPTION: 'COORDINATOR_LOAD_IN_PROGRESS',
}

/** Before v2 clients do not know of loading coordinators (KAFKA-7296). */
function errorOf(error: unknown, version: number): KafkaError {
  if (!(error instanceof KafkaError)) throw error
  const name = translations[error.errorName] ?? error.errorName
  return new KafkaError(name === 'COORDINATOR_LOAD_IN_PROGRESS' && version < 2 ? 'COORDINATOR_NOT_AVAILABLE' : name)
}
