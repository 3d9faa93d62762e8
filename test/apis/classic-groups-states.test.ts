import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { keptOn } from './committing.ts'
import { classicRequests, classicSetups, classicTable, stateAfter } from './group-states.ts'
import { transactionsOn } from './transacting.ts'

/** Requests of the table that no broker here takes, and why. */
const leftOut: Readonly<Record<string, string>> = {
  'ShareGroupHeartbeat, epoch 0 (join)': 'there are no share groups',
}

let cluster: Cluster
let groups = 0

beforeAll(async () => {
  cluster = await createCluster({
    brokers: 1,
    configs: { 'group.initial.rebalance.delay.ms': 0, 'group.consumer.assignment.interval.ms': 0 },
    topics: { t: { partitions: 4 }, u: { partitions: 1 }, ...keptOn(1), ...transactionsOn(1) },
  })
})

afterAll(() => cluster.close())

test('every request of the table is asked, but for those that are left out by name', () => {
  const named = new Set(Object.values(classicTable).flatMap(rows => Object.keys(rows)))
  expect([...named].sort()).toEqual([...Object.keys(classicRequests), ...Object.keys(leftOut)].sort())
  expect(Object.keys(classicSetups)).toEqual(Object.keys(classicTable))
})

/** G-10, G-13…G-16, G-19, G-30, G-33, G-35, G-41, X-35: what Kafka 4.3.1 answered. */
describe.each(Object.entries(classicTable))('a classic group: %s', (state, rows) => {
  const asked = Object.entries(rows).filter(([request]) => request in classicRequests)
  test.each(asked)('%s', async (request, row) => {
    const situation = await classicSetups[state]!(cluster, `group-${++groups}`)
    const outcome = await classicRequests[request]!(situation)
    expect([outcome, await stateAfter(situation)]).toEqual([row.outcome, row.then])
  })
})
