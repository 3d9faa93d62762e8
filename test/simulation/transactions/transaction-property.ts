import fc from 'fast-check'
import { seed } from '../property.ts'
import { hanging, misread, mixed, torn, writtenAfterFence, wronglyEnded } from './transaction-laws.ts'
import { type TransactionSchedule, tell, transactionSchedules } from './transaction-schedule.ts'
import { runTransactions, type TransactionOptions, type TransactionOutcome } from './transaction-universe.ts'

export type TransactionLaw = (outcome: TransactionOutcome) => string[]
export const transactionLaws: readonly TransactionLaw[] = [
  torn,
  wronglyEnded,
  misread,
  writtenAfterFence,
  mixed,
  hanging,
]

export interface TransactionVerdict {
  readonly runs: number
  /** How many transactions had each outcome. */
  readonly outcomes: Readonly<Record<string, number>>
  readonly counterexample:
    | { readonly schedule: TransactionSchedule; readonly text: string; readonly witnesses: string }
    | undefined
}

/** Runs random schedules until one breaks a law, then makes it as short as it can be. */
export async function checkTransactions(
  runs: number,
  options: TransactionOptions,
  which: readonly TransactionLaw[] = transactionLaws,
  {
    shrink = true,
    schedules = transactionSchedules,
  }: {
    readonly shrink?: boolean
    readonly schedules?: fc.Arbitrary<TransactionSchedule>
  } = {},
): Promise<TransactionVerdict> {
  const outcomes: Record<string, number> = {}
  const result = await fc.check(
    fc.asyncProperty(schedules, async schedule => {
      const outcome = await runTransactions(schedule, options)
      for (const { outcome: how } of outcome.told) outcomes[how] = (outcomes[how] ?? 0) + 1
      const witnesses = which.flatMap(law => law(outcome))
      if (witnesses.length > 0) throw new Error(witnesses.join('\n'))
    }),
    { numRuns: runs, seed, endOnFailure: !shrink },
  )
  if (!result.failed) return { runs: result.numRuns, outcomes, counterexample: undefined }
  const schedule = result.counterexample![0]
  const witnesses = (result.errorInstance as Error).message
  const replay = `replay: MINI_KAFKA_SEED=${seed} (fast-check path ${result.counterexamplePath})`
  const text = `${tell(schedule)}\n${witnesses}\n${replay}`
  return { runs: result.numRuns, outcomes, counterexample: { schedule, text, witnesses } }
}
