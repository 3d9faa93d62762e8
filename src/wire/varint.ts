import { MalformedError } from './reader.ts'

/** Where a reader of varints stands. */
export interface Cursor {
  readonly bytes: Uint8Array
  at: number
}

const tooShort = 'the bytes end within a varint'

/** An unsigned varint of at most 5 bytes and 32 bits (W-21). */
export function readUvarint(cursor: Cursor): number {
  return readBits(cursor) >>> 0
}

/** A zigzag varint of at most 5 bytes: an int32 (W-22). */
export function readVarint(cursor: Cursor): number {
  const first = cursor.bytes[cursor.at]
  if (first !== undefined && first < 0x80) {
    cursor.at++
    return (first >>> 1) ^ -(first & 1)
  }
  const bits = readBits(cursor)
  return (bits >>> 1) ^ -(bits & 1)
}

function readBits(cursor: Cursor): number {
  const bytes = cursor.bytes
  let at = cursor.at
  let bits = 0
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[at++]
    if (byte === undefined) throw new MalformedError(tooShort)
    bits |= (byte & 0x7f) << shift
    if (byte < 0x80) {
      cursor.at = at
      return bits
    }
  }
  throw new MalformedError('a varint is longer than 5 bytes')
}

/**
 * A zigzag varlong of at most 10 bytes (W-22).
 *
 * @throws {MalformedError} also when the value lies outside ±2^53: it is refused, never rounded.
 */
export function readVarlong(cursor: Cursor): number {
  const bytes = cursor.bytes
  let at = cursor.at
  let byte = bytes[at++]
  if (byte === undefined) throw new MalformedError(tooShort)
  // Zigzag, without ever doubling: the lowest bit says that what the others count is -1 - value.
  const negative = (byte & 1) !== 0
  let count = (byte & 0x7f) >>> 1
  for (let weight = 64; byte >= 0x80; weight *= 128) {
    byte = bytes[at++]
    if (byte === undefined) throw new MalformedError(tooShort)
    if (at - cursor.at > 10) throw new MalformedError('a varlong is longer than 10 bytes')
    count += (byte & 0x7f) * weight
  }
  if (count > Number.MAX_SAFE_INTEGER - (negative ? 1 : 0)) {
    throw new MalformedError(`a varlong of about ${(negative ? -count : count).toExponential(2)} lies outside ±2^53`)
  }
  cursor.at = at
  return negative ? -1 - count : count
}

/** Writes an unsigned varint of 32 bits; answers the position behind it. */
export function writeUvarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value >>> 0
  let end = at
  while (rest >= 0x80) {
    bytes[end++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[end++] = rest
  return end
}

/** Writes the zigzag varint of an int32; answers the position behind it. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  return writeUvarint(bytes, at, (value << 1) ^ (value >> 31))
}

/** Writes the zigzag varlong of a safe integer; answers the position behind it. */
export function writeVarlong(bytes: Uint8Array, at: number, value: number): number {
  if (value >= -0x40000000 && value < 0x40000000) return writeVarint(bytes, at, value)
  if (!Number.isSafeInteger(value)) throw new RangeError(`a varlong must be an integer within ±2^53, not ${value}`)
  const count = value < 0 ? -1 - value : value
  let rest = Math.floor(count / 64)
  let end = at
  bytes[end++] = ((count % 64) << 1) | (value < 0 ? 1 : 0) | 0x80
  while (rest >= 0x80) {
    bytes[end++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  bytes[end++] = rest
  return end
}

export function sizeOfUvarint(value: number): number {
  const bits = 32 - Math.clz32(value)
  return bits <= 7 ? 1 : Math.ceil(bits / 7)
}

export function sizeOfVarint(value: number): number {
  return sizeOfUvarint((value << 1) ^ (value >> 31))
}

export function sizeOfVarlong(value: number): number {
  if (value >= -0x40000000 && value < 0x40000000) return sizeOfVarint(value)
  let size = 1
  for (let rest = Math.floor((value < 0 ? -1 - value : value) / 64); rest > 0; rest = Math.floor(rest / 0x80)) size++
  return size
}
