import { type Address, addressText, type Carrier, type Channel, ConnectionError } from '../network/channel.ts'
import { Connection, type Outcome, RequestTimeoutError } from '../network/connection.ts'
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

/** A request that waits for the connection. */
interface Waiting {
  send(connection: Connection): void
  lose(error: Error): void
}

/** A node's connection to another one for one purpose: made when it is needed, made again when it was lost. */
export class PeerLink {
  readonly #options: PeerLinkOptions
  readonly #waiting = new Set<Waiting>()
  #connection: Connection | undefined
  #connecting = false
  /** Counts what was closed, so that a connection made for an older wish is not used. */
  #generation = 0

  constructor(options: PeerLinkOptions) {
    this.#options = options
  }

  /** With the newest version, which all nodes of a cluster have. The timeout covers the making of the connection, too. */
  send<A extends AnyApi>(
    api: A,
    body: RequestInput<A>,
    timeoutMs: number,
    outcome: Outcome<A>,
    what: string = api.name,
  ): void {
    const open = this.#connection
    if (open !== undefined && !open.isClosed) {
      open.send(api, api.versions.max, body, timeoutMs, outcome, what)
      return
    }
    const { life, name } = this.#options
    const late = () => {
      this.#waiting.delete(waiting)
      outcome.onLost(new RequestTimeoutError(`${name} could not send ${what}: no connection within ${timeoutMs} ms`))
    }
    const timer = life.after(timeoutMs, late, { idle: true })
    const waiting: Waiting = {
      send: connection => {
        timer.cancel()
        connection.send(api, api.versions.max, body, timeoutMs, outcome, what)
      },
      lose: error => {
        timer.cancel()
        outcome.onLost(error)
      },
    }
    this.#waiting.add(waiting)
    if (!this.#connecting) this.#connect()
  }

  /** What is in flight is lost; the next request makes a new connection. */
  close(reason: string): void {
    this.#generation++
    this.#connecting = false
    const open = this.#connection
    this.#connection = undefined
    open?.close(reason)
    this.#lose(new ConnectionError(`${this.#options.name} gave the connection up: ${reason}`))
  }

  #connect(): void {
    const { life, carrier, name, address } = this.#options
    const generation = this.#generation
    const to = address()
    this.#connecting = true
    if (to === undefined) {
      life.after(0, () => this.#failed(generation, new ConnectionError(`${name} does not know where to connect`)))
      return
    }
    carrier.connect(name, to).then(
      channel => this.#connected(generation, channel, to),
      error => this.#failed(generation, error as Error),
    )
  }

  #connected(generation: number, channel: Channel, to: Address): void {
    if (generation !== this.#generation) {
      channel.close(`the connection to ${addressText(to)} is no longer wanted`)
      return
    }
    const { life, name } = this.#options
    const connection = new Connection(channel, { runtime: life, clientId: name, housekeeping: true })
    this.#connecting = false
    this.#connection = connection
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const each of waiting) each.send(connection)
  }

  #failed(generation: number, error: Error): void {
    if (generation !== this.#generation) return
    this.#connecting = false
    this.#lose(error)
  }

  #lose(error: Error): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const each of waiting) each.lose(error)
  }
}
