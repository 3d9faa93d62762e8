import { crc32c } from './crc32c.ts'
import { KafkaError } from './errors.ts'

/**
 * Record batch v2 (magic 2; KIP-98): a head of 61 bytes and a body, both immutable.
 *
 * Base offset and leader epoch stand outside the CRC (B-1), so a leader gives a batch a head of its own and shares the
 * body: three replicas of a batch in one process are three references to one piece of memory.
 */
export const HEAD_BYTES = 61
/** base offset (8) and length (4): what the length field does not count. */
export const LOG_OVERHEAD = 12
/**
 * V8 keeps arrays up to this size within its heap, until somebody asks for their `buffer`, which costs 0.7 µs: more
 * than all else that is done with a head. So heads are read and written byte by byte, never through a DataView.
 */
const SMALL_BYTES = 64
/** The CRC covers all from the attributes to the end. */
const CRC_FROM = 21

/** The body of every batch that has no records left: one piece, so that it is known again. */
export const emptyBody: Uint8Array = new Uint8Array(0)

const COMPRESSION = 0x07
const LOG_APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20
const DELETE_HORIZON = 0x40

/**
 * A head that was made here remembers for which body its CRC is true: computed or checked once, by whoever came first in
 * this process. Bytes that somebody damaged are other pieces of memory. (A WeakMap of heads costs twenty times as much.)
 */
class OwnHead extends Uint8Array {
  #checkedFor: Uint8Array | undefined

  static copyOf(bytes: Uint8Array, checkedFor: Uint8Array | undefined): OwnHead {
    const head = new OwnHead(HEAD_BYTES)
    head.set(bytes)
    head.#checkedFor = checkedFor
    return head
  }

  isCheckedFor(body: Uint8Array): boolean {
    return this.#checkedFor === body
  }

  checkedFor(body: Uint8Array): void {
    this.#checkedFor = body
  }
}

export class RecordBatch {
  readonly head: Uint8Array
  readonly body: Uint8Array
  readonly baseOffset: number
  readonly leaderEpoch: number
  readonly magic: number
  readonly crc: number
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly count: number
  #isChecked: boolean

  /**
   * `head` holds exactly the first 61 bytes of the batch, `body` the rest. Neither may be written to any more.
   *
   * @throws {KafkaError} INVALID_RECORD if an offset, timestamp or producer id lies outside ±2^53 (Long.MAX and
   * Long.MIN read as ±Infinity); CORRUPT_MESSAGE if that is so because the batch is damaged.
   */
  constructor(head: Uint8Array, body: Uint8Array) {
    this.head = head
    this.body = body
    this.#isChecked = head instanceof OwnHead && head.isCheckedFor(body)
    this.baseOffset = int64(head, 0, 'base offset', body)
    this.leaderEpoch = int32(head, 12)
    this.magic = (head[16]! << 24) >> 24
    this.crc = int32(head, 17) >>> 0
    this.attributes = int16(head, 21)
    this.lastOffsetDelta = int32(head, 23)
    this.baseTimestamp = int64(head, 27, 'base timestamp', body)
    this.maxTimestamp = int64(head, 35, 'max timestamp', body)
    this.producerId = int64(head, 43, 'producer id', body)
    this.producerEpoch = int16(head, 51)
    this.baseSequence = int32(head, 53)
    this.count = int32(head, 57)
  }

  /** Bytes of the whole batch. */
  get size(): number {
    return HEAD_BYTES + this.body.length
  }

  get lastOffset(): number {
    return this.baseOffset + this.lastOffsetDelta
  }

  get nextOffset(): number {
    return this.baseOffset + this.lastOffsetDelta + 1
  }

  /** With wrap at 2³¹ (B-3); −1 when the batch has no sequence. */
  get lastSequence(): number {
    return this.baseSequence < 0 ? -1 : incrementSequence(this.baseSequence, this.lastOffsetDelta)
  }

