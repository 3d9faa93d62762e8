import { expect } from 'vitest'
import { deleteTopics } from '../../src/apis/delete-topics.ts'
import { offsetDelete } from '../../src/apis/offset-delete.ts'
import { offsetFetch } from '../../src/apis/offset-fetch.ts'
import { zeroUuid } from '../../src/wire/uuid.ts'
import { Group, nameOf } from './group.ts'
import { commit, committed, deleteOffset, textOf } from './group-offsets.ts'
import { story } from './story.ts'
import { Topic } from './topic.ts'

const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAAEQ'

story(
  'who may commit: members in their generation, unless it waits for its leader; and, while nobody is a member, anybody (X-35, G-30)',
  async world => {
    const topic = await Topic.create(world, [1])
    const group = await Group.open(world)
    const errorOf = (options: Parameters<typeof commit>[3]) => commit(group, topic, 7, options)
    expect(await errorOf({ memberId: 'm', generation: 1 })).toBe('GROUP_ID_NOT_FOUND')
    expect(await errorOf({ memberId: 'm', generation: 1, version: 8 })).toBe('ILLEGAL_GENERATION')
    expect(await group.state()).toBe('no group')
    expect(await errorOf({})).toBe('NONE')
    expect(await group.described()).toMatchObject({ state: 'Empty', protocolType: '' })
    expect(await errorOf({ memberId: 'm', generation: 0 })).toBe('UNKNOWN_MEMBER_ID')

    const [member, follower] = await group.firstGeneration({}, {})
    expect(member).toMatchObject({ error: 'NONE', generation: 1 })
    const { memberId } = member!
    expect(await errorOf(member!)).toBe('REBALANCE_IN_PROGRESS')
    await group.syncAll([member!, follower!])
    expect(await errorOf(member!)).toBe('NONE')
    expect(await errorOf({ memberId, generation: 0 })).toBe('ILLEGAL_GENERATION')
    expect(await errorOf({ memberId, generation: 2 })).toBe('ILLEGAL_GENERATION')
    expect(await errorOf({ memberId })).toBe('ILLEGAL_GENERATION')
    expect(await errorOf({ memberId: 'm', generation: 1 })).toBe('UNKNOWN_MEMBER_ID')
    expect(await errorOf({})).toBe('UNKNOWN_MEMBER_ID')

    const joining = group.join({ memberId })
    await group.untilState('PreparingRebalance')
    expect(await errorOf(member!)).toBe('NONE')
    expect(await errorOf({})).toBe('UNKNOWN_MEMBER_ID')
    await Promise.all([joining, group.join({ memberId: follower!.memberId })])
    expect(await errorOf({ memberId, generation: 1 })).toBe('ILLEGAL_GENERATION')
    await group.leave({ memberId }, { memberId: follower!.memberId })
    await group.untilState('Empty')
    expect(await errorOf({ memberId, generation: 2 })).toBe('UNKNOWN_MEMBER_ID')
    expect(await errorOf({})).toBe('NONE')
  },
)

