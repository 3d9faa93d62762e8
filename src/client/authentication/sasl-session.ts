import type { Runtime } from '../../runtime/runtime.ts'
import type { SaslAuthentication, SaslChannel } from './sasl-authentication.ts'

/** The part of a session's life after which its client authenticates again: from 85 % on, by chance up to 95 % (KIP-368). */
const EARLIEST = 0.85
const SPREAD = 0.1
const CHANCES = 1000

interface Held {
  run(): void
  fail(error: Error): void
}

/**
 * That a connection is authenticated, as long as its broker takes it for that (M-64; KIP-368). When most of that time is over,
 * the next request waits until the client has authenticated again; requests that are under way go on.
 */
export class SaslSession {
  readonly #authentication: SaslAuthentication
  readonly #channel: SaslChannel
  readonly #runtime: Runtime
  readonly #failed: (error: Error) => void
  #again = Number.POSITIVE_INFINITY
  #held: Held[] | undefined

  /** `failed` is told when the broker did not take it again. */
  constructor(
    authentication: SaslAuthentication,
    channel: SaslChannel,
    runtime: Runtime,
    failed: (error: Error) => void,
  ) {
    this.#authentication = authentication
    this.#channel = channel
    this.#runtime = runtime
    this.#failed = failed
  }

  async begin(): Promise<void> {
    const lifetimeMs = await this.#authentication.authenticate(this.#channel)
    if (lifetimeMs <= 0) {
      this.#again = Number.POSITIVE_INFINITY
      return
    }
    const part = EARLIEST + (SPREAD * this.#runtime.choose('client.reauthentication', CHANCES)) / CHANCES
    this.#again = this.#runtime.now() + lifetimeMs * part
  }

  /** Whether it keeps a request until it has authenticated again: then `run` is called, or `fail`. */
  holds(run: () => void, fail: (error: Error) => void): boolean {
    if (this.#held !== undefined) {
      this.#held.push({ run, fail })
      return true
    }
    if (this.#runtime.now() < this.#again) return false
    const held: Held[] = [{ run, fail }]
    this.#held = held
    this.begin().then(
      () => {
        this.#held = undefined
        for (const each of held) each.run()
      },
      error => {
        for (const each of held) each.fail(error)
        this.#failed(error)
      },
    )
    return true
  }
}
