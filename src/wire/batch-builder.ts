import { type CompressionName, compress, compressionIds, compressionNames } from './compression.ts'
import { IllegalStateError } from './errors.ts'
import { noHeaders, type RecordHeader, sizeOfFields } from './record.ts'
import {
  attributesOf,
  emptyBody,
  HEAD_BYTES,
  type HeadFields,
  type RecordBatch,
  sealed,
  type TimestampType,
} from './record-batch.ts'
import { sizeOfUtf8, writeUtf8 } from './utf8.ts'
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from './varint.ts'

/** From so many bytes on, clearing memory costs more than asking for it in another way. */
const LARGE = 8192

/** What a batch says of itself once its records are in. All may be left out: a batch as a plain producer sends it. */
export interface BatchOptions {
  /** 0 unless said, as producers send it; a leader places the batch (`RecordBatch.placedAt`). */
  readonly baseOffset?: number
  /** −1 unless said. */
  readonly leaderEpoch?: number
  /** −1, none, unless said; so are epoch and sequence. */
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly transactional?: boolean
  readonly control?: boolean
  readonly compression?: CompressionName
  readonly compressionLevel?: number
  readonly timestampType?: TimestampType
  /** The greatest of the records' unless said: under LogAppendTime, when the leader appended. */
  readonly maxTimestamp?: number
  /** That of the last record unless said: a compacted batch keeps its end (B-3). */
  readonly lastOffsetDelta?: number
}

export interface BuilderOptions {
  /** Bytes to begin with; it grows by doubling. 512 unless said. */
  readonly capacity?: number
  /** Stands in for the base timestamp, from which the records' are counted then (S-22). */
  readonly deleteHorizonMs?: number
}

/**
 * Collects records into the body of a batch, written once, as they come: nothing is kept per record. Producer id, epoch
 * and sequence are stamped by `build`, when the batch is about to be sent; it may be built again with others.
 */
export class BatchBuilder {
  #bytes: Uint8Array
  #at = 0
  #count = 0
  #lastOffsetDelta = -1
  #baseTimestamp: number | undefined
  #maxTimestamp = Number.NEGATIVE_INFINITY
  readonly #deleteHorizon: boolean
  /** Once built: the body as it goes out. */
  #body: Uint8Array | undefined
  #bodyCodec = ''

  constructor(options: BuilderOptions = {}) {
    this.#bytes = unwritten(options.capacity ?? 512)
    this.#deleteHorizon = options.deleteHorizonMs !== undefined
    this.#baseTimestamp = options.deleteHorizonMs
  }

  /** Records in the batch. */
  get count(): number {
    return this.#count
  }

  /** Bytes of the batch as it is now, before compression. */
  get size(): number {
    return HEAD_BYTES + this.#at
  }

  /** The records as they lie behind one another: a view, until the next one is appended. */
  get plain(): Uint8Array {
    return this.#bytes.subarray(0, this.#at)
  }

  /** The greatest timestamp of the records; −Infinity before the first. */
  get maxTimestamp(): number {
    return this.#maxTimestamp
  }

