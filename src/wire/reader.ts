import { joined } from './frame.ts'
import { LEAST_SHARED_BYTES, unshared } from './shared-memory.ts'

/** Bytes that do not say what they should: the connection they came on is closed (W-5), nothing else is hurt. */
export class MalformedError extends Error {
  override readonly name: string = 'MalformedError'
}

/** A number that says what it should, and is more than mini-kafka counts to. */
export class UncountableError extends MalformedError {
  override readonly name = 'UncountableError'
}

/**
 * Reads Kafka's primitive types (W-20…W-30) from slices without copying. Values that straddle two slices, which only a
 * socket's chunks bring about, make it join those two.
 */
export class Reader {
  #slices: readonly Uint8Array[]
  #next = 1
  #bytes: Uint8Array
  #at = 0
  /** Bytes in the slices behind the current one. */
  #behind: number

  constructor(slices: readonly Uint8Array[]) {
    this.#slices = slices
    this.#bytes = slices[0] ?? new Uint8Array(0)
    let behind = 0
    for (let i = 1; i < slices.length; i++) behind += slices[i]!.length
    this.#behind = behind
  }

  get remaining(): number {
    return this.#bytes.length - this.#at + this.#behind
  }

  /** Makes the next `count` bytes lie in one slice, moves past them, and answers where they start. */
  #take(count: number): number {
    const at = this.#at
    if (at + count <= this.#bytes.length) {
      this.#at = at + count
      return at
    }
    this.#gather(count)
    this.#at = count
    return 0
  }

  #gather(count: number): void {
    if (this.remaining < count) throw new MalformedError(`${count} bytes expected, ${this.remaining} left`)
    while (this.#at === this.#bytes.length) {
      this.#bytes = this.#slices[this.#next++]!
      this.#behind -= this.#bytes.length
      this.#at = 0
    }
    if (this.#at + count <= this.#bytes.length) return
    const pieces = [this.#bytes.subarray(this.#at)]
    for (let have = pieces[0]!.length; have < count; ) {
      const next = this.#slices[this.#next++]!
      pieces.push(next)
      have += next.length
      this.#behind -= next.length
    }
    this.#bytes = joined(pieces)
    this.#at = 0
  }

  boolean(): boolean {
    return this.int8() !== 0
  }

  int8(): number {
    const at = this.#take(1)
    return (this.#bytes[at]! << 24) >> 24
  }

  int16(): number {
    const at = this.#take(2)
    const b = this.#bytes
    return ((b[at]! << 24) | (b[at + 1]! << 16)) >> 16
  }

  uint16(): number {
    const at = this.#take(2)
    const b = this.#bytes
    return (b[at]! << 8) | b[at + 1]!
  }

  int32(): number {
    const at = this.#take(4)
    const b = this.#bytes
    return (b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!
  }

  uint32(): number {
    return this.int32() >>> 0
  }

  /** A safe integer; Long.MAX and Long.MIN read as ±Infinity; anything else beyond ±2^53 is refused, never rounded. */
  int64(): number {
    const high = this.int32()
    const low = this.uint32()
    const value = high * 2 ** 32 + low
    if (Number.isSafeInteger(value)) return value
    if (high === 0x7fffffff && low === 0xffffffff) return Number.POSITIVE_INFINITY
    if (high === -0x80000000 && low === 0) return Number.NEGATIVE_INFINITY
    const exact = (BigInt(high) << 32n) | BigInt(low)
    throw new UncountableError(`the int64 ${exact} lies outside ±2^53, which is as far as mini-kafka counts`)
  }

  float64(): number {
    const at = this.#take(8)
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at, 8).getFloat64(0)
  }

  uvarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const at = this.#take(1)
      const byte = this.#bytes[at]!
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        if (value > 0xffffffff) break
        return value
      }
    }
    throw new MalformedError('an unsigned varint is longer than 32 bits')
  }

  uuid(): Uint8Array {
    const at = this.#take(16)
    return this.#bytes.subarray(at, at + 16)
  }

  /** Text of `length` bytes; bytes that are not UTF-8 read as U+FFFD (W-32). */
  text(length: number): string {
    if (length === 0) return ''
    const at = this.#take(length)
    const b = this.#bytes
    if (length <= 16) {
      let text = ''
      let i = at
      for (; i < at + length; i++) {
        const byte = b[i]!
        if (byte >= 0x80) break
        text += String.fromCharCode(byte)
      }
      if (i === at + length) return text
    }
    return Buffer.from(b.buffer, b.byteOffset + at, length).toString('utf8')
  }

  /** A view of the next bytes, in one piece; a copy where they lie in shared memory. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length)
    const view = this.#bytes.subarray(at, at + length)
    return this.#bytes.length < LEAST_SHARED_BYTES ? view : unshared(view)
  }

  /** The next bytes as the slices they lie in: a slice that is covered whole is handed on as the very same object. */
  slices(length: number): Uint8Array[] {
    if (this.remaining < length) throw new MalformedError(`${length} bytes expected, ${this.remaining} left`)
    const slices: Uint8Array[] = []
    let missing = length
    while (missing > 0) {
      const here = this.#bytes.length - this.#at
      if (here === 0) {
        this.#bytes = this.#slices[this.#next++]!
        this.#behind -= this.#bytes.length
        this.#at = 0
        continue
      }
      const count = Math.min(here, missing)
      slices.push(count === this.#bytes.length ? this.#bytes : this.#bytes.subarray(this.#at, this.#at + count))
      this.#at += count
      missing -= count
    }
    return slices
  }

  skip(length: number): void {
    let missing = length
    if (this.remaining < length) throw new MalformedError(`${length} bytes expected, ${this.remaining} left`)
    for (;;) {
      const count = Math.min(this.#bytes.length - this.#at, missing)
      this.#at += count
      missing -= count
      if (missing === 0) return
      this.#bytes = this.#slices[this.#next++]!
      this.#behind -= this.#bytes.length
      this.#at = 0
    }
  }
}
