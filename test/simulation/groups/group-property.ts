import fc from 'fast-check'
import { seed } from '../property.ts'
import { commitsThatWentBack, doublyAssigned, neverStable, sharedPartitions, skipped } from './group-laws.ts'
import { type GroupSchedule, groupSchedules, tell } from './group-schedule.ts'
import { type GroupOptions, type GroupOutcome, runGroup } from './group-universe.ts'

export type GroupLaw = (outcome: GroupOutcome) => string[]
export const groupLaws: readonly GroupLaw[] = [
  neverStable,
  skipped,
  commitsThatWentBack,
  sharedPartitions,
  doublyAssigned,
]

export interface GroupVerdict {
  readonly runs: number
  readonly processed: number
  readonly counterexample:
    | { readonly schedule: GroupSchedule; readonly text: string; readonly witnesses: string }
    | undefined
}

/** Runs random schedules until one breaks a law, then makes it as short as it can be. */
export async function checkGroups(
  runs: number,
  options: GroupOptions,
  which: readonly GroupLaw[] = groupLaws,
  { shrink = true }: { readonly shrink?: boolean } = {},
): Promise<GroupVerdict> {
  let processed = 0
  const result = await fc.check(
    fc.asyncProperty(groupSchedules, async schedule => {
      const outcome = await runGroup(schedule, options)
      processed += outcome.processed.length
      const witnesses = which.flatMap(law => law(outcome))
      if (witnesses.length > 0) throw new Error(witnesses.join('\n'))
    }),
    { numRuns: runs, seed, endOnFailure: !shrink },
  )
  if (!result.failed) return { runs: result.numRuns, processed, counterexample: undefined }
  const schedule = result.counterexample![0]
  const witnesses = (result.errorInstance as Error).message
  const replay = `replay: MINI_KAFKA_SEED=${seed} (fast-check path ${result.counterexamplePath})`
  return {
    runs: result.numRuns,
    processed,
    counterexample: { schedule, text: `${tell(schedule)}\n${witnesses}\n${replay}`, witnesses },
  }
}
