/**
 * The block stream that snappy-java writes and Kafka calls snappy (B-5): a header of 16 bytes, then blocks of raw
 * snappy, each behind its length.
 */
import { joined } from './frame.ts'

/** `\x82SNAPPY\0`, version 1, compatible with version 1. */
const HEADER = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1)
const MAGIC_BYTES = 8
const BLOCK_BYTES = 32 * 1024

export function encodeXerial(bytes: Uint8Array, compressBlock: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  const pieces: Uint8Array[] = [HEADER]
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const block = compressBlock(bytes.subarray(at, at + BLOCK_BYTES))
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, block.length)
    pieces.push(length, block)
  }
  return pieces.length === 1 ? HEADER.slice() : joined(pieces)
}

/** Raw snappy without the header is read too, as snappy-java does. */
export function decodeXerial(
  bytes: Uint8Array,
  maxBytes: number,
  uncompressBlock: (bytes: Uint8Array) => Uint8Array,
): Uint8Array {
  if (!hasMagic(bytes)) {
    if (plainLength(bytes, 0) > maxBytes) throw tooLarge(maxBytes)
    return uncompressBlock(bytes)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const pieces: Uint8Array[] = []
  let total = 0
  let at = HEADER.length
  if (at > bytes.length) throw new RangeError('the header of the stream is cut off')
  while (at < bytes.length) {
    if (at + 4 > bytes.length) throw new RangeError('the length of a block is cut off')
    const length = view.getUint32(at)
    at += 4
    if (length > bytes.length - at) throw new RangeError(`a block of ${length} bytes is cut off`)
    total += plainLength(bytes, at)
    if (total > maxBytes) throw tooLarge(maxBytes)
    pieces.push(uncompressBlock(bytes.subarray(at, at + length)))
    at += length
  }
  return joined(pieces)
}

function hasMagic(bytes: Uint8Array): boolean {
  for (let i = 0; i < MAGIC_BYTES; i++) if (bytes[i] !== HEADER[i]) return false
  return true
}

/** Raw snappy begins with the length of its content, a varint. */
function plainLength(bytes: Uint8Array, at: number): number {
  let length = 0
  for (let i = 0; i < 5; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) break
    length += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return length
  }
  throw new RangeError('a block does not begin with its length')
}

function tooLarge(maxBytes: number): Error {
  return new RangeError(`it would take more than ${maxBytes} bytes`)
}
