import type { ClusterImage } from '../../../metadata/image.ts'
import { crc32c } from '../../../wire/crc32c.ts'
import { murmur2 } from '../../../wire/murmur2.ts'
import type { ConsumerGroup } from './consumer-group.ts'

/**
 * What a target depends on in the subscribed topics: which of them exist, their ids, partitions, and where those lie; 0 if
 * there are none. A group whose hash is another than the one of its epoch needs a new target (G-53).
 *
 * Simplification: Kafka's is 64 bits of XXH3, which no client sees; here it is 53 bits, since offsets, ids and the like are
 * numbers.
 */
export function metadataHash(group: ConsumerGroup, image: ClusterImage): number {
  const lines: string[] = []
  for (const name of [...group.subscribers.keys()].sort()) {
    const topic = image.topic(name)
    if (topic === undefined) continue
    const racks = topic.partitions.map(({ replicas }) => replicas.map(id => image.broker(id)?.rack ?? '').sort())
    lines.push(`${name} ${topic.topicId} ${JSON.stringify(racks)}`)
  }
  if (lines.length === 0) return 0
  const bytes = Buffer.from(lines.join('\n'))
  return (murmur2(bytes) >>> 0) * 2 ** 21 + (crc32c(bytes) & (2 ** 21 - 1))
}
