import { afterEach, beforeEach, expect, test } from 'vitest'
import { findCoordinator } from '../../src/apis/find-coordinator.ts'
import {
  type Cluster,
  type Consumer,
  type ConsumerOptions,
  createCluster,
  DeleteGroups,
  DescribeGroups,
  FindCoordinator,
  IllegalArgumentError,
  type KafkaError,
  ListGroups,
  OffsetFetch,
} from '../../src/index.ts'
import { refused } from './refused.ts'

let cluster: Cluster
beforeEach(async () => {
  cluster = await createCluster({
    topics: { orders: { partitions: 2, replicationFactor: 3 } },
    configs: { 'offsets.topic.num.partitions': 6 },
  })
})
afterEach(() => cluster.close())

async function joined(options: ConsumerOptions): Promise<Consumer> {
  const consumer = cluster.consumer(options)
  consumer.subscribe(['orders'])
  await consumer.poll({ timeoutMs: 10_000 })
  return consumer
}

const at = (partition: number, offset: number) => ({ topic: 'orders', partition, offset })
const loosely = (value: unknown) => value as never

// --- listing -------------------------------------------------------------------------------------------------------------

test('groups of every broker are listed, with type, protocol type and state (G-41)', async () => {
  const admin = cluster.admin()
  await joined({ 'group.id': 'classic' })
  await joined({ 'group.id': 'modern', 'group.protocol': 'consumer' })
  for (const group of ['a', 'b', 'c']) await admin.alterConsumerGroupOffsets(group, [at(0, 0)])

  expect(new Set(['a', 'b', 'c'].map(group => cluster.coordinatorOf({ group }))).size).toBeGreaterThan(1)
  const simple = { type: 'classic', protocolType: '', state: 'Empty', isSimpleConsumerGroup: true }
  const all = [
    { groupId: 'a', ...simple },
    { groupId: 'b', ...simple },
    { groupId: 'c', ...simple },
    { groupId: 'classic', type: 'classic', protocolType: 'consumer', state: 'Stable', isSimpleConsumerGroup: false },
    { groupId: 'modern', type: 'consumer', protocolType: 'consumer', state: 'Stable', isSimpleConsumerGroup: false },
  ]
  expect(await admin.listGroups()).toEqual(all)
  expect(await admin.listConsumerGroups()).toEqual(all)
})

test('groups are listed by state, type and protocol type (G-41)', async () => {
  const admin = cluster.admin()
  await joined({ 'group.id': 'classic' })
  await joined({ 'group.id': 'modern', 'group.protocol': 'consumer' })
  await admin.alterConsumerGroupOffsets('simple', [at(0, 0)])
  const ids = async (listed: ReturnType<typeof admin.listGroups>) => (await listed).map(({ groupId }) => groupId)

  expect(await ids(admin.listGroups({ states: ['Stable'] }))).toEqual(['classic', 'modern'])
  expect(await ids(admin.listGroups({ states: ['Empty', 'Dead'] }))).toEqual(['simple'])
  expect(await ids(admin.listGroups({ types: ['consumer'] }))).toEqual(['modern'])
  expect(await ids(admin.listGroups({ types: ['classic'], states: ['Stable'] }))).toEqual(['classic'])
  expect(await ids(admin.listGroups({ protocolTypes: ['consumer'] }))).toEqual(['classic', 'modern'])
  expect(await ids(admin.listGroups({ protocolTypes: [''] }))).toEqual(['simple'])
  expect(await ids(admin.listConsumerGroups({ types: ['classic'] }))).toEqual(['classic', 'simple'])
})

test('a listing waits until the group of a broker that crashed are with another one', async () => {
  const admin = cluster.admin()
  await admin.alterConsumerGroupOffsets('billing', [at(0, 0)])
  const before = cluster.coordinatorOf({ group: 'billing' })
  await before.crash()

  expect((await admin.listGroups()).map(({ groupId }) => groupId)).toEqual(['billing'])
  expect(cluster.coordinatorOf({ group: 'billing' })).not.toBe(before)
})

test('a broker that is still reading its groups is asked again', async () => {
  const admin = cluster.admin()
  await admin.alterConsumerGroupOffsets('billing', [at(0, 0)])
  const fault = cluster.failNext(ListGroups, { error: 'COORDINATOR_LOAD_IN_PROGRESS', times: 2 })

  expect(await admin.listGroups()).toMatchObject([{ groupId: 'billing' }])
  expect(fault.hits).toBe(2)
})

// --- description ---------------------------------------------------------------------------------------------------------

