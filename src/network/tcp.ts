import { createServer, connect as openSocket, type Server, type Socket } from 'node:net'
import type { Deferred, Runtime } from '../runtime/runtime.ts'
import type { Principal } from '../wire/principal.ts'
import { type Address, addressText, type Carrier, ConnectionError } from './channel.ts'
import { frameMemory } from './frame-memory.ts'
import { type FrameLimit, Framing } from './framing.ts'
import { Intake, readThrough } from './intake.ts'
import { TcpChannel } from './tcp-channel.ts'
import { type ServerTls, type TlsSettings, tlsRefusal, tlsServer, tlsSocket } from './tls.ts'

/** Kafka's default for `socket.request.max.bytes`; what a client takes at most, too. */
const MAX_FRAME_BYTES = 100 * 1024 * 1024
/** Connections that the kernel keeps until they are accepted: a thousand clients may come in one moment. */
const BACKLOG = 1024

export interface TcpOptions {
  readonly runtime: Runtime
  /** Default: that of `socket.request.max.bytes`, 100 MiB. */
  readonly frameLimit?: number | FrameLimit
  /** Milliseconds of silence after which a connection is closed (W-6). Default: never. */
  readonly idleMs?: number
  /** Of the connections that are made here. Default: none, bytes travel as they are. */
  readonly tls?: TlsSettings | undefined
}

/** How a port takes its connections. */
export interface TcpListening {
  readonly accept: (channel: TcpChannel, principal: Principal | undefined) => void
  /** Undefined: bytes travel as they are. */
  readonly tls?: ServerTls | undefined
  /** Told of a client with which there was no agreement, and why. */
  readonly refused?: (peer: string, reason: string) => void
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
  readonly #frameLimit: number | FrameLimit
  readonly #idleMs: number | undefined
  readonly #tls: TlsSettings | undefined
  readonly #sockets = new Map<Socket, TcpChannel | undefined>()
  readonly #servers = new Set<Server>()
  #closed = false
  #gone: Deferred<void> | undefined

  constructor({ runtime, frameLimit = MAX_FRAME_BYTES, idleMs, tls }: TcpOptions) {
    this.#runtime = runtime
    this.#frameLimit = frameLimit
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
    const intake = new Intake(new Framing(this.#frameLimit))
    const { onread } = intake
    const socket = openSocket({ host, port, noDelay: true, keepAlive: true, allowHalfOpen: true, onread })
    socket.pause()
    return { socket, ready: 'connect', intake }
  }

  listen(name: string, at: Address, listening: TcpListening | TcpListening['accept']): TcpListener {
    const opened = this.#runtime.deferred<Address>()
    const server = this.#server(typeof listening === 'function' ? { accept: listening } : listening)
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

  #server({ accept, tls, refused }: TcpListening): Server {
    const admit = (channel: TcpChannel, principal?: Principal) => {
      if (server.listening) accept(channel, principal)
      else channel.destroy()
    }
    const server: Server =
      tls === undefined
        ? createServer({ noDelay: true, keepAlive: true, allowHalfOpen: true, pauseOnConnect: true }, accepted => {
            const peer = peerOf(accepted)
            const intake = new Intake(new Framing(this.#frameLimit, frameMemory))
            admit(this.#channel(readThrough(intake, accepted), intake, peer))
          })
        : tlsServer(
            tls,
            (socket, principal) => admit(this.#channel(socket, undefined, peerOf(socket)), principal),
            (socket, reason) => refused?.(peerOf(socket), reason),
            this.#idleMs,
          )
    if (tls !== undefined) server.on('connection', socket => this.#shakesHands(socket))
    return server
  }

  /** Not a channel yet, and to be ended all the same. */
  #shakesHands(socket: Socket): void {
    this.#sockets.set(socket, undefined)
    socket.once('close', () => this.#forget(socket))
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
      frameLimit: this.#frameLimit,
      idleMs: this.#idleMs,
      gone: () => this.#forget(socket),
    })
    this.#sockets.set(socket, channel)
    return channel
  }
}

/** A client that was gone before it was accepted has no address any more. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return addressText({ host: remoteAddress ?? 'unknown', port: remotePort ?? 0 })
}

/** Node joins the attempts at all addresses of a name in one error whose own text is empty. */
function reasonOf(error: Error): string {
  const { errors } = error as AggregateError
  return Array.isArray(errors) ? errors.map(each => (each as Error).message).join('; ') : error.message
}
