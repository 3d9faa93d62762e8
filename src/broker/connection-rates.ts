import type { BrokerConfigs } from '../metadata/broker-configs.ts'
import type { ClientQuotas } from '../metadata/client-quotas.ts'
import type { Channel } from '../network/channel.ts'
import { Recent } from '../runtime/recent.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { SampledRate } from '../runtime/sampled-rate.ts'
import type { SampleWindow } from '../runtime/sampled-stat.ts'

const KEY = 'connection_creation_rate'
const MAX_INT = 0x7fffffff

export interface ConnectionRatesOptions {
  readonly runtime: Runtime
  /** In the trace. */
  readonly name: string
  readonly quotas: ClientQuotas
  readonly config: () => Pick<
    BrokerConfigs,
    'quota.window.num' | 'quota.window.size.seconds' | 'max.connection.creation.rate'
  >
  /** By which brokers reach each other. Where it is not the only one, the broker's own limit spares it. */
  readonly innerListener: string | undefined
  /** Brokers' connections are not limited. */
  readonly isPeer: (name: string) => boolean
}

interface LimitedListener {
  readonly name: string
  /** Connections per second; left out: as many as come. */
  readonly maxConnectionCreationRate?: number | undefined
}

/** A listener's acceptor: while it waits, those that come wait behind it. */
interface Acceptor {
  readonly waiting: { readonly channel: Channel; readonly accept: () => void }[]
  isWaiting: boolean
}

/**
 * How many connections may be made per second (KIP-612; Kafka's ConnectionQuotas): at a broker as a whole
 * (`max.connection.creation.rate`) and at a listener, beyond which they are accepted later, at most by a window at a time;
 * and from one address (`connection_creation_rate` of an `ip`), beyond which a connection is accepted, and closed after a
 * while without an answer.
 */
export class ConnectionRates {
  readonly #options: ConnectionRatesOptions
  readonly #addresses = new Recent(() => new SampledRate(this.#window))
  readonly #acceptors = new Map<string, Acceptor>()
  readonly #listeners = new Recent(() => new SampledRate(this.#window))
  #all: SampledRate | undefined

  constructor(options: ConnectionRatesOptions) {
    this.#options = options
  }

  /** Accepts it at once, later, or never. */
  admit(channel: Channel, listener: LimitedListener, accept: () => void): void {
    const { quotas, config, isPeer } = this.#options
    const isUnlimited =
      listener.maxConnectionCreationRate === undefined && config()['max.connection.creation.rate'] === MAX_INT
    const isFree = isUnlimited && quotas.size === 0 && this.#acceptors.size === 0
    if (isFree || isPeer(channel.peer)) {
      accept()
      return
    }
    let acceptor = this.#acceptors.get(listener.name)
    if (acceptor === undefined) {
      acceptor = { waiting: [], isWaiting: false }
      this.#acceptors.set(listener.name, acceptor)
    }
    acceptor.waiting.push({ channel, accept })
    if (!acceptor.isWaiting) this.#work(acceptor, listener)
  }

  #work(acceptor: Acceptor, listener: LimitedListener): void {
    const { runtime } = this.#options
    for (;;) {
      const next = acceptor.waiting.shift()
      if (next === undefined) {
        this.#acceptors.delete(listener.name)
        return
      }
      const ms = this.#waitMs(listener)
      if (ms > 0) {
        acceptor.isWaiting = true
        this.#trace(next.channel, ms)
        runtime.after(ms, () => {
          acceptor.isWaiting = false
          this.#admit(next.channel, next.accept)
          this.#work(acceptor, listener)
        })
        return
      }
      this.#admit(next.channel, next.accept)
    }
  }

  /** Of the broker as a whole, and of the listener: the longer one. */
  #waitMs({ name, maxConnectionCreationRate }: LimitedListener): number {
    const { runtime, config, innerListener } = this.#options
    const now = runtime.now()
    let ms = 0
    const limit = config()['max.connection.creation.rate']
    if (limit !== MAX_INT && name !== innerListener) {
      this.#all ??= new SampledRate(this.#window)
      ms = this.#record(this.#all, limit, now)
    }
    if (maxConnectionCreationRate === undefined) return ms
    return Math.max(ms, this.#record(this.#listeners.of(name, now), maxConnectionCreationRate, now))
  }

  /** Of one address. Those that are turned away do not count. */
  #admit(channel: Channel, accept: () => void): void {
    const { runtime } = this.#options
    const host = channel.caller?.host ?? '127.0.0.1'
    const limit = this.#limitOf(host)
    if (limit === undefined) {
      accept()
      return
    }
    const now = runtime.now()
    const rate = this.#addresses.of(host, now)
    const ms = this.#record(rate, limit, now)
    if (ms === 0) {
      accept()
      return
    }
    rate.record(-1, now)
    this.#trace(channel, ms)
    runtime.after(ms, () => channel.close(`too many connections from ${host}`))
  }

  #record(rate: SampledRate, limit: number, now: number): number {
    rate.record(1, now)
    // A limit of 0, which only the broker as a whole can have, is Kafka's division by zero: as long as can be.
    return Math.min(limit === 0 ? Number.POSITIVE_INFINITY : rate.excessMs(limit, now), this.#window.windowMs)
  }

  #limitOf(host: string): number | undefined {
    const { quotas } = this.#options
    if (quotas.size === 0) return undefined
    const own = quotas.of(new Map([['ip', host]])) ?? (host === '127.0.0.1' ? quotas.of(localhost) : undefined)
    return own?.get(KEY) ?? quotas.of(anyAddress)?.get(KEY)
  }

  get #window(): SampleWindow {
    const config = this.#options.config()
    return { samples: config['quota.window.num'], windowMs: config['quota.window.size.seconds'] * 1000 }
  }

  #trace(channel: Channel, ms: number): void {
    const { runtime, name } = this.#options
    runtime.trace.add('connection', name, { what: 'throttled', peer: channel.peer, ms })
  }
}

const anyAddress = new Map([['ip', null]])
const localhost = new Map([['ip', 'localhost']])
