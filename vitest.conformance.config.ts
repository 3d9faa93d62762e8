import { defineConfig } from 'vitest/config'

/** Clients of others, as their users have them, on real time: a process for each file, so that what one leaves open shows. */
export default defineConfig({
  test: {
    include: ['test/conformance/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
})
