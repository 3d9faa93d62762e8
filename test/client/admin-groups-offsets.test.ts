import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  type Cluster,
  type Consumer,
  type ConsumerOptions,
  createCluster,
  IllegalArgumentError,
  type KafkaError,
  LeaveGroup,
  OffsetCommit,
  OffsetFetch,
} from '../../src/index.ts'
import { errorCodes } from '../../src/wire/errors.ts'
import { refused } from './refused.ts'

let cluster: Cluster
beforeEach(async () => {
  cluster = await createCluster({
    topics: { orders: { partitions: 2, replicationFactor: 3 }, refunds: { partitions: 1, replicationFactor: 3 } },
    configs: { 'offsets.topic.num.partitions': 6 },
  })
})
afterEach(() => cluster.close())

async function joined(options: ConsumerOptions): Promise<Consumer> {
  const consumer = cluster.consumer({ 'enable.auto.commit': false, ...options })
  consumer.subscribe(['orders'])
  await consumer.poll({ timeoutMs: 10_000 })
  return consumer
}

const at = (partition: number, offset: number) => ({ topic: 'orders', partition, offset })
const of = (partition: number) => ({ topic: 'orders', partition })
const loosely = (value: unknown) => value as never

// --- what is committed ---------------------------------------------------------------------------------------------------

test('offsets are committed in the name of a group, which is made by it, and read again (G-30, G-33)', async () => {
  const admin = cluster.admin()
  await admin.alterConsumerGroupOffsets('billing', [
    { topic: 'orders', partition: 0, offset: 7, leaderEpoch: 3, metadata: 'by hand' },
    { topic: 'refunds', partition: 0, offset: 0 },
  ])

  expect(await admin.listConsumerGroupOffsets('billing')).toEqual([
    { topic: 'orders', partition: 0, offset: 7, leaderEpoch: 3, metadata: 'by hand' },
    { topic: 'refunds', partition: 0, offset: 0, leaderEpoch: -1, metadata: '' },
  ])
})

test('what several groups have committed is asked for at once: partitions of one, all of another (G-33)', async () => {
  const admin = cluster.admin()
  await admin.alterConsumerGroupOffsets('billing', [at(0, 7), at(1, 8)])
  await admin.alterConsumerGroupOffsets('audit', [at(0, 9)])

  const offsets = await admin.listConsumerGroupOffsets({
    audit: null,
    billing: [of(1), { topic: 'refunds', partition: 0 }],
  })
  expect([...offsets]).toEqual([
    ['audit', [{ ...at(0, 9), leaderEpoch: -1, metadata: '' }]],
    [
      'billing',
      [
        { ...at(1, 8), leaderEpoch: -1, metadata: '' },
        { topic: 'refunds', partition: 0, offset: undefined, leaderEpoch: -1, metadata: '' },
      ],
    ],
  ])
})

test('a group that nobody knows has committed nothing (G-33)', async () => {
  expect(await cluster.admin().listConsumerGroupOffsets('nobody')).toEqual([])
  expect(cluster.group('nobody').exists).toBe(false)
})

test('offsets that an open transaction may replace are waited for, if asked for', async () => {
  const admin = cluster.admin()
  await admin.alterConsumerGroupOffsets('billing', [at(0, 7)])
  let unstable = 3
  cluster.intercept(OffsetFetch, async (request, next) => {
    const answer = await next()
    if (answer === undefined || answer === 'disconnect' || !request.body.requireStable || unstable-- <= 0) return answer
    const refusedAnswer = {
      partitionIndex: 0,
      committedOffset: -1,
      metadata: '',
      errorCode: errorCodes.UNSTABLE_OFFSET_COMMIT,
    }
    return { ...answer, groups: [{ groupId: 'billing', topics: [{ name: 'orders', partitions: [refusedAnswer] }] }] }
  })

  expect(await admin.listConsumerGroupOffsets('billing', { requireStable: true })).toMatchObject([{ offset: 7 }])
  expect(unstable).toBe(-1)
})

test('the offsets of a group with members are theirs to commit (G-30)', async () => {
  const admin = cluster.admin()
  const consumer = await joined({ 'group.id': 'billing' })
  const error = await refused(() => admin.alterConsumerGroupOffsets('billing', [at(0, 7)]))
  expect(error).toMatchObject({
    errorName: 'UNKNOWN_MEMBER_ID',
    message: "group 'billing': it has members, who commit for themselves: offsets are altered while it has none",
  })

  await consumer.close()
  await admin.alterConsumerGroupOffsets('billing', [at(0, 7)])
  expect(cluster.group('billing').committed('orders', 0)?.offset).toBe(7)
})

