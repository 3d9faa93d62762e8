import { defaultWindow, SampledStat, type SampleWindow } from '../../runtime/sampled-stat.ts'

export const SECOND_MS = 1000
export const HOUR_MS = 3_600_000

/** What Kafka calls `…-rate` and `…-total`: of values summed up, or of how many there were. */
export class Meter {
  total = 0
  readonly #recent: SampledStat
  readonly #counts: boolean
  readonly #unitMs: number

  /** The rate is one per `unitMs`. */
  constructor(kind: 'sum' | 'count', unitMs: number = SECOND_MS, window: SampleWindow = defaultWindow) {
    this.#recent = new SampledStat(kind, window)
    this.#counts = kind === 'count'
    this.#unitMs = unitMs
  }

  record(value: number, now: number): void {
    this.total += this.#counts ? 1 : value
    this.#recent.record(value, now)
  }

  /** Over the window; 0 where there was nothing. */
  rate(now: number): number {
    return (this.#recent.measure(now) * this.#unitMs) / this.#recent.spanMs(now)
  }
}

/** What Kafka calls `…-avg` and `…-max`, over the window; NaN where there was nothing. */
export class Spread {
  readonly #average: SampledStat
  readonly #maximum: SampledStat

  constructor(window: SampleWindow = defaultWindow) {
    this.#average = new SampledStat('average', window)
    this.#maximum = new SampledStat('maximum', window)
  }

  record(value: number, now: number): void {
    this.#average.record(value, now)
    this.#maximum.record(value, now)
  }

  average(now: number): number {
    return this.#average.measure(now)
  }

  maximum(now: number): number {
    return this.#maximum.measure(now)
  }
}
