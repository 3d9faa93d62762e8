import { expect, test } from 'vitest'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { createCluster } from '../../src/cluster/create-cluster.ts'
import { cut } from '../../src/index.ts'
import { coordinatorOf, keptOn } from './committing.ts'
import { describeConsumers, heartbeat, joinConsumers, type Saying } from './consumer-asking.ts'

const threeBrokers = () => createCluster({ brokers: 3, topics: { t: { partitions: 4 }, ...keptOn(1, 2, 3) } })
const all = { t: [0, 1, 2, 3] }
const join = (cluster: Cluster, member: string, saying: Partial<Saying> = {}) =>
  joinConsumers(cluster, 'g', member, saying)
const beat = (cluster: Cluster, member: string, epoch: number, saying: Partial<Saying> = {}) =>
  heartbeat(cluster, 'g', member, { epoch, ...saying })

/** G-2, X-34 */
test('the coordinator crashes while a member gives up partitions, and the rebalance goes on elsewhere', async () => {
  await using cluster = await threeBrokers()
  await join(cluster, 'A')
  await join(cluster, 'B')
  await cluster.clock.advance(1000)
  await beat(cluster, 'B', 2)
  expect(await beat(cluster, 'A', 2, { owned: all })).toMatchObject({ assignment: { t: [0, 1] } })
  const before = await describeConsumers(cluster, 'g')
  const old = coordinatorOf(cluster, 'g')

  await cluster.broker(old).crash()
  await cluster.runUntil(() => coordinatorOf(cluster, 'g') !== old)
  await cluster.settle()
  expect(await describeConsumers(cluster, 'g')).toEqual(before)
  expect(await beat(cluster, 'A', 2, { owned: { t: [0, 1] } })).toMatchObject({ epoch: 3 })
  expect(await beat(cluster, 'B', 3)).toMatchObject({ epoch: 3, assignment: { t: [2, 3] } })
  expect(await describeConsumers(cluster, 'g')).toMatchObject({ state: 'Stable' })
})

test('nobody is told of a step before all replicas in sync have it, and nobody sees it (G-2)', async () => {
  await using cluster = await threeBrokers()
  const coordinator = coordinatorOf(cluster, 'g')
  await join(cluster, 'A')
  const rules = [1, 2, 3].filter(id => id !== coordinator).map(id => cluster.network.rule(cut(coordinator, id)))
  const joining = join(cluster, 'B')
  await cluster.clock.advance(1000)
  expect(Object.keys((await describeConsumers(cluster, 'g')).members)).toEqual(['A'])
  expect(await joining).toMatchObject({ error: 'COORDINATOR_NOT_AVAILABLE' })
  for (const rule of rules) rule.dispose()
  await cluster.settle()
  expect(Object.keys((await describeConsumers(cluster, 'g')).members)).toEqual(['A', 'B'])
  expect(await join(cluster, 'B')).toMatchObject({ error: 'NONE' })
})

test('brokers without the consumer protocol say so', async () => {
  const configs = { 'group.coordinator.rebalance.protocols': ['classic'] } as never
  await using cluster = await createCluster({ brokers: 1, configs, topics: { t: { partitions: 1 }, ...keptOn(1) } })
  expect(await join(cluster, 'A')).toMatchObject({ error: 'UNSUPPORTED_VERSION' })
  expect(await describeConsumers(cluster, 'g')).toMatchObject({ error: 'UNSUPPORTED_VERSION' })
})
