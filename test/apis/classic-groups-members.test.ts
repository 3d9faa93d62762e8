import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Plant } from '../../src/cluster/plant.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { beat, described, type Joined, join, joinAsNew, leave, stateOf, sync } from './classic-asking.ts'
import { commit, keptOn } from './committing.ts'
import { answeredWithin } from './group-states.ts'

let cluster: Cluster

beforeAll(async () => {
  cluster = await createCluster({
    brokers: 1,
    configs: { 'group.initial.rebalance.delay.ms': 0, 'group.min.session.timeout.ms': 1_000 },
    topics: { t: {}, ...keptOn(1) },
  })
})

afterAll(() => cluster.close())

/** A leader and a follower in generation 2 that have not synced yet. */
async function pair(group: string, joining: Parameters<typeof join>[2] = {}): Promise<[Joined, Joined]> {
  const first = await joinAsNew(cluster, group, joining)
  await sync(cluster, group, { memberId: first.memberId, generation: 1, assignments: {} })
  const follower = joinAsNew(cluster, group, joining)
  await answeredWithin(cluster, follower, 10)
  return Promise.all([join(cluster, group, { ...joining, memberId: first.memberId }), follower])
}

describe('SyncGroup (G-15)', () => {
  test('gives every member what the leader said, once the leader has said it, and nothing to those it left out', async () => {
    const [leader, follower] = await pair('given')
    const waiting = sync(cluster, 'given', follower)
    expect(await answeredWithin(cluster, waiting)).toBeUndefined()
    const assignments = { [follower.memberId]: 'yours', nobody: 'lost' }
    expect(await sync(cluster, 'given', { ...leader, assignments })).toMatchObject({ error: 'NONE', assignment: '' })
    expect(await waiting).toMatchObject({ error: 'NONE', assignment: 'yours' })
    const { memberAssignment, memberMetadata } = (await described(cluster, 'given')).members[1]!
    expect([new TextDecoder().decode(memberAssignment), memberMetadata.length > 0]).toEqual(['yours', true])
  })

  test('says the protocol from v5 on, and takes any before', async () => {
    const [leader, follower] = await pair('versions')
    const answers = await Promise.all([
      sync(cluster, 'versions', { ...follower, version: 0 }),
      sync(cluster, 'versions', { ...leader, assignments: { [follower.memberId]: 'yours' } }),
    ])
    const [old, newest] = answers.map(({ answer }) => [answer.protocolType, answer.protocolName])
    expect([old, newest]).toEqual([
      [null, null],
      ['consumer', 'range'],
    ])
    expect(answers[0]!.assignment).toBe('yours')
  })

  test('takes nothing from a follower', async () => {
    const [leader, follower] = await pair('mine')
    const waiting = sync(cluster, 'mine', { ...follower, assignments: { [follower.memberId]: 'all' } })
    await answeredWithin(cluster, waiting, 10)
    await sync(cluster, 'mine', { ...leader, assignments: { [leader.memberId]: 'all' } })
    expect((await waiting).assignment).toBe('')
  })

  test('that waits ends with REBALANCE_IN_PROGRESS when another rebalance begins', async () => {
    const [leader, follower] = await pair('overtaken')
    const waiting = sync(cluster, 'overtaken', follower)
    await answeredWithin(cluster, waiting, 10)
    expect(await leave(cluster, 'overtaken', leader)).toEqual(['NONE', 'NONE'])
    expect((await waiting).error).toBe('REBALANCE_IN_PROGRESS')
  })

  test('ends for whoever leaves while it waits, which Kafka leaves without an answer', async () => {
    const [, follower] = await pair('gone')
    const waiting = sync(cluster, 'gone', follower)
    await answeredWithin(cluster, waiting, 10)
    await leave(cluster, 'gone', follower)
    expect((await waiting).error).toBe('UNKNOWN_MEMBER_ID')
  })

  test('comes too late a rebalance timeout after the JoinGroup: the member is out, and the others join again', async () => {
    const [leader, follower] = await pair('late', { rebalanceMs: 1_000 })
    await sync(cluster, 'late', leader)
    await cluster.clock.advance(900)
    expect(await stateOf(cluster, 'late')).toBe('Stable')
    await cluster.clock.advance(200)
    expect((await sync(cluster, 'late', follower)).error).toBe('UNKNOWN_MEMBER_ID')
    expect(await beat(cluster, 'late', leader)).toBe('REBALANCE_IN_PROGRESS')
    expect(await join(cluster, 'late', { memberId: leader.memberId })).toMatchObject({ error: 'NONE', generation: 3 })
  })

  test('with a rebalance timeout of 1 s passes after 500 ms and fails after 1,500; with one of 0 it fails at once', async () => {
    const outcome = async (rebalanceMs: number, waitMs: number) => {
      const group = `deadline-${rebalanceMs}-${waitMs}`
      const member = await joinAsNew(cluster, group, { rebalanceMs })
      await cluster.clock.advance(waitMs)
      return (await sync(cluster, group, member)).error
    }
    expect([await outcome(1_000, 500), await outcome(1_000, 1_500), await outcome(0, 0)]).toEqual([
      'NONE',
      'UNKNOWN_MEMBER_ID',
      'UNKNOWN_MEMBER_ID',
    ])
  })

  test('never called by the only member leaves an empty group, a generation further', async () => {
    await joinAsNew(cluster, 'never', { rebalanceMs: 3_000 })
    await cluster.clock.advance(3_100)
    expect(await stateOf(cluster, 'never')).toBe('Empty')
    expect(await joinAsNew(cluster, 'never')).toMatchObject({ generation: 3 })
  })

  test('is asked of the leader only as long as it leads', async () => {
    const [leader, follower] = await pair('successor')
    const waiting = sync(cluster, 'successor', { ...follower, assignments: { [follower.memberId]: 'mine' } })
    await answeredWithin(cluster, waiting, 10)
    await leave(cluster, 'successor', leader)
    const again = await join(cluster, 'successor', { memberId: follower.memberId })
    expect(again).toMatchObject({ generation: 3, leader: follower.memberId, members: [follower.memberId] })
    const assignments = { [follower.memberId]: 'mine' }
    expect((await sync(cluster, 'successor', { ...again, assignments })).assignment).toBe('mine')
  })
})

