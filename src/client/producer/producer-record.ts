import { IllegalArgumentError } from '../../wire/errors.ts'
import { refuseUnknown } from '../arguments.ts'

/** What a record may be told in: text is sent as UTF-8. A serializer may take anything. */
export type RecordData = string | Uint8Array | null | undefined

/** Values of headers: text is sent as UTF-8. */
export type HeaderValue = string | Uint8Array | null

/** Headers, as an object or, where a key repeats, as pairs. */
export type HeadersInput =
  | Readonly<Record<string, HeaderValue>>
  | readonly (readonly [key: string, value: HeaderValue])[]
  | readonly { readonly key: string; readonly value: HeaderValue }[]

/** A record to be sent. */
export interface ProducerRecord<Key = RecordData, Value = RecordData> {
  readonly topic: string
  /** Chosen by the partitioner unless given. */
  readonly partition?: number | undefined
  /** Milliseconds since the epoch; the time of `send` unless given. */
  readonly timestamp?: number | undefined
  readonly key?: Key
  readonly value?: Value
  readonly headers?: HeadersInput | undefined
}

const recordFields: readonly (keyof ProducerRecord)[] = ['topic', 'partition', 'timestamp', 'key', 'value', 'headers']

/**
 * A record may have no value, but then the field may be misspelt (`values`, `messages`): unknown fields are refused. With a
 * value they are not, so that what a consumer read can be sent on as it is, and nobody pays for looking.
 *
 * @throws {IllegalArgumentError} for what cannot be sent, whatever the topic
 */
export function checkRecord(record: ProducerRecord<unknown, unknown>): void {
  if (typeof record?.topic !== 'string') {
    throw new IllegalArgumentError("Topic cannot be null: send({ topic: 'orders', value: … })")
  }
  const { partition, timestamp, value } = record
  if (value === undefined) refuseUnknown('send() takes one record', record, recordFields)
  if (partition !== undefined && !(Number.isSafeInteger(partition) && partition >= 0)) {
    const rule = 'Partition number should always be non-negative or null.'
    throw new IllegalArgumentError(`Invalid partition: ${partition}. ${rule}`)
  }
  if (timestamp !== undefined && !(Number.isSafeInteger(timestamp) && timestamp >= 0)) {
    const rule = 'Timestamp should always be non-negative or null.'
    throw new IllegalArgumentError(`Invalid timestamp: ${timestamp}. ${rule}`)
  }
}

/**
 * Told how a record ended: `error` is undefined if all went well. Otherwise what is not known of `metadata` is −1. What it
 * throws is noted in the trace.
 */
export type SendCallback = (metadata: RecordMetadata, error: unknown) => void

/** Where a record went. */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  /** −1 with acks=0: nobody said (C-47). */
  readonly offset: number
  /** The broker's under LogAppendTime, else the record's (C-27). */
  readonly timestamp: number
  /** −1 for null. */
  readonly serializedKeySize: number
  /** −1 for null. */
  readonly serializedValueSize: number
}
