import type { PartitionImage, TopicImage } from '../metadata/image.ts'
import type { BrokerHandle } from './broker-handle.ts'

/** Every partition is led, and every running broker knows the topic and has its replicas. */
export function isServed(topic: TopicImage, brokers: readonly BrokerHandle[]): boolean {
  return topic.partitions.every(state =>
    brokers.every(handle => {
      const { broker } = handle
      if (broker === undefined || !handle.isRunning) return true
      if (broker.image.topicById(topic.topicId) === undefined) return false
      return !state.replicas.includes(handle.id) || broker.partitionOf(topic.topicId, state.partition) !== undefined
    }),
  )
}

/**
 * Every running in-sync follower has fetched from its leader. One that asked before the leader knew the partition waits
 * for `replica.fetch.backoff.ms`; the first acks=all record of a new topic would wait with it.
 */
export function isFollowed(topic: TopicImage, brokers: readonly BrokerHandle[]): boolean {
  const isRunning = (id: number) => brokers.some(handle => handle.id === id && handle.isRunning)
  const followed = (state: PartitionImage) => {
    const leader = brokers.find(handle => handle.id === state.leader)?.broker
    const partition = leader?.partitionOf(state.topicId, state.partition)
    if (partition === undefined) return true
    return state.inSyncReplicas.every(
      id => id === state.leader || !isRunning(id) || (partition.remotes.get(id)?.endOffset ?? -1) >= 0,
    )
  }
  return topic.partitions.every(followed)
}
