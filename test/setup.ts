import * as matchers from 'jest-extended'
import { expect } from 'vitest'
import { logsOfTests } from './redis/logs-of-tests.ts'

expect.extend(matchers as unknown as Parameters<typeof expect.extend>[0])

await logsOfTests(process.env.MINI_KAFKA_LOGS)

declare module 'vitest' {
  /** Those of jest-extended that tests use: its own type takes any name, so that a misspelt matcher would compile. */
  interface Matchers<T> extends Pick<CustomMatchers<T>, 'toSatisfyAll' | 'toIncludeSameMembers' | 'toBeWithin'> {}
}
