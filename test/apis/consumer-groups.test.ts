import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { createCluster } from '../../src/cluster/create-cluster.ts'
import { keptOn } from './committing.ts'
import { describeConsumers, heartbeat, joinConsumers } from './consumer-asking.ts'

let cluster: Cluster

beforeEach(async () => {
  cluster = await createCluster({ brokers: 1, topics: { t: { partitions: 4 }, u: { partitions: 2 }, ...keptOn(1) } })
})

afterEach(() => cluster.close())

const join = (member: string, saying = {}) => joinConsumers(cluster, 'g', member, saying)
const beat = (member: string, epoch: number, saying = {}) => heartbeat(cluster, 'g', member, { epoch, ...saying })
const described = () => describeConsumers(cluster, 'g')
const nextInterval = () => cluster.clock.advance(1000)

test('the first member of a group has everything at once, and epoch 2 (G-53, G-56)', async () => {
  expect(await join('A')).toEqual({
    error: 'NONE',
    message: null,
    memberId: 'A',
    epoch: 2,
    heartbeatMs: 5000,
    assignment: { t: [0, 1, 2, 3] },
  })
  expect(await described()).toEqual({
    error: 'NONE',
    message: null,
    state: 'Stable',
    groupEpoch: 2,
    assignmentEpoch: 2,
    assignor: 'uniform',
    members: { A: [2, { t: [0, 1, 2, 3] }, { t: [0, 1, 2, 3] }] },
  })
})

test('a second member takes over what the first one gives up, one step after the other (G-54)', async () => {
  await join('A')
  expect(await join('B')).toMatchObject({ epoch: 2, assignment: {} })
  expect(await described()).toMatchObject({ state: 'Assigning', groupEpoch: 3, assignmentEpoch: 2 })
  expect(await beat('B', 2)).toMatchObject({ epoch: 2, assignment: null })
  await nextInterval()
  expect(await described()).toMatchObject({ state: 'Assigning' })

  expect(await beat('B', 2)).toMatchObject({ epoch: 3, assignment: null })
  expect(await described()).toMatchObject({
    state: 'Reconciling',
    groupEpoch: 3,
    assignmentEpoch: 3,
    members: { A: [2, { t: [0, 1, 2, 3] }, { t: [0, 1] }], B: [3, {}, { t: [2, 3] }] },
  })
  expect(await beat('A', 2, { owned: { t: [0, 1, 2, 3] } })).toMatchObject({ epoch: 2, assignment: { t: [0, 1] } })
  // What it is told to give up is still its own.
  expect((await described()).members.A).toEqual([2, { t: [0, 1, 2, 3] }, { t: [0, 1] }])
  expect(await beat('A', 2, { owned: { t: [0, 1, 2, 3] } })).toMatchObject({ epoch: 2, assignment: null })
  expect(await beat('A', 2)).toMatchObject({ epoch: 2, assignment: null })
  expect(await beat('B', 3)).toMatchObject({ epoch: 3, assignment: null })

  expect(await beat('A', 2, { owned: { t: [0, 1] } })).toMatchObject({ epoch: 3, assignment: null })
  // The answer was lost: the same once more.
  expect(await beat('A', 2, { owned: { t: [0, 1] } })).toMatchObject({ error: 'NONE', epoch: 3 })
  expect(await beat('A', 2, { owned: { t: [0, 1, 2, 3] } })).toMatchObject({
    error: 'FENCED_MEMBER_EPOCH',
    message:
      'The consumer group member has a smaller member epoch (2) than the one known by the group coordinator (3). ' +
      'The member must abandon all its partitions and rejoin.',
  })
  expect(await beat('A', 2)).toMatchObject({ error: 'FENCED_MEMBER_EPOCH' })
  expect(await beat('B', 3)).toMatchObject({ epoch: 3, assignment: { t: [2, 3] } })
  expect(await described()).toMatchObject({
    state: 'Stable',
    members: { A: [3, { t: [0, 1] }, { t: [0, 1] }], B: [3, { t: [2, 3] }, { t: [2, 3] }] },
  })
  expect(await join('A')).toMatchObject({ epoch: 3, assignment: { t: [0, 1] } })
})
