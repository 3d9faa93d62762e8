import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seed } from './property.ts'
import { type Schedule, schedules, tell } from './schedule.ts'
import { runUniverse, type UniverseOptions } from './universe.ts'

async function firstDifference(
  schedule: Schedule,
  a: UniverseOptions,
  b: UniverseOptions,
): Promise<string | undefined> {
  const first = (await runUniverse(schedule, a)).trace.split('\n')
  const second = (await runUniverse(schedule, b)).trace.split('\n')
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    if (first[i] !== second[i]) return `${tell(schedule)}\nline ${i + 1}:\n- ${first[i]}\n+ ${second[i]}`
  }
  return undefined
}

const minutes = 60_000

test('the same seed gives the same trace, byte for byte, for 200 seeds with faults', {
  timeout: 5 * minutes,
}, async () => {
  for (const schedule of fc.sample(schedules, { seed, numRuns: 200 })) {
    expect(await firstDifference(schedule, { acks: 'all' }, { acks: 'all' })).toBeUndefined()
  }
})

test('a hop of the event loop after every event changes nothing: where none is made, none was needed', {
  timeout: 5 * minutes,
}, async () => {
  for (const schedule of fc.sample(schedules, { seed: seed + 1, numRuns: 50 })) {
    expect(await firstDifference(schedule, { acks: 'all' }, { acks: 'all', hopAlways: true })).toBeUndefined()
  }
})
