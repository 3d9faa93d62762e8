import { describe, expect, test } from 'vitest'
import { deleteGroups } from '../../src/apis/delete-groups.ts'
import { describeGroups } from '../../src/apis/describe-groups.ts'
import { listGroups } from '../../src/apis/list-groups.ts'
import { type GroupRecordInput, groupCodec } from '../../src/coordinators/groups/group-records.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster, faultyLogs, memoryLogs } from '../../src/index.ts'
import { ask, nameOf } from './asking.ts'
import { beat, join, joinAsNew, leave, stateOf, sync } from './classic-asking.ts'
import { coordinatorOf, keptOn, OFFSETS_TOPIC } from './committing.ts'
import { answeredWithin } from './group-states.ts'

const configs = { 'group.initial.rebalance.delay.ms': 0 }

function three(options: { readonly minInSync?: number; readonly mutants?: readonly string[] } = {}): Promise<Cluster> {
  const { minInSync = 1, mutants } = options
  const kept = keptOn(1, 2, 3)[OFFSETS_TOPIC]
  const topicConfigs = { ...kept?.configs, 'min.insync.replicas': minInSync }
  return createCluster({
    brokers: 3,
    configs,
    topics: { t: {}, [OFFSETS_TOPIC]: { assignments: kept!.assignments, configs: topicConfigs } },
    ...(mutants === undefined ? {} : { mutants }),
  })
}

/** Records of groups, in the words of their schema. */
async function written(
  cluster: Cluster,
  group: string,
): Promise<Extract<GroupRecordInput, { type: 'GroupMetadata' }>[]> {
  const records = await cluster.topic(OFFSETS_TOPIC).records({ as: 'bytes' })
  return records.flatMap(({ key, value }) => {
    const record = groupCodec.decode({ key: key as Uint8Array, value: value as Uint8Array | null })
    return record?.type === 'GroupMetadata' && record.key.group === group ? [record] : []
  })
}

describe('what is written of a classic group (G-42)', () => {
  test('is written when it is made, at the leader’s SyncGroup, and when it is empty', async () => {
    await using cluster = await three()
    const member = await joinAsNew(cluster, 'g')
    expect(await written(cluster, 'g')).toHaveLength(1)
    await sync(cluster, 'g', { ...member, assignments: { [member.memberId]: 'all' } })
    await leave(cluster, 'g', member)
    const said = (await written(cluster, 'g')).map(({ value }) => {
      const { protocolType, generation, protocol, leader, members } = value!
      return [protocolType, generation, protocol, leader, members.length]
    })
    expect(said).toEqual([
      ['', 0, null, null, 0],
      ['consumer', 1, 'range', member.memberId, 1],
      ['consumer', 2, null, null, 0],
    ])
    const [, { value }] = (await written(cluster, 'g')) as [unknown, { value: NonNullable<unknown> }]
    expect(value).toMatchObject({
      members: [
        {
          memberId: member.memberId,
          groupInstanceId: null,
          clientId: 'asker',
          clientHost: '/127.0.0.1',
          rebalanceTimeout: 60_000,
          sessionTimeout: 10_000,
        },
      ],
    })
  })

  test('is written when a static member is back, with its new id and all assignments', async () => {
    await using cluster = await three()
    const first = await join(cluster, 'g', { instanceId: 'i1' })
    await sync(cluster, 'g', { ...first, assignments: { [first.memberId]: 'all' } })
    const back = await join(cluster, 'g', { instanceId: 'i1' })
    const last = (await written(cluster, 'g')).at(-1)!.value!
    expect([last.generation, last.leader, last.members.length]).toEqual([1, back.memberId, 1])
    expect(last.members[0]).toMatchObject({ memberId: back.memberId, groupInstanceId: 'i1' })
    expect(new TextDecoder().decode(last.members[0]!.assignment)).toBe('all')
  })
})

