import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { keptOn } from './committing.ts'
import { transactionsOn } from './transacting.ts'
import { outcomeOf, setupOf, stateAfter, tables } from './transaction-states.ts'

let cluster: Cluster
let ids = 0

beforeAll(async () => {
  const topics = { t: { assignments: [[1], [1]] }, u: { assignments: [[1]] }, ...transactionsOn(1, 2, 3), ...keptOn(1) }
  cluster = await createCluster({ topics })
})

afterAll(() => cluster.close())

const states = (['TV1', 'TV2'] as const).flatMap(version =>
  Object.entries(tables[version]).map(([state, rows]) => [version, state, Object.entries(rows)] as const),
)

/** T-5, T-12…T-20, T-26, T-30…T-32: what Kafka 4.3.1 answered. */
describe.each(states)('a transactional id, %s: %s', (version, state, rows) => {
  test.each(rows)('%s', async (request, row) => {
    const situation = await setupOf(version, state)(cluster, `id-${++ids}`)
    const outcome = await outcomeOf(request, situation)
    const isPending = state.startsWith('pending')
    const then = isPending ? row.then : await stateAfter(situation)
    await situation.release()
    // The table has how long it took the real broker to answer.
    expect([outcome, then]).toEqual([row.outcome.replace(/ after \d+ ms$/, ''), row.then])
  })
})
