/** The topics of OffsetCommit and TxnOffsetCommit, asked and answered. */
import type { Broker } from '../broker/broker.ts'
import type { OffsetCommit, OffsetTopic } from '../coordinators/groups/offsets/offset-commit.ts'
import type { RequestContext } from '../wire/api.ts'
import { type ErrorName, errorCodes } from '../wire/errors.ts'
import { allows } from './authorization.ts'
import { mergedTopics } from './merged-topics.ts'

type KnownTopic = OffsetCommit['topics'][number]

interface AskedTopic {
  readonly name: string
  /** Of OffsetCommit v10. */
  readonly topicId?: string
  readonly partitions: KnownTopic['partitions']
}

/** What the metadata knows and the asker may read, for the coordinator, and answers for the rest (G-32). */
export function sortedTopics(
  broker: Broker,
  topics: readonly AskedTopic[],
  byId: boolean,
  context: RequestContext,
): { known: KnownTopic[]; unknown: OffsetTopic[] } {
  const { image } = broker
  const known: KnownTopic[] = []
  const unknown: OffsetTopic[] = []
  for (const asked of topics) {
    const { topicId: askedId = '' } = asked
    const topic = byId ? image.topicById(askedId) : image.topic(asked.name)
    const called = byId ? topic?.name : asked.name
    if (called !== undefined && !allows(broker, context, 'read', 'topic', called)) {
      unknown.push(refusedTopic({ ...asked, topicId: askedId }, 'TOPIC_AUTHORIZATION_FAILED'))
      continue
    }
    if (topic === undefined) {
      const error = byId ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION'
      unknown.push(refusedTopic({ ...asked, topicId: askedId }, error))
      continue
    }
    const { name, topicId } = topic
    const isThere = ({ partitionIndex }: { partitionIndex: number }) => topic.partitions[partitionIndex] !== undefined
    const partitions = asked.partitions.filter(isThere)
    const others = asked.partitions.filter(partition => !isThere(partition))
    if (partitions.length > 0) known.push({ name, topicId, partitions })
    if (others.length > 0) {
      unknown.push(refusedTopic({ name, topicId, partitions: others }, 'UNKNOWN_TOPIC_OR_PARTITION'))
    }
  }
  return { known, unknown }
}

export function refusedTopic(
  topic: Omit<OffsetTopic, 'partitions'> & { readonly partitions: readonly { readonly partitionIndex: number }[] },
  error: ErrorName,
): OffsetTopic {
  const { name, topicId, partitions } = topic
  const errorCode = errorCodes[error]
  return { name, topicId, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) }
}

/** The whole commit is refused. */
export function allRefused(topics: readonly AskedTopic[], error: ErrorName): OffsetTopic[] {
  return topics.map(topic => refusedTopic({ ...topic, topicId: topic.topicId ?? '' }, error))
}

export function commitAnswer(
  unknown: readonly OffsetTopic[],
  answered: readonly OffsetTopic[],
): { readonly throttleTimeMs: number; readonly topics: readonly OffsetTopic[] } {
  return { throttleTimeMs: 0, topics: mergedTopics(unknown, answered) }
}
