import { createServer, connect as openSocket, type Server, type Socket } from 'node:net'
import type { Deferred, Runtime } from '../runtime/runtime.ts'
import { type Address, addressText, type Carrier, ConnectionError } from './channel.ts'
import { frameMemory } from './frame-memory.ts'
import { Framing } from './framing.ts'
import { Intake, readThrough } from './intake.ts'
import { TcpChannel } from './tcp-channel.ts'
import { type TlsSettings, tlsRefusal, tlsSocket } from './tls.ts'

/** Kafka's default for `socket.request.max.bytes`; what a client takes at most, too. */
const MAX_FRAME_BYTES = 100 * 1024 * 1024
/** Connections that the kernel keeps until they are accepted: a thousand clients may come in one moment. */
const BACKLOG = 1024

export interface TcpOptions {
  readonly runtime: Runtime
  /** Default: `socket.request.max.bytes`' own, 100 MiB. */
  readonly maxFrameBytes?: number
  /** Milliseconds of silence after which a connection is closed (W-6). Default: never. */
  readonly idleMs?: number
  /** Of the connections that are made here. Default: none, bytes travel as they are. */
  readonly tls?: TlsSettings | undefined
}

/** Where somebody listens on this machine. */
export interface TcpListener {
  /** Resolves with the address once it listens: of port 0 a free one. Rejects with why it cannot. */
  readonly opened: Promise<Address>
  /** Accepts no more, and frees the port at once. What was accepted stays. */
  close(): void
}

/** Connections over TCP: on this machine, or to another one. For real time only. */
export class TcpCarrier implements Carrier {
  readonly #runtime: Runtime
  readonly #maxFrameBytes: number
  readonly #idleMs: number | undefined
  readonly #tls: TlsSettings | undefined
  readonly #sockets = new Map<Socket, TcpChannel | undefined>()
  readonly #servers = new Set<Server>()
  #closed = false
  #gone: Deferred<void> | undefined

  constructor({ runtime, maxFrameBytes = MAX_FRAME_BYTES, idleMs, tls }: TcpOptions) {
    this.#runtime = runtime
    this.#maxFrameBytes = maxFrameBytes
    this.#idleMs = idleMs
    this.#tls = tls
  }

  /** Open sockets, of both kinds. */
  get size(): number {
    return this.#sockets.size
  }

  /** Rejects with a ConnectionError that says why: refused, unreachable, no such host; or an SslAuthenticationError. */
  connect(from: string, to: Address): Promise<TcpChannel> {
    const connected: Deferred<TcpChannel> = this.#runtime.deferred<TcpChannel>()
    const where = addressText(to)
    if (this.#closed) {
      connected.reject(new ConnectionError(`${from} does not connect to ${where}: it was closed`))
      return connected.promise
    }
    const { socket, ready, intake } = this.#open(to)
    this.#sockets.set(socket, undefined)
    const failed = (why: string, refusal?: Error) => {
      this.#forget(socket)
      socket.destroy()
      connected.reject(refusal ?? new ConnectionError(`${from} could not connect to ${where}: ${why}`))
    }
    const onError = (error: Error) => failed(reasonOf(error), this.#tls && tlsRefusal(error, where))
    const onClose = () => failed('it was closed')
    socket.once('error', onError)
    socket.once('close', onClose)
    socket.once(ready, () => {
      socket.off('close', onClose)
      connected.resolve(this.#channel(socket, intake, where))
      socket.off('error', onError)
    })
    return connected.promise
  }

  /** With the event that says that bytes may be sent, and what reads it, unless TLS does. */
  #open(to: Address): { socket: Socket; ready: 'connect' | 'secureConnect'; intake?: Intake } {
    if (this.#tls !== undefined) return { socket: tlsSocket(to, this.#tls), ready: 'secureConnect' }
    const { host, port } = to
    const intake = new Intake(new Framing(this.#maxFrameBytes))
    const { onread } = intake
    const socket = openSocket({ host, port, noDelay: true, keepAlive: true, allowHalfOpen: true, onread })
    socket.pause()
    return { socket, ready: 'connect', intake }
  }

  listen(name: string, at: Address, accept: (channel: TcpChannel) => void): TcpListener {
    const opened = this.#runtime.deferred<Address>()
    const server = createServer(
      { noDelay: true, keepAlive: true, allowHalfOpen: true, pauseOnConnect: true },
      accepted => {
        // A client that was gone before it was accepted has no address any more.
        const { remoteAddress, remotePort } = accepted
        const peer = addressText({ host: remoteAddress ?? 'unknown', port: remotePort ?? 0 })
        const intake = new Intake(new Framing(this.#maxFrameBytes, frameMemory))
        const channel = this.#channel(readThrough(intake, accepted), intake, peer)
        if (server.listening) accept(channel)
        else channel.destroy()
      },
    )
    const close = () => {
      server.close()
      opened.reject(new ConnectionError(`${name} does not listen any more`))
    }
    server.on('error', error => {
      opened.reject(error)
      close()
    })
    server.on('close', () => {
      this.#servers.delete(server)
      this.#settle()
    })
    this.#servers.add(server)
    server.listen({ host: at.host, port: at.port, backlog: BACKLOG }, () => {
      const bound = server.address()
      opened.resolve({ host: at.host, port: bound !== null && typeof bound === 'object' ? bound.port : at.port })
    })
    return { opened: opened.promise, close }
  }

  /** Ends everything that was made here; resolves when no handle is left, at most a second later (see `TcpChannel.close`). */
  async close(): Promise<void> {
    this.#closed = true
    for (const server of this.#servers) server.close()
    for (const [socket, channel] of [...this.#sockets]) {
      if (channel === undefined) socket.destroy()
      else channel.close('closed')
    }
    this.#gone ??= this.#runtime.deferred()
    this.#settle()
    await this.#gone.promise
    // Node says that a server has closed before its handle has: that is gone at the end of the next turn.
    for (let turn = 0; turn < 2; turn++) await this.#runtime.sleep(0)
  }

  #forget(socket: Socket): void {
    this.#sockets.delete(socket)
    this.#settle()
  }

  #settle(): void {
    if (this.#sockets.size === 0 && this.#servers.size === 0) this.#gone?.resolve()
  }

  #channel(socket: Socket, intake: Intake | undefined, peer: string): TcpChannel {
    const channel = new TcpChannel({
      runtime: this.#runtime,
      socket,
      ...(intake === undefined ? {} : { intake }),
      peer,
      maxFrameBytes: this.#maxFrameBytes,
      idleMs: this.#idleMs,
      gone: () => this.#forget(socket),
    })
    this.#sockets.set(socket, channel)
    return channel
  }
}

/** Node joins the attempts at all addresses of a name in one error whose own text is empty. */
function reasonOf(error: Error): string {
  const { errors } = error as AggregateError
  return Array.isArray(errors) ? errors.map(each => (each as Error).message).join('; ') : error.message
}
