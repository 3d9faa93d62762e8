/**
 * A record batch as an entry of a stream: its id is the offset behind it, its only field is `b`, the batch as Kafka has it on
 * the wire and on disk. So the stream's last id is the end of the log, and what follows an offset begins at the id above it.
 */
import { KafkaError } from '../wire/errors.ts'
import { HEAD_BYTES, LOG_OVERHEAD, RecordBatch } from '../wire/record-batch.ts'
import type { Entry } from './client.ts'

export const FIELD = 'b'
const FIELD_BYTE = FIELD.charCodeAt(0)
const DASH = '-'.charCodeAt(0)
const ZERO = '0'.charCodeAt(0)

/** A batch on its way into a stream. */
export interface NewEntry {
  /** The offset behind it. */
  readonly id: number
  readonly value: Buffer
}

/** With bytes of its own: a mock keeps by reference what it is given, so it gets no part of a slab. */
export function entryOf(batch: RecordBatch, slab?: Slab): NewEntry {
  const value = slab?.take(batch.size) ?? Buffer.allocUnsafeSlow(batch.size)
  value.set(batch.head, 0)
  value.set(batch.body, batch.head.length)
  return { id: batch.nextOffset, value }
}

const SLAB_BYTES = 1 << 20
/** How many pieces are kept for later. */
const SPARE_PIECES = 8

class Piece {
  readonly bytes = Buffer.allocUnsafeSlow(SLAB_BYTES)
  used = 0
  /** Parts that have not been given back. */
  held = 0
}

/**
 * Memory for what is on its way, cut from large pieces that are used again: memory of its own for each batch would cost more
 * than to fill it. What is not given back goes with its piece when nobody has it any more.
 */
export class Slab {
  #piece = new Piece()
  readonly #spare: Piece[] = []
  readonly #pieces = new WeakMap<ArrayBufferLike, Piece>()

  take(size: number): Buffer {
    if (size > SLAB_BYTES / 4) return Buffer.allocUnsafeSlow(size)
    if (this.#piece.used + size > SLAB_BYTES) this.#next()
    const piece = this.#piece
    const from = piece.used
    piece.used += size
    piece.held++
    return piece.bytes.subarray(from, piece.used)
  }

  /** Nobody reads these bytes any more: once for each that was taken. */
  giveBack(bytes: Buffer): void {
    const piece = this.#piece.bytes.buffer === bytes.buffer ? this.#piece : this.#pieces.get(bytes.buffer)
    if (piece === undefined) return
    piece.held--
    if (piece.held > 0) return
    piece.used = 0
    if (piece === this.#piece) return
    this.#pieces.delete(bytes.buffer)
    if (this.#spare.length < SPARE_PIECES) this.#spare.push(piece)
  }

  #next(): void {
    if (this.#piece.held > 0) this.#pieces.set(this.#piece.bytes.buffer, this.#piece)
    this.#piece = this.#spare.pop() ?? new Piece()
  }
}

/** @throws {KafkaError} KAFKA_STORAGE_ERROR for an entry that is no batch, or one of another place */
export function batchOfEntry([id, fields]: Entry, stream: string): RecordBatch {
  const value = fields[1]
  const refuse = (why: string) => new KafkaError('KAFKA_STORAGE_ERROR', `entry ${id} of ${stream} ${why}`)
  if (fields.length !== 2 || !isField(fields[0]!) || value === undefined) {
    const names = fields.filter((_, at) => at % 2 === 0)
    throw refuse(`is no record batch: it has the fields ${names.join(', ')}, where a batch has ${FIELD} alone`)
  }
  if (value.length < HEAD_BYTES) throw refuse(`is no record batch: it has ${value.length} bytes`)
  const length = value.readInt32BE(8) + LOG_OVERHEAD
  if (length !== value.length) throw refuse(`is damaged: it says it has ${length} bytes, and has ${value.length}`)
  const batch = readBatch(value, refuse)
  if (batch.magic !== 2) throw refuse(`is a batch of magic ${batch.magic}: only 2 is read`)
  if (offsetOfId(id) !== batch.nextOffset) {
    throw refuse(`holds offsets ${batch.baseOffset} to ${batch.lastOffset}: its id should be ${batch.nextOffset}-0`)
  }
  return batch
}

function isField(name: Buffer): boolean {
  return name.length === 1 && name[0] === FIELD_BYTE
}

/** Of an id such as `17-0`; NaN for another one. Digit by digit: a text for each entry would cost more. */
function offsetOfId(id: Buffer): number {
  const end = id.length - 2
  if (id[end] !== DASH || id[end + 1] !== ZERO) return Number.NaN
  let offset = 0
  for (let at = 0; at < end; at++) offset = offset * 10 + id[at]! - ZERO
  return offset
}

function readBatch(value: Buffer, refuse: (why: string) => KafkaError): RecordBatch {
  try {
    return new RecordBatch(value.subarray(0, HEAD_BYTES), value.subarray(HEAD_BYTES))
  } catch (error) {
    if (error instanceof KafkaError) throw refuse(`is damaged: ${error.message}`)
    throw error
  }
}
