import { IllegalArgumentError, IllegalStateError } from '../../wire/errors.ts'
import { refuseUnknown, textOf } from '../arguments.ts'
import {
  type OffsetAndMetadata,
  type OffsetAndTimestamp,
  partitionText,
  type TopicPartition,
} from '../topic-partition.ts'
import type { OffsetToCommit } from './group-offsets.ts'
import { checkPartition, type Subscription } from './subscription.ts'

/** What to commit with a partition: the offset of the next record to read. */
export interface CommittedOffset {
  /** Of the next record to be read: of the last one that is done, plus 1. */
  readonly offset: number
  /** Of the record before it; tells a log that was cut since (KIP-320). Default: not known. */
  readonly leaderEpoch?: number | undefined
  /** Text that comes back with it; at most `offset.metadata.max.bytes` of the broker, 4,096. Default: ''. */
  readonly metadata?: string | undefined
}

export interface PartitionOffset extends TopicPartition, CommittedOffset {}

/** A list, or a map from partitions to offsets. */
export type OffsetsToCommit =
  | readonly PartitionOffset[]
  | ReadonlyMap<TopicPartition, CommittedOffset | OffsetAndMetadata | number>

/** What `seek` takes: an offset, as it is or as it was told. */
export type SeekTarget = number | CommittedOffset | OffsetAndTimestamp

const EXAMPLE = "[{ topic: 'orders', partition: 0, offset: 42 }], or a Map from partitions to offsets"
const FIELDS = ['topic', 'partition', 'offset', 'leaderEpoch', 'metadata']

/** @throws {IllegalArgumentError} for what is no list of offsets, or holds records */
export function checkOffsets(call: string, offsets: OffsetsToCommit): OffsetToCommit[] {
  if (offsets instanceof Map) {
    return [...(offsets as ReadonlyMap<TopicPartition, CommittedOffset | number>)].map(([partition, value]) =>
      checkOffset(call, { ...plain(partition), ...(typeof value === 'number' ? { offset: value } : value) }),
    )
  }
  if (Array.isArray(offsets)) return (offsets as readonly PartitionOffset[]).map(one => checkOffset(call, one))
  throw new IllegalArgumentError(`${call} takes ${EXAMPLE}, not ${JSON.stringify(offsets) ?? String(offsets)}`)
}

function plain(partition: TopicPartition): TopicPartition {
  checkPartition(partition)
  return { topic: partition.topic, partition: partition.partition }
}

function checkOffset(call: string, given: PartitionOffset): OffsetToCommit {
  if (given !== null && typeof given === 'object' && 'serializedValueSize' in given) {
    const next = 'the offset to commit is that of the next record, so offset: record.offset + 1'
    throw new IllegalArgumentError(`${call} takes offsets, not records: ${next}`)
  }
  refuseUnknown(`an offset of ${call}`, given, FIELDS)
  const { topic, partition, offset, leaderEpoch, metadata } = given
  checkPartition({ topic, partition })
  const name = partitionText(given)
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new IllegalArgumentError(`the offset of ${name} to commit must be a number from 0 on, not ${textOf(offset)}`)
  }
  if (leaderEpoch !== undefined && (!Number.isSafeInteger(leaderEpoch) || leaderEpoch < -1)) {
    throw new IllegalArgumentError(`the leader epoch of ${name} to commit must be a number, not ${textOf(leaderEpoch)}`)
  }
  if (metadata !== undefined && metadata !== null && typeof metadata !== 'string') {
    throw new IllegalArgumentError(`the metadata of ${name} to commit must be text, not ${JSON.stringify(metadata)}`)
  }
  return { topic, partition, offset, leaderEpoch: leaderEpoch ?? -1, metadata: metadata ?? '' }
}

/** Where to seek to; whatever `committed` or `offsetsForTimes` told will do. @throws {IllegalArgumentError} */
export function positionToSeek(given: SeekTarget): { offset: number; leaderEpoch: number } {
  if (typeof given !== 'number')
    refuseUnknown('what to seek to', given, ['offset', 'leaderEpoch', 'metadata', 'timestamp'])
  const { offset, leaderEpoch = -1 } = typeof given === 'number' ? { offset: given } : given
  if (Number.isSafeInteger(offset) && offset >= 0) return { offset, leaderEpoch }
  throw new IllegalArgumentError(`the offset to seek to must be a number from 0 on, not ${textOf(offset)}`)
}

/**
 * A member commits what it was assigned: what others read, they would find moved under their feet.
 *
 * @throws {IllegalStateError}
 */
export function checkAssigned(offsets: readonly OffsetToCommit[], subscription: Subscription): void {
  for (const offset of offsets) {
    if (subscription.find(offset.topic, offset.partition) !== undefined) continue
    const has = subscription.assigned().map(partitionText).join(', ') || 'none'
    const advice = 'a member of a group commits the partitions it is assigned; poll tells which these are'
    throw new IllegalStateError(`commit: ${partitionText(offset)} is not assigned (assigned: ${has}): ${advice}`)
  }
}
