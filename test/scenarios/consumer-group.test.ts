import { expect } from 'vitest'
import { ConsumerGroup } from './consumer-group.ts'
import { story } from './story.ts'
import { Topic } from './topic.ts'
import type { World } from './world.ts'

const FOUR = [[1], [2], [3], [1]]

/** Partitions of a topic as text. */
const of = (topic: Topic, ...partitions: number[]) => partitions.map(each => `${topic.name}-${each}`).join(' ')

async function fourPartitions(world: World, assignmentIntervalMs?: number) {
  const topic = await Topic.create(world, FOUR)
  const group = await ConsumerGroup.of(world, [topic], assignmentIntervalMs)
  return { topic, group, all: of(topic, 0, 1, 2, 3), half: of(topic, 0, 1), otherHalf: of(topic, 2, 3) }
}

/** A, which owned everything, and B share the topic. */
async function shared(world: World) {
  const setting = await fourPartitions(world)
  const { group, all, half } = setting
  await group.enter('A')
  await group.enter('B')
  await group.say('A', 2, { owned: all })
  await group.say('A', 2, { owned: half })
  await group.say('B', 3)
  expect(await group.consumers()).toMatchObject({ state: 'Stable', groupEpoch: 3, assignmentEpoch: 3 })
  return setting
}

story(
  'the first member of a group has everything at once, and epoch 2; one that wants nothing has epoch 1 (G-50, G-53, G-56, G-57)',
  async world => {
    const { group, all } = await fourPartitions(world)
    const idle = await ConsumerGroup.of(world, [])
    expect(await idle.enter('A', { topics: [] })).toMatchObject({ error: 'NONE', epoch: 1, assignment: '' })
    expect(await group.enter('A')).toEqual({
      error: 'NONE',
      memberId: 'A',
      epoch: 2,
      heartbeatMs: 5000,
      assignment: all,
    })
    expect(await group.consumers()).toMatchObject({
      error: 'NONE',
      state: 'Stable',
      groupEpoch: 2,
      assignmentEpoch: 2,
      assignor: 'uniform',
      members: { A: `2 [${all}]` },
    })
    // Nothing new: nothing is said, unless everything is asked.
    expect(await group.say('A', 2, { owned: all })).toMatchObject({ epoch: 2, assignment: null })
    const full = { rebalanceTimeoutMs: 60_000, topics: [group.topic.name], owned: all }
    expect(await group.say('A', 2, full)).toMatchObject({ epoch: 2, assignment: all })
  },
)

story('a member brings its own id; by v0 it is given one (G-50)', async world => {
  const { group, all } = await fourPartitions(world)
  expect(await group.enter('')).toMatchObject({ error: 'INVALID_REQUEST' })
  const entered = await group.enter('', { version: 0 })
  expect(entered).toMatchObject({ error: 'NONE', epoch: 2, assignment: all })
  expect(entered.memberId).toMatch(/^[-0-9A-Za-z_]{22,36}$/)
  expect(await group.say(entered.memberId!, 2)).toMatchObject({ error: 'NONE', epoch: 2 })
})

