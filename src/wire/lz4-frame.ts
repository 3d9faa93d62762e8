/** The LZ4 frame as Kafka writes it (B-5; Lz4BlockOutputStream): independent blocks of 64 KiB, no content checksum. */
import { joined } from './frame.ts'

/** Magic; flags: version 1, independent blocks; block size 4: 64 KiB; the header checksum of just these two bytes. */
const HEADER = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82)
const END = new Uint8Array(4)
const BLOCK_BYTES = 64 * 1024

const VERSION_BITS = 0xc0
const VERSION_1 = 0x40
const INDEPENDENT = 0x20
const BLOCK_CHECKSUM = 0x10
const CONTENT_SIZE = 0x08
const CONTENT_CHECKSUM = 0x04
const STORED = 0x80000000

export function encodeLz4Frame(bytes: Uint8Array, compressBlock: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  const pieces: Uint8Array[] = [HEADER]
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const plain = bytes.subarray(at, at + BLOCK_BYTES)
    const packed = compressBlock(plain)
    const stored = packed.length >= plain.length
    const block = stored ? plain : packed
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, stored ? block.length + STORED : block.length, true)
    pieces.push(length, block)
  }
  pieces.push(END)
  return joined(pieces)
}

/** The frame is walked over before it is decoded: what Kafka would not take, or would grow too large, is refused. */
export function decodeLz4Frame(
  bytes: Uint8Array,
  maxBytes: number,
  decodeFrame: (bytes: Uint8Array) => Uint8Array,
): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (bytes.length < 11 || view.getUint32(0) !== 0x04224d18) throw new RangeError('it is not an LZ4 frame')
  const flags = bytes[4]!
  if ((flags & VERSION_BITS) !== VERSION_1) throw new RangeError('the LZ4 frame is not of version 1')
  if ((flags & INDEPENDENT) === 0) throw new RangeError('blocks that depend on one another are not supported')
  const blockSize = (bytes[5]! >> 4) & 7
  if (blockSize < 4) throw new RangeError(`there is no LZ4 block size ${blockSize}`)
  const maxBlock = 2 ** (8 + 2 * blockSize)
  let bound = 0
  let at = (flags & CONTENT_SIZE) !== 0 ? 15 : 7
  for (;;) {
    if (at + 4 > bytes.length) throw new RangeError('the LZ4 frame is cut off')
    const word = view.getUint32(at, true)
    at += 4
    if (word === 0) break
    const length = word % STORED
    // A byte of LZ4 stands for 255 at the most.
    bound += word >= STORED ? length : Math.min(maxBlock, length * 255)
    at += (flags & BLOCK_CHECKSUM) !== 0 ? length + 4 : length
  }
  if (bound > maxBytes) throw new RangeError(`it may take more than ${maxBytes} bytes`)
  const end = (flags & CONTENT_CHECKSUM) !== 0 ? at + 4 : at
  return decodeFrame(end === bytes.length ? bytes : bytes.subarray(0, end))
}