  /** `size`, had this record been appended too. */
  sizeWith(
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[] = noHeaders,
  ): number {
    const timestampDelta = timestamp - (this.#baseTimestamp ?? timestamp)
    const length = sizeOfRecord(timestampDelta, this.#lastOffsetDelta + 1, key, value, headers)
    return HEAD_BYTES + this.#at + sizeOfVarint(length) + length
  }

  /**
   * Appends a record; answers its offset delta. `offsetDelta` is one more than the last unless said (compaction leaves
   * gaps). The bytes are copied.
   *
   * @throws {IllegalStateError} once the batch was built.
   */
  append(
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[] = noHeaders,
    offsetDelta = this.#lastOffsetDelta + 1,
  ): number {
    if (this.#body !== undefined) throw new IllegalStateError('a batch that was built takes no more records')
    if (this.#baseTimestamp === undefined) this.#baseTimestamp = timestamp
    // The same infinity twice is no distance.
    const timestampDelta = timestamp === this.#baseTimestamp ? 0 : timestamp - this.#baseTimestamp
    const length = sizeOfRecord(timestampDelta, offsetDelta, key, value, headers)
    if (this.#at + length + 5 > this.#bytes.length) this.#grow(length + 5)
    const bytes = this.#bytes
    let at = writeVarint(bytes, this.#at, length)
    bytes[at++] = 0
    at = writeVarlong(bytes, at, timestampDelta)
    at = writeVarint(bytes, at, offsetDelta)
    at = writeBytes(bytes, at, key)
    at = writeBytes(bytes, at, value)
    at = writeVarint(bytes, at, headers.length)
    for (let i = 0; i < headers.length; i++) {
      const header = headers[i]!
      at = writeVarint(bytes, at, sizeOfUtf8(header.key))
      at = writeUtf8(bytes, at, header.key)
      at = writeBytes(bytes, at, header.value)
    }
    this.#at = at
    this.#count++
    this.#lastOffsetDelta = offsetDelta
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    return offsetDelta
  }

  #grow(room: number): void {
    const grown = unwritten(Math.max(this.#bytes.length * 2, this.#at + room))
    grown.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = grown
  }

  /**
   * The batch. Its body is the memory that the records were written to, unless it is compressed, or fills less than
   * half of that memory.
   *
   * @throws {IllegalStateError} without a record.
   */
  build(options: BatchOptions = {}): RecordBatch {
    if (this.#count === 0) throw new IllegalStateError('a batch without a record cannot be built')
    const compression = options.compression ?? 'none'
    const timestampType = options.timestampType ?? 'CreateTime'
    const attributes = attributesOf({
      compression: compressionIds[compression],
      timestampType,
      transactional: options.transactional ?? false,
      control: options.control ?? false,
      deleteHorizon: this.#deleteHorizon,
    })
    const fields: HeadFields = {
      baseOffset: options.baseOffset ?? 0,
      leaderEpoch: options.leaderEpoch ?? -1,
      attributes,
      lastOffsetDelta: options.lastOffsetDelta ?? this.#lastOffsetDelta,
      baseTimestamp: this.#baseTimestamp!,
      maxTimestamp: options.maxTimestamp ?? this.#maxTimestamp,
      producerId: options.producerId ?? -1,
      producerEpoch: options.producerEpoch ?? -1,
      baseSequence: options.baseSequence ?? -1,
      count: this.#count,
    }
    return sealed(fields, this.#bodyAs(compression, options.compressionLevel))
  }

  #bodyAs(compression: CompressionName, level: number | undefined): Uint8Array {
    const codec = `${compression} ${level}`
    if (this.#body === undefined || this.#bodyCodec !== codec) {
      const { plain } = this
      if (compression !== 'none') this.#body = compress(compression, plain, level)
      else this.#body = this.#at * 2 < this.#bytes.length ? plain.slice() : plain
      this.#bodyCodec = codec
    }
    return this.#body
  }
}

/** Memory of its own that is not cleared first: nothing of it is shown before it was written. */
function unwritten(bytes: number): Uint8Array {
  // A Buffer would be another kind of array to all who read the batch, and slower for it.
  return bytes < LARGE ? new Uint8Array(bytes) : new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer)
}

/** Bytes of a record behind its length (B-6). */
function sizeOfRecord(
  timestampDelta: number,
  offsetDelta: number,
  key: Uint8Array | null,
  value: Uint8Array | null,
  headers: readonly RecordHeader[],
): number {
  return 1 + sizeOfVarlong(timestampDelta) + sizeOfVarint(offsetDelta) + sizeOfFields(key, value, headers)
}

function writeBytes(to: Uint8Array, at: number, bytes: Uint8Array | null): number {
  if (bytes === null) {
    to[at] = 1
    return at + 1
  }
  const length = bytes.length
  const from = writeVarint(to, at, length)
  // The call of `set` costs more than a few bytes one by one.
  if (length > 24) to.set(bytes, from)
  else for (let i = 0; i < length; i++) to[from + i] = bytes[i]!
  return from + length
}

/** A record as it is put into a batch; text is UTF-8. */
export interface NewRecord {
  readonly key?: Uint8Array | string | null
  readonly value?: Uint8Array | string | null
  readonly headers?: readonly RecordHeader[]
  /** That of the options unless said. */
  readonly timestamp?: number
  /** One more than the record's before, beginning at the base offset, unless said. */
  readonly offset?: number
}

/** A batch of these records, in one go. `timestamp` is that of the records which have none; −1 unless said. */
export function batchOf(
  records: readonly NewRecord[],
  options: BatchOptions & { readonly timestamp?: number; readonly deleteHorizonMs?: number } = {},
): RecordBatch {
  const { deleteHorizonMs, baseOffset = 0 } = options
  const builder = new BatchBuilder(deleteHorizonMs === undefined ? {} : { deleteHorizonMs })
  let next = baseOffset
  for (const record of records) {
    const { timestamp = options.timestamp ?? -1, offset = next } = record
    builder.append(timestamp, bytesOf(record.key), bytesOf(record.value), record.headers, offset - baseOffset)
    next = offset + 1
  }
  return builder.build(options)
}

function bytesOf(value: Uint8Array | string | null | undefined): Uint8Array | null {
  return typeof value === 'string' ? new TextEncoder().encode(value) : (value ?? null)
}

/**
 * `batch` with these records instead of its own, all else kept: base offset and end, producer, sequence, kind of
 * timestamps, delete horizon. What compaction leaves of a batch (S-22; MemoryRecords.filterTo), or a batch in the
 * topic's codec (P-17). Nothing left makes a batch without records, which goes on to say where its producer is.
 */
export function rebuilt(
  batch: RecordBatch,
  records: readonly NewRecord[],
  changes: Pick<BatchOptions, 'compression' | 'compressionLevel'> & { readonly deleteHorizonMs?: number } = {},
): RecordBatch {
  const { baseOffset, leaderEpoch, lastOffsetDelta, producerId, producerEpoch, baseSequence, timestampType } = batch
  const flags = { transactional: batch.isTransactional, control: batch.isControl, timestampType }
  if (records.length === 0) {
    const attributes = attributesOf({ ...flags, compression: 0, deleteHorizon: false })
    return sealed({ ...batch.fields, attributes, baseTimestamp: -1, count: 0 }, emptyBody)
  }
  const place = { baseOffset, leaderEpoch, lastOffsetDelta, producerId, producerEpoch, baseSequence }
  const maxTimestamp = batch.isLogAppendTime ? { maxTimestamp: batch.maxTimestamp } : {}
  const compression = compressionNames[batch.compression] ?? 'none'
  const deleteHorizonMs = changes.deleteHorizonMs ?? batch.deleteHorizonMs
  const horizon = deleteHorizonMs === undefined ? {} : { deleteHorizonMs }
  return batchOf(records, { compression, ...place, ...flags, ...maxTimestamp, ...changes, ...horizon })
}
