import type { Address, Carrier } from '../network/channel.ts'
import { ConnectionError } from '../network/channel.ts'
import { Connection, type Outcome } from '../network/connection.ts'
import type { AnyApi, RequestInput } from '../wire/api.ts'
import type { Life } from './life.ts'

export interface PeerLinkOptions {
  readonly life: Life
  readonly carrier: Carrier
  /** Who connects. */
  readonly name: string
  /** Where to; undefined while nobody knows. */
  readonly address: () => Address | undefined
}

/** A node's connection to another one for one purpose: made when it is needed, made again when it was lost. */
export class PeerLink {
  readonly #options: PeerLinkOptions
  #connection: Connection | undefined
  #connecting: Promise<void> | undefined
  /** Counts what was closed, so that a connection made for an older wish is not used. */
  #generation = 0

  constructor(options: PeerLinkOptions) {
    this.#options = options
  }

  /** With the newest version, which all nodes of a cluster have. */
  send<A extends AnyApi>(api: A, body: RequestInput<A>, timeoutMs: number, outcome: Outcome<A>): void {
    const open = this.#connection
    if (open !== undefined && !open.isClosed) {
      open.send(api, api.versions.max, body, timeoutMs, outcome)
      return
    }
    this.#connecting ??= this.#connect()
    this.#connecting.then(
      () => this.#connection?.send(api, api.versions.max, body, timeoutMs, outcome),
      error => outcome.onLost(error),
    )
  }

  /** What is in flight is lost; the next request makes a new connection. */
  close(reason: string): void {
    this.#generation++
    this.#connecting = undefined
    const open = this.#connection
    this.#connection = undefined
    open?.close(reason)
  }

  async #connect(): Promise<void> {
    const { life, carrier, name, address } = this.#options
    const generation = this.#generation
    try {
      const to = address()
      if (to === undefined) throw new ConnectionError(`${name} does not know where to connect`)
      const channel = await carrier.connect(name, to)
      if (generation !== this.#generation) {
        channel.close('no longer wanted')
        throw new ConnectionError(`${name} gave the connection up`)
      }
      this.#connection = new Connection(channel, { runtime: life, clientId: name, housekeeping: true })
    } finally {
      if (generation === this.#generation) this.#connecting = undefined
    }
  }
}
