import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The differential plays to a cluster that nobody has used before: what stories leave behind would be listed there. */
class DifferentialFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isFirst = ({ moduleId }: TestSpecification) => moduleId.endsWith('/differential.test.ts')
    return [...sorted.filter(isFirst), ...sorted.filter(file => !isFirst(file))]
  }
}

/** The stories of test/scenarios on a real Apache Kafka: one cluster for all of them, so one after the other; and what needs one of its own. */
export default defineConfig({
  test: {
    include: ['test/scenarios/**/*.test.ts', 'test/oracle/**/*.test.ts'],
    globalSetup: ['test/oracle/setup.ts'],
    pool: 'forks',
    maxWorkers: 1,
    isolate: false,
    fileParallelism: false,
    sequence: { sequencer: DifferentialFirst },
    // A real broker that a busy machine kept waiting is fenced for a moment: what that spoils is told once more.
    retry: 1,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
})
