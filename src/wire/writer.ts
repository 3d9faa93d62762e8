import { type Frame, frameOf } from './frame.ts'

const SLAB_BYTES = 64 * 1024

/**
 * Frames are cut from slabs, one after the other: a frame of a few hundred bytes costs no allocation of its own. Encoding
 * is synchronous, so one writer at a time owns the free end of the slab.
 */
let slab = new Uint8Array(0)
let free = 0

/** Writes Kafka's primitive types (W-20…W-30). Slices of records are put between without copying them. */
export class Writer {
  readonly #slices: Uint8Array[] = []
  #bytes: Uint8Array
  #start: number
  #at: number

  constructor() {
    if (slab.length - free < 1024) {
      slab = new Uint8Array(SLAB_BYTES)
      free = 0
    }
    this.#bytes = slab
    this.#start = free
    this.#at = free
  }

  /** What was written; the writer is spent. */
  finish(): Frame {
    this.#cut()
    return frameOf(this.#slices)
  }

  #cut(): void {
    if (this.#at > this.#start) this.#slices.push(this.#bytes.subarray(this.#start, this.#at))
    this.#start = this.#at
    if (this.#bytes === slab) free = this.#at
  }

  #room(count: number): number {
    const at = this.#at
    if (at + count > this.#bytes.length) {
      const written = this.#bytes.subarray(this.#start, at)
      const size = Math.max(SLAB_BYTES, (written.length + count) * 2)
      const grown = new Uint8Array(size)
      grown.set(written)
      if (size === SLAB_BYTES) {
        slab = grown
        free = 0
      }
      this.#bytes = grown
      this.#start = 0
      this.#at = written.length + count
      return written.length
    }
    this.#at = at + count
    return at
  }

  boolean(value: boolean): void {
    this.int8(value ? 1 : 0)
  }

  int8(value: number): void {
    const at = this.#room(1)
    this.#bytes[at] = value
  }

  int16(value: number): void {
    const at = this.#room(2)
    const b = this.#bytes
    b[at] = value >> 8
    b[at + 1] = value
  }

  int32(value: number): void {
    const at = this.#room(4)
    const b = this.#bytes
    b[at] = value >>> 24
    b[at + 1] = value >>> 16
    b[at + 2] = value >>> 8
    b[at + 3] = value
  }

  int64(value: number): void {
    if (!Number.isSafeInteger(value)) {
      if (value === Number.POSITIVE_INFINITY) {
        this.int32(0x7fffffff)
        this.int32(-1)
        return
      }
      if (value === Number.NEGATIVE_INFINITY) {
        this.int32(-0x80000000)
        this.int32(0)
        return
      }
      throw new RangeError(`an int64 must be an integer within ±2^53, not ${value}`)
    }
    this.int32(Math.floor(value / 2 ** 32))
    this.int32(value >>> 0)
  }

  float64(value: number): void {
    const at = this.#room(8)
    new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at, 8).setFloat64(0, value)
  }

  uvarint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.int8((rest % 0x80) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.int8(rest)
  }

  /** UTF-8 text behind a length that `prefix` writes. */
  text(value: string, prefix: (writer: Writer, length: number) => void): void {
    const length = value.length
    if (length <= 64) {
      let ascii = true
      for (let i = 0; i < length && ascii; i++) ascii = value.charCodeAt(i) < 0x80
      if (ascii) {
        prefix(this, length)
        const at = this.#room(length)
        const b = this.#bytes
        for (let i = 0; i < length; i++) b[at + i] = value.charCodeAt(i)
        return
      }
    }
    const encoded = Buffer.from(value, 'utf8')
    prefix(this, encoded.length)
    this.bytes(encoded)
  }

  /** Copies. */
  bytes(value: Uint8Array): void {
    const at = this.#room(value.length)
    this.#bytes.set(value, at)
  }

  /** Does not copy: the slices must not be written to any more. */
  slices(slices: readonly Uint8Array[]): void {
    this.#cut()
    for (const slice of slices) if (slice.length > 0) this.#slices.push(slice)
  }

  /** Runs `write`, then puts the number of bytes it wrote before them, as an unsigned varint (W-30). */
  sized(write: () => void): void {
    const before = this.#at - this.#start
    write()
    const size = this.#at - this.#start - before
    let prefix = 1
    for (let rest = size; rest >= 0x80; rest = Math.floor(rest / 0x80)) prefix++
    this.#room(prefix)
    const from = this.#start + before
    this.#bytes.copyWithin(from + prefix, from, from + size)
    const end = this.#at
    this.#at = from
    this.uvarint(size)
    this.#at = end
  }
}