  get compression(): number {
    return this.attributes & COMPRESSION
  }

  get isLogAppendTime(): boolean {
    return (this.attributes & LOG_APPEND_TIME) !== 0
  }

  get isTransactional(): boolean {
    return (this.attributes & TRANSACTIONAL) !== 0
  }

  get isControl(): boolean {
    return (this.attributes & CONTROL) !== 0
  }

  /** When a tombstone or marker may go (S-22); undefined while no cleaning has set it. */
  get deleteHorizonMs(): number | undefined {
    return (this.attributes & DELETE_HORIZON) !== 0 ? this.baseTimestamp : undefined
  }

  get hasProducer(): boolean {
    return this.producerId >= 0
  }

  /** The same body under a head of its own: what a leader stores. The CRC stays true, both fields are outside it. */
  placedAt(baseOffset: number, leaderEpoch: number): RecordBatch {
    const head = OwnHead.copyOf(this.head, this.#isChecked ? this.body : undefined)
    setInt64(head, 0, baseOffset)
    setInt32(head, 12, leaderEpoch)
    return new RecordBatch(head, this.body)
  }

  /**
   * The same body under a head with another kind of timestamps: a leader's answer to LogAppendTime (P-18), to a false
   * maximum (P-19) and to a bit that does not belong there (P-14). Records are untouched, the CRC is computed anew.
   */
  withTimestamps(timestampType: TimestampType, maxTimestamp: number): RecordBatch {
    const bit = timestampType === 'LogAppendTime' ? LOG_APPEND_TIME : 0
    const attributes = (this.attributes & ~LOG_APPEND_TIME) | bit
    if (attributes === this.attributes && maxTimestamp === this.maxTimestamp) return this
    return sealed({ ...this.fields, attributes, maxTimestamp }, this.body)
  }

  /**
   * The same bytes, with a body of its own where it would pin memory of more than twice its size: the chunk that it
   * came in. The head is copied along then; `placedAt` makes one anyway.
   */
  unpinned(): RecordBatch {
    const { head, body } = this
    // To ask for the buffer of so small an array would cost more than to copy it (see SMALL_BYTES).
    const pins = body.length <= SMALL_BYTES ? body.byteOffset > 0 : body.buffer.byteLength > 2 * body.length
    if (!pins) return this
    const ownBody = new Uint8Array(body)
    return new RecordBatch(OwnHead.copyOf(head, this.#isChecked ? ownBody : undefined), ownBody)
  }

  /** See `verifyCrc`. */
  get isSound(): boolean {
    this.#isChecked ||= crcOf(this.head, this.body) === this.crc
    return this.#isChecked
  }

  get timestampType(): TimestampType {
    return this.isLogAppendTime ? 'LogAppendTime' : 'CreateTime'
  }

  get fields(): HeadFields {
    const { baseOffset, leaderEpoch, attributes, lastOffsetDelta, baseTimestamp, maxTimestamp } = this
    const { producerId, producerEpoch, baseSequence, count } = this
    const times = { baseTimestamp, maxTimestamp }
    return {
      baseOffset,
      leaderEpoch,
      attributes,
      lastOffsetDelta,
      ...times,
      producerId,
      producerEpoch,
      baseSequence,
      count,
    }
  }
}

export type TimestampType = 'CreateTime' | 'LogAppendTime'

/** What a head says, beside what follows from the body. */
export interface HeadFields {
  readonly baseOffset: number
  readonly leaderEpoch: number
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly count: number
}

export interface AttributeFlags {
  readonly compression: number
  readonly timestampType: TimestampType
  readonly transactional: boolean
  readonly control: boolean
  readonly deleteHorizon: boolean
}

/** The bits of a batch's attributes (B-2). */
export function attributesOf(flags: AttributeFlags): number {
  return (
    (flags.compression & COMPRESSION) |
    (flags.timestampType === 'LogAppendTime' ? LOG_APPEND_TIME : 0) |
    (flags.transactional ? TRANSACTIONAL : 0) |
    (flags.control ? CONTROL : 0) |
    (flags.deleteHorizon ? DELETE_HORIZON : 0)
  )
}

/** A batch of magic 2 with a true length and CRC around `body`, which must not be written to any more. */
export function sealed(fields: HeadFields, body: Uint8Array): RecordBatch {
  const head = new OwnHead(HEAD_BYTES)
  setInt64(head, 0, fields.baseOffset)
  setInt32(head, 8, HEAD_BYTES - LOG_OVERHEAD + body.length)
  setInt32(head, 12, fields.leaderEpoch)
  head[16] = 2
  setInt16(head, 21, fields.attributes)
  setInt32(head, 23, fields.lastOffsetDelta)
  setInt64(head, 27, fields.baseTimestamp)
  setInt64(head, 35, fields.maxTimestamp)
  setInt64(head, 43, fields.producerId)
  setInt16(head, 51, fields.producerEpoch)
  setInt32(head, 53, fields.baseSequence)
  setInt32(head, 57, fields.count)
  setInt32(head, 17, crcOf(head, body))
  head.checkedFor(body)
  return new RecordBatch(head, body)
}

/** Does the CRC of the batch fit its bytes? Computed once for one pair of head and body, then trusted. */
export function verifyCrc(batch: RecordBatch): boolean {
  return batch.isSound
}

function crcOf(head: Uint8Array, body: Uint8Array): number {
  return crc32c(body, 0, body.length, crc32c(head, CRC_FROM, HEAD_BYTES))
}

/** Sequences wrap from 2147483647 to 0 (B-3; DefaultRecordBatch.incrementSequence). */
export function incrementSequence(sequence: number, by: number): number {
  const next = sequence + by
  return next > 0x7fffffff ? next - 0x80000000 : next
}

function int16(head: Uint8Array, at: number): number {
  return ((head[at]! << 24) | (head[at + 1]! << 16)) >> 16
}

function int32(head: Uint8Array, at: number): number {
  return (head[at]! << 24) | (head[at + 1]! << 16) | (head[at + 2]! << 8) | head[at + 3]!
}

function int64(head: Uint8Array, at: number, name: string, body: Uint8Array): number {
  const high = int32(head, at)
  const low = int32(head, at + 4) >>> 0
  const value = high * 2 ** 32 + low
  if (Number.isSafeInteger(value)) return value
  if (high === 0x7fffffff && low === 0xffffffff) return Number.POSITIVE_INFINITY
  if (high === -0x80000000 && low === 0) return Number.NEGATIVE_INFINITY
  if (crcOf(head, body) !== int32(head, 17) >>> 0) throw new KafkaError('CORRUPT_MESSAGE')
  const exact = (BigInt(high) << 32n) | BigInt(low)
  throw new KafkaError(
    'INVALID_RECORD',
    `the ${name} ${exact} of a batch lies outside ±2^53, which is as far as mini-kafka counts`,
  )
}

function setInt16(head: Uint8Array, at: number, value: number): void {
  head[at] = value >> 8
  head[at + 1] = value
}

function setInt32(head: Uint8Array, at: number, value: number): void {
  head[at] = value >> 24
  head[at + 1] = value >> 16
  head[at + 2] = value >> 8
  head[at + 3] = value
}

function setInt64(head: Uint8Array, at: number, value: number): void {
  let high = Math.floor(value / 2 ** 32)
  let low = value >>> 0
  if (!Number.isSafeInteger(value)) {
    if (Math.abs(value) !== Number.POSITIVE_INFINITY) {
      throw new RangeError(`an int64 must be an integer within ±2^53, not ${value}`)
    }
    high = value > 0 ? 0x7fffffff : -0x80000000
    low = value > 0 ? 0xffffffff : 0
  }
  setInt32(head, at, high)
  setInt32(head, at + 4, low)
}