describe('a coordinator that fails (G-2)', () => {
  test('leaves the members where they are: the next one knows generation, members and assignments', async () => {
    await using cluster = await three()
    const member = await joinAsNew(cluster, 'g')
    await sync(cluster, 'g', { ...member, assignments: { [member.memberId]: 'all' } })
    await cluster.broker(1).crash()
    await cluster.runUntil(() => coordinatorOf(cluster, 'g') !== 1)
    expect(await beat(cluster, 'g', member)).toBe('NONE')
    expect(await sync(cluster, 'g', member)).toMatchObject({ error: 'NONE', assignment: 'all' })
    // Whose session begins anew with the new coordinator.
    await cluster.clock.advance(9_000)
    expect(await beat(cluster, 'g', member)).toBe('NONE')
    await cluster.clock.advance(10_100)
    expect(await stateOf(cluster, 'g')).toBe('Empty')
  })

  test('in the middle of a rebalance loses its generation, and the members join again', async () => {
    await using cluster = await three()
    const first = await joinAsNew(cluster, 'g')
    await sync(cluster, 'g', first)
    const second = joinAsNew(cluster, 'g')
    await answeredWithin(cluster, second, 10)
    const leader = await join(cluster, 'g', { memberId: first.memberId })
    expect([leader.generation, (await second).generation]).toEqual([2, 2])
    await cluster.broker(1).crash()
    await cluster.runUntil(() => coordinatorOf(cluster, 'g') !== 1)
    expect((await sync(cluster, 'g', leader)).error).toBe('ILLEGAL_GENERATION')
    expect((await sync(cluster, 'g', await second)).error).toBe('UNKNOWN_MEMBER_ID')
    expect(await join(cluster, 'g', { memberId: first.memberId })).toMatchObject({ error: 'NONE', generation: 2 })
  })

  test('that gives up its leadership says so to whoever waits in JoinGroup and SyncGroup', async () => {
    await using cluster = await three()
    const first = await joinAsNew(cluster, 'joining')
    const second = joinAsNew(cluster, 'joining')
    await answeredWithin(cluster, second, 10)
    const leader = await joinAsNew(cluster, 'syncing')
    const follower = joinAsNew(cluster, 'syncing')
    await answeredWithin(cluster, follower, 10)
    await join(cluster, 'syncing', { memberId: leader.memberId })
    const waiting = sync(cluster, 'syncing', await follower)
    await answeredWithin(cluster, waiting, 10)
    const [joined, synced] = await Promise.all([second, waiting, cluster.broker(1).stop()])
    expect([joined.error, synced.error]).toEqual(['NOT_COORDINATOR', 'NOT_COORDINATOR'])
    expect(first.error).toBe('NONE')
  })

  test('has a successor that takes every heartbeat while it reads the log, and nothing else', async () => {
    const logs = faultyLogs(memoryLogs())
    await using cluster = await createCluster({ brokers: 2, configs, topics: keptOn(1, 2), logs })
    const member = await joinAsNew(cluster, 'g')
    await sync(cluster, 'g', member)
    logs.rule({ fault: 'slow', operation: 'read', broker: 2, topic: OFFSETS_TOPIC, delayMs: 2_000 })
    await cluster.broker(1).crash()
    await cluster.runUntil(() => cluster.broker(2).broker?.groups.shards.get(0)?.shard.isLoading === true)
    const to = 2
    expect(await beat(cluster, 'g', { memberId: 'nobody', generation: 7, to })).toBe('NONE')
    expect((await join(cluster, 'g', { to })).error).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    expect((await sync(cluster, 'g', { ...member, to })).error).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    const listed = await ask(cluster, to, listGroups, {})
    expect([nameOf(listed.errorCode), listed.groups]).toEqual(['COORDINATOR_LOAD_IN_PROGRESS', []])
    await cluster.runUntil(() => cluster.broker(2).broker?.groups.shards.get(0)?.shard.isActive === true)
    expect(await beat(cluster, 'g', { memberId: 'nobody', generation: 7 })).toBe('UNKNOWN_MEMBER_ID')
    expect(await beat(cluster, 'g', member)).toBe('NONE')
  })

  test('is not asked in vain: every other broker says NOT_COORDINATOR', async () => {
    await using cluster = await three()
    const member = await joinAsNew(cluster, 'g')
    const to = 2
    expect((await join(cluster, 'g', { to })).error).toBe('NOT_COORDINATOR')
    expect((await sync(cluster, 'g', { ...member, to })).error).toBe('NOT_COORDINATOR')
    expect(await beat(cluster, 'g', { ...member, to })).toBe('NOT_COORDINATOR')
    const [group] = (await ask(cluster, to, describeGroups, { groups: ['g'] })).groups
    expect([nameOf(group!.errorCode), group!.groupState]).toEqual(['NOT_COORDINATOR', ''])
    const [result] = (await ask(cluster, to, deleteGroups, { groupsNames: ['g'] })).results
    expect(nameOf(result!.errorCode)).toBe('NOT_COORDINATOR')
  })
})

