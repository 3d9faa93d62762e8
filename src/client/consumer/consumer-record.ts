import type { TimestampType } from '../../wire/record-batch.ts'
import { partitionText, type TopicPartition } from '../topic-partition.ts'

export interface ConsumerHeader {
  readonly key: string
  readonly value: Buffer | null
}

/** A record as a consumer gets it. Without deserializers, keys and values are Buffers: `toString()` is the text. */
export interface ConsumerRecord<Key = Buffer | null, Value = Buffer | null> {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Milliseconds since the epoch; −1 for none. */
  readonly timestamp: number
  readonly timestampType: TimestampType
  readonly key: Key
  readonly value: Value
  readonly headers: readonly ConsumerHeader[]
  /** Of the leader that appended it; −1 if it is not known. */
  readonly leaderEpoch: number
  /** Bytes; −1 for null. */
  readonly serializedKeySize: number
  readonly serializedValueSize: number
}

/** What a poll found: an array of records, in order for each partition. */
export class ConsumerRecords<Key = Buffer | null, Value = Buffer | null> extends Array<ConsumerRecord<Key, Value>> {
  /** `filter`, `map` and their like answer plain arrays. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array
  }

  get isEmpty(): boolean {
    return this.length === 0
  }

  /** The partitions that have records here, in the order of their first. */
  partitions(): TopicPartition[] {
    const seen = new Map<string, TopicPartition>()
    for (const { topic, partition } of this) {
      const name = partitionText({ topic, partition })
      if (!seen.has(name)) seen.set(name, { topic, partition })
    }
    return [...seen.values()]
  }

  /** Those of a topic, or of one of its partitions. */
  recordsOf(topic: string, partition?: number): ConsumerRecord<Key, Value>[] {
    return this.filter(record => record.topic === topic && (partition === undefined || record.partition === partition))
  }
}
