import type { ProducerConfigs } from '../../metadata/producer-configs.ts'
import { IllegalArgumentError, KafkaError } from '../../wire/errors.ts'
import { partitionOfKey } from '../../wire/murmur2.ts'
import { estimateSizeUpperBound, type RecordHeader } from '../../wire/record.ts'
import { type Partitioner, partitionerOf } from './partitioner.ts'
import type { ProducerRecord } from './producer-record.ts'
import type { TopicQueues } from './topic-queues.ts'

type Bytes = Uint8Array | null

/** What is decided about a serialized record before it is queued: its partition (C-10), and that it is not too large (C-23). */
export class RecordAcceptance {
  readonly #partitioner: Partitioner | undefined
  readonly #ignoresKeys: boolean
  readonly #maxRequestSize: number
  readonly #bufferMemory: number

  /** @throws {ConfigError} for a `partitioner.class` that cannot partition. */
  constructor(configs: ProducerConfigs) {
    this.#partitioner = partitionerOf(configs['partitioner.class'])
    this.#ignoresKeys = configs['partitioner.ignore.keys']
    this.#maxRequestSize = configs['max.request.size']
    this.#bufferMemory = configs['buffer.memory']
  }

  /**
   * Undefined: wherever the sticky partitioner is.
   *
   * @throws {IllegalArgumentError} where the user's partitioner answers what is no partition.
   */
  partitionOf(
    topic: TopicQueues,
    record: ProducerRecord<unknown, unknown>,
    key: Bytes,
    value: Bytes,
  ): number | undefined {
    if (record.partition !== undefined) return record.partition
    if (this.#partitioner !== undefined) {
      const { partitionCount, available, name } = topic
      const input = { topic: name, key: record.key, keyBytes: key, value: record.value, valueBytes: value }
      const chosen = this.#partitioner({ ...input, partitionCount, available })
      if (!Number.isSafeInteger(chosen) || chosen < 0) {
        throw new IllegalArgumentError(
          `The partitioner answered ${chosen}, which is not a partition: 0 to ${partitionCount - 1}`,
        )
      }
      return chosen
    }
    if (key !== null && !this.#ignoresKeys) return partitionOfKey(key, topic.partitionCount)
    return undefined
  }

  /**
   * The upper estimate of its size before compression, in bytes.
   *
   * @throws {KafkaError} MESSAGE_TOO_LARGE, by that estimate
   */
  checkSize(key: Bytes, value: Bytes, headers: readonly RecordHeader[]): number {
    const bytes = estimateSizeUpperBound(key, value, headers)
    if (bytes <= this.#maxRequestSize && bytes <= this.#bufferMemory) return bytes
    const isTooLong = bytes > this.#maxRequestSize
    const limit = isTooLong ? 'max.request.size' : 'buffer.memory'
    const text = `The record is ${bytes} bytes when serialized which is larger than`
    const most = isTooLong ? this.#maxRequestSize : this.#bufferMemory
    throw new KafkaError('MESSAGE_TOO_LARGE', `${text} ${most}, which is the value of ${limit}.`)
  }
}
