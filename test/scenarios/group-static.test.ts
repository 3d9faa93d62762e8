import { expect } from 'vitest'
import { Group } from './group.ts'
import { commit } from './group-offsets.ts'
import { story } from './story.ts'
import { Topic } from './topic.ts'

const FIRST = { instanceId: 'one' }
const SECOND = { instanceId: 'two' }

story(
  'a static member that is back as a follower goes on where it was under a new id, nobody rebalances, and its old id is fenced (G-18, G-11)',
  async world => {
    const topic = await Topic.create(world, [1])
    const group = await Group.open(world)
    const [leader, old] = await group.stable(FIRST, SECOND)
    expect(old!.memberId).toMatch(/^two-[-0-9A-Za-z_]{22,36}$/)
    // A subscription that changed is no reason either, as long as the protocol does not.
    const back = await group.join({ ...SECOND, topics: ['t', 'u'] })
    expect(back).toMatchObject({ error: 'NONE', generation: 1, leader: leader!.memberId, members: [] })
    expect(back.memberId).not.toBe(old!.memberId)
    expect(await group.state()).toBe('Stable')
    expect(await group.beat(leader!)).toBe('NONE')
    expect(await group.sync(back)).toMatchObject({ error: 'NONE', assignment: '1' })

    expect(await group.beat(old!)).toBe('FENCED_INSTANCE_ID')
    expect((await group.sync(old!)).error).toBe('FENCED_INSTANCE_ID')
    expect((await group.join({ ...SECOND, memberId: old!.memberId })).error).toBe('FENCED_INSTANCE_ID')
    expect(await commit(group, topic, 1, old!)).toBe('FENCED_INSTANCE_ID')
    expect(await group.leave({ ...SECOND, memberId: old!.memberId })).toEqual(['NONE', 'FENCED_INSTANCE_ID'])
    expect(await group.beat({ memberId: old!.memberId, generation: 1 })).toBe('UNKNOWN_MEMBER_ID')
    expect(await group.beat(back)).toBe('NONE')
  },
)

story(
  'a static leader that is back leads again, is given the members, and told not to assign; before v9 it is no leader (G-18)',
  async world => {
    const group = await Group.open(world)
    const [old, follower] = await group.stable(FIRST, SECOND)
    const v8 = await group.join({ ...FIRST, version: 8 })
    expect(v8).toMatchObject({
      error: 'NONE',
      generation: 1,
      leader: old!.memberId,
      members: [],
      skipAssignment: false,
    })
    const v9 = await group.join(FIRST)
    expect(v9).toMatchObject({ error: 'NONE', generation: 1, leader: v9.memberId, skipAssignment: true })
    expect(v9.members).toEqual([v9.memberId, follower!.memberId].sort())
    expect(await group.sync(v9)).toMatchObject({ error: 'NONE', assignment: '0' })
    expect(await group.beat(v8)).toBe('FENCED_INSTANCE_ID')
    expect(await group.beat(follower!)).toBe('NONE')
  },
)

story(
  'a static member is removed by its instance id alone, or when its session ends; a known one that offers another protocol makes all rebalance (G-17, G-18, G-19)',
  async world => {
    const group = await Group.open(world)
    const three = { instanceId: 'three', sessionMs: 1500 }
    const [leader, removed] = await group.stable(
      { ...FIRST, protocols: ['range', 'sticky'] },
      { ...SECOND, protocols: ['range', 'sticky'] },
      { ...three, protocols: ['range', 'sticky'] },
    )
    expect(await group.leave({ instanceId: 'four' })).toEqual(['NONE', 'UNKNOWN_MEMBER_ID'])
    expect(await group.leave(SECOND)).toEqual(['NONE', 'NONE'])
    expect(await group.beat(removed!)).toBe('UNKNOWN_MEMBER_ID')
    expect(await group.beat(leader!)).toBe('REBALANCE_IN_PROGRESS')
    // The third is not heard of any more: only the end of its session ends the wait for it.
    const alone = await group.join({ ...FIRST, memberId: leader!.memberId, protocols: ['range', 'sticky'] })
    expect(alone).toMatchObject({ generation: 2, protocol: 'range', members: [leader!.memberId] })
    await group.syncAll([alone])
    const back = await group.join({ ...FIRST, protocols: ['sticky'] })
    expect(back).toMatchObject({ generation: 3, protocol: 'sticky', leader: back.memberId, skipAssignment: false })
  },
)
