import type { Meter, Spread } from './meter.ts'

/** What tells apart metrics of one name: `{ topic: 'orders', partition: 0 }`. */
export type MetricTags = Readonly<Record<string, string | number>>

/**
 * Metrics as `metrics()` answers them: Kafka's names, and where one client has several of a name, with the tags that tell
 * them apart, but `client-id`: `records-lag{topic=orders,partition=0}`.
 */
export class MetricList {
  readonly values: Record<string, number> = {}
  readonly #now: number

  constructor(now: number) {
    this.#now = now
  }

  add(name: string, value: number, tags?: MetricTags): void {
    this.values[tags === undefined ? name : `${name}{${textOf(tags)}}`] = value
  }

  /** `name-rate`, or as said, and `name-total`. */
  meter(name: string, meter: Meter, tags?: MetricTags, rate = 'rate'): void {
    this.add(`${name}-${rate}`, meter.rate(this.#now), tags)
    this.add(`${name}-total`, meter.total, tags)
  }

  /** `name-avg` and `name-max`. */
  spread(name: string, spread: Spread, tags?: MetricTags): void {
    this.add(`${name}-avg`, spread.average(this.#now), tags)
    this.add(`${name}-max`, spread.maximum(this.#now), tags)
  }
}

function textOf(tags: MetricTags): string {
  return Object.entries(tags)
    .map(([tag, value]) => `${tag}=${value}`)
    .join(',')
}
