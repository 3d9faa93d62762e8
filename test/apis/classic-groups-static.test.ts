import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { beat, described, type Joined, join, joinAsNew, leave, stateOf, sync } from './classic-asking.ts'
import { commit, keptOn } from './committing.ts'
import { answeredWithin } from './group-states.ts'

let cluster: Cluster
let groups = 0

beforeAll(async () => {
  cluster = await createCluster({
    brokers: 1,
    configs: { 'group.initial.rebalance.delay.ms': 0, 'group.min.session.timeout.ms': 1_000 },
    topics: { t: {}, ...keptOn(1) },
  })
})

afterAll(() => cluster.close())

interface Pair {
  readonly group: string
  readonly leader: Joined
  readonly follower: Joined
}

/** Two static members, `i1` the leader and `i2`, in generation 2; synced, unless said. */
async function pair(
  options: { readonly synced?: boolean; readonly sessionMs?: number; readonly rebalanceMs?: number } = {},
): Promise<Pair> {
  const group = `static-${++groups}`
  const { synced = true, sessionMs = 10_000, rebalanceMs = 60_000 } = options
  const terms = { sessionMs, rebalanceMs }
  const first = await join(cluster, group, { instanceId: 'i1', ...terms })
  await sync(cluster, group, { ...first, instanceId: 'i1', assignments: {} })
  const joining = join(cluster, group, { instanceId: 'i2', ...terms })
  await answeredWithin(cluster, joining, 10)
  const leader = await join(cluster, group, { memberId: first.memberId, instanceId: 'i1', ...terms })
  const follower = await joining
  if (synced) {
    const waiting = sync(cluster, group, follower)
    const assignments = { [leader.memberId]: 'one', [follower.memberId]: 'two' }
    await Promise.all([sync(cluster, group, { ...leader, assignments }), waiting])
  }
  return { group, leader, follower }
}

