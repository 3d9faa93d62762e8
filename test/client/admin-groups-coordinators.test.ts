import { afterEach, beforeEach, expect, test } from 'vitest'
import { adminConfigsOf } from '../../src/client/configuration.ts'
import { Connections } from '../../src/client/connections.ts'
import { Coordinators } from '../../src/client/coordinators.ts'
import { ClientMetadata } from '../../src/client/metadata.ts'
import { metadataSettings } from '../../src/client/metadata-settings.ts'
import type { Plant } from '../../src/cluster/plant.ts'
import {
  ApiVersions,
  type Cluster,
  createCluster,
  DescribeGroups,
  FindCoordinator,
  OffsetFetch,
  reset,
} from '../../src/index.ts'

const groups = ['a', 'b', 'c', 'd', 'e', 'f']

let cluster: Cluster
beforeEach(async () => {
  cluster = await createCluster({
    topics: { orders: { partitions: 2, replicationFactor: 3 } },
    configs: { 'offsets.topic.num.partitions': 6 },
  })
  for (const [index, group] of groups.entries()) {
    await cluster.admin().alterConsumerGroupOffsets(group, [{ topic: 'orders', partition: 0, offset: index }])
  }
})
afterEach(() => cluster.close())

/** Brokers of an older release: these APIs up to these versions; −1: not at all. */
function olderBrokers(highest: Readonly<Record<number, number>>): void {
  cluster.intercept(ApiVersions, async (_, next) => {
    const answer = await next()
    if (answer === undefined || answer === 'disconnect') return answer
    const apiKeys = [...answer.apiKeys].flatMap(range => {
      const maxVersion = Math.min(highest[range.apiKey] ?? range.maxVersion, range.maxVersion)
      return maxVersion < 0 ? [] : [{ ...range, maxVersion }]
    })
    return { ...answer, apiKeys }
  })
}

test('calls for one group at the same time look for its coordinator once', async () => {
  const admin = cluster.admin()
  await Promise.all([
    admin.listConsumerGroupOffsets('a'),
    admin.listConsumerGroupOffsets('a'),
    admin.describeClassicGroups(['a']),
  ])

  expect(cluster.requests({ api: FindCoordinator, from: admin.name })).toHaveLength(1)
})

/** What every client has. */
function coordinatorsOf(name: string): Coordinators {
  const { runtime, network } = (cluster.controller as unknown as { readonly plant: Plant }).plant
  const bootstrap = cluster.brokers.map(({ address }) => address)
  const environment = { runtime, carrier: network, bootstrap, clientName: name }
  const configs = adminConfigsOf({}, environment)
  const connections = new Connections(environment, configs)
  const options = { ...metadataSettings(configs), allowAutoTopicCreation: false }
  const metadata = new ClientMetadata(environment, connections, { ...options, topics: () => [] })
  return new Coordinators(environment, connections, metadata, configs)
}

function driven<T>(run: () => Promise<T>): Promise<T> {
  return (cluster.controller as unknown as { readonly plant: Plant }).plant.runtime.drive('a test', run)
}

test('a coordinator is remembered until it is forgotten, or its connection breaks', async () => {
  const coordinators = coordinatorsOf('seeker')
  const limits = { deadline: cluster.clock.now() + 60_000, timeoutMs: 60_000 }
  const find = () => driven(() => coordinators.find('group', 'a', limits).then(node => node.ready()))
  const finds = () => cluster.requests({ api: FindCoordinator, clientId: 'seeker' }).length
  const before = finds()
  const handle = cluster.coordinatorOf({ group: 'a' })
  expect(coordinators.known('group', 'a')).toBeUndefined()
  await find()
  await find()
  expect(coordinators.known('group', 'a')?.id).toBe(handle.id)
  expect(finds()).toBe(before + 1)

  coordinators.forget('group', 'a', { id: handle.id + 1 })
  expect(coordinators.known('group', 'a')?.id).toBe(handle.id)
  coordinators.forget('group', 'a')
  expect(coordinators.known('group', 'a')).toBeUndefined()
  await find()
  expect(finds()).toBe(before + 2)

  await handle.crash()
  await cluster.runUntil(() => coordinators.known('group', 'a') === undefined)
  await cluster.runUntil(() => cluster.coordinatorOf({ group: 'a' }) !== handle)
  await find()
  expect(coordinators.known('group', 'a')?.id).toBe(cluster.coordinatorOf({ group: 'a' }).id)
})

