import fc from 'fast-check'
import { disorder, divergence, duplicates, lostRecords, repeatedSequences } from './laws.ts'
import { type Schedule, schedules, tell } from './schedule.ts'
import { type Outcome, runUniverse, type UniverseOptions } from './universe.ts'

/** Another number tries other schedules; the same one tries the same again. */
export const seed = Number(process.env.MINI_KAFKA_SEED ?? 1)

export type Law = (outcome: Outcome) => string[]
export const laws: readonly Law[] = [lostRecords, divergence, disorder, duplicates, repeatedSequences]

export interface Verdict {
  readonly runs: number
  readonly acknowledged: number
  /** The shrunk schedule that breaks a law, with its witnesses; undefined when none was found. */
  readonly counterexample:
    | { readonly schedule: Schedule; readonly text: string; readonly witnesses: string }
    | undefined
}

/** Runs random schedules until one breaks a law, then makes it as short as it can be. */
export async function check(
  runs: number,
  options: UniverseOptions,
  which: readonly Law[] = laws,
  { shrink = true }: { readonly shrink?: boolean } = {},
): Promise<Verdict> {
  let acknowledged = 0
  const result = await fc.check(
    fc.asyncProperty(schedules, async schedule => {
      const outcome = await runUniverse(schedule, options)
      acknowledged += outcome.sent.filter(({ offset }) => offset >= 0).length
      const witnesses = which.flatMap(law => law(outcome))
      if (witnesses.length > 0) throw new Error(witnesses.join('\n'))
    }),
    { numRuns: runs, seed, endOnFailure: !shrink },
  )
  if (!result.failed) return { runs: result.numRuns, acknowledged, counterexample: undefined }
  const schedule = result.counterexample![0]
  const witnesses = (result.errorInstance as Error).message
  const replay = `replay: MINI_KAFKA_SEED=${seed} (fast-check path ${result.counterexamplePath})`
  return {
    runs: result.numRuns,
    acknowledged,
    counterexample: { schedule, text: `${tell(schedule)}\n${witnesses}\n${replay}`, witnesses },
  }
}
