import { Duplex } from 'node:stream'

/** What one end holds until its reader takes it, as a kernel's buffers do. */
const BUFFER_BYTES = 64 * 1024

/**
 * One end of a pair: what is written to it is read at the other, as between two sockets. Bytes are copied, as a kernel does,
 * so that neither side can change what the other one keeps.
 */
export class PairedStream extends Duplex {
  #other: PairedStream | undefined
  /** The other end's write, which goes on when this end has been read. */
  #waiting: (() => void) | undefined
  #isReset = false

  constructor() {
    super({ allowHalfOpen: true, highWaterMark: BUFFER_BYTES })
  }

  static pair(): [near: PairedStream, far: PairedStream] {
    const [near, far] = [new PairedStream(), new PairedStream()]
    near.#other = far
    far.#other = near
    return [near, far]
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const other = this.#other!
    // Nobody reads it any more: the news of that is on its way.
    if (other.destroyed || other.readableEnded) done()
    else if (other.push(Buffer.from(chunk))) done()
    else other.#waiting = done
  }

  override _read(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.()
  }

  override _final(done: () => void): void {
    this.#other!.push(null)
    done()
  }

  /** The other end reads what was written before, and then the end; after a reset it fails at once. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const other = this.#other!
    this._read()
    if (!other.destroyed) {
      if (this.#isReset) other.destroy(connectionError('read', 'ECONNRESET'))
      else if (!this.writableFinished) other.push(null)
    }
    done(error)
  }

  // --- what else a socket has ----------------------------------------------------------------------------------------

  resetAndDestroy(): this {
    this.#isReset = true
    return this.destroy()
  }

  setKeepAlive(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }
}

/** As a socket of Node's says it: clients look at the code. */
export function connectionError(call: string, code: string, where = ''): Error {
  return Object.assign(new Error(`${call} ${code}${where === '' ? '' : ` ${where}`}`), { code, syscall: call })
}
