import { isPromise } from '../runtime/deferred.ts'
import { elapsed } from '../runtime/real.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { AnyApi, RequestToll, ResponseInput } from '../wire/api.ts'
import type { Principal } from '../wire/principal.ts'

/** `undefined`: it is not answered. */
type Handled = ResponseInput<AnyApi> | undefined

/** One kind of quota, as a node keeps account of it. */
export interface TollAccount {
  readonly isInForce: boolean
  record(sender: TollSender, amount: number, now: number): number
  takeBack(sender: TollSender, amount: number, now: number): void
  mostAtOnce(sender: TollSender): number
}

interface TollSender {
  readonly principal: Principal
  readonly clientId: string | null
}

export interface TollOptions {
  readonly runtime: Runtime
  /** Whether anybody has any quota: if not, nothing else is asked. */
  readonly isInForce: () => boolean
  /** Bytes of Produce requests, of Fetch responses; of brokers. */
  readonly produced?: TollAccount
  readonly fetched?: TollAccount
  /** Percent of a thread's time. */
  readonly requests: TollAccount
  /** A mutant, for tests: what is throttled is told so, and read all the same. */
  readonly isLenient?: boolean
}

/** What a request costs of a thread on virtual time, on which handlers take none: a millisecond, whatever it asks. */
export const VIRTUAL_REQUEST_MS = 1

/** Percent of one second in a millisecond. */
const PERCENT_OF_MS = 0.1

/** What brokers would ask is not throttled, whoever asks it (Kafka's sendResponseExemptThrottle). */
const exempt: ReadonlySet<string> = new Set(['WriteTxnMarkers'])

/**
 * What requests cost their senders while quotas are in force (KIP-13, KIP-124, KIP-219; M-31, M-32). All is answered at once,
 * with the time for which the connection is then not read. Brokers among themselves pay nothing.
 *
 * Simplification: a request costs, on real time, what its handler takes until it answers or waits (Kafka adds the time of its
 * network threads); on virtual time `VIRTUAL_REQUEST_MS`.
 */
export class Tolls {
  readonly #options: TollOptions

  constructor(options: TollOptions) {
    this.#options = options
  }

  /** `bytes`: of the request with its header. Undefined: it is free. */
  of(api: AnyApi, principal: Principal, clientId: string | null, bytes: number): Toll | undefined {
    return this.#options.isInForce() ? new Toll(api, { principal, clientId }, bytes, this.#options) : undefined
  }
}

/** What one request costs. */
export class Toll implements RequestToll {
  readonly #api: AnyApi
  readonly #sender: TollSender
  readonly #bytes: number
  readonly #options: TollOptions
  readonly #startedAt: number
  /** Milliseconds of a thread. */
  #work: number | undefined
  #isSettled = false
  #throttleMs = 0

  constructor(api: AnyApi, sender: TollSender, bytes: number, options: TollOptions) {
    this.#api = api
    this.#sender = sender
    this.#bytes = bytes
    this.#options = options
    this.#startedAt = options.runtime.time === 'real' ? elapsed() : 0
  }

  /** For how many milliseconds the connection is not read once it is answered. */
  get throttleMs(): number {
    return this.#options.isLenient ? 0 : this.#throttleMs
  }

  /** What the handler returns, as it is sent. That it waits is no work. */
  charge(answer: Handled | Promise<Handled>): Handled | Promise<Handled> {
    this.#worked()
    return isPromise(answer) ? answer.then(settled => this.#settle(settled)) : this.#settle(answer)
  }

  #worked(): number {
    this.#work ??= this.#options.runtime.time === 'real' ? elapsed() - this.#startedAt : VIRTUAL_REQUEST_MS
    return this.#work
  }

  get mostFetched(): number {
    const { fetched } = this.#options
    return fetched?.isInForce ? fetched.mostAtOnce(this.#sender) : Number.POSITIVE_INFINITY
  }

  /** F-13: what is not sent because of its size, or of its sender's other requests, is not counted. */
  fetch(bytes: number): number {
    const { runtime, fetched } = this.#options
    const now = runtime.now()
    const forWork = this.#payWork(now)
    const isCounted = fetched?.isInForce === true
    const forBytes = isCounted ? fetched.record(this.#sender, bytes, now) : 0
    this.#isSettled = true
    this.#throttleMs = Math.max(forWork, forBytes)
    if (this.#throttleMs > 0 && isCounted) fetched.takeBack(this.#sender, bytes, now)
    return this.#throttleMs
  }

  /** A controller may have asked for a longer pause than this node does (M-32). */
  #settle(answer: Handled): Handled {
    if (!this.#isSettled) this.#pay(answer === undefined)
    if (answer === undefined || !('throttleTimeMs' in answer)) return answer
    const { throttleTimeMs } = answer as { readonly throttleTimeMs: number }
    this.#throttleMs = Math.max(this.#throttleMs, throttleTimeMs)
    if (this.#throttleMs === throttleTimeMs) return answer
    return { ...(answer as object), throttleTimeMs: this.#throttleMs } as ResponseInput<AnyApi>
  }

  /** What is never answered (acks=0) costs its bytes only. */
  #pay(isUnanswered: boolean): void {
    const { runtime, produced } = this.#options
    const now = runtime.now()
    const isProduce = this.#api.name === 'Produce'
    const forBytes = isProduce && produced?.isInForce ? produced.record(this.#sender, this.#bytes, now) : 0
    this.#isSettled = true
    this.#throttleMs = Math.max(forBytes, isUnanswered ? 0 : this.#payWork(now))
  }

  #payWork(now: number): number {
    const { requests } = this.#options
    if (!requests.isInForce || exempt.has(this.#api.name)) return 0
    return requests.record(this.#sender, this.#worked() * PERCENT_OF_MS, now)
  }
}
