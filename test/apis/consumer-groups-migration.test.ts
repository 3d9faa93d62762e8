import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { incrementalAlterConfigs } from '../../src/apis/incremental-alter-configs.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { createCluster } from '../../src/cluster/create-cluster.ts'
import { decodeAssignment, encodeAssignment, encodeSubscription } from '../../src/wire/consumer-protocol.ts'
import { ask } from './asking.ts'
import { beat, described as describedClassic, type Joining, join, joinAsNew, leave, sync } from './classic-asking.ts'
import { commit, committed, keptOn } from './committing.ts'
import { describeConsumers, heartbeat, joinConsumers, type Partitions, type Saying } from './consumer-asking.ts'
import { stateAfter } from './group-states.ts'

let cluster: Cluster

const open = async (configs: Record<string, string | number> = {}) => {
  cluster = await createCluster({
    brokers: 1,
    configs: { 'group.initial.rebalance.delay.ms': 0, ...configs } as never,
    topics: { t: { partitions: 4 }, ...keptOn(1) },
  })
}

beforeEach(() => open())
afterEach(() => cluster.close())

const all = { t: [0, 1, 2, 3] }
const partitions = (owned: Partitions) =>
  Object.entries(owned).map(([topic, list]) => ({ topic, partitions: [...list] }))
const owning = (owned: Partitions) => encodeSubscription({ topics: ['t'], ownedPartitions: partitions(owned) }, 1)
const given = (owned: Partitions) => encodeAssignment({ assignedPartitions: partitions(owned) }, 1)

const consumerJoins = (member: string, saying: Partial<Saying> = {}) => joinConsumers(cluster, 'g', member, saying)
const consumerBeats = (member: string, epoch: number, saying: Partial<Saying> = {}) =>
  heartbeat(cluster, 'g', member, { epoch, ...saying })
const classicJoins = (joining: Joining) => join(cluster, 'g', joining)
const described = () => describeConsumers(cluster, 'g')
const state = () => stateAfter({ cluster, group: 'g' })

async function has(memberId: string, generation: number, version = 1): Promise<Partitions> {
  const { error, answer } = await sync(cluster, 'g', { memberId, generation })
  expect(error).toBe('NONE')
  expect([...answer.assignment.subarray(0, 2)]).toEqual([0, version])
  const { assignedPartitions } = decodeAssignment(answer.assignment)
  return Object.fromEntries(assignedPartitions.map(({ topic, partitions }) => [topic, partitions]))
}

/** A classic group of one member, which has everything. */
async function classicGroup(): Promise<string> {
  const { memberId, generation } = await joinAsNew(cluster, 'g', { metadata: owning({}), rebalanceMs: 5000 })
  await sync(cluster, 'g', { memberId, generation, assignments: { [memberId]: given(all) } })
  return memberId
}

/** Leader and follower, in a generation that nobody has synced. */
async function twoMembers() {
  const { memberId: leader } = await joinAsNew(cluster, 'g')
  const { memberId: follower } = await classicJoins({})
  const joining = classicJoins({ memberId: follower })
  await cluster.clock.advance(100)
  const { generation } = await classicJoins({ memberId: leader })
  await joining
  return { follower, generation }
}

