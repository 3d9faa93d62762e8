import type fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkPipelines, lost, type PipelineLaw, repeated } from './pipeline-property.ts'
import { type PipelineSchedule, pipelineSchedules, slowCommits, zombieWorkers } from './pipeline-schedule.ts'
import type { PipelineOptions } from './pipeline-universe.ts'

const minutes = 60_000

/** KIP-447: workers read in a group, and commit how far they came with what they wrote (T-35, T-36, G-40). */
for (const { version, protocol } of [
  { version: 2, protocol: 'classic' },
  { version: 2, protocol: 'consumer' },
  { version: 1, protocol: 'classic' },
] as const) {
  const name = `transaction.version ${version} and a ${protocol} group`
  test(`consume-transform-produce delivers each input exactly once, whatever befalls it, with ${name}`, {
    timeout: 5 * minutes,
  }, async () => {
    const verdict = await checkPipelines(25, { version, protocol })
    expect(verdict.counterexample?.text).toBeUndefined()
    expect(verdict.delivered).toBeGreaterThan(150)
  })
}

/** Each property fails once the rule is off that it stands for; a rule whose loss nobody notices is not tested. */
const planted: readonly {
  readonly mistake: string
  readonly options: PipelineOptions
  readonly schedules: fc.Arbitrary<PipelineSchedule>
  readonly laws: readonly PipelineLaw[]
  readonly witness: RegExp
}[] = [
  {
    mistake: 'a worker commits how far it read by itself, before its transaction',
    options: { version: 2, protocol: 'classic', commitsOutside: true },
    schedules: pipelineSchedules,
    laws: [lost],
    witness: /was never delivered/,
  },
  {
    mistake: 'offsets are committed outside of the transaction (T-35 off)',
    options: { version: 2, protocol: 'consumer', mutants: ['offsets-outside-transactions'] },
    schedules: pipelineSchedules,
    laws: [lost],
    witness: /was never delivered/,
  },
  {
    mistake: 'a worker whose partitions were given to another commits offsets of them (KIP-447, G-30 off)',
    options: { version: 2, protocol: 'classic', mutants: ['no-offset-commit-fencing'] },
    schedules: zombieWorkers,
    laws: [repeated],
    witness: /was delivered again/,
  },
  {
    mistake: 'offsets are told that an open transaction is about to replace (G-40 off)',
    options: { version: 2, protocol: 'classic', mutants: ['no-stable-offsets'] },
    schedules: slowCommits,
    laws: [repeated],
    witness: /was delivered again/,
  },
]

for (const { mistake, options, schedules, laws, witness } of planted) {
  test(`${mistake}: a property fails within 1,000 seeds`, { timeout: 10 * minutes }, async () => {
    const verdict = await checkPipelines(1_000, options, laws, { shrink: false, schedules })
    expect(verdict.counterexample?.witnesses).toMatch(witness)
  })
}
