import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net'
import type { Framing } from './framing.ts'

/** What is read at once where no frame has begun; of the bytes of one that has, as many as it lacks. */
const CHUNK_BYTES = 64 * 1024

/** Every socket's: what was read is taken out of it before anything else is read. */
const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)

/**
 * Reads a socket without memory of its own for each chunk (`onread` of Node's sockets): what belongs to a frame that has
 * begun is read to its place, and everything else into a chunk that is used again and again. A gigabyte in frames of a
 * megabyte is then a gigabyte of memory, not two, and copied once, not twice; that is half of the garbage collections.
 */
export class Intake {
  readonly framing: Framing
  #arrived: () => boolean = () => false
  #discards = false

  constructor(framing: Framing) {
    this.framing = framing
  }

  readonly onread: OnReadOpts = {
    buffer: () => this.framing.room() ?? chunk,
    callback: (count, buffer) => {
      if (this.#discards) return true
      const { framing } = this
      if (buffer === chunk) framing.lend(chunk.subarray(0, count))
      else framing.filled(count)
      const goesOn = this.#arrived()
      framing.giveBack()
      return goesOn
    },
  }

  /**
   * Who takes what has come, and answers whether to read on: a socket that is paused right after it was resumed reads once
   * more. Until then it has to be paused.
   */
  into(arrived: () => boolean): void {
    this.#arrived = arrived
  }

  /** Nobody wants it any more; it is still read, so that its end is seen. */
  discard(): void {
    this.#discards = true
  }
}

/**
 * A socket that was accepted, not read so far, as one that reads through `intake`. Node offers `onread` to those who connect
 * only, so its handle goes over to a socket that is made with it, as Node makes its own. Where there is no handle to be
 * had, it stays as it is: who listens to its `data` reads it all the same.
 */
export function readThrough(intake: Intake, accepted: Socket): Socket {
  const { _handle: handle } = accepted as Socket & { _handle?: object | null }
  if (handle === undefined || handle === null) return accepted
  const options = { handle, allowHalfOpen: true, pauseOnCreate: true, readable: true, writable: true }
  const socket = new Socket({ ...options, onread: intake.onread } as SocketConstructorOpts)
  Object.assign(accepted, { _handle: null })
  accepted.destroy()
  return socket
}
