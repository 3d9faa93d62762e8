import { IllegalArgumentError, SerializationError } from '../../wire/errors.ts'
import { defaultSerde } from '../built-in-serdes.ts'
import { type Partitioner, partitionerOf } from '../producer/partitioner.ts'
import type { ProducerRecord } from '../producer/producer-record.ts'
import { RecordSerializers } from '../record-serdes.ts'
import { isThenable } from '../serde.ts'
import { type PartitionInfo, partitionText } from '../topic-partition.ts'
import { type MockProducerOptions, mockTopics } from './mock-producer-options.ts'

/** Where the records of a mock go: a partition, and the next offset there, counted from 0. */
export class MockPlacement {
  readonly #topics: ReadonlyMap<string, readonly PartitionInfo[]>
  readonly #serializers: RecordSerializers
  readonly #partitioner: Partitioner | undefined
  readonly #nextOffsets = new Map<string, number>()

  /** @throws {ConfigError} for serializers or a partitioner that are none */
  constructor(options: MockProducerOptions) {
    this.#topics = mockTopics(options.topics ?? {})
    this.#serializers = new RecordSerializers({
      'key.serializer': options['key.serializer'] ?? defaultSerde,
      'value.serializer': options['value.serializer'] ?? defaultSerde,
    })
    this.#partitioner = partitionerOf(options['partitioner.class'] ?? null)
  }

  partitionsOf(topic: string): readonly PartitionInfo[] {
    return this.#topics.get(topic) ?? []
  }

  /**
   * As in the Java class: of a known topic the one that the record names, without serializing it; else what the partitioner
   * says, without one the first that is known. Of an unknown topic 0.
   *
   * @throws {IllegalArgumentError} for a partition that a known topic does not have; {SerializationError}
   */
  partitionOf({ topic, partition, key, value }: ProducerRecord<unknown, unknown>): number {
    const infos = this.partitionsOf(topic)
    const partitionCount = infos.length
    if (partitionCount > 0 && partition !== undefined) {
      if (partition < partitionCount) return partition
      const range = `is not in the range [0...${partitionCount - 1}].`
      throw new IllegalArgumentError(`Invalid partition given with record: ${partition} ${range}`)
    }
    const keyBytes = atOnce(this.#serializers.key(topic, key))
    const valueBytes = atOnce(this.#serializers.value(topic, value))
    if (partitionCount === 0) return 0
    if (this.#partitioner === undefined) return infos[0]!.partition
    const available = infos.filter(({ leader }) => leader !== undefined).map(info => info.partition)
    return this.#partitioner({ topic, key, keyBytes, value, valueBytes, partitionCount, available })
  }

  nextOffset(topic: string, partition: number): number {
    const place = partitionText({ topic, partition })
    const offset = this.#nextOffsets.get(place) ?? 0
    this.#nextOffsets.set(place, offset + 1)
    return offset
  }
}

function atOnce<Bytes>(bytes: Bytes | Promise<Bytes>): Bytes {
  if (!isThenable(bytes)) return bytes
  bytes.then(undefined, () => {})
  throw new SerializationError('a MockProducer serializes at once: its serializers cannot answer a promise')
}
