/** A frame of zstd (RFC 8878) within a body. */
export interface ZstdFrame {
  readonly from: number
  readonly to: number
  /** The content is not larger, in bytes. */
  readonly bound: number
}

const MAGIC = 0xfd2fb528
const SKIPPABLE = 0x184d2a50
const MAX_BLOCK = 128 * 1024
const DICTIONARY_ID_BYTES = [0, 1, 2, 4]
const BLOCK_STORED = 0
const BLOCK_REPEATED = 1
const BLOCK_COMPRESSED = 2

/**
 * Walks over zstd frames without decoding them, to know how much they can grow to: frames as Kafka writes them do not
 * say how large their content is.
 *
 * @throws {RangeError} if it is not zstd, is cut off, or may take more than `maxBytes`.
 */
export function zstdFrames(bytes: Uint8Array, maxBytes: number): ZstdFrame[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const frames: ZstdFrame[] = []
  let total = 0
  let at = 0
  while (at < bytes.length) {
    const magic = at + 8 <= bytes.length ? view.getUint32(at, true) : 0
    if (magic >= SKIPPABLE && magic < SKIPPABLE + 16) {
      at += 8 + view.getUint32(at + 4, true)
      continue
    }
    if (magic !== MAGIC) throw new RangeError('it is not a zstd frame')
    const frame = frameAt(view, at)
    total += frame.bound
    if (total > maxBytes) throw new RangeError(`it may take more than ${maxBytes} bytes`)
    frames.push(frame)
    at = frame.to
  }
  if (frames.length === 0 || at > bytes.length) throw new RangeError('the zstd frame is cut off')
  return frames
}

function frameAt(view: DataView, from: number): ZstdFrame {
  const descriptor = view.getUint8(from + 4)
  const singleSegment = (descriptor & 0x20) !== 0
  const sizeFlag = descriptor >> 6
  const sizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 2 ** sizeFlag
  const sizeAt = from + 5 + (singleSegment ? 0 : 1) + DICTIONARY_ID_BYTES[descriptor & 3]!
  let at = sizeAt + sizeBytes
  let bound = 0
  for (let last = false; !last; ) {
    if (at + 3 > view.byteLength) throw new RangeError('the zstd frame is cut off')
    const header = view.getUint8(at) | (view.getUint8(at + 1) << 8) | (view.getUint8(at + 2) << 16)
    last = (header & 1) !== 0
    const type = (header >> 1) & 3
    const size = header >>> 3
    if (type > BLOCK_COMPRESSED) throw new RangeError('a zstd block is of no known type')
    bound += type === BLOCK_STORED || type === BLOCK_REPEATED ? size : MAX_BLOCK
    at += 3 + (type === BLOCK_REPEATED ? 1 : size)
  }
  if ((descriptor & 0x04) !== 0) at += 4
  if (at > view.byteLength) throw new RangeError('the zstd frame is cut off')
  const said = contentSize(view, sizeAt, sizeBytes)
  if (said === undefined) return { from, to: at, bound }
  if (said > bound) throw new RangeError(`its blocks cannot hold the ${said} bytes it speaks of`)
  return { from, to: at, bound: said }
}

function contentSize(view: DataView, at: number, bytes: number): number | undefined {
  if (bytes === 0) return undefined
  if (bytes === 1) return view.getUint8(at)
  if (bytes === 2) return view.getUint16(at, true) + 256
  if (bytes === 4) return view.getUint32(at, true)
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32
}
