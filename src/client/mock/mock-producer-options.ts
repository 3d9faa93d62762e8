import { IllegalArgumentError } from '../../wire/errors.ts'
import { textOf } from '../arguments.ts'
import type { ProducerOptions } from '../configuration.ts'
import type { Serializing } from '../serde-choice.ts'
import type { PartitionInfo } from '../topic-partition.ts'

/** How a MockProducer behaves. */
export interface MockProducerOptions<
  KeyChoice extends Serializing = Serializing,
  ValueChoice extends Serializing = Serializing,
> {
  /** Whether a send is completed at once; otherwise by `completeNext`, `errorNext`, `flush`. Default false. */
  readonly autoComplete?: boolean
  /** Topics to know: how many partitions they have, or which. Default none: then every record goes to partition 0. */
  readonly topics?: Readonly<Record<string, number | readonly PartitionInfo[]>>
  /** As of a Producer. */
  readonly 'key.serializer'?: KeyChoice | undefined
  /** As of a Producer. */
  readonly 'value.serializer'?: ValueChoice | undefined
  /** Asked for records of known topics that name no partition. Default: the first partition that `topics` says. */
  readonly 'partitioner.class'?: ProducerOptions['partitioner.class']
}

/** @throws {IllegalArgumentError} for a count that is none */
export function mockTopics(
  topics: NonNullable<MockProducerOptions['topics']>,
): ReadonlyMap<string, readonly PartitionInfo[]> {
  return new Map(Object.entries(topics).map(([topic, given]) => [topic, partitionsOf(topic, given)]))
}

function partitionsOf(topic: string, given: number | readonly PartitionInfo[]): readonly PartitionInfo[] {
  if (typeof given !== 'number') return given
  if (!Number.isSafeInteger(given) || given < 1) {
    throw new IllegalArgumentError(`topics of a MockProducer have 1 or more partitions, not ${textOf(given)}`)
  }
  const replicas = { leader: 1, replicas: [1], inSyncReplicas: [1], offlineReplicas: [] }
  return Array.from({ length: given }, (_, partition) => ({ topic, partition, ...replicas }))
}
