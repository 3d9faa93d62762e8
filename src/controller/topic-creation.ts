import type { createTopics } from '../apis/create-topics.ts'
import { alterTopicConfigs, configOperations } from '../metadata/config-operations.ts'
import { describeTopicConfigs } from '../metadata/config-rows.ts'
import { noOverrides, type Overrides } from '../metadata/config-values.ts'
import { resourceTypes } from '../metadata/image.ts'
import { METADATA_TOPIC } from '../metadata/metadata-batch.ts'
import { placeReplicas } from '../metadata/placement.ts'
import type { MetadataRecordInput } from '../metadata/records.ts'
import { checkTopicName } from '../metadata/topic-names.ts'
import type { RequestOf, ResponseInput } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import { drawUuid } from '../wire/uuid.ts'
import type { Decision, Situation } from './decision.ts'
import { type MutationQuota, unlimited } from './mutation-quotas.ts'
import { attempt, errorFields, requireTime } from './refusal.ts'
import {
  allGone,
  allGoneInAssignment,
  checkAssignment,
  invalid,
  MOST_NEW_PARTITIONS,
  newPartition,
} from './topic-assignment.ts'

type Request = RequestOf<typeof createTopics>
type Response = ResponseInput<typeof createTopics>
type NewTopic = Request['topics'][number]
type TopicAnswer = Response['topics'][number]

/** M-10 … M-12: each topic of the request is made or refused on its own; one that is named twice is refused once. */
export function decideTopics(
  request: Request,
  situation: Situation,
  quota: MutationQuota = unlimited,
): Decision<Response> {
  requireTime(request)
  const creation = new Creation(request, situation, quota)
  const named = new Map(request.topics.map(topic => [topic.name, topic]))
  const topics = [...named.values()].map(topic => creation.answer(topic))
  const records = request.validateOnly ? [] : creation.records
  return { records, response: { throttleTimeMs: quota.throttleTimeMs, topics } }
}

class Creation {
  readonly records: MetadataRecordInput[] = []
  readonly #situation: Situation
  readonly #quota: MutationQuota
  readonly #repeated: ReadonlySet<string>
  /** Names with '.' as '_', which metrics cannot tell apart, and who has them. */
  readonly #collisions = new Map<string, string>()
  #newPartitions = 0

  constructor(request: Request, situation: Situation, quota: MutationQuota) {
    this.#situation = situation
    this.#quota = quota
    const names = request.topics.map(topic => topic.name)
    this.#repeated = new Set(names.filter((name, index) => names.indexOf(name) !== index))
    for (const name of situation.image.topics.keys()) this.#collisions.set(collisionKey(name), name)
  }

  answer(topic: NewTopic): TopicAnswer {
    let made: TopicAnswer | undefined
    const error = attempt(() => {
      made = this.#create(topic)
    })
    if (made !== undefined) return made
    return { name: topic.name, ...errorFields(error), numPartitions: -1, replicationFactor: -1, configs: [] }
  }