test('a partition that is refused rejects with its name, and the details have the others (G-32)', async () => {
  const admin = cluster.admin()
  const none = { topic: 'orders', partition: 9, offset: 1 }
  const long = { topic: 'refunds', partition: 0, offset: 1, metadata: 'x'.repeat(4_097) }
  const fine = at(0, 3)
  const error = await refused(() => admin.alterConsumerGroupOffsets('billing', [fine, long, none]))

  expect(error.errorName).toBe('OFFSET_METADATA_TOO_LARGE')
  expect(error.message).toMatch(/^group 'billing', refunds-0: /)
  const details = error.details as Map<object, KafkaError | undefined>
  expect(details.get(fine)).toBeUndefined()
  expect(details.get(none)?.errorName).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(await admin.listConsumerGroupOffsets('billing')).toMatchObject([at(0, 3)])
})

test('offsets of a topic that a member reads are not deleted, others are (G-35)', async () => {
  const admin = cluster.admin()
  await admin.alterConsumerGroupOffsets('billing', [at(0, 7), { topic: 'refunds', partition: 0, offset: 1 }])
  const consumer = await joined({ 'group.id': 'billing' })
  await admin.deleteConsumerGroupOffsets('billing', [{ topic: 'refunds', partition: 0 }])
  const error = await refused(() => admin.deleteConsumerGroupOffsets('billing', [of(0)]))
  expect(error.errorName).toBe('GROUP_SUBSCRIBED_TO_TOPIC')
  expect(error.message).toMatch(/^group 'billing', orders-0: /)
  expect(await admin.listConsumerGroupOffsets('billing')).toMatchObject([at(0, 7)])

  await consumer.close()
  await admin.deleteConsumerGroupOffsets('billing', [of(0)])
  expect(await admin.listConsumerGroupOffsets('billing')).toEqual([])
  expect(await refused(() => admin.deleteConsumerGroupOffsets('nobody', [of(0)]))).toMatchObject({
    errorName: 'GROUP_ID_NOT_FOUND',
  })
})

test.each([
  ['OffsetCommit', 'NOT_COORDINATOR'],
  ['OffsetCommit', 'COORDINATOR_LOAD_IN_PROGRESS'],
  ['OffsetCommit', 'REBALANCE_IN_PROGRESS'],
  ['OffsetFetch', 'NOT_COORDINATOR'],
  ['OffsetFetch', 'COORDINATOR_LOAD_IN_PROGRESS'],
  ['OffsetDelete', 'COORDINATOR_NOT_AVAILABLE'],
] as const)('%s is sent again after %s', async (api, error) => {
  const admin = cluster.admin()
  await admin.alterConsumerGroupOffsets('billing', [at(0, 7)])
  const fault = cluster.failNext(api, { error, times: 2 })
  await admin.alterConsumerGroupOffsets('billing', [at(0, 8)])
  expect(await admin.listConsumerGroupOffsets('billing')).toMatchObject([at(0, 8)])
  await admin.deleteConsumerGroupOffsets('billing', [of(0)])

  expect(fault.hits).toBe(2)
  expect(await admin.listConsumerGroupOffsets('billing')).toEqual([])
})

test('a commit whose answer is lost is made again', async () => {
  const admin = cluster.admin()
  await admin.alterConsumerGroupOffsets('billing', [at(0, 7)])
  const fault = cluster.failNext(OffsetCommit, { error: 'disconnect', when: 'after' })
  await admin.alterConsumerGroupOffsets('billing', [at(0, 8)])

  expect(fault.hits).toBe(1)
  expect(cluster.group('billing').committed('orders', 0)?.offset).toBe(8)
})

// --- members -------------------------------------------------------------------------------------------------------------

test('a static member is removed by its instance id, with a reason for the log of the coordinator (G-19)', async () => {
  const admin = cluster.admin()
  await joined({ 'group.id': 'billing', 'group.instance.id': 'till-1' })
  await admin.removeMembersFromConsumerGroup('billing', { groupInstanceIds: ['till-1'], reason: 'it is broken' })

  expect(cluster.group('billing').members).toEqual([])
  expect(cluster.requests({ api: LeaveGroup, from: admin.name })).toMatchObject([
    {
      body: {
        members: [{ memberId: '', groupInstanceId: 'till-1', reason: 'member was removed by an admin: it is broken' }],
      },
    },
  ])
})

