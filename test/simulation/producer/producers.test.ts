import { expect, test } from 'vitest'
import { calledOutOfOrder, misplaced, missingMemory, outOfOrder, twice, unsettled } from './producer-laws.ts'
import { checkProducers } from './producer-property.ts'
import {
  anySchedules,
  idempotentSchedules,
  oneInFlightSchedules,
  plainSchedules,
  truthfulSchedules,
} from './producer-schedule.ts'

const minutes = 60_000

test('whatever the configuration and the faults, every send settles once, and memory is never exceeded and always given back (C-24, C-31, C-40, C-42, C-48)', {
  timeout: 5 * minutes,
}, async () => {
  const verdict = await checkProducers(150, anySchedules, [unsettled, missingMemory])
  expect(verdict.counterexample?.text).toBeUndefined()
  expect(verdict.acknowledged).toBeGreaterThan(200)
  expect(verdict.failed).toBeGreaterThan(200)
})

test('with idempotence the log has the order of the sends and nothing twice, and what is acknowledged is where it is said to be (C-34, C-35, I-4)', {
  timeout: 5 * minutes,
}, async () => {
  const laws = [unsettled, missingMemory, misplaced, outOfOrder, twice]
  const verdict = await checkProducers(120, idempotentSchedules, laws)
  expect(verdict.counterexample?.text).toBeUndefined()
  expect(verdict.acknowledged).toBeGreaterThan(500)
})

test('with idempotence callbacks of a partition come in the order of the sends, unless a broker appends and then refuses (C-48)', {
  timeout: 5 * minutes,
}, async () => {
  const verdict = await checkProducers(60, truthfulSchedules, [unsettled, calledOutOfOrder])
  expect(verdict.counterexample?.text).toBeUndefined()
  const refuted = await checkProducers(60, idempotentSchedules, [calledOutOfOrder], { shrink: false })
  expect(refuted.counterexample?.witnesses).toMatch(/the callback of record \d+ came behind/)
})

test('without it, one request in flight at a time keeps the order, of the log and of the callbacks (C-35, C-48)', {
  timeout: 5 * minutes,
}, async () => {
  const laws = [unsettled, missingMemory, misplaced, firstAppearances, calledOutOfOrder]
  const verdict = await checkProducers(60, oneInFlightSchedules, laws)
  expect(verdict.counterexample?.text).toBeUndefined()
})

/** A record that is there twice is not out of order where it came first. */
function firstAppearances(outcome: Parameters<typeof outOfOrder>[0]): string[] {
  const logs = outcome.logs.map(log => log.filter((index, at) => log.indexOf(index) === at))
  return outOfOrder({ ...outcome, logs })
}

test('without either, records overtake each other (C-35, X-32)', { timeout: 5 * minutes }, async () => {
  const verdict = await checkProducers(300, plainSchedules, [firstAppearances], { shrink: false })
  expect(verdict.counterexample?.witnesses).toMatch(/has record \d+ behind record \d+/)
})

test('without idempotence records are in the log twice (C-42)', { timeout: 5 * minutes }, async () => {
  const verdict = await checkProducers(300, plainSchedules, [twice], { shrink: false })
  expect(verdict.counterexample?.witnesses).toMatch(/record \d+ is there twice/)
})
