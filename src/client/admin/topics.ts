import { createPartitions as createPartitionsApi } from '../../apis/create-partitions.ts'
import { createTopics as createTopicsApi } from '../../apis/create-topics.ts'
import { deleteTopics as deleteTopicsApi } from '../../apis/delete-topics.ts'
import { describeTopicPartitions } from '../../apis/describe-topic-partitions.ts'
import { metadata } from '../../apis/metadata.ts'
import { topicOverrides } from '../../metadata/config-options.ts'
import type { TopicOptions } from '../../metadata/topic-configs.ts'
import { type ErrorName, KafkaError } from '../../wire/errors.ts'
import { zeroUuid } from '../../wire/uuid.ts'
import { type AdminClient, type Answers, allOf, errorOfItem } from './admin-client.ts'
import { type QuotaRetry, type QuotaRound, withinQuota } from './quota-retries.ts'

export interface NewTopic {
  readonly name: string
  /** The cluster's `num.partitions` unless given. */
  readonly partitions?: number
  /** The cluster's `default.replication.factor` unless given. */
  readonly replicationFactor?: number
  /** Brokers of each partition, the preferred leader first; instead of the two numbers. */
  readonly assignments?: readonly (readonly number[])[]
  readonly configs?: TopicOptions
}

export interface CreatedTopic {
  readonly topicId: string
  readonly partitions: number
  readonly replicationFactor: number
  /** The configuration that it got. */
  readonly configs: ReadonlyMap<string, string | null>
}

export interface TopicListing {
  readonly name: string
  readonly topicId: string
  readonly isInternal: boolean
}

export interface TopicPartitionDescription {
  readonly partition: number
  /** Broker id; undefined while there is no leader. */
  readonly leader: number | undefined
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly inSyncReplicas: readonly number[]
  readonly offlineReplicas: readonly number[]
  readonly eligibleLeaderReplicas: readonly number[]
  readonly lastKnownEligibleLeaderReplicas: readonly number[]
}

export interface TopicDescription extends TopicListing {
  readonly partitions: readonly TopicPartitionDescription[]
}

export interface NewPartitions {
  /** The new total. */
  readonly count: number
  /** Brokers of each partition that is added. */
  readonly assignments?: readonly (readonly number[])[]
}

/** By name, or by id. */
export type TopicCollection = readonly string[] | { readonly topicIds: readonly string[] }

const topicName = (name: string) => `topic '${name}'`

export async function createTopics(
  client: AdminClient,
  topics: readonly NewTopic[],
  options: { readonly validateOnly?: boolean; readonly timeoutMs?: number } & QuotaRetry,
): Promise<Map<string, CreatedTopic>> {
  const ask = (wanted: readonly NewTopic[]) => askForTopics(client, wanted, options)
  return allOf(await withinQuota(client, topics, options, ({ name }) => name, ask), topicName)
}

async function askForTopics(
  client: AdminClient,
  topics: readonly NewTopic[],
  options: { readonly validateOnly?: boolean; readonly timeoutMs?: number },
): Promise<QuotaRound<CreatedTopic>> {
  const body = {
    topics: topics.map(topic => {
      const { name, partitions = -1, replicationFactor = -1, assignments = [], configs = {} } = topic
      return {
        name,
        numPartitions: partitions,
        replicationFactor,
        assignments: assignments.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
        configs: [...topicOverrides(configs)].map(([key, value]) => ({ name: key, value })),
      }
    }),
    timeoutMs: options.timeoutMs ?? client.configs['request.timeout.ms'],
    validateOnly: options.validateOnly ?? false,
  }
  const response = await client.ask(createTopicsApi, body, first => notController(first.topics))
  const answers: Answers<string, CreatedTopic> = new Map()
  for (const { name, topicId, errorCode, errorMessage, numPartitions, replicationFactor, configs } of response.topics) {
    const created = {
      topicId,
      partitions: numPartitions,
      replicationFactor,
      configs: new Map((configs ?? []).map(config => [config.name, config.value])),
    }
    answers.set(name, errorOfItem(errorCode, errorMessage) ?? created)
  }
  return { answers, throttleTimeMs: response.throttleTimeMs }
}

/** A broker that asked a controller which no longer is one: again, at the right one. */
export function notController(items: readonly { readonly errorCode: number }[]): number {
  const isRetriable =
    items.length > 0 && items.every(({ errorCode }) => errorOfItem(errorCode)?.errorName === 'NOT_CONTROLLER')
  return isRetriable ? items[0]!.errorCode : 0
}

export async function deleteTopics(
  client: AdminClient,
  topics: TopicCollection,
  options: { readonly timeoutMs?: number } & QuotaRetry,
): Promise<void> {
  const byId = 'topicIds' in topics
  const timeoutMs = options.timeoutMs ?? client.configs['request.timeout.ms']
  const ask = async (keys: readonly string[]) => {
    const wanted = keys.map(key => (byId ? { name: null, topicId: key } : { name: key, topicId: zeroUuid }))
    const body = { topics: wanted, timeoutMs }
    const response = await client.ask(deleteTopicsApi, body, first => notController(first.responses))
    const answers: Answers<string, undefined> = new Map()
    for (const { name, topicId, errorCode, errorMessage } of response.responses) {
      answers.set(byId ? topicId : (name ?? topicId), errorOfItem(errorCode, errorMessage))
    }
    return { answers, throttleTimeMs: response.throttleTimeMs }
  }
  allOf(await withinQuota(client, byId ? topics.topicIds : topics, options, key => key, ask), topicName)
}

