import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { createCluster } from '../../src/cluster/create-cluster.ts'
import { keptOn } from './committing.ts'
import { describeConsumers, heartbeat, joinConsumers, type Saying } from './consumer-asking.ts'

let cluster: Cluster
let groups = 0

beforeAll(async () => {
  cluster = await createCluster({
    brokers: 2,
    topics: { t: { partitions: 4 }, ...keptOn(1, 2) },
    configs: { 'group.consumer.max.size': 3 },
  })
})

afterAll(() => cluster.close())

const first = { rebalanceTimeoutMs: 60_000, topics: ['t'], owned: {} }

/** G-3, G-51: what the request says is not right in itself. */
describe('a heartbeat that makes no sense is refused with INVALID_REQUEST and the reason', () => {
  test.each<[string, string, string, Saying]>([
    ["GroupId can't be empty.", '', 'A', { epoch: 0, ...first, to: 1 }],
    ["MemberId can't be empty.", 'g', '', { epoch: 0, ...first }],
    ["MemberId can't be empty.", 'g', '', { epoch: 3, version: 0 }],
    ["MemberId can't be empty.", 'g', '', { epoch: -1, version: 0 }],
    ["InstanceId can't be empty.", 'g', 'A', { epoch: 0, ...first, instanceId: '' }],
    ["RackId can't be empty.", 'g', 'A', { epoch: 0, ...first, rackId: '' }],
    ['MemberEpoch is invalid.', 'g', 'A', { epoch: -3 }],
    ["InstanceId can't be null.", 'g', 'A', { epoch: -2 }],
    ['RebalanceTimeoutMs must be provided in first request.', 'g', 'A', { epoch: 0, topics: ['t'], owned: {} }],
    ['TopicPartitions must be empty when (re-)joining.', 'g', 'A', { epoch: 0, ...first, owned: null }],
    ['TopicPartitions must be empty when (re-)joining.', 'g', 'A', { epoch: 0, ...first, owned: { t: [0] } }],
    [
      'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.',
      'g',
      'A',
      { epoch: 0, ...first, topics: null },
    ],
  ])('%s', async (message, group, member, saying) => {
    const to = { to: 1 }
    expect(await heartbeat(cluster, group, member, { ...to, ...saying })).toEqual({
      error: 'INVALID_REQUEST',
      message,
      memberId: null,
      epoch: 0,
      heartbeatMs: 0,
      assignment: null,
    })
  })

  test.each(['', 'nope'])('an assignor that there is none of: %j', async assignor => {
    expect(await joinConsumers(cluster, 'g', 'A', { assignor })).toMatchObject({
      error: 'UNSUPPORTED_ASSIGNOR',
      message: `ServerAssignor ${assignor} is not supported. Supported assignors: uniform, range.`,
    })
  })

  test('a regular expression that cannot be read', async () => {
    expect(await joinConsumers(cluster, 'g', 'A', { regex: '(a' })).toMatchObject({
      error: 'INVALID_REGULAR_EXPRESSION',
      message: 'SubscribedTopicRegex `(a` is not a valid regular expression: missing closing ).',
    })
  })

  test('none of these has made a group', async () => {
    expect(await describeConsumers(cluster, 'g')).toMatchObject({
      error: 'GROUP_ID_NOT_FOUND',
      message: 'Group g not found.',
    })
    expect(await describeConsumers(cluster, '', 1)).toMatchObject({ error: 'INVALID_GROUP_ID' })
  })
})

describe('what is unusual, and taken (G-50, G-51)', () => {
  test.each<[string, Partial<Saying>, number]>([
    ['no topics at all', { topics: [] }, 1],
    ['an empty expression', { topics: null, regex: '' }, 1],
    ['no time to give up partitions', { rebalanceTimeoutMs: 0 }, 2],
    ['a topic that is not there', { topics: ['nope'] }, 2],
  ])('%s', async (_, saying, epoch) => {
    const group = `unusual-${++groups}`
    expect(await joinConsumers(cluster, group, 'A', saying)).toMatchObject({ error: 'NONE', epoch })
    expect(await describeConsumers(cluster, group)).toMatchObject({ state: 'Stable', groupEpoch: epoch })
  })

  test('v0 gives an id to a member that brings none, and keeps one that it brings', async () => {
    const given = await joinConsumers(cluster, 'v0', '', { version: 0 })
    expect(given).toMatchObject({ error: 'NONE', epoch: 2, memberId: expect.stringMatching(/^[\w-]{22}$/) })
    expect(await joinConsumers(cluster, 'v0', 'mine', { version: 0 })).toMatchObject({ memberId: 'mine' })
  })
})

describe('who may speak (G-2, G-52)', () => {
  test('a broker that does not coordinate the group says so', async () => {
    expect(await joinConsumers(cluster, 'g', 'A', { to: 2 })).toMatchObject({ error: 'NOT_COORDINATOR' })
    expect(await describeConsumers(cluster, 'g', 2)).toMatchObject({ error: 'NOT_COORDINATOR' })
  })

  test('reasons are told: no group, no member, another epoch', async () => {
    const group = 'reasons'
    const beat = (member: string, epoch: number) => heartbeat(cluster, group, member, { epoch })
    expect(await beat('A', 3)).toMatchObject({ message: 'Consumer group reasons not found.' })
    expect(await beat('A', -1)).toMatchObject({ message: 'Group reasons not found.' })
    await joinConsumers(cluster, group, 'A')
    expect(await beat('Z', 2)).toMatchObject({ message: 'Member Z is not a member of group reasons.' })
    expect(await beat('Z', -1)).toMatchObject({ message: 'Member Z is not a member of group reasons.' })
    const fenced = (size: string, epoch: number) =>
      `The consumer group member has a ${size} member epoch (${epoch}) than the one known by the group coordinator (2). ` +
      'The member must abandon all its partitions and rejoin.'
    expect(await beat('A', 99)).toMatchObject({ error: 'FENCED_MEMBER_EPOCH', message: fenced('greater', 99) })
    expect(await beat('A', 1)).toMatchObject({ error: 'FENCED_MEMBER_EPOCH', message: fenced('smaller', 1) })
  })

  test('a full group takes nobody else, not even in the place of a static member', async () => {
    const group = 'full'
    await joinConsumers(cluster, group, 'A', { instanceId: 'i' })
    await joinConsumers(cluster, group, 'B')
    await joinConsumers(cluster, group, 'C')
    const refusal = {
      error: 'GROUP_MAX_SIZE_REACHED',
      message: 'The consumer group has reached its maximum capacity of 3 members.',
    }
    expect(await joinConsumers(cluster, group, 'D')).toMatchObject(refusal)
    expect(await heartbeat(cluster, group, 'D', { epoch: 3 })).toMatchObject(refusal)
    expect(await heartbeat(cluster, group, 'D', { epoch: -1 })).toMatchObject({ error: 'UNKNOWN_MEMBER_ID' })
    await heartbeat(cluster, group, 'A', { epoch: -2, instanceId: 'i' })
    expect(await joinConsumers(cluster, group, 'D', { instanceId: 'i' })).toMatchObject(refusal)
    expect(await heartbeat(cluster, group, 'B', { epoch: 2 })).toMatchObject({ error: 'NONE' })
  })
})
