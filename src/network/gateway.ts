import type { Address, Carrier, Channel } from './channel.ts'
import { Entrance, type EntranceOptions } from './entrance.ts'
import { TcpCarrier, type TcpListener } from './tcp.ts'
import type { TcpChannel } from './tcp-channel.ts'

export interface GatewayOptions extends EntranceOptions {
  /** Where the port is opened; port 0: a free one, kept for ever after. */
  readonly at: Address
  /** `socket.request.max.bytes` (W-1). */
  readonly maxFrameBytes: number
  /** `connections.max.idle.ms` (W-6). */
  readonly idleMs: number
}

/**
 * The network as a broker with a port knows it: whoever connects to the port has a connection of the in-process network
 * (`Entrance`).
 *
 * The port is open from `open` until the broker stops to listen. What connects before the broker listens waits.
 */
export class Gateway implements Carrier {
  readonly #options: GatewayOptions
  readonly #entrance: Entrance
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
    this.#entrance = new Entrance(options)
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

  #admit(channel: TcpChannel, inside: Address): void {
    this.#entrance.admit(channel, inside, () => this.#channels.delete(channel))
  }
}
