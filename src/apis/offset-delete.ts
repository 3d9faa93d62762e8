import type { Broker } from '../broker/broker.ts'
import type { DeletedTopic, OffsetDeletion } from '../coordinators/groups/offsets/offset-deletion.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int16, int32, string } from '../wire/schema.ts'
import { allows, demand } from './authorization.ts'
import { mergedTopics } from './merged-topics.ts'

const request = {
  groupId: string,
  topics: array({
    name: string,
    partitions: array({
      partitionIndex: int32,
    }),
  }),
}

const response = {
  errorCode: int16,
  throttleTimeMs: int32.ignorable(),
  topics: array({
    name: string,
    partitions: array({
      partitionIndex: int32,
      errorCode: int16,
    }),
  }),
}

/** Makes a group forget offsets of topics that none of its members subscribes to (KIP-496). */
export const offsetDelete: Api<typeof request, typeof response> = defineApi({
  key: 47,
  name: 'OffsetDelete',
  versions: '0',
  request,
  response,
  broker: (broker: Broker, request, context) => {
    const { groupId } = request
    // What the group is refused for stands alone: no partition is answered then.
    const refused = (error: unknown) => {
      if (!(error instanceof KafkaError)) throw error
      return { errorCode: error.code, throttleTimeMs: 0, topics: [] }
    }
    try {
      demand(broker, context, 'delete', 'group', groupId)
      if (groupId === '') throw new KafkaError('INVALID_GROUP_ID')
      const { known, unknown } = sorted(broker, request, context)
      const answer = broker.groups.shardOf(groupId).offsets.delete({ groupId, topics: known })
      return answer instanceof Promise
        ? answer.then(topics => answerOf(unknown, topics), refused)
        : answerOf(unknown, answer)
    } catch (error) {
      return refused(error)
    }
  },
})

type Request = Decoded<typeof request>

/** What the metadata knows, for the coordinator, and answers for the rest. */
function sorted(
  broker: Broker,
  { topics }: Request,
  context: RequestContext,
): { known: OffsetDeletion['topics'][number][]; unknown: DeletedTopic[] } {
  const known: OffsetDeletion['topics'][number][] = []
  const unknown: DeletedTopic[] = []
  for (const { name, partitions } of topics) {
    const mayRead = allows(broker, context, 'read', 'topic', name)
    const error = mayRead ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'TOPIC_AUTHORIZATION_FAILED'
    const isThere = (partition: number) => mayRead && broker.image.partition(name, partition) !== undefined
    const there = partitions.filter(({ partitionIndex }) => isThere(partitionIndex))
    const others = partitions.flatMap(({ partitionIndex }) =>
      isThere(partitionIndex) ? [] : [{ partitionIndex, errorCode: errorCodes[error] }],
    )
    if (there.length > 0) known.push({ name, partitions: there })
    if (others.length > 0) unknown.push({ name, partitions: others })
  }
  return { known, unknown }
}

function answerOf(unknown: readonly DeletedTopic[], answered: readonly DeletedTopic[]): Encodable<typeof response> {
  return { errorCode: errorCodes.NONE, throttleTimeMs: 0, topics: mergedTopics(unknown, answered) }
}
