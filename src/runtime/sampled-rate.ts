import { SampledStat, type SampleWindow } from './sampled-stat.ts'

/**
 * How much per second, over the recent past, and for how long that is too much (Kafka's Rate and QuotaUtils; M-31). The rate
 * counts as if all windows but the last had passed in full, so that a fresh one may spend what they allow at once.
 */
export class SampledRate {
  readonly #sum: SampledStat
  readonly #isFull: boolean
  /** When something was last recorded: whoever keeps many forgets those that nobody uses. */
  usedAt = 0

  /** `elapsed`: only the time since the oldest sample counts, one window at least (Kafka's SimpleRate). */
  constructor(window: SampleWindow, span: 'full' | 'elapsed' = 'full') {
    this.#sum = new SampledStat('sum', window)
    this.#isFull = span === 'full'
  }

  /** A negative amount takes back what was recorded. */
  record(amount: number, now: number): void {
    this.usedAt = now
    this.#sum.record(amount, now)
  }

  /** Per second. */
  measure(now: number): number {
    const sum = this.#sum.measure(now)
    return sum / (this.#spanMs(now) / 1000)
  }

  /** Milliseconds without anything recorded until the rate has come down to the limit (above 0); 0 if it is within. */
  excessMs(limit: number, now: number): number {
    const rate = this.measure(now)
    if (rate <= limit) return 0
    return Math.round(((rate - limit) / limit) * this.#spanMs(now))
  }

  #spanMs(now: number): number {
    return this.#isFull ? this.#sum.spanMs(now) : this.#sum.elapsedMs(now)
  }
}