test('without names every member is removed, of static ones whoever holds the instance (KIP-571)', async () => {
  const admin = cluster.admin()
  await Promise.all([
    joined({ 'group.id': 'billing', 'group.instance.id': 'till-1' }),
    joined({ 'group.id': 'billing', 'client.id': 'robot' }),
  ])
  expect(cluster.group('billing').members).toHaveLength(2)
  await admin.removeMembersFromConsumerGroup('billing', { reason: 'x'.repeat(300) })

  const [request] = cluster.requests({ api: LeaveGroup, from: admin.name })
  expect(request!.body.members.map(({ groupInstanceId }) => groupInstanceId).sort()).toEqual([null, 'till-1'].sort())
  expect(request!.body.members[0]!.reason).toHaveLength(255)
  expect(cluster.group('billing').members).toEqual([])
  await admin.removeMembersFromConsumerGroup('billing')
  expect(cluster.requests({ api: LeaveGroup, from: admin.name })).toHaveLength(1)
})

test('a member of the new protocol is removed too', async () => {
  await joined({ 'group.id': 'billing', 'group.protocol': 'consumer', 'group.instance.id': 'till-1' })
  await cluster.admin().removeMembersFromConsumerGroup('billing', { groupInstanceIds: ['till-1'] })

  expect(cluster.group('billing').members).toEqual([])
})

test('an instance that is not a member rejects with its name (G-19)', async () => {
  await joined({ 'group.id': 'billing', 'group.instance.id': 'till-1' })
  const error = await refused(() =>
    cluster.admin().removeMembersFromConsumerGroup('billing', { groupInstanceIds: ['till-1', 'till-9'] }),
  )
  expect(error.errorName).toBe('UNKNOWN_MEMBER_ID')
  expect(error.message).toMatch(/^group 'billing', member 'till-9': /)
  expect(cluster.group('billing').members).toEqual([])
})

// --- arguments -----------------------------------------------------------------------------------------------------------

test('what cannot be meant is refused before anything is asked', async () => {
  const admin = cluster.admin()
  const alter = (offsets: unknown) => () => admin.alterConsumerGroupOffsets('billing', loosely(offsets))
  const cases: [() => Promise<unknown>, string][] = [
    [alter({ 'orders-0': 1 }), "takes an array, as in [{ topic: 'orders', partition: 0, offset: 7 }]"],
    [alter([{ topic: 'orders', partition: 0, ofset: 1 }]), "unknown field 'ofset': did you mean 'offset'?"],
    [alter([of(0)]), 'alterConsumerGroupOffsets of orders-0: the offset is a number from 0 on, not undefined'],
    [alter([at(0, -1)]), 'the offset is a number from 0 on, not -1'],
    [alter([{ ...at(0, 1), leaderEpoch: -2 }]), 'the leaderEpoch is a number from 0 on, or −1 for none, not -2'],
    [alter([{ ...at(0, 1), metadata: 7 }]), 'the metadata is text, not 7'],
    [() => admin.alterConsumerGroupOffsets(loosely(undefined), []), 'takes the id of a group'],
    [
      () => admin.listConsumerGroupOffsets(loosely(['billing'])),
      'takes the id of a group, or groups with their partitions',
    ],
    [
      () => admin.listConsumerGroupOffsets(loosely({ billing: 'orders' })),
      "takes an array, as in [{ topic: 'orders', partition: 0 }]",
    ],
    [() => admin.listConsumerGroupOffsets('billing', loosely({ stable: true })), "unknown field 'stable'"],
    [() => admin.deleteConsumerGroupOffsets('billing', loosely([{ topic: 'orders' }])), 'must be a number from 0 on'],
    [
      () => admin.removeMembersFromConsumerGroup('billing', { groupInstanceIds: [] }),
      'left out, every member is removed',
    ],
    [() => admin.removeMembersFromConsumerGroup('billing', loosely({ members: [] })), "unknown field 'members'"],
  ]
  for (const [call, text] of cases) {
    const error = (await call().catch(reason => reason)) as Error
    expect(error).toBeInstanceOf(IllegalArgumentError)
    expect(error.message).toContain(text)
  }
  expect(cluster.requests({ from: admin.name })).toEqual([])
})
