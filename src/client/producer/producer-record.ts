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
