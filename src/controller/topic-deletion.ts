import type { deleteTopics } from '../apis/delete-topics.ts'
import type { TopicImage } from '../metadata/image.ts'
import type { MetadataRecordInput } from '../metadata/records.ts'
import type { RequestOf, ResponseInput } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import { zeroUuid } from '../wire/uuid.ts'
import type { Decision, Situation } from './decision.ts'
import { type MutationQuota, unlimited } from './mutation-quotas.ts'
import { attempt, errorFields, requireTime } from './refusal.ts'

type Request = RequestOf<typeof deleteTopics>
type Response = ResponseInput<typeof deleteTopics>

interface Named {
  readonly name: string | null
  readonly topicId: string
}

/**
 * M-14: topics go with their partitions and configurations, named by name or by id. One that is named twice, also once by
 * name and once by id, is refused once.
 *
 * @throws {KafkaError} TOPIC_DELETION_DISABLED, before v3 INVALID_REQUEST, when `delete.topic.enable` is off.
 */
export function decideDeletion(
  request: Request,
  version: number,
  situation: Situation,
  quota: MutationQuota = unlimited,
): Decision<Response> {
  if (!situation.settings.values['delete.topic.enable']) {
    throw new KafkaError(version < 3 ? 'INVALID_REQUEST' : 'TOPIC_DELETION_DISABLED', 'Topic deletion is disabled.')
  }
  const named: readonly Named[] =
    version >= 6 ? request.topics : request.topicNames.map(name => ({ name, topicId: zeroUuid }))
  requireTime(request)
  const repeated = repeatedOf(named)
  const byId = new Set(named.filter(({ name }) => name === null).map(({ topicId }) => topicId))
  const records: MetadataRecordInput[] = []
  const responses: Response['responses'][number][] = []
  for (const each of distinct(named, byId, situation)) {
    let topic: TopicImage | undefined
    const error = attempt(() => {
      topic = find(each, repeated, byId, situation)
      quota.take(topic.partitions.length)
      records.push({ type: 'RemoveTopicRecord', topicId: topic.topicId })
    })
    const { name, topicId } = error === undefined && topic !== undefined ? topic : each
    responses.push({ name, topicId, ...errorFields(error) })
  }
  return { records, response: { throttleTimeMs: quota.throttleTimeMs, responses } }
}

/** Each once; of those that are named both ways the one with its name, and its id beside it. */
function distinct(named: readonly Named[], byId: ReadonlySet<string>, { image }: Situation): Iterable<Named> {
  const found = new Map<string, Named>()
  const bothWays = new Set<string>()
  for (const { name, topicId } of named) {
    const known = name === null || topicId !== zeroUuid ? undefined : image.topic(name)?.topicId
    const isBoth = known !== undefined && byId.has(known)
    if (isBoth) bothWays.add(known)
    found.set(`${name} ${topicId}`, { name, topicId: isBoth ? known : topicId })
  }
  return [...found.values()].filter(({ name, topicId }) => name !== null || !bothWays.has(topicId))
}

function find(
  named: Named,
  repeated: ReadonlySet<string>,
  byId: ReadonlySet<string>,
  situation: Situation,
): TopicImage {
  const { name, topicId } = named
  const hasId = topicId !== zeroUuid
  if (name !== null && hasId && byId.has(topicId) && situation.image.topic(name)?.topicId === topicId) {
    throw new KafkaError('INVALID_REQUEST', 'The provided topic name maps to an ID that was already supplied.')
  }
  if (name !== null && hasId) {
    throw new KafkaError('INVALID_REQUEST', 'You may not specify both topic name and topic id.')
  }
  if (name === null && !hasId) throw new KafkaError('INVALID_REQUEST', 'Neither topic name nor id were specified.')
  if (repeated.has(name ?? topicId)) {
    throw new KafkaError('INVALID_REQUEST', name === null ? 'Duplicate topic id.' : 'Duplicate topic name.')
  }
  const topic = name === null ? situation.image.topicById(topicId) : situation.image.topic(name)
  if (topic !== undefined) return topic
  throw name === null
    ? new KafkaError('UNKNOWN_TOPIC_ID', 'This server does not host this topic ID.')
    : new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', 'This server does not host this topic-partition.')
}

function repeatedOf(named: readonly Named[]): ReadonlySet<string> {
  const seen = new Set<string>()
  const repeated = new Set<string>()
  for (const { name, topicId } of named) {
    const key = name ?? topicId
    if (seen.has(key)) repeated.add(key)
    seen.add(key)
  }
  return repeated
}