story('a heartbeat that makes no sense is refused (G-51, G-52, G-3)', async world => {
  const { group } = await fourPartitions(world)
  const errorOf = async (heard: ReturnType<ConsumerGroup['say']>) => (await heard).error
  expect(await errorOf(group.enter('A', { instanceId: '' }))).toBe('INVALID_REQUEST')
  expect(await errorOf(group.enter('A', { rackId: '' }))).toBe('INVALID_REQUEST')
  expect(await errorOf(group.enter('A', { rebalanceTimeoutMs: -1 }))).toBe('INVALID_REQUEST')
  expect(await errorOf(group.enter('A', { topics: null }))).toBe('INVALID_REQUEST')
  expect(await errorOf(group.enter('A', { owned: null }))).toBe('INVALID_REQUEST')
  expect(await errorOf(group.say('A', -3))).toBe('INVALID_REQUEST')
  expect(await errorOf(group.say('A', -2))).toBe('INVALID_REQUEST')
  expect(await errorOf(group.enter('A', { assignor: 'nope' }))).toBe('UNSUPPORTED_ASSIGNOR')
  expect(await errorOf(group.enter('A', { regex: 'a(' }))).toBe('INVALID_REGULAR_EXPRESSION')
  expect(await errorOf(group.say('A', 1))).toBe('GROUP_ID_NOT_FOUND')
  expect(await errorOf(group.say('A', -1))).toBe('GROUP_ID_NOT_FOUND')
  expect(await group.consumers()).toMatchObject({ error: 'GROUP_ID_NOT_FOUND' })
  await group.enter('A')
  expect(await errorOf(group.say('B', 1))).toBe('UNKNOWN_MEMBER_ID')
  expect(await errorOf(group.say('B', -1))).toBe('UNKNOWN_MEMBER_ID')
})

story(
  'assignments are made at most once per interval, by the next heartbeat: until then a new member waits with the old epoch (G-53, G-57)',
  async world => {
    const { group, all, half, otherHalf } = await fourPartitions(world, 1500)
    await group.enter('A')
    expect(await group.enter('B')).toMatchObject({ error: 'NONE', epoch: 2, assignment: '' })
    expect(await group.consumers()).toMatchObject({ state: 'Assigning', groupEpoch: 3, assignmentEpoch: 2 })
    await world.sleep(1600)
    expect(await group.consumers()).toMatchObject({ state: 'Assigning', groupEpoch: 3, assignmentEpoch: 2 })
    expect(await group.say('B', 2)).toMatchObject({ epoch: 3, assignment: null })
    expect(await group.consumers()).toMatchObject({
      state: 'Reconciling',
      groupEpoch: 3,
      assignmentEpoch: 3,
      members: { A: `2 [${all}] → [${half}]`, B: `3 [] → [${otherHalf}]` },
    })
  },
)

story('no member is given what another has not given up (G-54, G-53, G-56)', async world => {
  const { group, all, half, otherHalf } = await fourPartitions(world)
  await group.enter('A')
  expect(await group.enter('B')).toMatchObject({ error: 'NONE', epoch: 3, assignment: '' })
  expect(await group.say('A', 2, { owned: all })).toMatchObject({ epoch: 2, assignment: half })
  // What it is told to give up is still its own.
  expect(await group.consumers()).toMatchObject({
    state: 'Reconciling',
    members: { A: `2 [${all}] → [${half}]`, B: `3 [] → [${otherHalf}]` },
  })
  expect(await group.say('B', 3)).toMatchObject({ epoch: 3, assignment: null })
  expect(await group.say('A', 2, { owned: all })).toMatchObject({ epoch: 2, assignment: null })
  expect(await group.say('A', 2, { owned: half })).toMatchObject({ epoch: 3, assignment: null })
  expect(await group.say('B', 3)).toMatchObject({ epoch: 3, assignment: otherHalf })
  expect(await group.consumers()).toMatchObject({
    state: 'Stable',
    groupEpoch: 3,
    members: { A: `3 [${half}]`, B: `3 [${otherHalf}]` },
  })
})

story(
  'a wrong epoch fences a member, but for the last one with no more than it has: its answer was lost; epoch 0 lets it in again (G-52)',
  async world => {
    const { group, all, half } = await shared(world)
    expect((await group.say('A', 4, { owned: half })).error).toBe('FENCED_MEMBER_EPOCH')
    expect(await group.say('A', 2, { owned: half })).toMatchObject({ error: 'NONE', epoch: 3 })
    expect((await group.say('A', 2, { owned: all })).error).toBe('FENCED_MEMBER_EPOCH')
    expect((await group.say('A', 2)).error).toBe('FENCED_MEMBER_EPOCH')
    expect((await group.say('A', 1, { owned: half })).error).toBe('FENCED_MEMBER_EPOCH')
    expect(await group.enter('A')).toMatchObject({ error: 'NONE', epoch: 3, assignment: half })
    expect(await group.consumers()).toMatchObject({ state: 'Stable', groupEpoch: 3 })
  },
)

