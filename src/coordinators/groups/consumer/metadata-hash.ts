import type { ClusterImage } from '../../../metadata/image.ts'
import { crc32c } from '../../../wire/crc32c.ts'
import { murmur2 } from '../../../wire/murmur2.ts'
import type { ConsumerGroup } from './consumer-group.ts'

/** The hash of a group that subscribes to nothing. */
export const NO_TOPICS = '0000000000000000'

/**
 * What a target depends on in the subscribed topics: which of them exist, their ids, partitions, and where those lie; {@link NO_TOPICS} if
 * there are none. A group whose hash is another than the one of its epoch needs a new target (G-53).
 *
 * Simplification: Kafka's is XXH3, which no client sees; here it is murmur2 and CRC-32C, one beside the other.
 */
export function metadataHash(group: ConsumerGroup, image: ClusterImage): string {
  const lines: string[] = []
  for (const name of [...group.subscribers.keys()].sort()) {
    const topic = image.topic(name)
    if (topic === undefined) continue
    const racks = topic.partitions.map(({ replicas }) => replicas.map(id => image.broker(id)?.rack ?? '').sort())
    lines.push(`${name} ${topic.topicId} ${JSON.stringify(racks)}`)
  }
  if (lines.length === 0) return NO_TOPICS
  const bytes = Buffer.from(lines.join('\n'))
  return hex(murmur2(bytes)) + hex(crc32c(bytes))
}

function hex(bits: number): string {
  return (bits >>> 0).toString(16).padStart(8, '0')
}
