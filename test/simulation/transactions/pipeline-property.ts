import fc from 'fast-check'
import { seed } from '../property.ts'
import { type PipelineSchedule, pipelineSchedules, tell } from './pipeline-schedule.ts'
import { type PipelineOptions, type PipelineOutcome, runPipeline } from './pipeline-universe.ts'

/** Each law answers its witnesses: none when it holds. */
export type PipelineLaw = (outcome: PipelineOutcome) => string[]

/** Every acknowledged input has an output. */
export function lost({ acknowledged, delivered }: PipelineOutcome): string[] {
  const there = new Set(delivered)
  return acknowledged.filter(value => !there.has(value)).map(value => `${value} was never delivered`)
}

/** None has two. */
export function repeated({ delivered }: PipelineOutcome): string[] {
  const again = delivered.filter((value, index) => delivered.indexOf(value) !== index)
  return again.map(value => `${value} was delivered again`)
}

/** Once all is healed, everything is delivered, and no transaction is open, in time. */
export function standing({ stuck }: PipelineOutcome): string[] {
  return stuck === undefined ? [] : [stuck]
}

export interface PipelineVerdict {
  readonly runs: number
  readonly delivered: number
  readonly counterexample: { readonly text: string; readonly witnesses: string } | undefined
}

/** Runs random schedules until one breaks a law, then makes it as short as it can be. */
export async function checkPipelines(
  runs: number,
  options: PipelineOptions,
  which: readonly PipelineLaw[] = [lost, repeated, standing],
  {
    shrink = true,
    schedules = pipelineSchedules,
  }: { readonly shrink?: boolean; readonly schedules?: fc.Arbitrary<PipelineSchedule> } = {},
): Promise<PipelineVerdict> {
  let delivered = 0
  const result = await fc.check(
    fc.asyncProperty(schedules, async schedule => {
      const outcome = await runPipeline(schedule, options)
      delivered += outcome.delivered.length
      const witnesses = which.flatMap(law => law(outcome))
      if (witnesses.length > 0) throw new Error(witnesses.join('\n'))
    }),
    { numRuns: runs, seed, endOnFailure: !shrink },
  )
  if (!result.failed) return { runs: result.numRuns, delivered, counterexample: undefined }
  const witnesses = (result.errorInstance as Error).message
  const replay = `replay: MINI_KAFKA_SEED=${seed} (fast-check path ${result.counterexamplePath})`
  const text = `${tell(result.counterexample![0])}\n${witnesses}\n${replay}`
  return { runs: result.numRuns, delivered, counterexample: { text, witnesses } }
}
