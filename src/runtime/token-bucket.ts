import type { SampleWindow } from './sampled-stat.ts'

/**
 * Tokens that come in at a steady rate, up to what all windows together bring (Kafka's TokenBucket; KIP-599). Whoever finds
 * any left may take more than there are; until that is paid back nobody may take one. Full at first.
 */
export class TokenBucket {
  readonly #burstSeconds: number
  #tokens = Number.POSITIVE_INFINITY
  #filledAt = 0
  /** When somebody last took tokens. */
  usedAt = 0

  constructor({ samples, windowMs }: SampleWindow) {
    this.#burstSeconds = (samples * windowMs) / 1000
  }

  /** `rate`: tokens per second. Negative: as many are owed. */
  tokens(rate: number, now: number): number {
    this.#refill(rate, now)
    return this.#tokens
  }

  /** May leave a debt. */
  take(count: number, rate: number, now: number): void {
    this.usedAt = now
    this.#refill(rate, now)
    this.#tokens -= count
  }

  /** Milliseconds until the debt is paid back; 0 without one. */
  debtMs(rate: number, now: number): number {
    const tokens = this.tokens(rate, now)
    return tokens < 0 ? Math.round((-tokens / rate) * 1000) : 0
  }

  #refill(rate: number, now: number): void {
    const arrived = (rate * (now - this.#filledAt)) / 1000
    this.#tokens = Math.min(rate * this.#burstSeconds, this.#tokens + arrived)
    this.#filledAt = now
  }
}
