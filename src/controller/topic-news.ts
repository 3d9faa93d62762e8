import type { TopicNews, TopicSummary } from '../log/log-store.ts'
import { type ClusterImage, resourceTypes } from '../metadata/image.ts'
import type { ImageChanges } from '../metadata/image-changes.ts'

/** What stores that show topics to others are told (see `LogStores.topics`); undefined where nothing of that changed. */
export function topicNews(image: ClusterImage, changes: ImageChanges): TopicNews | undefined {
  const changed = new Set<string>()
  for (const { partition, previous } of changes.partitions.values()) {
    if (previous?.replicas.length !== partition.replicas.length) changed.add(partition.topic)
  }
  for (const { type, name } of changes.configs.values()) if (type === resourceTypes.topic) changed.add(name)
  const deleted = changes.deletedTopics.map(({ name }) => name).filter(name => image.topic(name) === undefined)
  const topics = [...changed].flatMap(name => summaryOf(image, name) ?? [])
  return topics.length + deleted.length === 0 ? undefined : { topics, deleted, isAll: false }
}

/** All that there are. */
export function allTopics(image: ClusterImage): TopicNews {
  const topics = [...image.topics.keys()].flatMap(name => summaryOf(image, name) ?? [])
  return { topics, deleted: [], isAll: true }
}

function summaryOf(image: ClusterImage, name: string): TopicSummary | undefined {
  const topic = image.topic(name)
  if (topic === undefined) return undefined
  const { topicId, partitions } = topic
  const replicationFactor = partitions[0]?.replicas.length ?? 0
  const configs = image.configsOf(resourceTypes.topic, name)
  return { name, topicId, partitions: partitions.length, replicationFactor, configs }
}
