import { defineConfig } from 'vitest/config'

/** The stories of test/scenarios on a real Apache Kafka: one cluster for all of them, so one after the other; and what needs one of its own. */
export default defineConfig({
  test: {
    include: ['test/scenarios/**/*.test.ts', 'test/oracle/**/*.test.ts'],
    globalSetup: ['test/oracle/setup.ts'],
    pool: 'forks',
    maxWorkers: 1,
    isolate: false,
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
})
