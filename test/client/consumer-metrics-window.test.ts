import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Meter, Spread } from '../../src/client/metrics/meter.ts'
import { SampledStat } from '../../src/runtime/sampled-stat.ts'

interface Recorded {
  readonly at: number
  readonly record: number
}

interface Measured {
  readonly at: number
  readonly sum: number
  readonly count: number
  /** Null: NaN. */
  readonly average: number | null
  readonly maximum: number | null
  readonly minimum: number | null
  readonly sumPerSecond: number
  readonly countPerHour: number
}

const data = JSON.parse(readFileSync(new URL('../data/kafka/sampled-stats.json', import.meta.url), 'utf8'))
const allSeries: readonly (readonly (Recorded | Measured)[])[] = data.series

test('a minute of samples adds up to what the Java stats make of it', () => {
  let measured = 0
  for (const series of allSeries) {
    const [sum, count] = [new SampledStat('sum'), new SampledStat('count')]
    const [spread, minimum] = [new Spread(), new SampledStat('minimum')]
    const [perSecond, perHour] = [new Meter('sum'), new Meter('count', 3_600_000)]
    for (const step of series) {
      const { at } = step
      if ('record' in step) {
        for (const stat of [sum, count, spread, minimum, perSecond, perHour]) stat.record(step.record, at)
        continue
      }
      measured++
      expect(sum.measure(at)).toBe(step.sum)
      expect(count.measure(at)).toBe(step.count)
      if (step.average === null) expect(spread.average(at)).toBeNaN()
      else expect(spread.average(at)).toBeCloseTo(step.average, 9)
      expect(spread.maximum(at)).toBe(step.maximum ?? Number.NaN)
      expect(minimum.measure(at)).toBe(step.minimum ?? Number.NaN)
      expect(perSecond.rate(at)).toBeCloseTo(step.sumPerSecond, 9)
      expect(perHour.rate(at)).toBeCloseTo(step.countPerHour, 6)
    }
  }
  expect(measured).toBeGreaterThan(50)
})

test('a rate after one second is one over the half minute before it, too; a total forgets nothing', () => {
  const meter = new Meter('sum')
  meter.record(60, 1000)
  expect(meter.rate(1000)).toBe(2)
  expect(meter.rate(16_000)).toBe(60 / 45)
  meter.record(30, 31_000)
  expect(meter.rate(31_000)).toBe(3)
  expect(meter.rate(46_000)).toBe(2)
  // What was recorded a minute ago is forgotten.
  expect(meter.rate(61_000)).toBe(1)
  expect(meter.rate(91_000)).toBe(0)
  expect(meter.total).toBe(90)
})
