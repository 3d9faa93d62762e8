import { defineConfig } from 'vitest/config'

/** Clients of others, as their users have them, on real time: a process for each file, so that what one leaves open shows. */
export default defineConfig({
  test: {
    include: ['test/conformance/*.test.ts'],
    globalSetup: ['test/conformance/build.ts'],
    reporters: ['default', 'test/conformance/table-reporter.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
