import { expect, test } from 'vitest'
import { divergence, lostRecords, repeatedSequences } from './laws.ts'
import { check } from './property.ts'

const minutes = 60_000

/** Invariants 4, 5, 8, 11: what Kafka promises for acks=all, min.insync.replicas 2 of 3, clean elections. */
test('with acks=all no acknowledged record is lost and no replica differs, whatever befalls brokers and network', {
  timeout: 5 * minutes,
}, async () => {
  const verdict = await check(250, { acks: 'all' }, [lostRecords, divergence, repeatedSequences])
  expect(verdict.counterexample?.text).toBeUndefined()
  expect(verdict.acknowledged).toBeGreaterThan(1_000)
})

/** The window of five batches is in memory; a restart leaves the last batch of each producer (I-14). */
test('an idempotent producer with five requests in flight keeps order without duplicates while no broker restarts', {
  timeout: 5 * minutes,
}, async () => {
  const verdict = await check(200, { acks: 'all', noRestarts: true })
  expect(verdict.counterexample?.text).toBeUndefined()
})

test('an idempotent producer with one request in flight keeps order without duplicates over any restarts', {
  timeout: 5 * minutes,
}, async () => {
  const verdict = await check(200, { acks: 'all', maxInFlight: 1 })
  expect(verdict.counterexample?.text).toBeUndefined()
})

/**
 * The same with page caches that are lost: one dirty death is what min.insync.replicas − 1 covers (KIP-966, S-42). To Kafka
 * every kill is one, lossy or not: with all three brokers killed, the last known leader leads again even if it was
 * the one that lost its log.
 */
test('with acks=all one power loss without any flush loses nothing that was acknowledged', {
  timeout: 5 * minutes,
}, async () => {
  const verdict = await check(150, { acks: 'all', flushed: false, powerLosses: 1 }, [lostRecords, divergence])
  expect(verdict.counterexample?.text).toBeUndefined()
})

test('the alarm works: with acks=1 an acknowledged record is lost within 1,000 seeds, and the schedule is short to read', {
  timeout: 5 * minutes,
}, async () => {
  const verdict = await check(1_000, { acks: 1 }, [lostRecords])
  expect(verdict.counterexample?.witnesses).toMatch(/was acknowledged at offset \d+, where there is/)
  expect(verdict.counterexample!.schedule.faults.length).toBeLessThanOrEqual(3)
  expect(verdict.counterexample!.text.split('\n').length).toBeLessThanOrEqual(12)
})

test('the alarm works: with unclean elections an acks=all record is lost within 1,000 seeds (R-42)', {
  timeout: 5 * minutes,
}, async () => {
  const verdict = await check(1_000, { acks: 'all', minInSync: 1, uncleanElection: true }, [lostRecords])
  expect(verdict.counterexample?.witnesses).toMatch(/was acknowledged at offset \d+, where there is/)
  expect(verdict.counterexample!.schedule.faults.length).toBeLessThanOrEqual(4)
})
