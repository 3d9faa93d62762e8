/**
 * The matchers in Jest: `import 'mini-kafka/jest'` in a test, or in `setupFilesAfterEnv`. A failed test prints the seed of
 * its clusters and the line that replays it; a passed one fails when a fault that it ordered never fired, or when nobody
 * awaited a matcher.
 */
import { relative } from 'node:path'
import type {} from 'expect'
import type { ClusterMatchers } from './cluster/matchers/all.ts'
import { replayText, TestWatch } from './cluster/matchers/test-watch.ts'
import { IllegalStateError } from './wire/errors.ts'

declare global {
  namespace jest {
    // biome-ignore lint/complexity/noBannedTypes: as @types/jest declares it
    interface Matchers<R, T = {}> extends ClusterMatchers {}
  }
}

declare module 'expect' {
  interface Matchers<R extends void | Promise<void>, T = unknown> extends ClusterMatchers {}
}

interface JestGlobals {
  readonly expect?: {
    extend(matchers: object): void
    getState(): { readonly testPath?: string; readonly currentTestName?: string }
  }
  readonly beforeEach?: (run: () => void) => void
  readonly afterEach?: (run: () => void) => void
}

const { expect, beforeEach, afterEach } = globalThis as JestGlobals
if (expect === undefined || beforeEach === undefined || afterEach === undefined) {
  throw new IllegalStateError(
    "mini-kafka/jest is imported by a test that Jest runs, or named in setupFilesAfterEnv; it needs Jest's globals (injectGlobals)",
  )
}

const watch = new TestWatch()
expect.extend(watch.matchers)

beforeEach(() => watch.begin())

afterEach(() => {
  const seeds = watch.seeds()
  const hasFailed = failed()
  if (hasFailed) for (const text of watch.standstills()) process.stderr.write(`${text}\n`)
  const problems = watch.end()
  if ((hasFailed || problems.length > 0) && seeds.length > 0) {
    const { testPath = '', currentTestName = '' } = expect.getState()
    const command = `npx jest ${relative(process.cwd(), testPath)}`
    process.stderr.write(`${replayText(seeds, command, currentTestName)}\n`)
  }
  if (hasFailed || problems.length === 0) return
  throw problems.length === 1 ? problems[0] : new AggregateError(problems, problems.map(String).join('\n'))
})

/** Jest has no hook for it; its runner keeps what runs on the global object. Another runner's tests count as passed. */
function failed(): boolean {
  const key = Object.getOwnPropertySymbols(globalThis).find(({ description }) => description === 'JEST_STATE_SYMBOL')
  if (key === undefined) return false
  const state = (globalThis as Record<symbol, unknown>)[key] as { currentlyRunningTest?: { errors?: unknown[] } }
  return (state.currentlyRunningTest?.errors?.length ?? 0) > 0
}

export type { ClusterMatchers } from './cluster/matchers/all.ts'
