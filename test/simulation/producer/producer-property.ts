import fc from 'fast-check'
import { seed } from '../property.ts'
import { type ProducerSchedule, tell } from './producer-schedule.ts'
import { type ProducerOutcome, runProducer } from './producer-universe.ts'

export type ProducerLaw = (outcome: ProducerOutcome) => string[]

export interface ProducerVerdict {
  readonly acknowledged: number
  readonly failed: number
  /** The schedule that breaks a law, as short as it can be, with its witnesses. */
  readonly counterexample: { readonly text: string; readonly witnesses: string } | undefined
}

/** Runs random schedules until one breaks a law. */
export async function checkProducers(
  runs: number,
  schedules: fc.Arbitrary<ProducerSchedule>,
  laws: readonly ProducerLaw[],
  { mutants = [], shrink = true }: { readonly mutants?: readonly string[]; readonly shrink?: boolean } = {},
): Promise<ProducerVerdict> {
  let acknowledged = 0
  let failed = 0
  const result = await fc.check(
    fc.asyncProperty(schedules, async schedule => {
      const outcome = await runProducer(schedule, mutants)
      acknowledged += outcome.sent.filter(({ offset }) => offset >= 0).length
      failed += outcome.sent.filter(({ error }) => error !== undefined).length
      const witnesses = laws.flatMap(law => law(outcome))
      if (witnesses.length > 0) throw new Error(witnesses.join('\n'))
    }),
    { numRuns: runs, seed, endOnFailure: !shrink },
  )
  if (!result.failed) return { acknowledged, failed, counterexample: undefined }
  const witnesses = (result.errorInstance as Error).message
  const replay = `replay: MINI_KAFKA_SEED=${seed} (fast-check path ${result.counterexamplePath})`
  const text = `${tell(result.counterexample![0])}\n${witnesses}\n${replay}`
  return { acknowledged, failed, counterexample: { text, witnesses } }
}