/** G-58: as a broker of 4.3.1 answered, step by step. */
test('a classic group goes over to the consumer protocol member by member, and back, and never stops', async () => {
  const A = await classicGroup()
  await commit(cluster, 'g', { 't-0': 5 }, { memberId: A, generation: 1 })

  expect(await consumerJoins('N')).toMatchObject({ epoch: 2, assignment: {} })
  expect(await state()).toBe('consumer Reconciling')
  expect(await described()).toMatchObject({
    groupEpoch: 2,
    assignmentEpoch: 2,
    members: { N: [2, {}, { t: [2, 3] }], [A]: [1, all, { t: [0, 1] }] },
  })
  expect(await describedClassic(cluster, 'g')).toMatchObject({ errorMessage: 'Group g is not a classic group.' })
  expect(await committed(cluster, 'g')).toEqual({ 't-0': [5, '', 'NONE'] })

  expect(await beat(cluster, 'g', { memberId: A, generation: 1 })).toBe('REBALANCE_IN_PROGRESS')
  expect(await commit(cluster, 'g', { 't-0': 6 }, { memberId: A, generation: 1, version: 8 })).toEqual({
    't-0': 'NONE',
  })
  expect(await commit(cluster, 'g', { 't-0': 6 }, { memberId: A, generation: 9 })).toEqual({
    't-0': 'ILLEGAL_GENERATION',
  })
  expect(await classicJoins({ memberId: A, metadata: owning(all) })).toMatchObject({
    error: 'NONE',
    generation: 1,
    protocol: 'range',
    leader: '',
    members: [],
  })
  expect(await has(A, 1)).toEqual({ t: [0, 1] })
  // It has given up what it had to, and joins once more to say so.
  expect(await beat(cluster, 'g', { memberId: A, generation: 1 })).toBe('REBALANCE_IN_PROGRESS')
  expect(await consumerBeats('N', 2)).toMatchObject({ epoch: 2, assignment: null })
  expect(await classicJoins({ memberId: A, metadata: owning({ t: [0, 1] }) })).toMatchObject({ generation: 2 })
  expect(await has(A, 2)).toEqual({ t: [0, 1] })
  expect(await consumerBeats('N', 2)).toMatchObject({ epoch: 2, assignment: { t: [2, 3] } })
  expect(await state()).toBe('consumer Stable')
  expect(await beat(cluster, 'g', { memberId: A, generation: 2 })).toBe('NONE')
  expect(await beat(cluster, 'g', { memberId: A, generation: 9 })).toBe('ILLEGAL_GENERATION')

  expect(await consumerBeats('N', -1)).toMatchObject({ epoch: -1 })
  expect(await describedClassic(cluster, 'g')).toMatchObject({
    groupState: 'PreparingRebalance',
    protocolType: 'consumer',
    members: [{ memberId: A, clientId: 'asker', memberAssignment: given({ t: [0, 1] }) }],
  })
  expect(await beat(cluster, 'g', { memberId: A, generation: 2 })).toBe('REBALANCE_IN_PROGRESS')
  expect(await classicJoins({ memberId: A, metadata: owning({ t: [0, 1] }) })).toMatchObject({
    generation: 3,
    leader: A,
  })
  expect(await committed(cluster, 'g')).toEqual({ 't-0': [6, '', 'NONE'] })
})

describe('members that wait in a rebalance when their group goes over are told to join again (G-58)', () => {
  test('in JoinGroup', async () => {
    const A = await classicGroup()
    const { memberId: B } = await classicJoins({})
    const joining = classicJoins({ memberId: B })
    await cluster.clock.advance(100)
    expect(await consumerJoins('N')).toMatchObject({ epoch: 2 })
    expect(await joining).toMatchObject({ error: 'REBALANCE_IN_PROGRESS' })
    expect(Object.keys((await described()).members).sort()).toEqual([A, B, 'N'].sort())
  })

  test('in SyncGroup', async () => {
    const { follower: second, generation } = await twoMembers()
    const syncing = sync(cluster, 'g', { memberId: second, generation })
    await cluster.clock.advance(100)
    expect(await consumerJoins('N')).toMatchObject({ epoch: generation + 1 })
    expect((await syncing).error).toBe('REBALANCE_IN_PROGRESS')
  })
})

describe('a group that cannot go over says why', () => {
  const refused = (reason: string) => ({
    error: 'GROUP_ID_NOT_FOUND',
    message: `Cannot upgrade classic group g to consumer group because ${reason}.`,
  })

  test('another protocol type', async () => {
    await joinAsNew(cluster, 'g', { protocolType: 'connect' })
    expect(await consumerJoins('N')).toMatchObject(refused('the group does not use the consumer embedded protocol'))
  })

  test('subscriptions that nobody can read', async () => {
    await joinAsNew(cluster, 'g', { metadata: new Uint8Array([0, 1, 0, 0, 0, 9]) })
    expect(await consumerJoins('N')).toMatchObject(refused('the embedded consumer protocol is malformed'))
    expect(await state()).toBe('CompletingRebalance')
  })

  test('more members than a consumer group may have', async () => {
    await cluster.close()
    await open({ 'group.consumer.max.size': 1 })
    await twoMembers()
    expect(await consumerJoins('N')).toMatchObject(refused('the group size exceeds the consumer group maximum size'))
  })

  test.each(['disabled', 'downgrade', 'DOWNGRADE'])(
    'a policy of %s; an empty group goes over nevertheless',
    async policy => {
      await cluster.close()
      await open({ 'group.consumer.migration.policy': policy })
      const A = await classicGroup()
      expect(await consumerJoins('N')).toMatchObject({ error: 'GROUP_ID_NOT_FOUND' })
      await leave(cluster, 'g', { memberId: A })
      expect(await consumerJoins('N')).toMatchObject({ error: 'NONE', epoch: 2 })
    },
  )
})