story(
  'what may be committed: for any partition that there is, any offset, with metadata of up to 4096 bytes (G-32)',
  async world => {
    const topic = await Topic.create(world, [[1], [1]])
    const group = await Group.open(world)
    expect(await commit(group, topic, 5, { metadata: 'm'.repeat(4097) })).toBe('OFFSET_METADATA_TOO_LARGE')
    expect(await commit(group, topic, 5, { partition: 2 })).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(await commit(group, { name: 'nowhere', id: UNKNOWN_ID }, 5)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(await commit(group, { name: 'nowhere', id: UNKNOWN_ID }, 5, { version: 10 })).toBe('UNKNOWN_TOPIC_ID')
    expect(await committed(group)).toBe('')

    expect(await commit(group, topic, -5, { metadata: null })).toBe('NONE')
    expect(await commit(group, topic, 1_000_000, { partition: 1, metadata: 'm'.repeat(4096), version: 10 })).toBe(
      'NONE',
    )
    expect(await committed(group)).toBe(`${topic.name}-0:-5 ${topic.name}-1:1000000(${'m'.repeat(4096)})`)
    expect(await commit(group, topic, 3, { metadata: 'back' })).toBe('NONE')
    expect(await committed(group, [[topic, 0]])).toBe(`${topic.name}-0:3(back)`)
  },
)

story(
  'what is asked for: −1 for what nobody committed, everything with null topics, many groups at once, topics by id (G-33, G-3)',
  async world => {
    const topic = await Topic.create(world, [[1], [1]])
    const group = await Group.open(world)
    let twin = await Group.open(world)
    while (twin.coordinator !== group.coordinator) twin = await Group.open(world)
    const { name } = topic
    expect(await committed(group, [[topic, 0, 5]])).toBe(`${name}-0:-1 ${name}-5:-1`)
    await commit(group, topic, 11)
    expect(await committed(group, [[topic, 0, 1]])).toBe(`${name}-0:11 ${name}-1:-1`)
    expect(await committed(group, [[topic, 0, 1]], { version: 1 })).toBe(`${name}-0:11 ${name}-1:-1`)
    expect(await committed(group, null, { version: 2 })).toBe(`${name}-0:11`)
    expect(await committed(group, [[topic, 0, 1]], { version: 10 })).toBe(`${name}-0:11 ${name}-1:-1`)
    expect(await committed(group, [[{ name: 'nowhere', id: UNKNOWN_ID }, 0]], { version: 10 })).toBe(
      'nowhere-0:UNKNOWN_TOPIC_ID',
    )
    // A classic group does not look at who asks.
    expect(await committed(group, null, { memberId: 'nobody', generation: 9 })).toBe(`${name}-0:11`)

    const groups = [
      { groupId: group.name, topics: null },
      { groupId: twin.name, topics: null },
    ]
    const answer = await world.request(group.coordinator, offsetFetch, 8, { groups, requireStable: true })
    const [found, missing] = answer.groups
    expect(textOf(found!.topics)).toBe(`${name}-0:11`)
    expect(missing).toMatchObject({ groupId: twin.name, errorCode: 0, topics: [] })
  },
)

story(
  'offsets of topics that members subscribe to cannot be deleted, others can; a group with members cannot, an empty one goes with its offsets (G-35, G-3)',
  async world => {
    const [read, other] = [await Topic.create(world, [1]), await Topic.create(world, [1])]
    const group = await Group.open(world)
    expect(await deleteOffset(group, read)).toBe('GROUP_ID_NOT_FOUND')
    expect(await group.delete()).toBe('GROUP_ID_NOT_FOUND')
    const unnamed = { groupId: '', topics: [{ name: read.name, partitions: [{ partitionIndex: 0 }] }] }
    expect(nameOf((await world.request(1, offsetDelete, 0, unnamed)).errorCode)).toBe('INVALID_GROUP_ID')

    const [member] = await group.stable({ topics: [read.name] })
    for (const topic of [read, other]) expect(await commit(group, topic, 5, member!)).toBe('NONE')
    expect(await deleteOffset(group, read)).toBe('GROUP_SUBSCRIBED_TO_TOPIC')
    expect(await deleteOffset(group, other, 1)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(await deleteOffset(group, other)).toBe('NONE')
    expect(await committed(group)).toBe(`${read.name}-0:5`)
    expect(await group.delete()).toBe('NON_EMPTY_GROUP')
    await group.leave(member!)
    await group.untilState('Empty')
    expect(await group.delete()).toBe('NONE')
    expect(await group.described()).toMatchObject({ error: 'GROUP_ID_NOT_FOUND', state: 'Dead' })
    expect(await committed(group, [[read, 0]])).toBe(`${read.name}-0:-1`)
    expect(await group.delete()).toBe('GROUP_ID_NOT_FOUND')
  },
)

story('a group of members that are no consumers keeps its offsets while there are any (G-35)', async world => {
  const topic = await Topic.create(world, [1])
  const group = await Group.open(world)
  await commit(group, topic, 5)
  const joined = await group.joinAsNew({ protocolType: 'connect' })
  expect(joined).toMatchObject({ error: 'NONE', generation: 1 })
  await group.sync({ ...joined, protocolType: 'connect' })
  expect(await group.described()).toMatchObject({ state: 'Stable', protocolType: 'connect' })
  expect(await deleteOffset(group, topic)).toBe('NON_EMPTY_GROUP')
  await group.leave(joined)
  await group.untilState('Empty')
  expect(await deleteOffset(group, topic)).toBe('NONE')
})

story(
  'a deleted topic takes its offsets along; a group that is left with nothing waits for the next look at what has expired (G-36, G-34)',
  async world => {
    const [gone, kept] = [await Topic.create(world, [1]), await Topic.create(world, [1])]
    const [both, one] = [await Group.open(world), await Group.open(world)]
    for (const topic of [gone, kept]) await commit(both, topic, 5)
    await commit(one, gone, 5)
    const body = { topics: [{ name: gone.name, topicId: zeroUuid }], timeoutMs: 30_000 }
    expect((await world.request(world.witnesses[0]!, deleteTopics, 6, body)).responses[0]!.errorCode).toBe(0)
    await world.eventually('its offsets are gone', async () => (await committed(both)) === `${kept.name}-0:5`)
    await world.eventually('these, too', async () => (await committed(one)) === '')
    expect([await one.state(), await both.state()]).toEqual(['Empty', 'Empty'])
    // Made anew under the same name, it is another topic.
    await Topic.create(world, [1], {}, gone.name)
    expect(await committed(both, [[gone, 0]])).toBe(`${gone.name}-0:-1`)
  },
)

story(
  'seven days after its last member has left, an empty group and its offsets are gone (G-34)',
  { onlyHere: 'a real cluster would need another retention of offsets, which all stories share' },
  async world => {
    const topic = await Topic.create(world, [1])
    const group = await Group.open(world)
    const [member] = await group.stable({})
    await commit(group, topic, 5, member!)
    await world.sleep(10_000)
    await group.leave(member!)
    const days = 24 * 3_600_000
    await world.sleep(7 * days - 1000)
    expect(await committed(group)).toBe(`${topic.name}-0:5`)
    await world.sleep(601_000)
    expect(await committed(group)).toBe('')
    expect(await group.state()).toBe('no group')
  },
)
