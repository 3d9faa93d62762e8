import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { incrementalAlterConfigs } from '../../src/apis/incremental-alter-configs.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { createCluster } from '../../src/cluster/create-cluster.ts'
import { ask } from './asking.ts'
import { keptOn } from './committing.ts'
import { describeConsumers, heartbeat, joinConsumers, type Saying } from './consumer-asking.ts'

let cluster: Cluster

beforeEach(async () => {
  cluster = await createCluster({ brokers: 1, topics: { t: { partitions: 4 }, u: { partitions: 2 }, ...keptOn(1) } })
})

afterEach(() => cluster.close())

const all = { t: [0, 1, 2, 3] }
const join = (member: string, saying: Partial<Saying> = {}) => joinConsumers(cluster, 'g', member, saying)
const beat = (member: string, epoch: number, saying: Partial<Saying> = {}) =>
  heartbeat(cluster, 'g', member, { epoch, ...saying })
const described = () => describeConsumers(cluster, 'g')

describe('static members (G-52, KIP-345)', () => {
  const i = { instanceId: 'i' }

  test('one that is there keeps its place against another, and against itself without its instance', async () => {
    await join('A', i)
    expect(await join('B', i)).toMatchObject({
      error: 'UNRELEASED_INSTANCE_ID',
      message: 'Static member B with instance id i cannot join the group because the instance id is owned by A member.',
    })
    expect(await beat('A', 2, { instanceId: 'zzz' })).toMatchObject({
      error: 'UNKNOWN_MEMBER_ID',
      message: 'Instance id zzz is unknown.',
    })
    expect(await beat('Z', 2, i)).toMatchObject({
      error: 'FENCED_INSTANCE_ID',
      message: 'Static member Z with instance id i was fenced by member A.',
    })
  })

  test('one that is away for the time being is followed by another id, and nobody else notices', async () => {
    await join('A', i)
    expect(await beat('A', -2, i)).toMatchObject({ error: 'NONE', memberId: 'A', epoch: -2, heartbeatMs: 0 })
    expect(await described()).toMatchObject({ state: 'Reconciling', groupEpoch: 2, members: { A: [-2, all, all] } })
    expect(await beat('A', 2, i)).toMatchObject({
      error: 'FENCED_MEMBER_EPOCH',
      message: expect.stringContaining('greater member epoch (2) than the one known by the group coordinator (-2)'),
    })
    expect(await join('B', i)).toMatchObject({ epoch: 2, assignment: all })
    expect(await described()).toEqual({
      error: 'NONE',
      message: null,
      state: 'Stable',
      groupEpoch: 2,
      assignmentEpoch: 2,
      assignor: 'uniform',
      members: { B: [2, all, all] },
    })
    expect(await beat('A', 2, i)).toMatchObject({ error: 'FENCED_INSTANCE_ID' })
    expect(await beat('B', -1, i)).toMatchObject({ memberId: 'B', epoch: -1 })
    expect(await described()).toMatchObject({ state: 'Empty', groupEpoch: 3, assignmentEpoch: 2 })
  })

  test('one that does not come back is removed a session timeout after it was last heard of', async () => {
    await join('A', i)
    await cluster.clock.advance(20_000)
    await beat('A', -2, i)
    await cluster.clock.advance(24_900)
    expect((await described()).state).toBe('Reconciling')
    await cluster.clock.advance(100)
    expect(await described()).toMatchObject({ state: 'Empty', groupEpoch: 3, members: {} })
  })
})