describe('a static member (G-18)', () => {
  test('is given an id of its instance at its first join, without being asked to come again', async () => {
    const joined = await join(cluster, 'static', { instanceId: 'i1' })
    expect(joined).toMatchObject({ error: 'NONE', generation: 1, leader: joined.memberId })
    expect(joined.memberId).toMatch(/^i1-[0-9a-f-]{36}$/)
    expect(joined.answer.members.map(({ groupInstanceId }) => groupInstanceId)).toEqual(['i1'])
  })

  test('that is back as a follower goes on where it was under a new id, and nobody else notices', async () => {
    const { group, leader, follower } = await pair()
    const back = await join(cluster, group, { instanceId: 'i2' })
    expect(back.answer).toMatchObject({ errorCode: 0, generationId: 2, leader: leader.memberId, skipAssignment: false })
    expect([back.members, back.memberId === follower.memberId]).toEqual([[], false])
    expect(await stateOf(cluster, group)).toBe('Stable')
    expect(await sync(cluster, group, { ...back, instanceId: 'i2' })).toMatchObject({ assignment: 'two' })
    expect(await beat(cluster, group, leader)).toBe('NONE')
  })

  test('is fenced under its old id: FENCED_INSTANCE_ID with its instance, UNKNOWN_MEMBER_ID without', async () => {
    const { group, follower } = await pair()
    const back = await join(cluster, group, { instanceId: 'i2' })
    const { memberId, generation } = follower
    const old = { memberId, generation, instanceId: 'i2' }
    expect(await beat(cluster, group, old)).toBe('FENCED_INSTANCE_ID')
    expect(await beat(cluster, group, { memberId, generation })).toBe('UNKNOWN_MEMBER_ID')
    expect(await join(cluster, group, old)).toMatchObject({ error: 'FENCED_INSTANCE_ID', memberId })
    expect((await sync(cluster, group, old)).error).toBe('FENCED_INSTANCE_ID')
    expect(await commit(cluster, group, { 't-0': 1 }, old)).toEqual({ 't-0': 'FENCED_INSTANCE_ID' })
    expect(await leave(cluster, group, old)).toEqual(['NONE', 'FENCED_INSTANCE_ID'])
    expect(await beat(cluster, group, { ...back, instanceId: 'nobody' })).toBe('UNKNOWN_MEMBER_ID')
    expect(await beat(cluster, group, { ...back, instanceId: 'i2' })).toBe('NONE')
  })

  test('that is back as the leader hears from v9 on that the assignment stands, with the members', async () => {
    const { group, leader, follower } = await pair()
    const back = await join(cluster, group, { instanceId: 'i1' })
    expect(back.answer).toMatchObject({ generationId: 2, leader: back.memberId, skipAssignment: true })
    expect([...back.members].sort()).toEqual([back.memberId, follower.memberId].sort())
    expect(await sync(cluster, group, { ...back, instanceId: 'i1' })).toMatchObject({ assignment: 'one' })
    expect(await beat(cluster, group, { ...leader, instanceId: 'i1' })).toBe('FENCED_INSTANCE_ID')
  })

  test('that is back as the leader does not hear before v9 that it leads', async () => {
    const { group, leader } = await pair()
    const back = await join(cluster, group, { instanceId: 'i1', version: 8 })
    expect(back).toMatchObject({ error: 'NONE', generation: 2, leader: leader.memberId, members: [] })
    expect(await stateOf(cluster, group)).toBe('Stable')
    expect(await sync(cluster, group, { ...back, instanceId: 'i1' })).toMatchObject({ assignment: 'one' })
  })

  test('may be back with another subscription, timeout and protocol without a rebalance', async () => {
    const { group } = await pair()
    const changed = { topics: ['other'], protocols: ['range', 'sticky'], sessionMs: 20_000 }
    const back = await join(cluster, group, { instanceId: 'i2', ...changed })
    expect(back).toMatchObject({ error: 'NONE', generation: 2, protocol: 'range' })
    const { groupState, members } = await described(cluster, group)
    expect(groupState).toBe('Stable')
    expect(
      Buffer.from(members.find(({ memberId }) => memberId === back.memberId)!.memberMetadata).toString(),
    ).toContain('other')
    await cluster.clock.advance(15_000)
    expect(await beat(cluster, group, { ...back, instanceId: 'i2' })).not.toBe('UNKNOWN_MEMBER_ID')
  })

  test('that would change the protocol of all brings a rebalance', async () => {
    const group = `static-${++groups}`
    const alone = await join(cluster, group, { instanceId: 'i1', protocols: ['range', 'sticky'] })
    await sync(cluster, group, { ...alone, instanceId: 'i1' })
    const back = await join(cluster, group, { instanceId: 'i1', protocols: ['sticky', 'range'] })
    expect(back).toMatchObject({ error: 'NONE', generation: 2, protocol: 'sticky' })
  })

  test('that is back between JoinGroup and SyncGroup brings a rebalance: the leader may have its old id', async () => {
    const { group, leader } = await pair({ synced: false })
    const back = join(cluster, group, { instanceId: 'i2' })
    expect(await answeredWithin(cluster, back, 100)).toBeUndefined()
    expect(await beat(cluster, group, { ...leader, instanceId: 'i1' })).toBe('REBALANCE_IN_PROGRESS')
    const again = await join(cluster, group, { memberId: leader.memberId, instanceId: 'i1' })
    expect(again).toMatchObject({
      error: 'NONE',
      generation: 3,
      members: expect.arrayContaining([(await back).memberId]),
    })
  })

  test('that comes twice in one rebalance has its first JoinGroup fenced', async () => {
    const { group, leader } = await pair()
    const first = join(cluster, group, { instanceId: 'i3' })
    await answeredWithin(cluster, first, 10)
    const second = join(cluster, group, { instanceId: 'i3' })
    await answeredWithin(cluster, second, 10)
    const fenced = await first
    expect(fenced).toMatchObject({ error: 'FENCED_INSTANCE_ID', memberId: expect.stringMatching(/^i3-/) })
    await leave(cluster, group, { instanceId: 'i2' })
    await join(cluster, group, { memberId: leader.memberId, instanceId: 'i1' })
    const { error, memberId } = await second
    expect([error, memberId === fenced.memberId]).toEqual(['NONE', false])
  })

  test('that stays away from a rebalance keeps its place, and is given a share', async () => {
    const { group, leader, follower } = await pair({ rebalanceMs: 5_000 })
    const third = join(cluster, group, { instanceId: 'i3', rebalanceMs: 5_000 })
    await answeredWithin(cluster, third, 10)
    const again = join(cluster, group, { instanceId: 'i1', memberId: leader.memberId, rebalanceMs: 5_000 })
    expect(await answeredWithin(cluster, again, 4_900)).toBeUndefined()
    const first = await again
    expect(first).toMatchObject({ generation: 3, members: expect.arrayContaining([follower.memberId]) })
    expect(first.members).toHaveLength(3)
    // Nor has it called SyncGroup by the end of the next five seconds, and that costs it its place.
    await Promise.all([sync(cluster, group, first), sync(cluster, group, await third)])
    await cluster.clock.advance(5_100)
    expect((await described(cluster, group)).members.map(({ groupInstanceId }) => groupInstanceId)).not.toContain('i2')
  })

  test('is removed by its session timeout like any other, and by whoever names its instance', async () => {
    const { group } = await pair({ sessionMs: 2_000 })
    expect(await leave(cluster, group, { instanceId: 'i1' }, { instanceId: 'nope' })).toEqual([
      'NONE',
      'NONE',
      'UNKNOWN_MEMBER_ID',
    ])
    expect((await described(cluster, group)).members.map(({ groupInstanceId }) => groupInstanceId)).toEqual(['i2'])
    await cluster.clock.advance(2_100)
    expect(await stateOf(cluster, group)).toBe('Empty')
  })
})

test('static members that stay away are waited for until their sessions end, also without a rebalance timeout (G-13, G-17)', async () => {
  const first = await join(cluster, 'g', { instanceId: 'i', sessionMs: 30_000 })
  await sync(cluster, 'g', { ...first, instanceId: 'i' })
  const joining = joinAsNew(cluster, 'g', { sessionMs: 30_000 })
  await cluster.runUntil(() => cluster.group('g').members.length === 2)
  const again = join(cluster, 'g', { instanceId: 'i', memberId: first.memberId, sessionMs: 30_000 })
  const [dynamic, leader] = await Promise.all([joining, again])
  const { generation } = leader
  const assignments = { [first.memberId]: 'a', [dynamic.memberId]: 'b' }
  await Promise.all([
    sync(cluster, 'g', { memberId: first.memberId, instanceId: 'i', generation, assignments }),
    sync(cluster, 'g', { memberId: dynamic.memberId, generation }),
  ])
  const takenOver = await join(cluster, 'g', { instanceId: 'i', rebalanceMs: 0, sessionMs: 30_000 })
  expect(takenOver.error).toBe('NONE')
  await leave(cluster, 'g', { memberId: dynamic.memberId })
  const before = cluster.clock.now()
  expect(await stateOf(cluster, 'g')).toBe('PreparingRebalance')
  await cluster.clock.advance(60_000)
  expect(cluster.clock.now() - before).toBeGreaterThanOrEqual(60_000)
  expect(await stateOf(cluster, 'g')).toBe('Empty')
  const steps = cluster.trace.events().filter(({ kind, fields }) => kind === 'group' && fields.what === 'g')
  expect(steps.map(({ fields }) => fields.reason).filter(reason => `${reason}`.includes('stay away'))).toHaveLength(1)
})
