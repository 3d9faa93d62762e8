import type { LivingMember } from '../client/environment.ts'
import type { Eventually } from '../log/log-store.ts'
import type { ReplicaLog } from '../log/replica-log.ts'
import type { ClusterImage, PartitionImage } from '../metadata/image.ts'
import type { BrokerHandle } from './broker-handle.ts'
import { consumersOf, matchedTopics } from './group-consumers.ts'
import type { FoundGroup } from './group-lookup.ts'
import { inOrder } from './group-membership.ts'
import { ledPartition } from './led-partition.ts'
import { boundOf, countVisible, type Isolation } from './visible-records.ts'

/** A partition that a group reads or has committed an offset of. */
export interface GroupPartitionView {
  readonly topic: string
  readonly partition: number
  /** The next record to be read; undefined: nothing is committed. */
  readonly committedOffset: number | undefined
  /** Of the record before it, as the member knew it; −1: it did not say. */
  readonly committedLeaderEpoch: number
  readonly metadata: string
  /** Up to where consumers may read (exclusive): the last stable offset. Undefined while nobody knows. */
  readonly endOffset: number | undefined
  /**
   * How many records a consumer may still read: control records, aborted ones and what compaction took are none. Without a
   * commit all that there are. Undefined while nobody knows: no leader, a leader that does not know yet what is committed,
   * or a log store that answers later.
   */
  readonly lag: number | undefined
  /** Member id of who has it. */
  readonly owner: string | undefined
}

/** Whose partition it is and what is committed of it: what the coordinator knows. */
export type GroupPartition = Omit<GroupPartitionView, 'endOffset' | 'lag'>

/**
 * Partitions that a group has committed offsets of, has assigned, or wants: all of the topics that members subscribe to, and
 * of those that a pattern of theirs matches, as soon as they are there.
 */
export function partitionsOf(
  { shard, membership }: FoundGroup,
  group: string,
  image: ClusterImage,
  members: Iterable<LivingMember>,
): GroupPartition[] {
  const { offsets } = shard.shard.committed
  const found = new Map<string, GroupPartition>()
  const add = (topic: string, partition: number, owner?: string) => {
    const known = found.get(`${topic}-${partition}`)
    if (known !== undefined && owner === undefined) return
    const committed = offsets.get(group, topic, partition)
    found.set(`${topic}-${partition}`, {
      topic,
      partition,
      committedOffset: committed?.offset,
      committedLeaderEpoch: committed?.leaderEpoch ?? -1,
      metadata: committed?.metadata ?? '',
      owner,
    })
  }
  const wanted = (topic: string) => {
    for (const { partition } of image.topic(topic)?.partitions ?? []) add(topic, partition)
  }
  for (const { memberId, assignment, subscribedTopics } of membership.members) {
    for (const { topic, partition } of assignment) add(topic, partition, memberId)
    subscribedTopics.forEach(wanted)
  }
  membership.patternTopics().forEach(wanted)
  matchedTopics(consumersOf(members, group), membership, image).forEach(wanted)
  for (const [topic, partitions] of offsets.of(group)) for (const partition of partitions.keys()) add(topic, partition)
  return inOrder([...found.values()])
}

/** The log of the leader, if it runs and knows what is committed: a new one shows less than there is (KIP-207). */
export function readable(brokers: readonly BrokerHandle[], state: PartitionImage): ReplicaLog | undefined {
  const led = ledPartition(brokers, state)
  if (led === undefined || led.log.highWatermark < led.leaderEpochStart) return undefined
  return led.log
}

/** Up to where a consumer may read; undefined while nobody knows, and for a partition that is gone. */
export function endOffsetOf(
  brokers: readonly BrokerHandle[],
  image: ClusterImage,
  { topic, partition }: GroupPartition,
  isolation: Isolation,
): number | undefined {
  const state = image.partition(topic, partition)
  const log = state === undefined ? undefined : readable(brokers, state)
  return log === undefined ? undefined : boundOf(log, isolation)
}

/** Records from the committed offset on that may be read; undefined while nobody knows. A partition that is gone has none. */
export function lagOf(
  brokers: readonly BrokerHandle[],
  image: ClusterImage,
  { topic, partition, committedOffset = 0 }: GroupPartition,
  isolation: Isolation,
): Eventually<number | undefined> {
  const state = image.partition(topic, partition)
  if (state === undefined) return 0
  const log = readable(brokers, state)
  return log === undefined ? undefined : countVisible(log, committedOffset, isolation)
}

/** What is known without waiting; the failure of a store that answers later is nobody's. */
export function atOnce<T>(answer: Eventually<T>): T | undefined {
  if (!(answer instanceof Promise)) return answer
  answer.catch(() => {})
  return undefined
}

/**
 * Undefined as soon as one is not known, and of no partitions at all: a group that is just coming about is not at the end of
 * anything.
 */
export function sumOf(lags: readonly (number | undefined)[]): number | undefined {
  if (lags.length === 0) return undefined
  let sum = 0
  for (const lag of lags) {
    if (lag === undefined) return undefined
    sum += lag
  }
  return sum
}
