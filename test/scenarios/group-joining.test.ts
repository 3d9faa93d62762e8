import { expect } from 'vitest'
import { heartbeat } from '../../src/apis/heartbeat.ts'
import { joinGroup } from '../../src/apis/join-group.ts'
import { leaveGroup } from '../../src/apis/leave-group.ts'
import { syncGroup } from '../../src/apis/sync-group.ts'
import { Group, INITIAL_DELAY_MS, nameOf } from './group.ts'
import { story } from './story.ts'
import { WORLD_CONFIGS, type World } from './world.ts'

/** What a real machine may add to a wait. */
const SLACK_MS = 400

function expectTook(world: World, tookMs: number, ms: number): void {
  expect(tookMs).toBeGreaterThanOrEqual(ms - 5)
  expect(tookMs).toBeLessThan(ms + (world.cluster === undefined ? SLACK_MS : 50))
}

story(
  'the first join waits for the initial delay, also with a smaller rebalance timeout; whoever comes meanwhile prolongs it by another (X-34, G-12, G-13)',
  async world => {
    const [alone, hasty, shared] = [await Group.open(world), await Group.open(world), await Group.open(world)]
    const [idAlone, idHasty, a, b] = [
      await alone.newId(),
      await hasty.newId(),
      await shared.newId(),
      await shared.newId(),
    ]
    const [one, quick, first, second] = await Promise.all([
      alone.join({ memberId: idAlone }),
      hasty.join({ memberId: idHasty, rebalanceMs: 100 }),
      shared.join({ memberId: a }),
      world.sleep(150).then(() => shared.join({ memberId: b })),
    ])
    expectTook(world, one.tookMs, INITIAL_DELAY_MS)
    expectTook(world, quick.tookMs, INITIAL_DELAY_MS)
    expectTook(world, first.tookMs, 2 * INITIAL_DELAY_MS)
    expectTook(world, second.tookMs, 2 * INITIAL_DELAY_MS - 150)
    expect(one).toMatchObject({ error: 'NONE', generation: 1, leader: idAlone, members: [idAlone], protocol: 'range' })
    expect(first).toMatchObject({ error: 'NONE', generation: 1, leader: a, members: [a, b].sort() })
    expect(second).toMatchObject({ error: 'NONE', generation: 1, leader: a, members: [] })
    expect(await shared.state()).toBe('CompletingRebalance')
  },
)

story(
  'a dynamic member is given an id to come back with; until then it is no member, and it is forgotten after its session timeout (G-11)',
  async world => {
    const group = await Group.open(world)
    const pending = await group.join({ sessionMs: 1000 })
    expect(pending).toMatchObject({ error: 'MEMBER_ID_REQUIRED', generation: -1, leader: '' })
    expect(pending.memberId).toMatch(/^story-[-0-9A-Za-z_]{22,36}$/)
    await group.untilState('Empty')
    expect((await group.sync({ ...pending, generation: 0 })).error).toBe('UNKNOWN_MEMBER_ID')
    expect(await group.beat({ ...pending, generation: 0 })).toBe('UNKNOWN_MEMBER_ID')

    const leaving = await group.newId()
    expect(await group.leave({ memberId: leaving })).toEqual(['NONE', 'NONE'])
    expect(await group.join({ memberId: leaving })).toMatchObject({ error: 'UNKNOWN_MEMBER_ID' })

    await world.sleep(1300)
    expect(await group.join({ memberId: pending.memberId })).toMatchObject({ error: 'UNKNOWN_MEMBER_ID' })
    expect(await group.join({ version: 3 })).toMatchObject({ error: 'NONE', generation: 1 })
  },
)

story('JoinGroup refuses what cannot become a member, and says why (G-10)', async world => {
  const group = await Group.open(world)
  const errorOf = async (joining: Parameters<Group['join']>[0]) => (await group.join(joining)).error
  const shortest = WORLD_CONFIGS['group.min.session.timeout.ms']
  expect(await errorOf({ sessionMs: shortest - 1 })).toBe('INVALID_SESSION_TIMEOUT')
  expect(await errorOf({ sessionMs: 1_800_001 })).toBe('INVALID_SESSION_TIMEOUT')
  expect(await errorOf({ memberId: 'nobody' })).toBe('UNKNOWN_MEMBER_ID')
  expect(await errorOf({ memberId: 'nobody', instanceId: 'nobody' })).toBe('UNKNOWN_MEMBER_ID')
  expect(await errorOf({ protocols: [] })).toBe('INCONSISTENT_GROUP_PROTOCOL')
  await group.untilState('Empty')

  const [member] = await group.stable({ protocols: ['range', 'sticky'] })
  expect(await errorOf({ protocolType: 'connect' })).toBe('INCONSISTENT_GROUP_PROTOCOL')
  expect(await errorOf({ protocols: ['roundrobin'] })).toBe('INCONSISTENT_GROUP_PROTOCOL')
  expect(await errorOf({ protocols: [] })).toBe('INCONSISTENT_GROUP_PROTOCOL')
  expect(await errorOf({ memberId: 'nobody' })).toBe('UNKNOWN_MEMBER_ID')
  expect(await errorOf({ protocols: ['sticky'] })).toBe('MEMBER_ID_REQUIRED')
  expect(await group.beat(member!)).toBe('NONE')
})