test('groups of either protocol are described in one call, with members and what each has (G-41)', async () => {
  const admin = cluster.admin()
  await joined({ 'group.id': 'classic', 'client.id': 'till', 'group.instance.id': 'till-1' })
  await joined({ 'group.id': 'modern', 'client.id': 'robot', 'group.protocol': 'consumer' })
  await admin.alterConsumerGroupOffsets('simple', [at(0, 0)])
  const both = [
    { topic: 'orders', partition: 0 },
    { topic: 'orders', partition: 1 },
  ]

  const described = await admin.describeConsumerGroups(['classic', 'modern', 'simple'])
  expect([...described.keys()]).toEqual(['classic', 'modern', 'simple'])
  expect(described.get('classic')).toEqual({
    groupId: 'classic',
    type: 'classic',
    state: 'Stable',
    coordinator: expect.objectContaining({ id: cluster.coordinatorOf({ group: 'classic' }).id }),
    members: [
      {
        memberId: expect.stringMatching(/^till-1-/),
        groupInstanceId: 'till-1',
        clientId: 'till',
        host: expect.stringMatching(/^\//),
        assignment: both,
        targetAssignment: undefined,
        memberEpoch: undefined,
        isUpgraded: undefined,
      },
    ],
    partitionAssignor: 'range',
    groupEpoch: undefined,
    targetAssignmentEpoch: undefined,
    isSimpleConsumerGroup: false,
  })
  expect(described.get('modern')).toMatchObject({
    type: 'consumer',
    state: 'Stable',
    coordinator: { id: cluster.coordinatorOf({ group: 'modern' }).id },
    members: [
      { clientId: 'robot', groupInstanceId: undefined, assignment: both, targetAssignment: both, isUpgraded: true },
    ],
    partitionAssignor: 'uniform',
    groupEpoch: 2,
    targetAssignmentEpoch: 2,
    isSimpleConsumerGroup: false,
  })
  expect(described.get('simple')).toMatchObject({
    type: 'classic',
    state: 'Empty',
    members: [],
    isSimpleConsumerGroup: true,
  })
})

test('a group that is not there rejects with its name; the details have the others (G-41)', async () => {
  const admin = cluster.admin()
  await admin.alterConsumerGroupOffsets('billing', [at(0, 0)])
  const error = await refused(() => admin.describeConsumerGroups(['billing', 'nobody']))

  expect(error.errorName).toBe('GROUP_ID_NOT_FOUND')
  expect(error.message).toMatch(/^group 'nobody': /)
  expect((error.details as Map<string, unknown>).get('billing')).toMatchObject({ groupId: 'billing' })
})

test('a classic group is described under its own name too; one of the new protocol is none (G-41)', async () => {
  const admin = cluster.admin()
  await joined({ 'group.id': 'classic' })
  await joined({ 'group.id': 'modern', 'group.protocol': 'consumer' })

  const described = await admin.describeClassicGroups(['classic'])
  expect(described.get('classic')).toMatchObject({
    state: 'Stable',
    protocolType: 'consumer',
    protocolData: 'range',
    isSimpleConsumerGroup: false,
    members: [{ assignment: [{ partition: 0 }, { partition: 1 }] }],
  })
  const error = await refused(() => admin.describeClassicGroups(['modern']))
  expect(error).toMatchObject({
    errorName: 'GROUP_ID_NOT_FOUND',
    message: "group 'modern': Group modern is not a classic group.",
  })
})

test('groups are asked of their coordinators, one request for all of a broker, and found in one request', async () => {
  const groups = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
  for (const group of groups) await cluster.admin().alterConsumerGroupOffsets(group, [at(0, 0)])
  const admin = cluster.admin()
  await admin.describeClassicGroups(groups)

  expect(cluster.requests({ api: findCoordinator, from: admin.name })).toMatchObject([
    { body: { coordinatorKeys: groups } },
  ])
  const asked = cluster.requests({ api: DescribeGroups, from: admin.name })
  expect(asked.map(({ to }) => to).sort()).toEqual(['broker-1', 'broker-2', 'broker-3'])
  expect(asked.flatMap(({ body }) => body.groups).sort()).toEqual(groups)
})

// --- deletion ------------------------------------------------------------------------------------------------------------

test('an empty group is deleted with its offsets, one with members is not (G-35)', async () => {
  const admin = cluster.admin()
  await admin.alterConsumerGroupOffsets('idle', [at(0, 7)])
  const consumer = await joined({ 'group.id': 'busy' })

  const error = await refused(() => admin.deleteConsumerGroups(['idle', 'busy', 'nobody']))
  expect(error).toMatchObject({ errorName: 'NON_EMPTY_GROUP' })
  expect(error.message).toMatch(/^group 'busy': /)
  const details = error.details as Map<string, KafkaError | undefined>
  expect(details.get('idle')).toBeUndefined()
  expect(details.get('nobody')?.errorName).toBe('GROUP_ID_NOT_FOUND')
  expect(cluster.group('idle').exists).toBe(false)

  await consumer.close()
  await admin.deleteConsumerGroups(['busy'])
  expect(await admin.listGroups()).toEqual([])
})

// --- the coordinator is sought -------------------------------------------------------------------------------------------

test('a coordinator that has moved is looked up again', async () => {
  await cluster.admin().alterConsumerGroupOffsets('billing', [at(0, 0)])
  const admin = cluster.admin()
  const fault = cluster.failNext(DeleteGroups, { error: 'NOT_COORDINATOR', times: 2 })
  await admin.deleteConsumerGroups(['billing'])

  expect(fault.hits).toBe(2)
  expect(cluster.requests({ api: FindCoordinator, from: admin.name })).toHaveLength(3)
})

test('one that is still reading its log is asked again, and not looked up', async () => {
  await cluster.admin().alterConsumerGroupOffsets('billing', [at(0, 0)])
  const admin = cluster.admin()
  const fault = cluster.failNext(DescribeGroups, { error: 'COORDINATOR_LOAD_IN_PROGRESS', times: 2 })
  await admin.describeClassicGroups(['billing'])

  expect(fault.hits).toBe(2)
  expect(cluster.requests({ api: FindCoordinator, from: admin.name })).toHaveLength(1)
})

test('a coordinator that crashes before it answers is followed to the next one', async () => {
  const admin = cluster.admin()
  await admin.alterConsumerGroupOffsets('billing', [at(0, 5)])
  const before = cluster.coordinatorOf({ group: 'billing' })
  cluster.intercept(OffsetFetch, async (_, next) => {
    if (before.isRunning) await before.crash()
    return next()
  })

  expect(await admin.listConsumerGroupOffsets('billing')).toMatchObject([{ offset: 5 }])
  expect(cluster.coordinatorOf({ group: 'billing' })).not.toBe(before)
})

test('a coordinator that is down already is waited for until another one takes over', async () => {
  const admin = cluster.admin()
  await admin.alterConsumerGroupOffsets('billing', [at(0, 5)])
  await cluster.coordinatorOf({ group: 'billing' }).crash()

  expect(await cluster.admin().listConsumerGroupOffsets('billing')).toMatchObject([{ offset: 5 }])
})

test('a coordinator that nobody finds is looked for until default.api.timeout.ms is over', async () => {
  const admin = cluster.admin({ 'default.api.timeout.ms': 5_000 })
  cluster.failNext(FindCoordinator, { error: 'COORDINATOR_NOT_AVAILABLE', times: 1_000 })
  const started = cluster.clock.now()
  const error = await refused(() => admin.describeConsumerGroups(['billing']))

  expect(error.errorName).toBe('REQUEST_TIMED_OUT')
  expect(error.message).toMatch(/^group 'billing': ConsumerGroupDescribe was not answered within 5000 ms: /)
  expect(error.message).toContain("FindCoordinator of group 'billing'")
  expect(cluster.clock.now() - started).toBeLessThanOrEqual(5_000)
  expect(cluster.clock.now() - started).toBeGreaterThan(3_000)
})

test('what no retry helps against rejects at once', async () => {
  const admin = cluster.admin()
  cluster.failNext(FindCoordinator, { error: 'GROUP_AUTHORIZATION_FAILED' })

  expect(await refused(() => admin.describeConsumerGroups(['billing']))).toMatchObject({
    errorName: 'GROUP_AUTHORIZATION_FAILED',
  })
})

// --- arguments -----------------------------------------------------------------------------------------------------------

test('misspelt states and options are refused before anything is asked', async () => {
  const admin = cluster.admin()
  const cases: [() => Promise<unknown>, string][] = [
    [() => admin.listGroups({ states: loosely(['stable']) }), `not "stable": did you mean 'Stable'?`],
    [() => admin.listGroups({ types: loosely(['clasic']) }), `not "clasic": did you mean 'classic'?`],
    [() => admin.listGroups({ types: loosely('classic') }), `types takes an array, as in ['classic'], not 'classic'`],
    [() => admin.listGroups(loosely({ state: ['Stable'] })), "unknown field 'state': did you mean 'states'?"],
    [() => admin.listConsumerGroups(loosely({ protocolTypes: [] })), "unknown field 'protocolTypes'"],
    [
      () => admin.describeConsumerGroups(loosely('billing')),
      "takes an array, as in ['billing', 'audit'], not 'billing'",
    ],
    [
      () => admin.deleteConsumerGroups(loosely([7])),
      "deleteConsumerGroups takes the id of a group, as in 'billing', not 7",
    ],
  ]
  for (const [call, text] of cases) {
    const error = (await call().catch(reason => reason)) as Error
    expect(error).toBeInstanceOf(IllegalArgumentError)
    expect(error.message).toContain(text)
  }
  expect(cluster.requests({ from: admin.name })).toEqual([])
})