describe('deadlines (G-55)', () => {
  test('no heartbeat for the session timeout: the member is out, and what it had is free', async () => {
    await join('A')
    await join('B')
    await cluster.clock.advance(20_000)
    expect(await beat('B', 2)).toMatchObject({ epoch: 3 })
    await cluster.clock.advance(24_900)
    expect(Object.keys((await described()).members)).toEqual(['A', 'B'])
    await cluster.clock.advance(100)
    expect(await described()).toMatchObject({
      state: 'Assigning',
      groupEpoch: 4,
      members: { B: [3, {}, { t: [2, 3] }] },
    })
    expect(await beat('B', 3)).toMatchObject({ epoch: 4, assignment: all })
    expect(await beat('A', 2)).toMatchObject({
      error: 'UNKNOWN_MEMBER_ID',
      message: 'Member A is not a member of group g.',
    })
  })

  test('a member that is told to give up partitions has its rebalance timeout for it, however alive it is', async () => {
    await join('A', { rebalanceTimeoutMs: 10_000 })
    await join('B')
    await cluster.clock.advance(1000)
    await beat('B', 2)
    expect(await beat('A', 2, { owned: all })).toMatchObject({ assignment: { t: [0, 1] } })
    await cluster.clock.advance(5000)
    expect(await beat('A', 2, { owned: all })).toMatchObject({ error: 'NONE', epoch: 2 })
    await cluster.clock.advance(4900)
    expect(await beat('A', 2, { owned: all })).toMatchObject({ error: 'NONE', epoch: 2 })
    await cluster.clock.advance(100)
    expect(await beat('A', 2)).toMatchObject({ error: 'UNKNOWN_MEMBER_ID' })
    expect(await described()).toMatchObject({ state: 'Assigning', groupEpoch: 4, assignmentEpoch: 3 })
    expect(await beat('B', 3)).toMatchObject({ epoch: 4, assignment: all })
  })

  test('who has given them up in time stays', async () => {
    await join('A', { rebalanceTimeoutMs: 10_000 })
    await join('B')
    await cluster.clock.advance(1000)
    await beat('B', 2)
    await beat('A', 2, { owned: all })
    await cluster.clock.advance(9900)
    expect(await beat('A', 2, { owned: { t: [0, 1] } })).toMatchObject({ epoch: 3 })
    await cluster.clock.advance(20_000)
    expect(await beat('A', 3)).toMatchObject({ error: 'NONE' })
  })
})

describe('configurations of one group', () => {
  const setGroup = async (configs: Record<string, string>) => {
    const entries = Object.entries(configs).map(([name, value]) => ({ name, configOperation: 0, value }))
    const resources = [{ resourceType: 32, resourceName: 'g', configs: entries }]
    const answer = await ask(cluster, 1, incrementalAlterConfigs, { resources, validateOnly: false })
    expect(answer.responses[0]!.errorMessage).toBeNull()
  }

  test('its heartbeat interval is told, its session timeout counts', async () => {
    await setGroup({ 'consumer.heartbeat.interval.ms': '7000', 'consumer.session.timeout.ms': '50000' })
    expect(await join('A')).toMatchObject({ heartbeatMs: 7000 })
    await cluster.clock.advance(49_900)
    expect((await described()).state).toBe('Stable')
    await cluster.clock.advance(100)
    expect((await described()).state).toBe('Empty')
  })

  test('its assignment interval says how long a new member waits for its share (G-5)', async () => {
    await setGroup({ 'consumer.assignment.interval.ms': '5000' })
    await join('A')
    await join('B')
    await cluster.clock.advance(4900)
    expect(await beat('B', 2)).toMatchObject({ epoch: 2 })
    await cluster.clock.advance(100)
    expect(await beat('B', 2)).toMatchObject({ epoch: 3 })
  })
})