story('an empty group id is refused by whatever a classic member says (G-3)', async world => {
  const groupId = ''
  const joining = { groupId, sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 60_000, memberId: '' }
  const answers = [
    await world.request(1, joinGroup, 9, { ...joining, protocolType: 'consumer', protocols: [] }),
    await world.request(1, syncGroup, 4, { groupId, generationId: 1, memberId: 'm', assignments: [] }),
    await world.request(1, heartbeat, 4, { groupId, generationId: 1, memberId: 'm' }),
    await world.request(1, leaveGroup, 5, { groupId, members: [{ memberId: 'm' }] }),
  ]
  expect(answers.map(({ errorCode }) => nameOf(errorCode))).toEqual(Array(4).fill('INVALID_GROUP_ID'))
  // What comes before even that: from v5 on the protocol has to be said.
  const silent = { groupId, generationId: 1, memberId: 'm', assignments: [] }
  expect(nameOf((await world.request(1, syncGroup, 5, silent)).errorCode)).toBe('INCONSISTENT_GROUP_PROTOCOL')
})

story('the protocol is what most members prefer of those that all of them know (G-13)', async world => {
  const group = await Group.open(world)
  const members = await group.firstGeneration(
    { protocols: ['lonely', 'range', 'sticky'] },
    { protocols: ['sticky', 'range'] },
    { protocols: ['sticky', 'lonely', 'range'] },
  )
  expect(members.map(({ error, protocol }) => `${error} ${protocol}`)).toEqual(Array(3).fill('NONE sticky'))
})

story(
  'a follower waits for what the leader assigns, and nobody else’s word counts; who is not mentioned gets nothing (G-15)',
  async world => {
    const group = await Group.open(world)
    const [leader, second, third] = await group.firstGeneration({}, {}, {})
    const [a, b] = [leader!.memberId, second!.memberId]
    const stranger = { memberId: 'stranger', generation: 1 }
    expect((await group.sync(stranger)).error).toBe('UNKNOWN_MEMBER_ID')
    expect((await group.sync({ memberId: b, generation: 2 })).error).toBe('ILLEGAL_GENERATION')
    expect((await group.sync({ memberId: b, generation: 1, protocol: 'sticky' })).error).toBe(
      'INCONSISTENT_GROUP_PROTOCOL',
    )
    expect((await group.sync({ memberId: b, generation: 1, protocolType: 'connect' })).error).toBe(
      'INCONSISTENT_GROUP_PROTOCOL',
    )
    const waiting = group.sync({ memberId: b, generation: 1, assignments: { [b]: 'mine', [a]: 'mine' } })
    await world.sleep(150)
    expect(await group.state()).toBe('CompletingRebalance')
    expect(await group.beat(second!)).toBe('NONE')
    expect(await group.sync({ memberId: a, generation: 1, assignments: { [a]: 'p0', [b]: 'p1' } })).toMatchObject({
      error: 'NONE',
      assignment: 'p0',
    })
    expect(await waiting).toMatchObject({ error: 'NONE', assignment: 'p1' })
    expect(await group.state()).toBe('Stable')
    expect(await group.sync(third!)).toMatchObject({ error: 'NONE', assignment: '' })
    // Later words of the leader change nothing.
    expect(await group.sync({ memberId: a, generation: 1, assignments: { [a]: 'all' } })).toMatchObject({
      error: 'NONE',
      assignment: 'p0',
    })
  },
)

story(
  'a leader that joins again, or a member with another subscription, begins a rebalance; a follower that says the same does not (G-14, G-16)',
  async world => {
    const group = await Group.open(world)
    const [leader, follower] = await group.stable({}, {})
    expect(await group.join({ memberId: follower!.memberId })).toMatchObject({
      error: 'NONE',
      generation: 1,
      members: [],
    })
    expect(await group.state()).toBe('Stable')
    expect(await group.beat(leader!)).toBe('NONE')

    const leading = group.join({ memberId: leader!.memberId })
    await group.untilState('PreparingRebalance')
    expect(await group.beat({ ...follower!, generation: 0 })).toBe('ILLEGAL_GENERATION')
    expect(await group.beat(follower!)).toBe('REBALANCE_IN_PROGRESS')
    expect((await group.sync(follower!)).error).toBe('REBALANCE_IN_PROGRESS')
    const following = await group.join({ memberId: follower!.memberId })
    expect(following).toMatchObject({ generation: 2, leader: leader!.memberId, members: [] })
    const led = await leading
    expect(led).toMatchObject({ generation: 2, leader: leader!.memberId })
    expect(led.members).toHaveLength(2)

    // In CompletingRebalance who says the same again is answered at once, and who says something else is not.
    expect(await group.join({ memberId: follower!.memberId })).toMatchObject({ error: 'NONE', generation: 2 })
    expect(await group.beat(following)).toBe('NONE')
    const changed = group.join({ memberId: follower!.memberId, topics: ['t', 'u'] })
    await group.untilState('PreparingRebalance')
    expect((await group.sync(led)).error).toBe('REBALANCE_IN_PROGRESS')
    expect(await group.join({ memberId: leader!.memberId })).toMatchObject({ generation: 3 })
    expect(await changed).toMatchObject({ error: 'NONE', generation: 3 })
  },
)
