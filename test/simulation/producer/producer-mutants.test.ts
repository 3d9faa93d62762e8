import type { Arbitrary } from 'fast-check'
import { expect, test } from 'vitest'
import { missingMemory, outOfOrder, twice, unsettled } from './producer-laws.ts'
import { checkProducers, type ProducerLaw } from './producer-property.ts'
import { anySchedules, idempotentSchedules, oneInFlightSchedules, type ProducerSchedule } from './producer-schedule.ts'

/** Each rule can be switched off; a law must notice. */
const mutants: readonly {
  mutant: string
  rule: string
  schedules: Arbitrary<ProducerSchedule>
  law: ProducerLaw
}[] = [
  {
    mutant: 'silent-expiry',
    rule: 'a batch that runs out of time is failed (C-40)',
    schedules: anySchedules,
    law: unsettled,
  },
  {
    mutant: 'no-memory-return',
    rule: 'memory of a batch that expired in flight is given back with its request (C-31)',
    schedules: anySchedules,
    law: missingMemory,
  },
  {
    mutant: 'no-sequence-reuse',
    rule: 'a batch is sent again with the sequence that it had (C-34)',
    schedules: idempotentSchedules,
    law: twice,
  },
  {
    mutant: 'retries-go-last',
    rule: 'a batch that is sent again goes before what was never sent (C-35)',
    schedules: oneInFlightSchedules,
    law: outOfOrder,
  },
]

for (const { mutant, rule, schedules, law } of mutants) {
  test(`without the rule that ${rule}, a law is broken within 300 schedules`, { timeout: 300_000 }, async () => {
    const verdict = await checkProducers(300, schedules, [law], { mutants: [mutant], shrink: false })
    expect(verdict.counterexample?.witnesses).toBeDefined()
  })
}
