import { listOffsets } from '../apis/list-offsets.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import type { Connections } from './connections.ts'
import type { ClientMetadata } from './metadata.ts'
import { partitionText, type TopicPartition } from './topic-partition.ts'

/** Timestamps that stand for a place in the log (W-42). */
export const LATEST = -1
export const EARLIEST = -2

/** First version that knows a special timestamp. */
const sinceVersion: ReadonlyMap<number, number> = new Map([
  [-3, 7],
  [-4, 8],
  [-5, 9],
  [-6, 11],
])

export interface OffsetTarget extends TopicPartition {
  /** Milliseconds since the epoch, or one of the special ones. */
  readonly timestamp: number
}

export interface FoundOffset {
  /** −1: there is none. */
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

export interface LookupOptions {
  readonly isReadCommitted: boolean
  readonly timeoutMs: number
}

/** Asks the leaders once: for each target its offset, or why there is none yet. Never rejects. */
export async function lookUpOffsets(
  connections: Connections,
  metadata: ClientMetadata,
  targets: readonly OffsetTarget[],
  options: LookupOptions,
): Promise<Map<OffsetTarget, FoundOffset | KafkaError>> {
  const found = new Map<OffsetTarget, FoundOffset | KafkaError>()
  const byLeader = new Map<number, OffsetTarget[]>()
  for (const target of targets) {
    const leader = metadata.leaderOf(target.topic, target.partition)
    if (leader === undefined) {
      const isKnown = metadata.partition(target.topic, target.partition) !== undefined
      const error = isKnown ? 'LEADER_NOT_AVAILABLE' : 'UNKNOWN_TOPIC_OR_PARTITION'
      found.set(target, new KafkaError(error, `${partitionText(target)} has no leader that is known`))
      continue
    }
    const here = byLeader.get(leader.id)
    if (here === undefined) byLeader.set(leader.id, [target])
    else here.push(target)
  }
  const asked = [...byLeader].map(([nodeId, here]) => askLeader(connections, metadata, nodeId, here, options, found))
  await Promise.all(asked)
  for (const answer of found.values()) {
    if (answer instanceof KafkaError && answer.refreshesMetadata) metadata.requestUpdate()
  }
  return found
}

async function askLeader(
  connections: Connections,
  metadata: ClientMetadata,
  nodeId: number,
  targets: readonly OffsetTarget[],
  { isReadCommitted, timeoutMs }: LookupOptions,
  found: Map<OffsetTarget, FoundOffset | KafkaError>,
): Promise<void> {
  try {
    const node = connections.to(nodeId, metadata.nodes.get(nodeId)!, 'control')
    await node.ready()
    const least = Math.max(...targets.map(({ timestamp }) => sinceVersion.get(timestamp) ?? 1))
    const highest = node.versionOf(listOffsets)
    if (highest < least) {
      throw new KafkaError('UNSUPPORTED_VERSION', `the broker takes ListOffsets up to v${highest}, v${least} is needed`)
    }
    const response = await connections.request(node, listOffsets, () => ({
      replicaId: -1,
      isolationLevel: isReadCommitted ? 1 : 0,
      topics: byTopic(targets).map(([name, partitions]) => ({
        name,
        partitions: partitions.map(({ partition, timestamp }) => ({
          partitionIndex: partition,
          currentLeaderEpoch: metadata.partition(name, partition)?.leaderEpoch ?? -1,
          timestamp,
        })),
      })),
      timeoutMs,
    }))
    for (const { name, partitions } of response.topics) {
      for (const { partitionIndex, errorCode, offset, timestamp, leaderEpoch } of partitions) {
        const target = targets.find(({ topic, partition }) => topic === name && partition === partitionIndex)
        if (target === undefined) continue
        if (errorCode === errorCodes.NONE) found.set(target, { offset, timestamp, leaderEpoch })
        else
          found.set(
            target,
            KafkaError.of(errorCode, `ListOffsets of ${partitionText(target)}: ${KafkaError.of(errorCode).message}`),
          )
      }
    }
    for (const target of targets) {
      if (!found.has(target))
        found.set(target, new KafkaError('UNKNOWN_SERVER_ERROR', 'the answer leaves the partition out'))
    }
  } catch (error) {
    const reason = error instanceof KafkaError ? error : new KafkaError('NETWORK_EXCEPTION', (error as Error).message)
    for (const target of targets) found.set(target, reason)
  }
}

/** Grouped, in the order of first mention. */
export function byTopic<T extends { readonly topic: string }>(items: readonly T[]): [topic: string, items: T[]][] {
  const topics = new Map<string, T[]>()
  for (const item of items) {
    const here = topics.get(item.topic)
    if (here === undefined) topics.set(item.topic, [item])
    else here.push(item)
  }
  return [...topics]
}
