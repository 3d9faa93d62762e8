import type { Runtime } from '../runtime/runtime.ts'
import type { Frame } from '../wire/frame.ts'
import type { Address, Carrier, Channel } from './channel.ts'
import { apiKeyOf, clientIdOf, EXTERNAL, externalName } from './external-name.ts'
import type { LinkNetwork } from './link.ts'
import { TcpCarrier, type TcpListener } from './tcp.ts'
import type { TcpChannel } from './tcp-channel.ts'

/** What may lie between a socket and its broker in each direction, beside the kernel's own buffers. */
const WINDOW_BYTES = 64 * 1024

export interface GatewayOptions {
  readonly runtime: Runtime
  readonly network: LinkNetwork
  /** Whose gateway it is, as errors and the trace name it. */
  readonly name: string
  /** Where the port is opened; port 0: a free one, kept for ever after. */
  readonly at: Address
  /** `socket.request.max.bytes` (W-1). */
  readonly maxFrameBytes: number
  /** `connections.max.idle.ms` (W-6). */
  readonly idleMs: number
  /** Names of nodes: no client from outside may go by one. */
  readonly isNode: (name: string) => boolean
  /** Name of an API, for rules and the trace. */
  readonly apiName: (key: number) => string
}

/**
 * The network as a broker with a port knows it: whoever connects to the port has a connection of the in-process network,
 * under a name of his own (`externalName`), and what comes from the socket travels there. So rules, delays and verbs are
 * the same for clients of other processes, and backpressure goes through in both directions.
 *
 * The port is open from `open` until the broker stops to listen. What connects before the broker listens waits.
 */
export class Gateway implements Carrier {
  readonly #options: GatewayOptions
  readonly #tcp: TcpCarrier
  #port: number
  #listener: TcpListener | undefined
  /** Where the broker listens in process, while it does. */
  #inside: Address | undefined
  #waiting: TcpChannel[] = []
  readonly #channels = new Set<TcpChannel>()

  constructor(options: GatewayOptions) {
    const { runtime, maxFrameBytes, idleMs } = options
    this.#options = options
    this.#port = options.at.port
    this.#tcp = new TcpCarrier({ runtime, maxFrameBytes, idleMs })
  }

  get port(): number {
    return this.#port
  }

  /** Sockets that are open. */
  get size(): number {
    return this.#tcp.size
  }

  /** Opens the port: the first time perhaps any, later the same. Rejects with node's error. */
  async open(): Promise<void> {
    const { at, name } = this.#options
    if (this.#listener !== undefined) return
    this.#listener = this.#tcp.listen(name, { host: at.host, port: this.#port }, channel => this.#accept(channel))
    try {
      this.#port = (await this.#listener.opened).port
    } catch (error) {
      this.#listener = undefined
      throw error
    }
  }

  /** The port is free, and what came by it is broken off. */
  close(): void {
    this.#listener?.close()
    this.#listener = undefined
    this.#inside = undefined
    this.#waiting = []
    for (const channel of this.#channels) channel.destroy()
    this.#channels.clear()
  }

  /** Resolves when every handle is gone, for ever. */
  async ended(): Promise<void> {
    await this.#tcp.close()
  }

  connect(from: string, to: Address): Promise<Channel> {
    return this.#options.network.connect(from, to)
  }

  listen(name: string, at: Address, accept: (channel: Channel) => void): { close(): void } {
    const inside = this.#options.network.listen(name, at, accept)
    this.#inside = at
    for (const channel of this.#waiting.splice(0)) this.#admit(channel, at)
    return {
      close: () => {
        inside.close()
        this.close()
      },
    }
  }

  #accept(channel: TcpChannel): void {
    this.#channels.add(channel)
    if (this.#inside === undefined) this.#waiting.push(channel)
    else this.#admit(channel, this.#inside)
  }

  /** The first request says who it is; until then the socket has no connection inside. */
  #admit(socket: TcpChannel, inside: Address): void {
    const { network, apiName, isNode } = this.#options
    let link: Channel | undefined
    let name = `${EXTERNAL}@${socket.peer}`
    const forward = (to: Channel, frame: Frame) => {
      to.send(frame, { kind: 'request', api: apiName(apiKeyOf(frame)) })
      if (to.isFull) socket.pause()
    }
    socket.receive({
      onFrame: frame => {
        if (link !== undefined) {
          forward(link, frame)
          return
        }
        socket.pause()
        name = externalName(clientIdOf(frame), socket.peer, isNode)
        network.connect(name, inside, WINDOW_BYTES).then(
          connected => {
            link = connected
            if (socket.isClosed) {
              connected.close('the client has gone')
              return
            }
            this.#join(socket, connected)
            forward(connected, frame)
            if (!connected.isFull) socket.resume()
          },
          () => socket.reset(),
        )
      },
      onClose: reason => {
        this.#channels.delete(socket)
        this.#traceClose(name, reason)
        link?.close(reason)
      },
      onDrain: () => link?.resume(),
    })
  }

  #join(socket: TcpChannel, link: Channel): void {
    link.receive({
      onFrame: frame => {
        socket.send(frame)
        if (socket.isFull) link.pause()
      },
      onClose: (reason, isReset = false) => {
        this.#channels.delete(socket)
        if (isReset) socket.reset()
        else socket.close(reason)
      },
      onDrain: () => socket.resume(),
    })
  }

  #traceClose(peer: string, reason: string): void {
    const { runtime, name } = this.#options
    runtime.trace.add('connection', name, { what: 'closed', peer, reason })
  }
}