story('a member that leaves gives all back; behind the last one the group is empty (G-50, G-56)', async world => {
  const { group, all } = await shared(world)
  expect(await group.say('A', -1)).toMatchObject({ error: 'NONE', memberId: 'A', epoch: -1, assignment: null })
  expect(await group.say('B', 3)).toMatchObject({ error: 'NONE', epoch: 4, assignment: all })
  expect((await group.say('A', 3)).error).toBe('UNKNOWN_MEMBER_ID')
  expect(await group.delete()).toBe('NON_EMPTY_GROUP')
  expect(await group.say('B', -1)).toMatchObject({ error: 'NONE', epoch: -1 })
  expect(await group.consumers()).toMatchObject({ error: 'NONE', state: 'Empty', groupEpoch: 5, members: {} })
  expect(await group.delete()).toBe('NONE')
  expect(await group.consumers()).toMatchObject({ error: 'GROUP_ID_NOT_FOUND' })
})

story(
  'who does not give up partitions within its rebalance timeout is out, however alive it is (G-55)',
  async world => {
    const { group, all } = await fourPartitions(world)
    await group.enter('A', { rebalanceTimeoutMs: 1000 })
    await group.enter('B')
    const saying = { owned: all }
    await group.untilSaid('A', 2, 'is out', ({ error }) => error === 'UNKNOWN_MEMBER_ID', saying)
    await group.untilSaid('B', 3, 'has all', ({ epoch, assignment }) => epoch === 4 && assignment === all)
  },
)

story('who is not heard of for the session timeout of its group is out (G-55)', async world => {
  const { group, all } = await fourPartitions(world)
  await group.configure('consumer.heartbeat.interval.ms', 500)
  await group.configure('consumer.session.timeout.ms', 2000)
  expect(await group.enter('A')).toMatchObject({ heartbeatMs: 500 })
  await group.enter('B')
  let alone = false
  await world.eventually('A is out', async () => {
    const { epoch, assignment } = await group.say('B', alone ? 4 : 3)
    alone ||= epoch === 4
    return assignment === all
  })
  expect((await group.say('A', 2)).error).toBe('UNKNOWN_MEMBER_ID')
})

story(
  'a static member keeps its place while it is there; while it is away another id may take it, and nobody else notices (G-52, G-57, G-50)',
  async world => {
    const { group, half, otherHalf } = await fourPartitions(world)
    const i = { instanceId: 'i' }
    await group.enter('A', i)
    await group.enter('B')
    await group.say('A', 2, { ...i, owned: half })
    await group.say('B', 3)
    expect((await group.enter('C', i)).error).toBe('UNRELEASED_INSTANCE_ID')
    expect((await group.say('A', 3, { instanceId: 'j' })).error).toBe('UNKNOWN_MEMBER_ID')
    expect((await group.say('C', 3, i)).error).toBe('FENCED_INSTANCE_ID')

    expect(await group.say('A', -2, i)).toMatchObject({ error: 'NONE', memberId: 'A', epoch: -2 })
    expect(await group.consumers()).toMatchObject({ state: 'Reconciling', groupEpoch: 3 })
    expect((await group.say('A', 3, i)).error).toBe('FENCED_MEMBER_EPOCH')
    expect(await group.enter('C', i)).toMatchObject({ error: 'NONE', epoch: 3, assignment: half })
    expect(await group.say('B', 3)).toMatchObject({ error: 'NONE', epoch: 3, assignment: null })
    expect(await group.consumers()).toMatchObject({
      state: 'Stable',
      groupEpoch: 3,
      members: { B: `3 [${otherHalf}]`, C: `3 [${half}]` },
    })
    expect((await group.say('A', 3, i)).error).toBe('FENCED_INSTANCE_ID')
  },
)