describe('an assignment', () => {
  test('is told to nobody before it is committed; without a commit in time the members join again', async () => {
    await using cluster = await three()
    const member = await joinAsNew(cluster, 'g')
    await Promise.all([cluster.broker(2).pause(), cluster.broker(3).pause()])
    const synced = sync(cluster, 'g', member)
    expect(await answeredWithin(cluster, synced, 4_900)).toBeUndefined()
    expect((await synced).error).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(await beat(cluster, 'g', member)).toBe('REBALANCE_IN_PROGRESS')
  })

  test('that too few replicas would take is refused, and the members join again', async () => {
    await using cluster = await three({ minInSync: 2 })
    const member = await joinAsNew(cluster, 'g')
    await Promise.all([cluster.broker(2).crash(), cluster.broker(3).crash()])
    await cluster.clock.advance(9_500)
    expect(await beat(cluster, 'g', member)).toBe('NONE')
    await cluster.runUntil(() => cluster.partition(OFFSETS_TOPIC, 0).inSyncReplicas.length === 1)
    expect((await sync(cluster, 'g', member)).error).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(await beat(cluster, 'g', member)).toBe('REBALANCE_IN_PROGRESS')
    // Nor can it be written that nobody is left: that is tried until it can.
    expect(await leave(cluster, 'g', member)).toEqual(['COORDINATOR_NOT_AVAILABLE'])
    expect(await stateOf(cluster, 'g')).toBe('PreparingRebalance')
    await cluster.broker(2).restart()
    await cluster.runUntil(() => cluster.partition(OFFSETS_TOPIC, 0).inSyncReplicas.length === 2)
    await cluster.clock.advance(1_000)
    expect(await stateOf(cluster, 'g')).toBe('Empty')
  })

  test('goes out once, also when another rebalance begins before it is committed', async () => {
    await using cluster = await three()
    const first = await joinAsNew(cluster, 'g')
    await Promise.all([cluster.broker(2).pause(), cluster.broker(3).pause()])
    const synced = sync(cluster, 'g', first)
    await answeredWithin(cluster, synced, 100)
    const again = join(cluster, 'g', { memberId: first.memberId })
    expect((await synced).error).toBe('REBALANCE_IN_PROGRESS')
    expect(await again).toMatchObject({ error: 'NONE', generation: 2 })
    await Promise.all([cluster.broker(2).resume(), cluster.broker(3).resume()])
    const second = await sync(cluster, 'g', { ...(await again), assignments: { [first.memberId]: 'all' } })
    expect(second).toMatchObject({ error: 'NONE', assignment: 'all' })
  })
})

describe('planted faults, for tests that show what their checks find', () => {
  test('no-generation-check lets a member of an old generation go on', async () => {
    await using cluster = await three({ mutants: ['no-generation-check'] })
    const member = await joinAsNew(cluster, 'g')
    expect(await beat(cluster, 'g', { ...member, generation: 0 })).toBe('NONE')
    expect((await sync(cluster, 'g', { ...member, generation: 7 })).error).toBe('NONE')
  })

  test('no-member-fencing lets a static member go on under its old id', async () => {
    await using cluster = await three({ mutants: ['no-member-fencing'] })
    const old = await join(cluster, 'g', { instanceId: 'i1' })
    await sync(cluster, 'g', { ...old, instanceId: 'i1' })
    await join(cluster, 'g', { instanceId: 'i1' })
    expect(await beat(cluster, 'g', { ...old, instanceId: 'i1' })).toBe('NONE')
  })
})