  #create(topic: NewTopic): TopicAnswer {
    const { image, settings } = this.#situation
    const { name } = topic
    if (this.#repeated.has(name)) throw new KafkaError('INVALID_REQUEST', 'Duplicate topic name.')
    if (name === METADATA_TOPIC) {
      throw new KafkaError('INVALID_REQUEST', `Creation of internal topic ${METADATA_TOPIC} is prohibited.`)
    }
    checkTopicName(name)
    if (image.topic(name) !== undefined) throw new KafkaError('TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists.`)
    const other = this.#collisions.get(collisionKey(name))
    if (other !== undefined) {
      throw new KafkaError('INVALID_TOPIC_EXCEPTION', `Topic '${name}' collides with existing topic: ${other}`)
    }
    const overrides = configsOf(topic, this.#situation)
    const topicId = newTopicId(this.#situation)
    const partitions = topic.assignments.length > 0 ? this.#assigned(topic, topicId) : this.#placed(topic, topicId)
    this.#quota.take(partitions.length)
    this.#collisions.set(collisionKey(name), name)
    this.#newPartitions += partitions.length
    this.records.push({ type: 'TopicRecord', name, topicId })
    for (const [key, value] of overrides) {
      this.records.push({
        type: 'ConfigRecord',
        resourceType: resourceTypes.topic,
        resourceName: name,
        name: key,
        value,
      })
    }
    for (const partition of partitions) this.records.push(partition.record)
    return {
      name,
      topicId,
      errorCode: 0,
      errorMessage: null,
      numPartitions: partitions.length,
      replicationFactor: partitions[0]!.replicas.length,
      configs: configRows(overrides, settings.layers),
    }
  }

  #assigned(topic: NewTopic, topicId: string): NewPartition[] {
    const { image } = this.#situation
    refuseCounts(topic)
    const sorted = [...topic.assignments].sort((a, b) => a.partitionIndex - b.partitionIndex)
    let replicationFactor: number | undefined
    const partitions: NewPartition[] = []
    for (const { partitionIndex, brokerIds: replicas } of sorted) {
      if (partitionIndex === partitions.length - 1) {
        throw invalid(`Found multiple manual partition assignments for partition ${partitionIndex}`)
      }
      checkAssignment(replicas, replicationFactor, image)
      replicationFactor = replicas.length
      if (partitionIndex !== partitions.length) {
        throw invalid('partitions should be a consecutive 0-based integer sequence')
      }
      const refusal = () => allGoneInAssignment(partitionIndex)
      partitions.push({ replicas, record: newPartition(topicId, partitionIndex, replicas, image, refusal) })
    }
    this.#refuseTooMany(topic.name, partitions.length)
    return partitions
  }

  #placed(topic: NewTopic, topicId: string): NewPartition[] {
    const { image, settings } = this.#situation
    if (topic.replicationFactor < -1 || topic.replicationFactor === 0) {
      throw new KafkaError(
        'INVALID_REPLICATION_FACTOR',
        'Replication factor must be larger than 0, or -1 to use the default value.',
      )
    }
    if (topic.numPartitions < -1 || topic.numPartitions === 0) {
      throw new KafkaError('INVALID_PARTITIONS', 'Number of partitions was set to an invalid non-positive value.')
    }
    const count = topic.numPartitions === -1 ? settings.values['num.partitions'] : topic.numPartitions
    const replicationFactor =
      topic.replicationFactor === -1 ? settings.values['default.replication.factor'] : topic.replicationFactor
    this.#refuseTooMany(topic.name, count)
    const placed = placeReplicas(image.brokers.values(), count, replicationFactor, this.#situation.choose)
    const refusal = () => allGone(replicationFactor)
    return placed.map((replicas, index) => ({
      replicas,
      record: newPartition(topicId, index, replicas, image, refusal),
    }))
  }

  #refuseTooMany(topic: string, count: number): void {
    if (this.#newPartitions + count <= MOST_NEW_PARTITIONS) return
    throw new KafkaError(
      'POLICY_VIOLATION',
      `Topic '${topic}' would make more than ${MOST_NEW_PARTITIONS} partitions in one request.`,
    )
  }
}

interface NewPartition {
  readonly replicas: readonly number[]
  readonly record: MetadataRecordInput
}

function collisionKey(name: string): string {
  return name.replaceAll('.', '_')
}

function refuseCounts(topic: NewTopic): void {
  const which =
    topic.replicationFactor !== -1 ? 'replication factor' : topic.numPartitions !== -1 ? 'partition count' : undefined
  if (which === undefined) return
  throw new KafkaError(
    'INVALID_REQUEST',
    `A manual partition assignment was specified, but the ${which} was not set to -1.`,
  )
}

/** The last value of a name that is given twice counts. @throws {KafkaError} INVALID_CONFIG */
function configsOf(topic: NewTopic, situation: Situation): Overrides {
  if (topic.configs.length === 0) return noOverrides
  const byName = new Map<string, string>()
  for (const { name, value } of topic.configs) {
    if (value === null) {
      throw new KafkaError('INVALID_CONFIG', `Null value not supported for topic configs: ${name}`)
    }
    byName.set(name, value)
  }
  const operations = [...byName].map(([name, value]) => ({ name, value, operation: configOperations.set }))
  return alterTopicConfigs(noOverrides, operations, situation.settings.layers)
}

function configRows(overrides: Overrides, layers: Parameters<typeof describeTopicConfigs>[1]) {
  const rows = describeTopicConfigs(overrides, layers, null).sort((a, b) => (a.name < b.name ? -1 : 1))
  return rows.map(({ name, value, readOnly, source, isSensitive }) => ({
    name,
    value,
    readOnly,
    configSource: source,
    isSensitive,
  }))
}

/** One that no topic has. */
function newTopicId(situation: Situation): string {
  for (;;) {
    const id = drawUuid(n => situation.choose('topic id', n))
    if (situation.image.topicById(id) === undefined) return id
  }
}
