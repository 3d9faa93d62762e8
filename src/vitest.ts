/**
 * The matchers in Vitest: `import 'mini-kafka/vitest'` in a test, or in `setupFiles`. A failed test prints the seed of its
 * clusters and the line that replays it; a passed one fails when a fault that it ordered never fired, or when nobody
 * awaited a matcher.
 */
import { afterEach, beforeEach, expect } from 'vitest'
import type { ClusterMatchers } from './cluster/matchers/all.ts'
import { replayText, TestWatch } from './cluster/matchers/test-watch.ts'

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: as Vitest declares it
  interface Matchers<T = any> extends ClusterMatchers {}
}

const watch = new TestWatch()
expect.extend(watch.matchers)

beforeEach(({ task, onTestFailed }) => {
  watch.begin()
  const names: string[] = []
  for (let each: { name: string; suite?: typeof task.suite } = task; each !== undefined; each = each.suite!) {
    names.unshift(each.name)
    if (each.suite === undefined) break
  }
  onTestFailed(() => {
    const seeds = used
    for (const text of stood) console.error(text)
    if (seeds.length > 0) console.error(replayText(seeds, `npx vitest run ${task.file.name}`, names.join(' ')))
  })
})

/** Of the test that ended last. */
let used: number[] = []
let stood: string[] = []

afterEach(({ task }) => {
  used = watch.seeds()
  // Asked for only where it will be printed: a text is told once.
  stood = task.result?.state === 'fail' ? watch.standstills() : []
  const problems = watch.end({ concurrent: task.concurrent === true })
  if (problems.length === 0 || task.result?.state === 'fail') return
  throw problems.length === 1 ? problems[0] : new AggregateError(problems, problems.map(String).join('\n'))
})

export type { ClusterMatchers } from './cluster/matchers/all.ts'
