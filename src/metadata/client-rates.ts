import { Recent } from '../runtime/recent.ts'
import { SampledRate } from '../runtime/sampled-rate.ts'
import type { SampleWindow } from '../runtime/sampled-stat.ts'
import type { Principal } from '../wire/principal.ts'
import type { QuotaLimits } from './quota-limits.ts'

/** Whose request it is. */
export interface Sender {
  readonly principal: Principal
  readonly clientId: string | null
}

/**
 * One node's account of one quota: how much those who share a limit have had lately, and for how long they have had too much
 * (Kafka's ClientQuotaManager; M-31). Brokers do not add up: each grants the whole limit. A limit that changes counts from
 * the next record on, with what was recorded before.
 */
export class ClientRates {
  readonly #limits: QuotaLimits
  readonly #window: SampleWindow
  readonly #longestMs: number
  readonly #rates: Recent<SampledRate>

  /** `longestMs`: nobody is throttled for longer at a time. */
  constructor(limits: QuotaLimits, window: SampleWindow, longestMs = Number.POSITIVE_INFINITY) {
    this.#limits = limits
    this.#window = window
    this.#rates = new Recent(() => new SampledRate(window))
    this.#longestMs = longestMs
  }

  /** Nothing is recorded while nobody has a quota. */
  get isInForce(): boolean {
    return this.#limits.isInForce
  }

  /** Answers for how many milliseconds the sender is throttled; what it had counts all the same. */
  record({ principal, clientId }: Sender, amount: number, now: number): number {
    const { name, limit } = this.#limits.of(principal.name, clientId)
    const rate = this.#rates.of(name, now)
    rate.record(amount, now)
    return limit === Number.POSITIVE_INFINITY ? 0 : Math.min(rate.excessMs(limit, now), this.#longestMs)
  }

  /** It did not get what was recorded. */
  takeBack({ principal, clientId }: Sender, amount: number, now: number): void {
    this.#rates.of(this.#limits.of(principal.name, clientId).name, now).record(-amount, now)
  }

  /** More at once is throttled even after a long rest. */
  mostAtOnce({ principal, clientId }: Sender): number {
    const { samples, windowMs } = this.#window
    return this.#limits.of(principal.name, clientId).limit * (samples - 1) * (windowMs / 1000)
  }
}
