import { createTopics } from '../apis/create-topics.ts'
import { topicOverrides } from '../metadata/config-options.ts'
import { KafkaError } from '../wire/errors.ts'
import type { TopicSpec } from './options.ts'
import { order } from './own-hand.ts'
import type { Plant } from './plant.ts'

/** Has the controller make topics, all at once. @throws {KafkaError} of the first that it refuses, with its name */
export async function orderTopics(plant: Plant, topics: Readonly<Record<string, TopicSpec>>): Promise<void> {
  const request = Object.entries(topics).map(([name, topic]) => ({
    name,
    numPartitions: topic.assignments === undefined ? (topic.partitions ?? -1) : -1,
    replicationFactor: topic.assignments === undefined ? (topic.replicationFactor ?? -1) : -1,
    assignments: (topic.assignments ?? []).map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
    configs: [...topicOverrides(topic.configs ?? {})].map(([name, value]) => ({ name, value })),
  }))
  const body = { topics: request, timeoutMs: 30_000, validateOnly: false }
  const response = await order(plant, createTopics, body)
  for (const { name, errorCode, errorMessage } of response.topics) {
    if (errorCode !== 0)
      throw KafkaError.of(errorCode, `topic '${name}': ${errorMessage ?? KafkaError.of(errorCode).message}`)
  }
}
