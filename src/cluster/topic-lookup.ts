import type { ClusterImage, PartitionImage, TopicImage } from '../metadata/image.ts'
import { amongThese } from '../metadata/nearest-name.ts'

/** @throws {RangeError} with the nearest name, and all that there are */
export function requireTopic(image: ClusterImage, topic: string): TopicImage {
  const known = image.topic(topic)
  if (known !== undefined) return known
  throw new RangeError(`there is no topic '${topic}'${amongThese(topic, [...image.topics.keys()])}`)
}

/** @throws {RangeError} for a topic or a partition that is not there */
export function requirePartition(image: ClusterImage, topic: string, partition: number): PartitionImage {
  const { partitions } = requireTopic(image, topic)
  const state = partitions[partition]
  if (state !== undefined) return state
  throw new RangeError(`'${topic}' has partitions 0 to ${partitions.length - 1}, not ${partition}`)
}
