import { decompress } from './compression.ts'
import { KafkaError } from './errors.ts'
import { MalformedError } from './reader.ts'
import { emptyBody, HEAD_BYTES, incrementSequence, type RecordBatch } from './record-batch.ts'
import { unshared } from './shared-memory.ts'
import { readUtf8, sizeOfUtf8 } from './utf8.ts'
import { type Cursor, readVarint, readVarlong, sizeOfVarint } from './varint.ts'

export interface RecordHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

/**
 * One record of a log. Key, value and header values are views of the batch's memory (see `unshared`): never
 * written to.
 */
export interface LogRecord {
  readonly offset: number
  /** Milliseconds since the epoch; −1 for none. The batch's maximum under LogAppendTime (B-4). */
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
  /** −1 when the batch has no sequence. */
  readonly sequence?: number
}

export const noHeaders: readonly RecordHeader[] = []

/** The records of a batch as they lie behind one another, decompressed. */
export function plainBody(batch: RecordBatch): Uint8Array {
  return batch.compression === 0 ? batch.body : decompress(batch.compression, batch.body)
}

/**
 * All records of a batch.
 *
 * @throws {KafkaError} INVALID_RECORD for records or bytes too many or too few (B-6), or a timestamp beyond ±2^53;
 * UNKNOWN_SERVER_ERROR for a body that does not decompress (P-16).
 */
export function recordsOf(batch: RecordBatch): LogRecord[] {
  const cursor = new RecordCursor(batch)
  const records: LogRecord[] = []
  while (cursor.next()) records.push(cursor.record())
  return records
}

/** The same one by one: what is not asked for is not read, so damage behind it stays unseen. */
export function* iterateRecords(batch: RecordBatch): Generator<LogRecord, void> {
  const cursor = new RecordCursor(batch)
  while (cursor.next()) yield cursor.record()
}

/**
 * Walks over the records of a batch without making anything of them: what a leader needs to validate one (P-13…P-16).
 * `next` reads one record with all its lengths, and after the last one checks that nothing is left over (B-6). The
 * attributes of a record are not looked at, nor are they by Kafka.
 */
export class RecordCursor implements Cursor {
  readonly bytes: Uint8Array
  at = 0
  /** Of the record that `next` came to, from here on. */
  index = -1
  offsetDelta = 0
  timestampDelta = 0
  /** −1 for null. */
  keyLength = -1
  valueLength = -1
  headerCount = 0
  #keyAt = 0
  #valueAt = 0
  #headersAt = 0
  /** The bytes that views are made of. */
  #lasting: Uint8Array | undefined
  readonly #batch: RecordBatch

  /** `plain` are its records, for who has them without decompressing. */
  constructor(batch: RecordBatch, plain?: Uint8Array) {
    if (batch.count < 0) throw invalid(`a batch cannot have ${batch.count} records`)
    this.bytes = plain ?? plainBody(batch)
    this.#batch = batch
  }

  get offset(): number {
    return this.#batch.baseOffset + this.offsetDelta
  }

  get timestamp(): number {
    const batch = this.#batch
    return batch.isLogAppendTime ? batch.maxTimestamp : batch.baseTimestamp + this.timestampDelta
  }

  /** Goes to the next record; false behind the last one. */
  next(): boolean {
    if (this.index + 1 >= this.#batch.count) {
      const left = this.bytes.length - this.at
      if (left > 0) throw invalid(`${left} bytes are left over behind the ${this.#batch.count} records of a batch`)
      return false
    }
    this.index++
    try {
      this.#read()
    } catch (error) {
      if (error instanceof MalformedError) throw invalid(`record ${this.index} of a batch: ${error.message}`)
      throw error
    }
    return true
  }

