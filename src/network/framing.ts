import { type Frame, frameOf } from '../wire/frame.ts'

/** Bytes of the size in front of every frame (W-1). */
const PREFIX_BYTES = 4
/** No more than this is set aside for a frame on the mere word of its size. */
const TRUSTED_BYTES = 1024 * 1024

/** What a frame may have, and the configuration key that says so: of who has not said who they are, less (M-60). */
export interface FrameLimit {
  readonly bytes: number
  readonly key: string
}

/** A size that cannot be: whoever sent it is not understood any more. */
export class FrameSizeError extends Error {
  override readonly name = 'FrameSizeError'
}

/**
 * Cuts a stream of bytes into frames: an int32 size, and so many bytes (W-1). A frame that lies within one chunk is a view
 * of it; one that comes in several is put together in memory of its own as they arrive, while they are warm, so that its
 * batches are in one piece.
 */
export class Framing {
  #limit: FrameLimit
  readonly #memory: (bytes: number) => Buffer
  readonly #chunks: Uint8Array[] = []
  /** In the first chunk. */
  #at = 0
  /** Of the chunks, from there on. */
  #available = 0
  /** Of the frame that has begun; −1: its size is not known. */
  #size = -1
  #gathered: Uint8Array | undefined
  #have = 0
  /** The last chunk, while it is only lent. */
  #lent: Uint8Array | undefined

  /** `memory` for the frames that come in several chunks. */
  constructor(limit: number | FrameLimit, memory: (bytes: number) => Buffer = Buffer.allocUnsafeSlow) {
    this.#limit = typeof limit === 'number' ? { bytes: limit, key: 'socket.request.max.bytes' } : limit
    this.#memory = memory
  }

  /** From the next frame on. */
  allow(limit: FrameLimit): void {
    this.#limit = limit
  }

  /** Bytes that are no frame yet. */
  get pending(): number {
    return this.#available + this.#have
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#available += chunk.length
  }

  /** Bytes in memory that its owner will overwrite, after `giveBack`: what becomes of them here is copied. */
  lend(chunk: Uint8Array): void {
    this.push(chunk)
    this.#lent = chunk
  }

  /** What is left of the lent bytes is kept. */
  giveBack(): void {
    const lent = this.#lent
    this.#lent = undefined
    const last = this.#chunks.length - 1
    if (lent === undefined || this.#chunks[last] !== lent) return
    this.#chunks[last] = copied(last === 0 ? lent.subarray(this.#at) : lent)
    if (last === 0) this.#at = 0
  }

  /** Where the next bytes of a frame that has begun belong, so that they can be read to their place: then `filled` follows. */
  room(): Uint8Array | undefined {
    const into = this.#gathered
    if (into === undefined || this.#available > 0) return undefined
    return (this.#have < into.length ? into : this.#grow(into, 0)).subarray(this.#have)
  }

  /** So many bytes were put where `room` said. */
  filled(count: number): void {
    this.#have += count
  }

  /**
   * The next complete frame, without its size.
   *
   * @throws {FrameSizeError} for a size of 0, less, or more than the limit (W-1).
   */
  next(): Frame | undefined {
    if (this.#size < 0 && !this.#readSize()) return undefined
    const size = this.#size
    const first = this.#chunks[0]
    if (this.#gathered === undefined) {
      if (first === undefined) return undefined
      if (first.length - this.#at >= size) {
        const view = first.subarray(this.#at, this.#at + size)
        const whole = first === this.#lent ? copied(view) : view
        this.#skip(size)
        this.#size = -1
        return frameOf([whole])
      }
      this.#gathered = this.#memory(Math.min(size, Math.max(TRUSTED_BYTES, this.#available * 2)))
      this.#have = 0
    }
    this.#gather(size)
    if (this.#have < size) return undefined
    const whole = this.#gathered
    this.#gathered = undefined
    this.#have = 0
    this.#size = -1
    return frameOf([whole])
  }

  #readSize(): boolean {
    if (this.#available < PREFIX_BYTES) return false
    let size = 0
    for (let i = 0; i < PREFIX_BYTES; i++) {
      size = (size << 8) | this.#chunks[0]![this.#at]!
      this.#skip(1)
    }
    if (size <= 0) throw new FrameSizeError(`a frame of ${size} bytes`)
    const { bytes, key } = this.#limit
    if (size > bytes) {
      throw new FrameSizeError(`a frame of ${size} bytes, more than ${key}, ${bytes}`)
    }
    this.#size = size
    return true
  }

  #gather(size: number): void {
    while (this.#have < size && this.#available > 0) {
      const chunk = this.#chunks[0]!
      const count = Math.min(chunk.length - this.#at, size - this.#have)
      let into = this.#gathered!
      if (this.#have + count > into.length) into = this.#grow(into, count)
      into.set(chunk.subarray(this.#at, this.#at + count), this.#have)
      this.#have += count
      this.#skip(count)
    }
  }

  #grow(full: Uint8Array, count: number): Uint8Array {
    const grown = this.#memory(Math.min(this.#size, full.length * 2 + count))
    grown.set(full.subarray(0, this.#have))
    this.#gathered = grown
    return grown
  }

  #skip(count: number): void {
    this.#at += count
    this.#available -= count
    if (this.#at < this.#chunks[0]!.length) return
    this.#chunks.shift()
    this.#at = 0
  }
}

function copied(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.allocUnsafe(bytes.length)
  copy.set(bytes)
  return copy
}

/** Slices below this size are copied together: a piece of its own costs a write more than its bytes do. */
const SMALL_BYTES = 2048

/** What to write for a frame, in order: its size first, big slices as they are, small ones joined. */
export function framed({ slices, length }: Frame): Uint8Array[] {
  const pieces: Uint8Array[] = []
  let from = 0
  let small = PREFIX_BYTES
  for (let i = 0; i <= slices.length; i++) {
    const slice = slices[i]
    if (slice !== undefined && slice.length < SMALL_BYTES) {
      small += slice.length
      continue
    }
    if (small > 0) pieces.push(joinedSmall(slices, from, i, small, from === 0 && pieces.length === 0 ? length : -1))
    if (slice !== undefined) pieces.push(slice)
    from = i + 1
    small = 0
  }
  return pieces
}

/** The slices of a span in one piece, behind the size of the frame if the span is the first. */
function joinedSmall(slices: readonly Uint8Array[], from: number, to: number, bytes: number, size: number): Uint8Array {
  const piece = Buffer.allocUnsafe(bytes)
  let at = 0
  if (size >= 0) at = piece.writeInt32BE(size, 0)
  for (let i = from; i < to; i++) {
    piece.set(slices[i]!, at)
    at += slices[i]!.length
  }
  return piece
}
