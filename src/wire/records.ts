import { KafkaError } from './errors.ts'
import { joined } from './frame.ts'
import { emptyBody, HEAD_BYTES, LOG_OVERHEAD, RecordBatch } from './record-batch.ts'

/** Enough of a batch to know its length and its magic. */
const BYTES_TO_MAGIC = 17
/** The least length that any format allows (LegacyRecord, magic 0); less is damage. */
const LEAST_LENGTH = 14
const ZSTD = 4

/**
 * What a field of type `records` holds (W-28): batches, as slices of immutable memory in order. In process a head and a
 * body are a slice each; from a socket the slices are the chunks that arrived.
 */
export class Records {
  readonly slices: readonly Uint8Array[]
  readonly byteLength: number
  #batches: RecordBatch[] | undefined

  constructor(slices: readonly Uint8Array[]) {
    let byteLength = 0
    for (const slice of slices) byteLength += slice.length
    this.slices = slices
    this.byteLength = byteLength
  }

  static readonly empty = new Records([])

  /** Shares the memory of the batches. */
  static of(batches: readonly RecordBatch[]): Records {
    if (batches.length === 0) return Records.empty
    const slices: Uint8Array[] = []
    for (const batch of batches) {
      slices.push(batch.head)
      if (batch.body.length > 0) slices.push(batch.body)
    }
    return new Records(slices)
  }

  /**
   * The complete batches, in order; an incomplete one at the end is left out (F-7). A head or a body that is a slice of
   * its own stays that very object, so that what is known of it (`verifyCrc`) stays known; otherwise it is a view, and
   * a copy only where two slices meet within it.
   *
   * @throws {KafkaError} CORRUPT_MESSAGE for a length or a magic that cannot be.
   */
  batches(): readonly RecordBatch[] {
    if (this.#batches === undefined) {
      const batches: RecordBatch[] = []
      const splitter = new Splitter(this)
      for (let length = splitter.peek(); length > 0; length = splitter.peek()) {
        if (splitter.magic !== 2) throw new KafkaError('CORRUPT_MESSAGE', `a batch of magic ${splitter.magic}, not 2`)
        batches.push(splitter.take(length))
      }
      this.#batches = batches
    }
    return this.#batches
  }
}

/**
 * The one batch that a Produce request may carry for a partition (P-6; ProduceRequest.validateRecords). An incomplete
 * batch behind it is dropped without a word, as Kafka does. Null records, on which Kafka never answers, are refused.
 *
 * @throws {KafkaError} INVALID_RECORD without a complete batch, with more than one, with magic 0 or 1;
 * CORRUPT_MESSAGE for another magic or an impossible length; UNSUPPORTED_COMPRESSION_TYPE for zstd before version 7.
 */
export function producedBatch(records: Records | null, version: number): RecordBatch {
  if (records === null) throw refused(version, 'has no records')
  const splitter = new Splitter(records)
  const length = splitter.peek()
  if (length === 0) throw refused(version, 'has no complete batch')
  if (splitter.magic !== 2) throw refused(version, `has a batch of magic ${splitter.magic}, not 2`)
  const batch = splitter.take(length, true)
  if (batch.compression === ZSTD && version < 7) {
    throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', `a produce request of version ${version} has a zstd batch`)
  }
  if (splitter.peek() > 0) throw refused(version, 'has more than one batch')
  return batch
}

function refused(version: number, what: string): KafkaError {
  return new KafkaError('INVALID_RECORD', `a partition of a produce request of version ${version} ${what}`)
}

/** Not Buffer's `slice`, which is a view, nor memory of Node's pool, which other things hold on to. */
function copied(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes.length)
  copy.set(bytes)
  return copy
}

/** Goes through slices, batch by batch. */
class Splitter {
  readonly #slices: readonly Uint8Array[]
  #next = 1
  #slice: Uint8Array
  #at = 0
  #remaining: number
  /** Of the batch that `peek` looked at. */
  magic = 2

  constructor(records: Records) {
    this.#slices = records.slices
    this.#slice = records.slices[0] ?? emptyBody
    this.#remaining = records.byteLength
  }

  /** Bytes of the next batch; 0 if it is not complete, or there is none. */
  peek(): number {
    if (this.#remaining < BYTES_TO_MAGIC) return 0
    this.#skipEmpty()
    let bytes = this.#slice
    let at = this.#at
    if (at + BYTES_TO_MAGIC > bytes.length) {
      bytes = this.#gathered(BYTES_TO_MAGIC)
      at = 0
    }
    const length = (bytes[at + 8]! << 24) | (bytes[at + 9]! << 16) | (bytes[at + 10]! << 8) | bytes[at + 11]!
    if (length < LEAST_LENGTH) {
      throw new KafkaError('CORRUPT_MESSAGE', `a batch of length ${length} is shorter than the least, ${LEAST_LENGTH}`)
    }
    this.magic = (bytes[at + 16]! << 24) >> 24
    if (this.magic < 0 || this.magic > 2) {
      throw new KafkaError('CORRUPT_MESSAGE', `there is no magic ${this.magic}`)
    }
    const size = LOG_OVERHEAD + length
    if (size > this.#remaining) return 0
    if (this.magic === 2 && size < HEAD_BYTES) {
      throw new KafkaError('CORRUPT_MESSAGE', `a batch of ${size} bytes is smaller than a head, ${HEAD_BYTES}`)
    }
    return size
  }

  /** `isKept`: a body that is a small part of the memory it came in is copied, so that it does not hold on to the rest. */
  take(size: number, isKept = false): RecordBatch {
    const head = this.#piece(HEAD_BYTES)
    const length = size - HEAD_BYTES
    if (length === 0) return new RecordBatch(head, emptyBody)
    const slice = this.#skipEmpty()
    const body = this.#piece(length)
    const isView = body.buffer === slice.buffer && body !== slice
    return new RecordBatch(head, isKept && isView && length * 2 < body.buffer.byteLength ? copied(body) : body)
  }

  /** The next `length` bytes: the slice itself, a view of it, or, where it ends too early, a copy. */
  #piece(length: number): Uint8Array {
    this.#skipEmpty()
    this.#remaining -= length
    const slice = this.#slice
    const at = this.#at
    if (at + length > slice.length) {
      const bytes = this.#gathered(length)
      this.#skip(length)
      return bytes
    }
    this.#at = at + length
    return length === slice.length ? slice : slice.subarray(at, at + length)
  }

  #skipEmpty(): Uint8Array {
    while (this.#at === this.#slice.length && this.#next < this.#slices.length) {
      this.#slice = this.#slices[this.#next++]!
      this.#at = 0
    }
    return this.#slice
  }

  #skip(length: number): void {
    let missing = length
    while (missing > 0) {
      this.#skipEmpty()
      const here = Math.min(missing, this.#slice.length - this.#at)
      this.#at += here
      missing -= here
    }
  }

  /** A copy of the next `length` bytes, which lie in several slices. Moves nothing. */
  #gathered(length: number): Uint8Array {
    const pieces = [this.#slice.subarray(this.#at)]
    let have = pieces[0]!.length
    for (let next = this.#next; have < length; next++) {
      const slice = this.#slices[next]!
      const piece = slice.length > length - have ? slice.subarray(0, length - have) : slice
      pieces.push(piece)
      have += piece.length
    }
    return joined(pieces)
  }
}
