import type fc from 'fast-check'
import { expect, test } from 'vitest'
import { hanging, misread, mixed, torn, writtenAfterFence, wronglyEnded } from './transaction-laws.ts'
import { checkTransactions, type TransactionLaw } from './transaction-property.ts'
import { lateSchedules, markerSchedules, type TransactionSchedule, zombieSchedules } from './transaction-schedule.ts'
import type { TransactionOptions } from './transaction-universe.ts'

/** Each property fails once the rule is off that it stands for; a rule whose loss nobody notices is not tested. */

const minutes = 60_000

const planted: readonly {
  readonly mistake: string
  readonly options: TransactionOptions
  readonly schedules?: fc.Arbitrary<TransactionSchedule>
  readonly laws: readonly TransactionLaw[]
  readonly witness: RegExp
}[] = [
  {
    mistake: 'a marker whose writing failed counts as written, and a transaction hangs (T-23 off)',
    options: { version: 2, mutants: ['no-marker-retry'] },
    schedules: markerSchedules,
    laws: [hanging],
    witness: /is stable below \d+ of \d+/,
  },
  {
    mistake: 'a marker whose writing failed counts as written, and a transaction is torn (T-23 off)',
    options: { version: 2, mutants: ['no-marker-retry'] },
    schedules: markerSchedules,
    laws: [torn],
    witness: /is torn/,
  },
  {
    mistake: 'coordinators take an old epoch for a new one (T-19, T-20 off)',
    options: { version: 2, mutants: ['no-coordinator-epoch-check'] },
    laws: [torn, wronglyEnded],
    witness: /is torn|is aborted, but|is committed, but|is open, but/,
  },
  {
    mistake: 'coordinators take an old epoch for a new one, and a zombie writes (T-16 off)',
    options: { version: 1, mutants: ['no-coordinator-epoch-check'] },
    schedules: zombieSchedules,
    laws: [writtenAfterFence, mixed],
    witness: /was appended \d+ ms after/,
  },
  {
    mistake: 'partitions take an old epoch for a new one, and nobody asks the coordinator (I-6, I-5 off)',
    options: {
      version: 1,
      requestTimeoutMs: 5_000,
      mutants: ['no-leader-producer-epoch-check'],
      configs: { 'transaction.partition.verification.enable': false },
    },
    schedules: zombieSchedules,
    laws: [writtenAfterFence],
    witness: /was appended \d+ ms after/,
  },
  {
    mistake: 'offsets are committed outside of the transaction (T-35 off)',
    options: { version: 2, mutants: ['offsets-outside-transactions'] },
    laws: [torn, wronglyEnded],
    witness: /there is its offset|but its offset is there/,
  },
  {
    mistake: 'nobody asks whether a transaction is open before its records are appended (I-5, T-30 off)',
    options: {
      version: 1,
      requestTimeoutMs: 5_000,
      configs: { 'transaction.partition.verification.enable': false },
    },
    schedules: lateSchedules,
    laws: [hanging],
    witness: /is stable below \d+ of \d+/,
  },
  {
    mistake: 'what was aborted is not told to readers (I-23 off)',
    options: { version: 2, mutants: ['no-aborted-index'] },
    laws: [wronglyEnded],
    witness: /is (aborted|open), but .* is there/,
  },
  {
    mistake: 'readers of what is committed are shown what is open (F-9 off)',
    options: { version: 2, mutants: ['no-last-stable-offset'] },
    laws: [misread],
    witness: /a reader of t-\d got .* where there is/,
  },
  {
    mistake: 'with the old protocol an end that comes late ends the next transaction (KAFKA-17754)',
    options: { version: 1, requestTimeoutMs: 5_000 },
    schedules: lateSchedules,
    laws: [torn, wronglyEnded],
    witness: /is torn|is aborted, but|is committed, but|is open, but/,
  },
]

for (const { mistake, options, schedules, laws, witness } of planted) {
  test(`${mistake}: a property fails within 1,000 seeds`, { timeout: 10 * minutes }, async () => {
    const verdict = await checkTransactions(1_000, options, laws, {
      shrink: false,
      ...(schedules === undefined ? {} : { schedules }),
    })
    expect(verdict.counterexample?.witnesses).toMatch(witness)
  })
}
