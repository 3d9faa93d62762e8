import type { Principal } from '../wire/principal.ts'
import type { Address, Carrier, Channel } from './channel.ts'
import { Entrance, type EntranceOptions } from './entrance.ts'
import { EXTERNAL } from './external-name.ts'
import type { FrameLimit } from './framing.ts'
import { TcpCarrier, type TcpListener } from './tcp.ts'
import type { TcpChannel } from './tcp-channel.ts'
import type { ServerTls } from './tls.ts'

export interface GatewayOptions extends EntranceOptions {
  /** Where the port is opened; port 0: a free one, kept for ever after. */
  readonly at: Address
  /** Of a frame whose sender has to say first who it is. */
  readonly firstFrameLimit?: FrameLimit | undefined
  readonly tls?: ServerTls | undefined
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
  #waiting: (() => void)[] = []
  readonly #channels = new Set<TcpChannel>()

  constructor(options: GatewayOptions) {
    const { runtime, frameLimit, firstFrameLimit = frameLimit, idleMs } = options
    this.#options = options
    this.#entrance = new Entrance(options)
    this.#port = options.at.port
    this.#tcp = new TcpCarrier({ runtime, frameLimit: firstFrameLimit, idleMs })
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
    const { at, name, tls, runtime } = this.#options
    if (this.#listener !== undefined) return
    this.#listener = this.#tcp.listen(
      name,
      { host: at.host, port: this.#port },
      {
        accept: (channel, principal) => this.#accept(channel, principal),
        tls,
        refused: (peer, reason) => {
          runtime.trace.add('connection', name, {
            what: 'refused',
            peer: `${EXTERNAL}@${peer}`,
            reason: `TLS: ${reason}`,
          })
        },
      },
    )
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
    for (const admit of this.#waiting.splice(0)) admit()
    return {
      close: () => {
        inside.close()
        this.close()
      },
    }
  }

  #accept(channel: TcpChannel, principal: Principal | undefined): void {
    this.#channels.add(channel)
    const gone = () => this.#channels.delete(channel)
    const admit = () => this.#entrance.admit(channel, this.#inside!, gone, principal)
    if (this.#inside === undefined) this.#waiting.push(admit)
    else admit()
  }
}