export async function listTopics(
  client: AdminClient,
  options: { readonly listInternal?: boolean },
): Promise<TopicListing[]> {
  const response = await client.ask(metadata, { topics: null, allowAutoTopicCreation: false }, first => first.errorCode)
  return response.topics
    .map(({ name, topicId, isInternal }) => ({ name: name ?? '', topicId, isInternal }))
    .filter(({ isInternal }) => options.listInternal || !isInternal)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Brokers before 3.8 have no DescribeTopicPartitions: they are asked by Metadata, as Java's client does. */
export async function describeTopics(
  client: AdminClient,
  topics: TopicCollection,
): Promise<Map<string, TopicDescription>> {
  if ('topicIds' in topics) return describedById(client, topics.topicIds)
  try {
    return await describedByName(client, topics)
  } catch (error) {
    if (!(error instanceof KafkaError) || error.errorName !== 'UNSUPPORTED_VERSION') throw error
    const asked = [...new Set(topics)].map(name => ({ name, topicId: zeroUuid }))
    return describedByMetadata(client, asked, ({ name }) => name ?? '', unlisted(topics, 'UNKNOWN_TOPIC_OR_PARTITION'))
  }
}

/** DescribeTopicPartitions knows no ids. */
function describedById(client: AdminClient, topicIds: readonly string[]): Promise<Map<string, TopicDescription>> {
  const asked = [...new Set(topicIds)].map(topicId => ({ topicId, name: null }))
  return describedByMetadata(client, asked, ({ topicId }) => topicId, unlisted(topicIds, 'UNKNOWN_TOPIC_ID'))
}

function unlisted(topics: readonly string[], code: ErrorName): Answers<string, TopicDescription> {
  return new Map(topics.map(topic => [topic, new KafkaError(code, 'the answer leaves it out')]))
}

/** Metadata tells nothing of eligible leader replicas. */
async function describedByMetadata(
  client: AdminClient,
  topics: { readonly name: string | null; readonly topicId: string }[],
  keyOf: (topic: { readonly name: string | null; readonly topicId: string }) => string,
  answers: Answers<string, TopicDescription>,
): Promise<Map<string, TopicDescription>> {
  const body = { topics, allowAutoTopicCreation: false }
  const response = await client.ask(metadata, body, first => first.errorCode)
  for (const topic of response.topics) {
    const { errorCode, name, topicId, isInternal, partitions } = topic
    const described = {
      name: name ?? '',
      topicId,
      isInternal,
      partitions: partitions.map(said =>
        partitionDescription({ ...said, lastKnownElr: [], eligibleLeaderReplicas: [] }),
      ),
    }
    answers.set(keyOf(topic), errorOfItem(errorCode) ?? described)
  }
  return allOf(answers, topicName)
}

async function describedByName(client: AdminClient, names: readonly string[]): Promise<Map<string, TopicDescription>> {
  const answers = unlisted(names, 'UNKNOWN_TOPIC_OR_PARTITION')
  const topics = [...new Set(names)].sort().map(name => ({ name }))
  let cursor: { topicName: string; partitionIndex: number } | null = null
  do {
    const from: string | undefined = cursor?.topicName
    const page: Awaited<ReturnType<typeof askPage>> = await askPage(
      client,
      topics.filter(({ name }) => from === undefined || name >= from),
      cursor,
    )
    for (const { errorCode, name, topicId, isInternal, partitions } of page.topics) {
      if (name === null) continue
      const known = answers.get(name)
      const before = known === undefined || known instanceof KafkaError ? [] : known.partitions
      const described = { name, topicId, isInternal, partitions: [...before, ...partitions.map(partitionDescription)] }
      answers.set(name, errorOfItem(errorCode) ?? described)
    }
    cursor = page.nextCursor
  } while (cursor !== null)
  return allOf(answers, topicName)
}

function askPage(
  client: AdminClient,
  topics: readonly { readonly name: string }[],
  cursor: { topicName: string; partitionIndex: number } | null,
) {
  return client.ask(describeTopicPartitions, { topics, cursor })
}

type PartitionAnswer = Awaited<ReturnType<typeof askPage>>['topics'][number]['partitions'][number]

function partitionDescription(said: PartitionAnswer): TopicPartitionDescription {
  return {
    partition: said.partitionIndex,
    leader: said.leaderId < 0 ? undefined : said.leaderId,
    leaderEpoch: said.leaderEpoch,
    replicas: said.replicaNodes,
    inSyncReplicas: said.isrNodes,
    offlineReplicas: said.offlineReplicas,
    eligibleLeaderReplicas: said.eligibleLeaderReplicas ?? [],
    lastKnownEligibleLeaderReplicas: said.lastKnownElr ?? [],
  }
}

export async function createPartitions(
  client: AdminClient,
  topics: Readonly<Record<string, NewPartitions>>,
  options: { readonly validateOnly?: boolean; readonly timeoutMs?: number } & QuotaRetry,
): Promise<void> {
  const ask = async (wanted: readonly (readonly [string, NewPartitions])[]) => {
    const body = {
      topics: wanted.map(([name, { count, assignments }]) => ({
        name,
        count,
        assignments: assignments?.map(brokerIds => ({ brokerIds })) ?? null,
      })),
      timeoutMs: options.timeoutMs ?? client.configs['request.timeout.ms'],
      validateOnly: options.validateOnly ?? false,
    }
    const response = await client.ask(createPartitionsApi, body, first => notController(first.results))
    const answers: Answers<string, undefined> = new Map()
    for (const { name, errorCode, errorMessage } of response.results) {
      answers.set(name, errorOfItem(errorCode, errorMessage))
    }
    return { answers, throttleTimeMs: response.throttleTimeMs }
  }
  allOf(await withinQuota(client, Object.entries(topics), options, ([name]) => name, ask), topicName)
}
