import type { Runtime } from '../../runtime/runtime.ts'
import type { OAuthToken } from './oauth-bearer.ts'

export interface RefreshTimes {
  readonly windowFactor: number
  readonly windowJitter: number
  readonly minPeriodMs: number
  readonly bufferMs: number
}

/** Draws of chance have this many outcomes. */
const CHANCES = 1000

/**
 * One token for all connections of a client, until it is time for another: after the part of its life that
 * `sasl.login.refresh.*` says (Kafka's ExpiringCredentialRefreshConfig). It is asked for when the next connection needs it.
 */
export class TokenCache {
  readonly #runtime: Runtime
  readonly #provide: () => OAuthToken | Promise<OAuthToken>
  readonly #times: RefreshTimes
  #token: Promise<OAuthToken> | undefined
  #refreshAt = Number.NEGATIVE_INFINITY

  constructor(runtime: Runtime, provide: () => OAuthToken | Promise<OAuthToken>, times: RefreshTimes) {
    this.#runtime = runtime
    this.#provide = provide
    this.#times = times
  }

  /** Rejects with what the provider throws; then it is asked again the next time. */
  token(): Promise<OAuthToken> {
    if (this.#token === undefined || this.#runtime.now() >= this.#refreshAt) {
      this.#refreshAt = Number.POSITIVE_INFINITY
      this.#token = this.#fetch()
    }
    return this.#token
  }

  async #fetch(): Promise<OAuthToken> {
    try {
      const token = await this.#provide()
      this.#refreshAt = this.#refreshTime(token.lifetimeMs)
      return token
    } catch (error) {
      this.#refreshAt = Number.NEGATIVE_INFINITY
      throw error
    }
  }

  #refreshTime(lifetimeMs: number | undefined): number {
    const now = this.#runtime.now()
    if (lifetimeMs === undefined) return now
    const { windowFactor, windowJitter, minPeriodMs, bufferMs } = this.#times
    const jitter = (windowJitter * this.#runtime.choose('client.token-refresh', CHANCES)) / CHANCES
    const wanted = lifetimeMs * Math.min(windowFactor + jitter, 1)
    // Where buffer and minimum do not both fit into its life, neither counts.
    if (minPeriodMs + bufferMs > lifetimeMs) return now + wanted
    return now + Math.min(Math.max(wanted, minPeriodMs), lifetimeMs - bufferMs)
  }
}