describe('how the target is made (G-57)', () => {
  test('by what most ask for of those who ask for any, in the order of the configuration between equals', async () => {
    await join('A', { assignor: 'range' })
    await join('B')
    expect(await described()).toMatchObject({ assignor: 'range' })
    await join('C', { assignor: 'uniform' })
    expect(await described()).toMatchObject({ assignor: 'uniform' })
    await join('D', { assignor: 'range' })
    expect(await described()).toMatchObject({ assignor: 'range' })
  })

  test('a member that asks for another assignor is no reason for a new target', async () => {
    await join('A')
    expect(await beat('A', 2, { assignor: 'range' })).toMatchObject({ epoch: 2 })
    expect(await described()).toMatchObject({ assignor: 'range', groupEpoch: 2 })
  })

  test('a changed subscription is one: what is no longer wanted is given up first (G-53, G-54)', async () => {
    await join('A')
    await cluster.clock.advance(1000)
    expect(await beat('A', 2, { topics: ['u'], owned: all })).toMatchObject({ epoch: 2, assignment: {} })
    expect(await described()).toMatchObject({ state: 'Reconciling', members: { A: [2, all, { u: [0, 1] }] } })
    expect(await beat('A', 2, { owned: {} })).toMatchObject({ epoch: 3, assignment: { u: [0, 1] } })
  })

  test('within the assignment interval it gives up at once what it no longer wants', async () => {
    await join('A')
    expect(await beat('A', 2, { topics: ['u'], owned: all })).toMatchObject({ epoch: 2, assignment: {} })
    expect(await described()).toMatchObject({ state: 'Assigning', groupEpoch: 3, members: { A: [2, all, all] } })
    expect(await beat('A', 2, { owned: {} })).toMatchObject({ epoch: 2, assignment: null })
    await cluster.clock.advance(1000)
    expect(await beat('A', 2)).toMatchObject({ epoch: 3, assignment: { u: [0, 1] } })
  })

  test('who has to give up more meanwhile stays at its epoch until it has', async () => {
    const both = { topics: ['t', 'u'] }
    await join('A', both)
    await join('B', both)
    await cluster.clock.advance(1000)
    await beat('B', 2)
    expect(await beat('A', 2, { owned: { ...all, u: [0, 1] } })).toMatchObject({ assignment: { t: [0, 1, 2] } })
    await join('C', both)
    await cluster.clock.advance(1000)
    expect(await beat('C', 3)).toMatchObject({ epoch: 4 })
    expect(await beat('A', 2, { owned: { t: [0, 1, 2] } })).toMatchObject({ epoch: 2, assignment: { t: [0, 1] } })
    expect(await beat('A', 2, { owned: { t: [0, 1] } })).toMatchObject({ epoch: 4, assignment: null })
  })
})

test('a group whose members wanted nothing so far makes its first target at once (G-5, G-53)', async () => {
  expect(await join('A', { topics: [] })).toMatchObject({ epoch: 1 })
  expect(await join('B')).toMatchObject({ epoch: 2, assignment: all })
  expect(await join('C')).toMatchObject({ epoch: 2, assignment: {} })
})

test('the answer says what a member has when it says everything, whether it changed or not (G-56)', async () => {
  await join('A')
  const everything = { rebalanceTimeoutMs: 60_000, topics: ['t'], owned: all }
  expect(await beat('A', 2, everything)).toMatchObject({ epoch: 2, assignment: all })
  expect(await beat('A', 2, { ...everything, rebalanceTimeoutMs: -1 })).toMatchObject({ assignment: null })
  expect(await beat('A', 2, { ...everything, topics: null })).toMatchObject({ assignment: null })
  expect(await beat('A', 2, { ...everything, owned: null })).toMatchObject({ assignment: null })
})

test('a fenced member starts again with epoch 0 and has what it had (G-52)', async () => {
  await join('A')
  expect(await beat('A', 7)).toMatchObject({ error: 'FENCED_MEMBER_EPOCH' })
  expect(await join('A')).toMatchObject({ epoch: 2, assignment: all })
})

test('a thousand idle members cost the coordinator no timers of their own', async () => {
  const members = Array.from({ length: 50 }, (_, index) => `m-${index}`)
  for (const member of members) await join(member)
  const timers = cluster.broker(1).broker!.groups.shardOf('g').shard.timers
  expect(timers.has('consumer sessions of g')).toBe(true)
  expect(members.some(member => timers.has(`session of ${member} in g`))).toBe(false)
})

test('each change of a group is one line of the trace', async () => {
  await join('A')
  await beat('A', 2)
  await beat('A', -1)
  const lines = cluster.trace.events().filter(({ kind }) => kind === 'group')
  expect(lines.map(({ fields }) => fields)).toEqual([
    { what: 'g', state: 'Stable', epoch: 2, assignmentEpoch: 2, members: 1, reason: 'A joins' },
    { what: 'g', state: 'Empty', epoch: 3, assignmentEpoch: 2, members: 0, reason: 'A leaves' },
  ])
})