describe('Heartbeat (G-16)', () => {
  test('in every version says NONE to a member, and to others what they are', async () => {
    const [leader, follower] = await pair('beats')
    for (const version of [0, 1, 2, 3, 4]) expect(await beat(cluster, 'beats', { ...follower, version })).toBe('NONE')
    expect(await beat(cluster, 'beats', { ...leader, generation: 1 })).toBe('ILLEGAL_GENERATION')
    expect(await beat(cluster, 'beats', { ...leader, memberId: 'nobody' })).toBe('UNKNOWN_MEMBER_ID')
    expect(await beat(cluster, 'no group', leader)).toBe('UNKNOWN_MEMBER_ID')
  })
})

describe('a session (G-17)', () => {
  test('ends when nothing is heard of a member: the others rebalance, or nobody is left', async () => {
    const leader = await joinAsNew(cluster, 'expiry', { sessionMs: 2_000 })
    await sync(cluster, 'expiry', leader)
    await cluster.clock.advance(1_900)
    expect(await beat(cluster, 'expiry', leader)).toBe('NONE')
    await cluster.clock.advance(1_900)
    expect(await stateOf(cluster, 'expiry')).toBe('Stable')
    await cluster.clock.advance(200)
    expect(await stateOf(cluster, 'expiry')).toBe('Empty')
    expect(await beat(cluster, 'expiry', leader)).toBe('UNKNOWN_MEMBER_ID')
    expect((await described(cluster, 'expiry')).protocolType).toBe('consumer')
  })

  test('of one member among two brings a rebalance without it', async () => {
    const [leader, follower] = await pair('one-of-two', { sessionMs: 2_000 })
    await Promise.all([sync(cluster, 'one-of-two', follower), sync(cluster, 'one-of-two', leader)])
    await cluster.clock.advance(1_500)
    expect(await beat(cluster, 'one-of-two', leader)).toBe('NONE')
    await cluster.clock.advance(1_000)
    expect(await beat(cluster, 'one-of-two', leader)).toBe('REBALANCE_IN_PROGRESS')
    const alone = await join(cluster, 'one-of-two', { memberId: leader.memberId })
    expect(alone).toMatchObject({ generation: 3, members: [leader.memberId] })
    expect(await beat(cluster, 'one-of-two', follower)).toBe('UNKNOWN_MEMBER_ID')
  })

  test('does not end while a member waits in JoinGroup or SyncGroup, and begins anew with the answer', async () => {
    const first = await joinAsNew(cluster, 'excused', { sessionMs: 1_000 })
    await sync(cluster, 'excused', first)
    const second = joinAsNew(cluster, 'excused', { sessionMs: 10_000 })
    await answeredWithin(cluster, second, 10)
    await join(cluster, 'excused', { memberId: first.memberId, sessionMs: 1_000 })
    const { memberId } = await second
    const third = joinAsNew(cluster, 'excused')
    await answeredWithin(cluster, third, 10)
    const again = join(cluster, 'excused', { memberId: first.memberId, sessionMs: 1_000 })
    // Five of its session timeouts it waits for the second member.
    expect(await answeredWithin(cluster, again, 5_000)).toBeUndefined()
    await join(cluster, 'excused', { memberId })
    const answer = await again
    expect(answer).toMatchObject({ error: 'NONE', generation: 3 })
    await cluster.clock.advance(900)
    expect(await beat(cluster, 'excused', answer)).toBe('NONE')
    await cluster.clock.advance(1_100)
    expect(await beat(cluster, 'excused', answer)).toBe('UNKNOWN_MEMBER_ID')
  })

  test('is kept up by commits and by heartbeats that say REBALANCE_IN_PROGRESS', async () => {
    const member = await joinAsNew(cluster, 'kept-up', { sessionMs: 1_000 })
    await sync(cluster, 'kept-up', member)
    for (let i = 0; i < 3; i++) {
      await cluster.clock.advance(800)
      expect(await commit(cluster, 'kept-up', { 't-0': i }, member)).toEqual({ 't-0': 'NONE' })
    }
    const other = joinAsNew(cluster, 'kept-up')
    for (let i = 0; i < 3; i++) {
      await answeredWithin(cluster, other, 800)
      expect(await beat(cluster, 'kept-up', member)).toBe('REBALANCE_IN_PROGRESS')
    }
    expect(await join(cluster, 'kept-up', { memberId: member.memberId })).toMatchObject({ error: 'NONE' })
  })

  test('of a new member that waits for its id lasts five minutes: it may have gone', async () => {
    await joinAsNew(cluster, 'forgotten', { sessionMs: 1_800_000, rebalanceMs: 1_800_000 })
    const old = join(cluster, 'forgotten', { version: 3 })
    old.catch(() => undefined)
    await cluster.clock.advance(299_000)
    expect((await described(cluster, 'forgotten')).members).toHaveLength(2)
    await cluster.clock.advance(2_000)
    expect((await described(cluster, 'forgotten')).members).toHaveLength(1)
  })
})

