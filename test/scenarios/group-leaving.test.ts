import { expect } from 'vitest'
import { Group } from './group.ts'
import { story } from './story.ts'

const SHORT = { sessionMs: 1000 }

story(
  'who is not heard of for its session timeout is out, and the others rebalance without it (G-17, G-13)',
  async world => {
    const group = await Group.open(world)
    const [alive, silent] = await group.stable({ sessionMs: 10_000 }, SHORT)
    await group.untilHears(alive!, 'REBALANCE_IN_PROGRESS', 5000)
    expect(await group.beat(silent!)).toBe('UNKNOWN_MEMBER_ID')
    const { memberId } = alive!
    expect(await group.join({ memberId })).toMatchObject({ generation: 2, leader: memberId, members: [memberId] })
  },
)

story('heartbeats keep a member for longer than its session timeout (G-17, G-16)', async world => {
  const group = await Group.open(world)
  const [member] = await group.stable(SHORT)
  for (let i = 0; i < 4; i++) {
    await world.sleep(400)
    expect(await group.beat(member!)).toBe('NONE')
  }
  await group.untilState('Empty', 5000)
  expect(await group.beat(member!)).toBe('UNKNOWN_MEMBER_ID')
})

story(
  'a member that leaves makes the others rebalance; behind the last one the group is empty (G-19, G-17, G-13)',
  async world => {
    const group = await Group.open(world)
    expect(await group.leave({ memberId: 'nobody' })).toEqual(['NONE', 'UNKNOWN_MEMBER_ID'])
    const [leader, follower] = await group.stable({}, {})
    expect(await group.leave({ memberId: leader!.memberId }, { memberId: 'nobody' })).toEqual([
      'NONE',
      'NONE',
      'UNKNOWN_MEMBER_ID',
    ])
    expect(await group.beat(leader!)).toBe('UNKNOWN_MEMBER_ID')
    expect(await group.beat(follower!)).toBe('REBALANCE_IN_PROGRESS')
    const { memberId } = follower!
    expect(await group.join({ memberId })).toMatchObject({ generation: 2, leader: memberId, members: [memberId] })
    expect(await group.leave({ memberId })).toEqual(['NONE', 'NONE'])
    expect(await group.described()).toMatchObject({ state: 'Empty', members: [], protocolType: 'consumer' })
    // Its going was a generation of its own.
    expect(await group.joinAsNew()).toMatchObject({ error: 'NONE', generation: 4 })
  },
)

story(
  'a rebalance waits for its members for the largest of their rebalance timeouts, and goes on without those that stay away (G-12, G-13)',
  async world => {
    const group = await Group.open(world)
    const [away] = await group.stable({ rebalanceMs: 1000 })
    const newcomer = await group.newId()
    const joined = await group.join({ memberId: newcomer, rebalanceMs: 200 })
    expect(joined.tookMs).toBeGreaterThanOrEqual(995)
    expect(joined).toMatchObject({ error: 'NONE', generation: 2, leader: newcomer, members: [newcomer] })
    expect(await group.beat(away!)).toBe('UNKNOWN_MEMBER_ID')
  },
)

story(
  'a leader that assigns nothing within the rebalance timeout is out, and whoever waited has to join again (G-15)',
  async world => {
    const group = await Group.open(world)
    const [leader, follower] = await group.firstGeneration({ rebalanceMs: 1000 }, { rebalanceMs: 1000 })
    expect((await group.sync(follower!)).error).toBe('REBALANCE_IN_PROGRESS')
    expect(await group.beat(leader!)).toBe('UNKNOWN_MEMBER_ID')
    const { memberId } = follower!
    expect(await group.join({ memberId })).toMatchObject({ generation: 2, leader: memberId, members: [memberId] })
  },
)
