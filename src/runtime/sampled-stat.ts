/** `metrics.num.samples` and `metrics.sample.window.ms`: a minute, of which half is forgotten at a time. */
export interface SampleWindow {
  readonly samples: number
  readonly windowMs: number
}

export const defaultWindow: SampleWindow = { samples: 2, windowMs: 30_000 }

export type SampledKind = 'sum' | 'count' | 'average' | 'maximum' | 'minimum'

interface Sample {
  startedAt: number
  lastAt: number
  events: number
  value: number
}

const initial: Readonly<Record<SampledKind, number>> = {
  sum: 0,
  count: 0,
  average: 0,
  maximum: Number.NEGATIVE_INFINITY,
  minimum: Number.POSITIVE_INFINITY,
}

/**
 * A value over the recent past (Kafka's SampledStat with Avg, Max, Min, WindowedSum, WindowedCount): kept in samples of one
 * window each, a ring of one more than are configured; one that got nothing for the time of all windows is emptied. Sums and
 * counts of nothing are 0, averages and extremes NaN. Times are milliseconds since the epoch.
 */
export class SampledStat {
  readonly #kind: SampledKind
  readonly #window: SampleWindow
  readonly #ring: Sample[] = []
  #current = 0

  constructor(kind: SampledKind, window: SampleWindow = defaultWindow) {
    this.#kind = kind
    this.#window = window
  }

  record(value: number, now: number): void {
    const sample = this.#sample(now)
    if (this.#kind === 'sum' || this.#kind === 'average') sample.value += value
    else if (this.#kind === 'count') sample.value += 1
    else if (this.#kind === 'maximum') sample.value = Math.max(sample.value, value)
    else sample.value = Math.min(sample.value, value)
    sample.events++
    sample.lastAt = now
  }

  measure(now: number): number {
    this.#forget(now)
    const events = this.#ring.reduce((sum, sample) => sum + sample.events, 0)
    const values = this.#ring.filter(sample => sample.events > 0).map(({ value }) => value)
    if (this.#kind === 'maximum') return events === 0 ? Number.NaN : Math.max(...values)
    if (this.#kind === 'minimum') return events === 0 ? Number.NaN : Math.min(...values)
    const sum = values.reduce((total, value) => total + value, 0)
    if (this.#kind !== 'average') return sum
    return events === 0 ? Number.NaN : sum / events
  }

  /**
   * Over how many milliseconds a rate is taken: since the oldest sample began, but as if all windows but the last had
   * passed in full, for a rate after one second says nothing (Kafka's Rate.windowSize).
   */
  spanMs(now: number): number {
    const { samples, windowMs } = this.#window
    const elapsed = this.#age(now)
    const missing = samples - 1 - Math.floor(elapsed / windowMs)
    return Math.max(1, elapsed + Math.max(0, missing) * windowMs)
  }

  /** The same as it is, but one window at least (Kafka's SimpleRate). */
  elapsedMs(now: number): number {
    return Math.max(this.#age(now), this.#window.windowMs)
  }

  /** Of the oldest sample. */
  #age(now: number): number {
    this.#forget(now)
    if (this.#ring.length === 0) this.#ring.push(this.#fresh(now))
    return now - Math.min(...this.#ring.map(({ startedAt }) => startedAt))
  }

  #sample(now: number): Sample {
    if (this.#ring.length === 0) this.#ring.push(this.#fresh(now))
    const sample = this.#ring[this.#current]!
    if (now - sample.startedAt < this.#window.windowMs) return sample
    this.#current = (this.#current + 1) % (this.#window.samples + 1)
    const next = this.#ring[this.#current]
    if (next === undefined) this.#ring.push(this.#fresh(now))
    else Object.assign(next, this.#fresh(now))
    return this.#ring[this.#current]!
  }

  #forget(now: number): void {
    const { samples, windowMs } = this.#window
    for (const sample of this.#ring) {
      if (now - sample.lastAt >= samples * windowMs) Object.assign(sample, this.#fresh(now))
    }
  }

  #fresh(now: number): Sample {
    return { startedAt: now, lastAt: now, events: 0, value: initial[this.#kind] }
  }
}
