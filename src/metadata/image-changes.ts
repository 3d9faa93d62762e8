import type { ConfigResource, PartitionImage, TopicImage } from './image.ts'

/** One partition before and after a batch; `previous` is undefined for a new one. */
export interface PartitionChange {
  readonly partition: PartitionImage
  readonly previous: PartitionImage | undefined
}

/**
 * What a batch of metadata records changed, for whoever must act on it: collected by `ClusterImage.apply`, consumed
 * after each batch with `takeChanges()`. A partition that changed twice appears once, from its first to its last state.
 */
export class ImageChanges {
  /** By `topicId:partition`, in the order of their first change. Partitions of deleted topics are not among them. */
  readonly partitions = new Map<string, PartitionChange>()
  readonly deletedTopics: TopicImage[] = []
  readonly brokers = new Set<number>()
  /** By `type:name`. */
  readonly configs = new Map<string, ConfigResource>()
  readonly features = new Set<string>()

  get isEmpty(): boolean {
    return (
      this.partitions.size === 0 &&
      this.deletedTopics.length === 0 &&
      this.brokers.size === 0 &&
      this.configs.size === 0 &&
      this.features.size === 0
    )
  }

  partitionChanged(partition: PartitionImage, previous: PartitionImage | undefined): void {
    const key = `${partition.topicId}:${partition.partition}`
    const known = this.partitions.get(key)
    this.partitions.set(key, { partition, previous: known === undefined ? previous : known.previous })
  }

  topicDeleted(topic: TopicImage): void {
    for (const partition of topic.partitions) this.partitions.delete(`${topic.topicId}:${partition.partition}`)
    this.deletedTopics.push(topic)
  }

  brokerChanged(brokerId: number): void {
    this.brokers.add(brokerId)
  }

  configChanged(resource: ConfigResource): void {
    this.configs.set(`${resource.type}:${resource.name}`, resource)
  }

  featureChanged(name: string): void {
    this.features.add(name)
  }
}