test('a transaction is looked for under its own type of key (W-44)', async () => {
  const coordinators = coordinatorsOf('seeker')
  const timeoutMs = 500
  const found = driven(() =>
    coordinators.find('transaction', 'a', { deadline: cluster.clock.now() + timeoutMs, timeoutMs }),
  )
  await found.catch(() => {})

  expect(cluster.requests({ api: FindCoordinator }).at(-1)?.body).toMatchObject({ keyType: 1, coordinatorKeys: ['a'] })
})

test('an admin client whose coordinator resets its connections looks it up again', async () => {
  const admin = cluster.admin()
  const finds = () => cluster.requests({ api: FindCoordinator, from: admin.name }).length
  await admin.listConsumerGroupOffsets('a')
  await admin.listConsumerGroupOffsets('a')
  expect(finds()).toBe(1)

  const rule = cluster.network.rule(reset({ from: admin, to: cluster.coordinatorOf({ group: 'a' }) }))
  const listed = admin.listConsumerGroupOffsets('a')
  await cluster.runUntil(() => rule.hits > 0)
  rule.dispose()
  expect(await listed).toMatchObject([{ offset: 0 }])
  expect(finds()).toBeGreaterThan(1)
})

test('brokers from before 3.0 are asked for each group by itself (KIP-699, KIP-709)', async () => {
  olderBrokers({ [FindCoordinator.key]: 3, [OffsetFetch.key]: 7, [DescribeGroups.key]: 2 })
  const admin = cluster.admin()
  const offsets = await admin.listConsumerGroupOffsets(
    { a: null, f: [{ topic: 'orders', partition: 0 }] },
    { requireStable: true },
  )
  expect(offsets.get('a')).toMatchObject([{ offset: 0 }])
  expect(offsets.get('f')).toMatchObject([{ offset: 5 }])
  expect((await admin.describeClassicGroups(groups)).size).toBe(6)

  const finds = cluster.requests({ api: FindCoordinator, from: admin.name })
  expect(finds.map(({ version, body }) => [version, body.key])).toEqual(
    ['a', 'f', 'b', 'c', 'd', 'e'].map(key => [3, key]),
  )
  const fetches = cluster.requests({ api: OffsetFetch, from: admin.name })
  expect(fetches.map(({ version, body }) => [version, body.groupId, body.requireStable]).sort()).toEqual([
    [7, 'a', true],
    [7, 'f', true],
  ])
})

test('brokers that lack the new protocol describe their groups by the classic way (KIP-848)', async () => {
  olderBrokers({ 69: -1 })
  const described = await cluster.admin().describeConsumerGroups(groups)

  expect(described.get('a')).toMatchObject({ type: 'classic', state: 'Empty', isSimpleConsumerGroup: true })
  expect([...described.keys()]).toEqual(groups)
})

test('what a broker is too old for rejects, and says which version is needed', async () => {
  olderBrokers({ 13: 2, [FindCoordinator.key]: -1 })
  await expect(cluster.admin().listConsumerGroupOffsets('a')).rejects.toMatchObject({
    errorName: 'UNSUPPORTED_VERSION',
    message: expect.stringContaining('FindCoordinator'),
  })
  await cluster.heal()
  olderBrokers({ 13: 2 })
  await expect(
    cluster.admin().removeMembersFromConsumerGroup('a', { groupInstanceIds: ['till-1'] }),
  ).rejects.toMatchObject({
    errorName: 'UNSUPPORTED_VERSION',
    message: "group 'a': the broker takes LeaveGroup up to v2 only",
  })
})
