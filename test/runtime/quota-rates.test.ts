/**
 * What Kafka's own classes (Sensor, Rate, TokenBucket, QuotaUtils of 4.3.1) said to the same records: test/data/kafka/quota-rates.json,
 * as [milliseconds since the record before, amount, milliseconds of throttling].
 */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SampledRate } from '../../src/runtime/sampled-rate.ts'
import { TokenBucket } from '../../src/runtime/token-bucket.ts'
import { START_TIME } from '../../src/runtime/virtual.ts'

interface Run {
  readonly samples: number
  readonly windowMs: number
  readonly limit: number
  readonly records: readonly (readonly [gap: number, amount: number, throttleMs: number])[]
}

const data: { readonly rates: readonly Run[]; readonly buckets: readonly Run[] } = JSON.parse(
  readFileSync(new URL('../data/kafka/quota-rates.json', import.meta.url), 'utf8'),
)
const second = { samples: 11, windowMs: 1000 }

test('a sampled rate throttles to the millisecond as Kafka’s does (M-31)', () => {
  expect(data.rates).toHaveLength(9)
  for (const { limit, records, ...window } of data.rates) {
    const rate = new SampledRate(window)
    let now = START_TIME
    const throttled = records.map(([gap, amount]) => {
      now += gap
      rate.record(amount, now)
      return rate.excessMs(limit, now)
    })
    expect(throttled).toEqual(records.map(([, , ms]) => ms))
  }
})

test('a token bucket owes to the millisecond as Kafka’s does (M-32, KIP-599)', () => {
  expect(data.buckets).toHaveLength(3)
  for (const { limit, records, ...window } of data.buckets) {
    const bucket = new TokenBucket(window)
    let now = START_TIME
    const owed = records.map(([gap, amount]) => {
      now += gap
      bucket.take(amount, limit, now)
      return bucket.debtMs(limit, now)
    })
    expect(owed).toEqual(records.map(([, , ms]) => ms))
  }
})

describe('by hand', () => {
  test('a fresh rate may spend ten seconds’ worth at once; each byte more costs its time', () => {
    const rate = new SampledRate(second)
    rate.record(10_000, START_TIME)
    expect(rate.excessMs(1000, START_TIME)).toBe(0)
    rate.record(1, START_TIME)
    expect(rate.excessMs(1000, START_TIME)).toBe(1)
    rate.record(1999, START_TIME)
    expect(rate.excessMs(1000, START_TIME)).toBe(2000)
    // Whoever waited for so long has not worked it off: the window moves on after ten seconds only.
    expect(rate.excessMs(1000, START_TIME + 2000)).toBe(2000)
    expect(rate.excessMs(1000, START_TIME + 10_500)).toBe(1500)
  })

  test('what was recorded is forgotten eleven seconds after its sample got its last', () => {
    const rate = new SampledRate(second)
    rate.record(20_000, START_TIME)
    expect(rate.measure(START_TIME + 10_999)).toBeCloseTo(20_000 / 10.999)
    expect(rate.measure(START_TIME + 11_000)).toBe(0)
  })

  test('a bucket is full at first: eleven seconds’ worth', () => {
    const bucket = new TokenBucket(second)
    expect(bucket.tokens(2, START_TIME)).toBe(22)
    bucket.take(25, 2, START_TIME)
    expect(bucket.debtMs(2, START_TIME)).toBe(1500)
    expect(bucket.debtMs(2, START_TIME + 1499)).toBe(1)
    expect(bucket.tokens(2, START_TIME + 1500)).toBeCloseTo(0)
    expect(bucket.tokens(2, START_TIME + 1_000_000)).toBe(22)
  })
})

const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 1, max: 5000 })), {
  minLength: 1,
  maxLength: 60,
})

/** Sends each amount when the throttling for those before is over; answers what was sent, when, and how long it was kept. */
function obey(limit: number, amounts: readonly (readonly [gap: number, amount: number])[], mutant = false) {
  const rate = new SampledRate(second)
  let now = START_TIME
  let sent = 0
  let throttledMs = 0
  for (const [gap, amount] of amounts) {
    now += gap
    rate.record(mutant ? amount / 2 : amount, now)
    sent += amount
    const ms = rate.excessMs(limit, now)
    throttledMs += ms
    now += ms
  }
  return { sent, seconds: (now - START_TIME) / 1000, throttledMs }
}

/** What may be had in so many seconds, at most: the rate, and a burst of the whole window. */
const atMost = (limit: number, seconds: number) => limit * (seconds + 11) + 0.5

/** Limits, and amounts of at most a second's worth: of a much larger one the window forgets before it is worked off. */
const modest = fc.integer({ min: 1, max: 2000 }).chain(limit =>
  fc.tuple(
    fc.constant(limit),
    fc.array(fc.tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: limit })), {
      maxLength: 200,
      size: 'max',
    }),
  ),
)

test('whoever waits as long as he is told never gets more than his rate, but for one burst (M-31)', () => {
  fc.assert(
    fc.property(modest, ([limit, amounts]) => {
      const { sent, seconds } = obey(limit, amounts)
      expect(sent).toBeLessThanOrEqual(atMost(limit, seconds))
    }),
  )
})

test('…and a rate that counts only half is found out', () => {
  const law = fc.property(modest, ([limit, amounts]) => {
    const { sent, seconds } = obey(limit, amounts, true)
    return sent <= atMost(limit, seconds)
  })
  expect(fc.check(law).failed).toBe(true)
})

test('of more than twice the window at once it forgets some: as Kafka, it grants nearly twice the rate then', () => {
  const large = Array.from({ length: 20 }, () => [0, 21_000] as const)
  const { sent, seconds } = obey(1000, large)
  expect(sent / seconds).toBeCloseTo(1909, 0)
})

test('whoever stays within his rate is never throttled', () => {
  fc.assert(
    fc.property(steps, amounts => {
      const most = amounts.reduce((sum, [, amount]) => sum + amount, 0)
      // All of it at once would still be within the burst.
      expect(obey(most / 10, amounts).throttledMs).toBe(0)
    }),
  )
})
