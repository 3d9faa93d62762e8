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
/** The CRC covers all from the attributes to the end. */
const CRC_FROM = 21

/** The body of every batch that has no records left: one piece, so that it is known again. */
export const emptyBody = new Uint8Array(0)

const COMPRESSION = 0x07
const LOG_APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20
const DELETE_HORIZON = 0x40

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

  /**
   * `head` holds exactly the first 61 bytes of the batch, `body` the rest. Neither may be written to any more.
   *
   * @throws {KafkaError} INVALID_RECORD if an offset, timestamp or producer id lies outside ±2^53 (Long.MAX and Long.MIN
   * read as ±Infinity); CORRUPT_MESSAGE if that is so because the batch is damaged.
   */
  constructor(head: Uint8Array, body: Uint8Array) {
    const view = new DataView(head.buffer, head.byteOffset, HEAD_BYTES)
    this.head = head
    this.body = body
    this.baseOffset = int64(view, 0, 'base offset', body)
    this.leaderEpoch = view.getInt32(12)
    this.magic = view.getInt8(16)
    this.crc = view.getUint32(17)
    this.attributes = view.getInt16(21)
    this.lastOffsetDelta = view.getInt32(23)
    this.baseTimestamp = int64(view, 27, 'base timestamp', body)
    this.maxTimestamp = int64(view, 35, 'max timestamp', body)
    this.producerId = int64(view, 43, 'producer id', body)
    this.producerEpoch = view.getInt16(51)
    this.baseSequence = view.getInt32(53)
    this.count = view.getInt32(57)
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
    const head = this.head.slice()
    const view = new DataView(head.buffer, head.byteOffset, HEAD_BYTES)
    setInt64(view, 0, baseOffset)
    view.setInt32(12, leaderEpoch)
    if (checked.get(this.head) === this.body) checked.set(head, this.body)
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

  /** The same bytes, copied where they would pin memory of more than twice their size: the chunk that they came in. */
  unpinned(): RecordBatch {
    const { head, body } = this
    const ownHead = head.buffer.byteLength <= 2 * HEAD_BYTES ? head : head.slice()
    const ownBody = body.buffer.byteLength <= 2 * body.length ? body : body.length === 0 ? emptyBody : body.slice()
    if (ownHead === head && ownBody === body) return this
    if (checked.get(head) === body) checked.set(ownHead, ownBody)
    return new RecordBatch(ownHead, ownBody)
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
  const head = new Uint8Array(HEAD_BYTES)
  const view = new DataView(head.buffer)
  setInt64(view, 0, fields.baseOffset)
  view.setInt32(8, HEAD_BYTES - LOG_OVERHEAD + body.length)
  view.setInt32(12, fields.leaderEpoch)
  view.setInt8(16, 2)
  view.setInt16(21, fields.attributes)
  view.setInt32(23, fields.lastOffsetDelta)
  setInt64(view, 27, fields.baseTimestamp)
  setInt64(view, 35, fields.maxTimestamp)
  setInt64(view, 43, fields.producerId)
  view.setInt16(51, fields.producerEpoch)
  view.setInt32(53, fields.baseSequence)
  view.setInt32(57, fields.count)
  view.setUint32(17, crcOf(head, body))
  checked.set(head, body)
  return new RecordBatch(head, body)
}

/**
 * Heads whose CRC is known to be true, with the body for which it is: computed or checked once, by whoever came first in
 * this process. Bytes that somebody damaged are other pieces of memory, and not in here.
 */
const checked = new WeakMap<Uint8Array, Uint8Array>()

/** Does the CRC of the batch fit its bytes? Computed once for one pair of head and body, then trusted. */
export function verifyCrc(batch: RecordBatch): boolean {
  if (checked.get(batch.head) === batch.body) return true
  if (crcOf(batch.head, batch.body) !== batch.crc) return false
  checked.set(batch.head, batch.body)
  return true
}

function crcOf(head: Uint8Array, body: Uint8Array): number {
  return crc32c(body, 0, body.length, crc32c(head, CRC_FROM, HEAD_BYTES))
}

/** Sequences wrap from 2147483647 to 0 (B-3; DefaultRecordBatch.incrementSequence). */
export function incrementSequence(sequence: number, by: number): number {
  const next = sequence + by
  return next > 0x7fffffff ? next - 0x80000000 : next
}

function int64(view: DataView, at: number, name: string, body: Uint8Array): number {
  const high = view.getInt32(at)
  const low = view.getUint32(at + 4)
  const value = high * 2 ** 32 + low
  if (Number.isSafeInteger(value)) return value
  if (high === 0x7fffffff && low === 0xffffffff) return Number.POSITIVE_INFINITY
  if (high === -0x80000000 && low === 0) return Number.NEGATIVE_INFINITY
  const head = new Uint8Array(view.buffer, view.byteOffset, HEAD_BYTES)
  if (crcOf(head, body) !== view.getUint32(17)) throw new KafkaError('CORRUPT_MESSAGE')
  const exact = view.getBigInt64(at)
  throw new KafkaError(
    'INVALID_RECORD',
    `the ${name} ${exact} of a batch lies outside ±2^53, which is as far as mini-kafka counts`,
  )
}

function setInt64(view: DataView, at: number, value: number): void {
  if (Number.isSafeInteger(value)) {
    view.setInt32(at, Math.floor(value / 2 ** 32))
    view.setUint32(at + 4, value >>> 0)
  } else if (value === Number.POSITIVE_INFINITY) {
    view.setInt32(at, 0x7fffffff)
    view.setUint32(at + 4, 0xffffffff)
  } else if (value === Number.NEGATIVE_INFINITY) {
    view.setInt32(at, -0x80000000)
    view.setUint32(at + 4, 0)
  } else {
    throw new RangeError(`an int64 must be an integer within ±2^53, not ${value}`)
  }
}