  #read(): void {
    const length = readVarint(this)
    const end = this.at + length
    if (length < 0 || end > this.bytes.length) throw new MalformedError(`a length of ${length} bytes does not fit`)
    this.at++
    this.timestampDelta = readVarlong(this)
    const base = this.#batch.baseTimestamp
    if (!Number.isSafeInteger(base + this.timestampDelta) && Number.isFinite(base)) {
      throw new MalformedError('its timestamp lies outside ±2^53')
    }
    this.offsetDelta = readVarint(this)
    this.keyLength = this.#field(end)
    this.#keyAt = this.at
    if (this.keyLength > 0) this.at += this.keyLength
    this.valueLength = this.#field(end)
    this.#valueAt = this.at
    if (this.valueLength > 0) this.at += this.valueLength
    this.headerCount = readVarint(this)
    this.#headersAt = this.at
    if (this.headerCount !== 0) this.#skipHeaders(end)
    if (this.at !== end)
      throw new MalformedError(`its length says ${this.at - end > 0 ? 'less' : 'more'} than its fields`)
  }

  /** The length of what begins here; −1 for null. */
  #field(end: number): number {
    const length = readVarint(this)
    if (length > end - this.at) throw new MalformedError(`a field of ${length} bytes does not fit`)
    return length < 0 ? -1 : length
  }

  #skipHeaders(end: number): void {
    // A header takes two bytes at the least.
    if (this.headerCount < 0 || this.headerCount > (end - this.at) / 2) {
      throw new MalformedError(`it cannot have ${this.headerCount} headers`)
    }
    for (let i = 0; i < this.headerCount; i++) {
      const key = this.#field(end)
      if (key < 0) throw new MalformedError('a header has no key')
      this.at += key
      const value = this.#field(end)
      if (value > 0) this.at += value
    }
  }

  key(): Uint8Array | null {
    return this.#view(this.#keyAt, this.keyLength)
  }

  value(): Uint8Array | null {
    return this.#view(this.#valueAt, this.valueLength)
  }

  headers(): readonly RecordHeader[] {
    if (this.headerCount === 0) return noHeaders
    const headers: RecordHeader[] = []
    const here = this.at
    this.at = this.#headersAt
    for (let i = 0; i < this.headerCount; i++) {
      const keyLength = readVarint(this)
      const key = readUtf8(this.bytes, this.at, this.at + keyLength)
      this.at += keyLength
      const valueLength = readVarint(this)
      headers.push({ key, value: this.#view(this.at, valueLength) })
      if (valueLength > 0) this.at += valueLength
    }
    this.at = here
    return headers
  }

  record(): LogRecord {
    const { baseSequence } = this.#batch
    return {
      offset: this.offset,
      timestamp: this.timestamp,
      key: this.key(),
      value: this.value(),
      headers: this.headers(),
      sequence: baseSequence < 0 ? -1 : incrementSequence(baseSequence, this.offsetDelta),
    }
  }

  #view(at: number, length: number): Uint8Array | null {
    if (length < 0) return null
    if (length === 0) return emptyBody
    this.#lasting ??= unshared(this.bytes)
    return new Uint8Array(this.#lasting.buffer, this.#lasting.byteOffset + at, length)
  }
}

function invalid(what: string): KafkaError {
  return new KafkaError('INVALID_RECORD', what)
}

/** The most that the varints in front of key, value and headers can take (DefaultRecord.MAX_RECORD_OVERHEAD). */
const MAX_RECORD_OVERHEAD = 21

/**
 * The size a producer expects of a batch with this record alone, in bytes: what max.request.size and buffer.memory are
 * held against (B-7). 86 more than the value, for a value of 128 to 8191 bytes without key and headers.
 */
export function estimateSizeUpperBound(
  key: Uint8Array | null,
  value: Uint8Array | null,
  headers: readonly RecordHeader[] = noHeaders,
): number {
  return HEAD_BYTES + MAX_RECORD_OVERHEAD + sizeOfFields(key, value, headers)
}

/** Bytes of key, value and headers with their lengths. */
export function sizeOfFields(
  key: Uint8Array | null,
  value: Uint8Array | null,
  headers: readonly RecordHeader[],
): number {
  let size = sizeOfBytes(key) + sizeOfBytes(value) + sizeOfVarint(headers.length)
  for (let i = 0; i < headers.length; i++) {
    const header = headers[i]!
    const keySize = sizeOfUtf8(header.key)
    size += sizeOfVarint(keySize) + keySize + sizeOfBytes(header.value)
  }
  return size
}

function sizeOfBytes(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : sizeOfVarint(bytes.length) + bytes.length
}

/** What a walk over the records of a batch saw of all of them. */
export interface RecordSurvey {
  readonly leastTimestampDelta: number
  readonly largestTimestampDelta: number
  /** Offset deltas are 0, 1, 2… */
  readonly consecutive: boolean
  readonly nullKeys: boolean
}

/** More than four bytes, or none: for `RecordCursor`. */
const LONG = 0x7fffffff
/** Where `surveyRecords` stands: in a variable of the module, so that nothing is allocated and everything is inlined. */
let place = 0

/**
 * The whole body in one quick walk, if it is as nearly all are: whole records without headers, numbers of at most four
 * bytes. Undefined for anything else, damage included: `RecordCursor` says what it is.
 */
export function surveyRecords(bytes: Uint8Array, count: number): RecordSurvey | undefined {
  let leastTimestampDelta = LONG
  let largestTimestampDelta = -LONG
  let consecutive = true
  let nullKeys = false
  if (count <= 0) return undefined
  place = 0
  for (let index = 0; index < count; index++) {
    const length = shortVarint(bytes)
    const end = place + length
    if (length < 0 || end > bytes.length) return undefined
    // Attributes.
    place++
    const timestampDelta = shortVarint(bytes)
    const offsetDelta = shortVarint(bytes)
    if (timestampDelta === LONG || offsetDelta === LONG) return undefined
    if (timestampDelta < leastTimestampDelta) leastTimestampDelta = timestampDelta
    if (timestampDelta > largestTimestampDelta) largestTimestampDelta = timestampDelta
    if (offsetDelta !== index) consecutive = false
    const keyLength = shortVarint(bytes)
    if (keyLength < 0) nullKeys = true
    else place += keyLength
    if (place >= end) return undefined
    const valueLength = shortVarint(bytes)
    if (valueLength > 0) place += valueLength
    // The count of headers, in the last byte.
    if (place !== end - 1 || bytes[place] !== 0) return undefined
    place = end
  }
  return place === bytes.length ? { leastTimestampDelta, largestTimestampDelta, consecutive, nullKeys } : undefined
}

function shortVarint(bytes: Uint8Array): number {
  let byte = bytes[place++]!
  if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
  let bits = byte & 0x7f
  for (let shift = 7; shift < 28; shift += 7) {
    byte = bytes[place++]!
    bits |= (byte & 0x7f) << shift
    if (byte < 0x80) return (bits >>> 1) ^ -(bits & 1)
  }
  return LONG
}
