import type { Broker } from '../broker/broker.ts'
import type { FetchedTopic, FetchTopic, OffsetFetch } from '../coordinators/groups/offsets/offset-fetch.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, boolean, int16, int32, int64, string, uuid } from '../wire/schema.ts'
import { zeroUuid } from '../wire/uuid.ts'
import { allows, demand } from './authorization.ts'

const request = {
  groupId: string.until(7),
  topics: array({
    name: string,
    partitionIndexes: array(int32),
  })
    .nullable(2)
    .until(7),
  groups: array({
    groupId: string,
    memberId: string.nullable().since(9).default(null).ignorable(),
    memberEpoch: int32.since(9).default(-1).ignorable(),
    topics: array({
      name: string.until(9).ignorable(),
      topicId: uuid.since(10).ignorable(),
      partitionIndexes: array(int32),
    }).nullable(),
  }).since(8),
  requireStable: boolean.since(7).default(false),
}

const response = {
  throttleTimeMs: int32.since(3).ignorable(),
  topics: array({
    name: string,
    partitions: array({
      partitionIndex: int32,
      committedOffset: int64,
      committedLeaderEpoch: int32.since(5).default(-1).ignorable(),
      metadata: string.nullable(),
      errorCode: int16,
    }),
  }).until(7),
  errorCode: int16.since(2).until(7).default(0).ignorable(),
  groups: array({
    groupId: string,
    topics: array({
      name: string.until(9).ignorable(),
      topicId: uuid.since(10).ignorable(),
      partitions: array({
        partitionIndex: int32,
        committedOffset: int64,
        committedLeaderEpoch: int32.default(-1).ignorable(),
        metadata: string.nullable(),
        errorCode: int16,
      }),
    }),
    errorCode: int16.default(0),
  }).since(8),
}

/**
 * How far groups have read, from each group's coordinator. v2 takes null topics for all of them and has an error for the
 * whole group, v5 adds leader epochs (KIP-320), v7 `require_stable` (KIP-447), v8 asks for several groups (KIP-709), v9
 * knows member epochs (KIP-848), v10 names topics by id.
 */
export const offsetFetch: Api<typeof request, typeof response> = defineApi({
  key: 9,
  name: 'OffsetFetch',
  versions: '1-10',
  flexibleFrom: 6,
  request,
  response,
  broker: (broker: Broker, request, context) => {
    const { version } = context
    const asked = version >= 8 ? request.groups : [singleGroup(request)]
    const answers = asked.map(group => fetchGroup(broker, group, request.requireStable, context))
    const respond = (groups: readonly GroupAnswer[]): Encodable<typeof response> => {
      if (version >= 8) return { throttleTimeMs: 0, groups }
      const { topics, errorCode } = groups[0]!
      return { throttleTimeMs: 0, topics, errorCode: errorCode ?? 0 }
    }
    return answers.some(answer => answer instanceof Promise)
      ? broker.life.guard(Promise.all(answers)).then(respond)
      : respond(answers as GroupAnswer[])
  },
})

type Request = Decoded<typeof request>
type AskedGroup = Request['groups'][number]
type GroupAnswer = NonNullable<Encodable<typeof response>['groups']>[number] & {
  readonly topics: readonly FetchedTopic[]
}

/** Before v8 there is one group, and it is asked by nobody. */
function singleGroup({ groupId, topics }: Request): AskedGroup {
  const named = topics?.map(({ name, partitionIndexes }) => ({ name, topicId: zeroUuid, partitionIndexes })) ?? null
  return { groupId, memberId: null, memberEpoch: -1, topics: named }
}

function fetchGroup(
  broker: Broker,
  group: AskedGroup,
  requireStable: boolean,
  context: RequestContext,
): GroupAnswer | Promise<GroupAnswer> {
  const { version } = context
  const { groupId, memberId, memberEpoch } = group
  const isShown = (name: string) => allows(broker, context, 'describe', 'topic', name)
  const { known, unknown } = sorted(broker, group.topics, version, isShown)
  const answered = (all: readonly FetchedTopic[]) => {
    const topics = known === null ? all.filter(topic => isShown(topic.name)) : all
    const found = version >= 10 && known === null ? identified(broker, topics) : topics
    return { groupId, topics: unknown.length === 0 ? found : [...found, ...unknown], errorCode: errorCodes.NONE }
  }
  const refused = (error: unknown) => refusal(group, error, version)
  try {
    demand(broker, context, 'describe', 'group', groupId)
    const { offsets } = broker.groups.shardOf(groupId)
    const answer = offsets.fetch({ groupId, memberId, memberEpoch, topics: known, requireStable })
    return answer instanceof Promise ? answer.then(answered, refused) : answered(answer)
  } catch (error) {
    return refused(error)
  }
}

/** What the coordinator can be asked for by name, and answers for topic ids that nobody knows (G-33). */
function sorted(
  { image }: Broker,
  topics: AskedGroup['topics'],
  version: number,
  isShown: (name: string) => boolean,
): { known: OffsetFetch['topics']; unknown: FetchedTopic[] } {
  if (topics === null) return { known: null, unknown: [] }
  const known: FetchTopic[] = []
  const unknown: FetchedTopic[] = []
  for (const asked of topics) {
    const { topicId, partitionIndexes } = asked
    const name = version < 10 ? asked.name : image.topicById(topicId)?.name
    if (name !== undefined && isShown(name)) {
      known.push({ name, topicId, partitionIndexes })
      continue
    }
    const error = errorCodes[name === undefined ? 'UNKNOWN_TOPIC_ID' : 'TOPIC_AUTHORIZATION_FAILED']
    unknown.push({ name: name ?? '', topicId, partitions: partitionIndexes.map(index => noOffset(index, error)) })
  }
  return { known, unknown }
}

/** All that a group has committed, by ids: what has none, since its topic is gone, cannot be told. */
function identified({ image }: Broker, topics: readonly FetchedTopic[]): FetchedTopic[] {
  return topics.flatMap(topic => {
    const topicId = image.topic(topic.name)?.topicId
    return topicId === undefined ? [] : [{ ...topic, topicId }]
  })
}

/**
 * Before v2 there is no error but those of partitions. Consumers of old do not know COORDINATOR_NOT_AVAILABLE here, so
 * they are sent to look for the coordinator again (GroupCoordinatorService.handleOffsetFetchException).
 */
function refusal({ groupId, topics }: AskedGroup, error: unknown, version: number): GroupAnswer {
  if (!(error instanceof KafkaError)) throw error
  const isRemapped = error.errorName === 'COORDINATOR_NOT_AVAILABLE'
  const errorCode = isRemapped ? errorCodes.NOT_COORDINATOR : error.code
  if (version >= 2) return { groupId, topics: [], errorCode }
  const refused = (topics ?? []).map(({ name, topicId, partitionIndexes }) => ({
    name,
    topicId,
    partitions: partitionIndexes.map(index => noOffset(index, errorCode)),
  }))
  return { groupId, topics: refused, errorCode }
}

/** A partition that has no offset, or none that may be told. */
export function noOffset(partitionIndex: number, errorCode: number): FetchedTopic['partitions'][number] {
  return { partitionIndex, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode }
}