describe('LeaveGroup (G-19)', () => {
  test('answers for each member from v3 on, and lets those who stay rebalance', async () => {
    const [leader, follower] = await pair('leaving')
    const stranger = { memberId: 'stranger' }
    expect(await leave(cluster, 'leaving', stranger, follower, follower, {})).toEqual([
      'NONE',
      'UNKNOWN_MEMBER_ID',
      'NONE',
      'UNKNOWN_MEMBER_ID',
      'UNKNOWN_MEMBER_ID',
    ])
    expect(await beat(cluster, 'leaving', leader)).toBe('REBALANCE_IN_PROGRESS')
    expect(await leave(cluster, 'leaving', leader)).toEqual(['NONE', 'NONE'])
    expect(await stateOf(cluster, 'leaving')).toBe('Empty')
    expect(await leave(cluster, 'leaving', leader)).toEqual(['NONE', 'UNKNOWN_MEMBER_ID'])
    expect(await leave(cluster, 'no group', leader)).toEqual(['NONE', 'UNKNOWN_MEMBER_ID'])
  })

  test('of a member that waits in JoinGroup ends its wait', async () => {
    const [, follower] = await pair('impatient')
    const joining = join(cluster, 'impatient', { memberId: follower.memberId, topics: ['other'] })
    await answeredWithin(cluster, joining, 10)
    expect(await leave(cluster, 'impatient', follower)).toEqual(['NONE', 'NONE'])
    expect(await joining).toMatchObject({ error: 'UNKNOWN_MEMBER_ID', memberId: '' })
  })

  test('of the last one that a rebalance waits for ends its join phase', async () => {
    const [leader, follower] = await pair('awaited')
    const joining = join(cluster, 'awaited', { memberId: leader.memberId, topics: ['other'] })
    await answeredWithin(cluster, joining, 10)
    await leave(cluster, 'awaited', follower)
    expect(await joining).toMatchObject({ error: 'NONE', generation: 3, members: [leader.memberId] })
  })

  test('of an id that never joined forgets it, and has the others join again', async () => {
    const [leader, follower] = await pair('pending-leaves')
    await Promise.all([sync(cluster, 'pending-leaves', follower), sync(cluster, 'pending-leaves', leader)])
    const { memberId } = await join(cluster, 'pending-leaves')
    expect(await leave(cluster, 'pending-leaves', { memberId })).toEqual(['NONE', 'NONE'])
    expect(await stateOf(cluster, 'pending-leaves')).toBe('PreparingRebalance')
    expect((await join(cluster, 'pending-leaves', { memberId })).error).toBe('UNKNOWN_MEMBER_ID')
  })
})

test('a call that nothing answers says whom a rebalance waits for', async () => {
  const { runtime } = (cluster.controller as unknown as { readonly plant: Plant }).plant
  const patient = { sessionMs: 1_800_000, rebalanceMs: 1_800_000 }
  const [leader, follower] = await pair('held-up', patient)
  const hanging = () => runtime.drive('hanging', () => runtime.deferred().promise)
  await expect(hanging()).rejects.toThrow(`group held-up: its leader ${leader.memberId} to assign`)
  await Promise.all([sync(cluster, 'held-up', leader), sync(cluster, 'held-up', follower)])
  const joining = join(cluster, 'held-up', { ...patient, memberId: leader.memberId })
  joining.catch(() => undefined)
  await expect(hanging()).rejects.toThrow(`group held-up: ${follower.memberId} to join again`)
})
