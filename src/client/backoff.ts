import type { Runtime } from '../runtime/runtime.ts'

/** Thousandths by which a delay may differ from its value, either way (KIP-580). */
const JITTER = 200

/**
 * How long to wait before the next attempt (C-36; Kafka's ExponentialBackoff): doubled each time, 20 % more or less as
 * the dice say, then cut at the maximum. An initial delay above the maximum means the maximum, always (C-7).
 */
export class Backoff {
  readonly #runtime: Runtime
  readonly #name: string
  readonly #initialMs: number
  readonly #maxMs: number

  constructor(runtime: Runtime, name: string, initialMs: number, maxMs: number) {
    this.#runtime = runtime
    this.#name = name
    this.#initialMs = Math.min(initialMs, maxMs)
    this.#maxMs = maxMs
  }

  /** In milliseconds; `failures` in a row so far, 1 for the first. */
  delay(failures: number): number {
    if (this.#initialMs === 0) return 0
    const plain = Math.min(this.#initialMs * 2 ** Math.min(failures - 1, 30), 2 ** 31)
    const factor = 1000 - JITTER + this.#runtime.choose(this.#name, 2 * JITTER + 1)
    return Math.min(this.#maxMs, Math.round((plain * factor) / 1000))
  }
}