describe('classic members of a consumer group (G-58)', () => {
  test('a new one is given its id first, and its share when there is a new target', async () => {
    await consumerJoins('A')
    const { error, memberId } = await classicJoins({})
    expect(error).toBe('MEMBER_ID_REQUIRED')
    expect(await described()).toMatchObject({ groupEpoch: 2 })
    expect(await classicJoins({ memberId })).toMatchObject({ error: 'NONE', generation: 2 })
    expect(await has(memberId, 2)).toEqual({})
    expect(await beat(cluster, 'g', { memberId, generation: 2 })).toBe('NONE')
    await cluster.clock.advance(1000)
    expect(await consumerBeats('A', 2)).toMatchObject({ assignment: { t: [0, 1] } })
    expect(await beat(cluster, 'g', { memberId, generation: 2 })).toBe('REBALANCE_IN_PROGRESS')
    expect((await sync(cluster, 'g', { memberId, generation: 2 })).error).toBe('REBALANCE_IN_PROGRESS')
    expect(await classicJoins({ memberId })).toMatchObject({ generation: 3 })
    expect(await has(memberId, 3)).toEqual({})
    // A still has to give it up; nothing to join for meanwhile.
    expect(await beat(cluster, 'g', { memberId, generation: 3 })).toBe('NONE')
    await consumerBeats('A', 2, { owned: { t: [0, 1] } })
    expect(await beat(cluster, 'g', { memberId, generation: 3 })).toBe('REBALANCE_IN_PROGRESS')
    expect(await classicJoins({ memberId })).toMatchObject({ generation: 3 })
    expect(await has(memberId, 3)).toEqual({ t: [2, 3] })
  })

  test('the assignment is in the version of the subscription', async () => {
    await consumerJoins('A')
    await cluster.clock.advance(1000)
    const { memberId, generation } = await join(cluster, 'g', {
      version: 3,
      metadata: encodeSubscription({ topics: ['t'] }, 0),
    })
    expect(await has(memberId, generation, 0)).toEqual({})
  })

  test('what is not in order is refused', async () => {
    await consumerJoins('A')
    await classicJoins({ memberId: 'C' })
    const syncs = async (saying: object) =>
      (await sync(cluster, 'g', { memberId: 'C', generation: 2, ...saying })).error
    expect((await classicJoins({ memberId: 'D', protocols: [] })).error).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect((await classicJoins({ memberId: 'D', protocols: ['other'] })).error).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect((await classicJoins({ memberId: 'D', protocolType: 'connect' })).error).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect((await classicJoins({ memberId: 'D', metadata: new Uint8Array([0, 1, 0, 0, 0, 9]) })).error).toBe(
      'INCONSISTENT_GROUP_PROTOCOL',
    )
    expect(await syncs({ protocol: 'other' })).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(await syncs({ protocolType: 'connect' })).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(await syncs({ generation: 7 })).toBe('ILLEGAL_GENERATION')
    expect(await syncs({ memberId: 'nobody' })).toBe('UNKNOWN_MEMBER_ID')
    expect(await syncs({ memberId: 'A' })).toBe('UNKNOWN_MEMBER_ID')
    expect(await beat(cluster, 'g', { memberId: 'A', generation: 2 })).toBe('UNKNOWN_MEMBER_ID')
    expect(await beat(cluster, 'g', { memberId: 'C', generation: 2, instanceId: 'i' })).toBe('UNKNOWN_MEMBER_ID')
  })

  test('who does not call SyncGroup within its rebalance timeout is removed', async () => {
    await consumerJoins('A')
    await classicJoins({ memberId: 'C', rebalanceMs: 5000 })
    await classicJoins({ memberId: 'D', rebalanceMs: 5000 })
    await has('D', 2)
    await cluster.clock.advance(5000)
    expect(Object.keys((await described()).members)).toEqual(['A', 'D'])
  })

  test('who does not join again within its rebalance timeout is removed', async () => {
    await consumerJoins('A')
    await classicJoins({ memberId: 'C', rebalanceMs: 5000 })
    await has('C', 2)
    await cluster.clock.advance(1000)
    await consumerBeats('A', 2)
    const beats = () => beat(cluster, 'g', { memberId: 'C', generation: 2 })
    expect(await beats()).toBe('REBALANCE_IN_PROGRESS')
    await cluster.clock.advance(4500)
    expect(await beats()).toBe('REBALANCE_IN_PROGRESS')
    await cluster.clock.advance(500)
    expect(await beats()).toBe('UNKNOWN_MEMBER_ID')
  })

  test('who is not heard of for its own session timeout is removed', async () => {
    await consumerJoins('A')
    await classicJoins({ memberId: 'C', sessionMs: 10_000 })
    await has('C', 2)
    await cluster.clock.advance(9900)
    expect(Object.keys((await described()).members)).toEqual(['A', 'C'])
    await cluster.clock.advance(100)
    expect(Object.keys((await described()).members)).toEqual(['A'])
  })

  test('LeaveGroup is for all of them, by member id or by instance id', async () => {
    await consumerJoins('A')
    await classicJoins({ memberId: 'C' })
    await consumerJoins('S', { instanceId: 'i' })
    expect(await leave(cluster, 'g', { memberId: 'nobody' }, { instanceId: 'i' }, { memberId: 'C' })).toEqual([
      'NONE',
      'UNKNOWN_MEMBER_ID',
      'NONE',
      'NONE',
    ])
    expect(Object.keys((await described()).members)).toEqual(['A'])
    expect(await leave(cluster, 'g', { memberId: 'A' })).toEqual(['NONE', 'NONE'])
    expect(await state()).toBe('consumer Empty')
  })

  test('a group in which all members have gone back is a classic one with the next that leaves', async () => {
    await consumerJoins('A')
    await classicJoins({ memberId: 'C' })
    expect(await classicJoins({ memberId: 'A' })).toMatchObject({ error: 'NONE', generation: 2 })
    expect(await state()).toBe('consumer Assigning')
    await has('C', 2)
    await cluster.clock.advance(1000)
    // Nobody else would make the target that is due.
    expect(await beat(cluster, 'g', { memberId: 'C', generation: 2 })).toBe('REBALANCE_IN_PROGRESS')
    expect(await leave(cluster, 'g', { memberId: 'A' })).toEqual(['NONE', 'NONE'])
    expect(await state()).toBe('PreparingRebalance')
  })

  test('with a static member that comes back by the classic protocol the group is a classic one, and Stable', async () => {
    await consumerJoins('A', { instanceId: 'i' })
    const { error, memberId, generation } = await classicJoins({ instanceId: 'i' })
    expect([error, generation]).toEqual(['NONE', 2])
    expect(await state()).toBe('Stable')
    expect(await describedClassic(cluster, 'g')).toMatchObject({
      protocolData: 'range',
      members: [{ memberId, groupInstanceId: 'i', memberAssignment: given(all) }],
    })
    const speaking = { memberId, generation: 2, instanceId: 'i' }
    expect((await sync(cluster, 'g', speaking)).answer.assignment).toEqual(given(all))
    expect(await beat(cluster, 'g', speaking)).toBe('NONE')
  })

  test('a policy that forbids it keeps the consumer group', async () => {
    await cluster.close()
    await open({ 'group.consumer.migration.policy': 'upgrade' })
    await consumerJoins('A')
    await classicJoins({ memberId: 'C' })
    await consumerBeats('A', -1)
    expect(await state()).toBe('consumer Assigning')
  })

  test('a policy of disabled keeps them out', async () => {
    await cluster.close()
    await open({ 'group.consumer.migration.policy': 'disabled' })
    await consumerJoins('A')
    expect((await classicJoins({ memberId: 'C' })).error).toBe('INCONSISTENT_GROUP_PROTOCOL')
  })

  test('a member that comes over to the consumer protocol under its old id keeps what it has', async () => {
    const A = await classicGroup()
    expect(await consumerJoins(A)).toMatchObject({ epoch: 1, assignment: all })
    expect(await state()).toBe('consumer Stable')
    expect(await beat(cluster, 'g', { memberId: A, generation: 1 })).toBe('UNKNOWN_MEMBER_ID')
  })
})

test('an empty consumer group becomes a classic one, and what it has committed stays (G-4)', async () => {
  await consumerJoins('A')
  await commit(cluster, 'g', { 't-0': 7 }, { memberId: 'A', generation: 2 })
  await consumerBeats('A', -1)
  await joinAsNew(cluster, 'g')
  expect(await state()).toBe('CompletingRebalance')
  expect(await committed(cluster, 'g')).toEqual({ 't-0': [7, '', 'NONE'] })
})

test('the interval of one group may be set while it is in use (G-5)', async () => {
  const configs = [{ name: 'consumer.assignment.interval.ms', configOperation: 0, value: '0' }]
  const resources = [{ resourceType: 32, resourceName: 'g', configs }]
  await consumerJoins('A')
  await ask(cluster, 1, incrementalAlterConfigs, { resources, validateOnly: false })
  expect(await consumerJoins('B')).toMatchObject({ epoch: 3 })
})
