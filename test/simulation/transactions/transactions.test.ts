import type fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkTransactions } from './transaction-property.ts'
import {
  lateSchedules,
  type TransactionSchedule,
  transactionSchedules,
  zombieSchedules,
} from './transaction-schedule.ts'

const minutes = 60_000

/**
 * Invariant 12, and what a transaction promises: atomic over partitions and offsets, read_committed sees all of what is
 * committed and nothing else, a fenced producer writes nothing, and the last stable offset moves on (T-12, T-17…T-26, I-6,
 * I-20…I-23, F-9).
 *
 * With transaction.version 1 requests are given up later than any fault lasts: else one that comes late ends the next
 * transaction, in Kafka too (KAFKA-17754, see `transaction-mutants.test.ts`). With 2 nothing of the kind is spared.
 */
const worlds: readonly {
  readonly what: string
  readonly version: 1 | 2
  readonly runs: number
  readonly schedules: fc.Arbitrary<TransactionSchedule>
}[] = [
  { what: 'brokers, coordinators, network and writers fail', version: 2, runs: 40, schedules: transactionSchedules },
  { what: 'brokers, coordinators, network and writers fail', version: 1, runs: 40, schedules: transactionSchedules },
  { what: 'requests come late', version: 2, runs: 30, schedules: lateSchedules },
  { what: 'several producers have one id', version: 2, runs: 20, schedules: zombieSchedules },
  { what: 'several producers have one id', version: 1, runs: 20, schedules: zombieSchedules },
]

for (const { what, version, runs, schedules } of worlds) {
  test(`with transaction.version ${version} transactions are whole, or not there, and none hangs, while ${what}`, {
    timeout: 5 * minutes,
  }, async () => {
    const verdict = await checkTransactions(runs, { version }, undefined, { schedules })
    expect(verdict.counterexample?.text).toBeUndefined()
    expect(verdict.outcomes.committed).toBeGreaterThan(runs)
    expect(verdict.outcomes.aborted).toBeGreaterThan(runs / 4)
  })
}
