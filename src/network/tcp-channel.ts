import type { Socket } from 'node:net'
import { isPromise } from '../runtime/deferred.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Frame } from '../wire/frame.ts'
import type { Channel, ChannelReceiver, CloseReason } from './channel.ts'
import { type FrameLimit, Framing, framed } from './framing.ts'
import type { Intake } from './intake.ts'
import type { PairedStream } from './stream-pair.ts'
import { tlsRefusal } from './tls.ts'

/** How long a connection that was closed may take to hand over what was sent before, in milliseconds. */
const LINGER_MS = 1_000

export interface TcpChannelOptions {
  readonly runtime: Runtime
  /** Or one end of a pair of streams, for clients that want a socket and need no port. */
  readonly socket: Socket | PairedStream
  /** What reads the socket; without it the socket's `data` does. */
  readonly intake?: Intake
  readonly peer: string
  /** A number is `socket.request.max.bytes`. */
  readonly frameLimit: number | FrameLimit
  /** Closed after so many milliseconds in which nothing came and nothing went (W-6). Undefined: never. */
  readonly idleMs?: number | undefined
  /** The socket is gone. */
  readonly gone: () => void
}

/**
 * One end of a TCP connection. Nothing is read before somebody receives, nor while it is paused: then the kernel's
 * windows fill up, and the other end feels it. The other end's FIN arrives behind what it sent.
 */
export class TcpChannel implements Channel {
  readonly peer: string
  readonly #runtime: Runtime
  readonly #socket: Socket | PairedStream
  readonly #intake: Intake | undefined
  readonly #framing: Framing
  #receiver: ChannelReceiver | undefined
  #paused = false
  #delivering = false
  /** Frames may lie in what was read. */
  #ended = false
  #closed = false
  #lost: string | undefined
  /** The other end did not trust us: under TLS 1.3 it says so after it seemed to be agreed. */
  #refusal: Error | undefined

  constructor({ runtime, socket, intake, peer, frameLimit, idleMs, gone }: TcpChannelOptions) {
    this.peer = peer
    this.#runtime = runtime
    this.#socket = socket
    this.#intake = intake
    this.#framing = intake?.framing ?? new Framing(frameLimit)
    socket.on('error', error => this.#lose(error.message, 'encrypted' in socket ? tlsRefusal(error, peer) : undefined))
    socket.on('close', () => {
      gone()
      this.#lose('closed by the other end')
    })
    if (idleMs !== undefined && idleMs > 0 && 'setTimeout' in socket) {
      socket.setTimeout(Math.min(idleMs, 0x7fffffff), () => this.#end(`idle for ${idleMs} ms`, false))
    }
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** Frames may be as long as that from the next one on. */
  allow(limit: FrameLimit): void {
    this.#framing.allow(limit)
  }

  get isFull(): boolean {
    return this.#socket.writableNeedDrain
  }

  send(frame: Frame): void {
    if (this.#closed) return
    const socket = this.#socket
    const pieces = framed(frame)
    if (pieces.length === 1) {
      socket.write(pieces[0]!)
      return
    }
    socket.cork()
    for (const piece of pieces) socket.write(piece)
    socket.uncork()
  }

  receive(receiver: ChannelReceiver): void {
    this.#receiver = receiver
    if (this.#lost !== undefined) {
      const [reason, refusal] = [this.#lost, this.#refusal]
      this.#runtime.after(0, () => receiver.onClose(reason, true, refusal))
      return
    }
    const socket = this.#socket
    this.#intake?.into(() => {
      if (!this.#closed) this.#run(() => this.#deliver())
      return this.#closed || !this.#paused
    })
    socket.on('data', chunk => {
      if (this.#closed) return
      this.#framing.push(chunk)
      this.#run(() => this.#deliver())
    })
    socket.on('end', () => {
      this.#ended = true
      this.#run(() => this.#deliver())
    })
    const { onDrain } = receiver
    if (onDrain !== undefined) {
      socket.on('drain', () => {
        if (!this.#closed) this.#run(() => receiver.onDrain!())
      })
    }
    if (this.#paused) socket.pause()
    else socket.resume()
  }

  pause(): void {
    this.#paused = true
    this.#socket.pause()
  }

  resume(): unknown {
    if (!this.#paused) return undefined
    this.#paused = false
    const results = this.#deliver()
    if (!this.#paused && !this.#closed) this.#socket.resume()
    return results
  }

  /** What was sent before is handed over, if the other end takes it within a second. */
  close(_reason: CloseReason): void {
    if (this.#closed) return
    this.#closed = true
    const socket = this.#socket
    if (socket.writableLength === 0 || socket.destroyed) {
      socket.destroy()
      return
    }
    this.#intake?.discard()
    socket.resume()
    if ('setTimeout' in socket) socket.setTimeout(LINGER_MS, () => socket.destroy())
    socket.end(() => socket.destroy())
  }

  /** Breaks the connection (RST): what is under way is lost. */
  reset(): void {
    this.#closed = true
    // TLS has no way to break a connection but to end it.
    if ('encrypted' in this.#socket) this.#socket.destroy()
    else this.#socket.resetAndDestroy()
  }

  /** The process that this end belongs to is no more: the kernel ends the connection. */
  destroy(): void {
    this.#closed = true
    this.#socket.destroy()
  }

  #deliver(): unknown {
    if (this.#delivering) return undefined
    this.#delivering = true
    const results: unknown[] = []
    try {
      while (!this.#paused && !this.#closed) {
        const frame = this.#framing.next()
        if (frame === undefined) break
        const result = this.#receiver!.onFrame(frame)
        if (result !== undefined) results.push(result)
      }
    } catch (error) {
      if ((error as Error).name !== 'FrameSizeError') throw error
      this.#end((error as Error).message, false)
    } finally {
      this.#delivering = false
    }
    if (this.#ended && !this.#paused) this.#end('closed by the other end', false)
    return results.length > 1 ? Promise.all(results) : results[0]
  }

  #lose(reason: string, refusal?: Error): void {
    this.#refusal ??= refusal
    if (!this.#closed) this.#run(() => this.#end(reason, true))
  }

  #end(reason: string, isReset: boolean): void {
    if (this.#closed) return
    this.#lost = reason
    this.close(reason)
    this.#receiver?.onClose(reason, isReset, this.#refusal)
  }

  /** What a receiver throws is a bug, which the runtime has to know of, and no business of the socket's. */
  #run(event: () => unknown): void {
    try {
      const result = event()
      if (isPromise(result)) result.then(undefined, error => this.#raise(error))
    } catch (error) {
      this.#raise(error)
    }
  }

  #raise(error: unknown): void {
    this.#runtime.after(0, () => {
      throw error
    })
  }
}
