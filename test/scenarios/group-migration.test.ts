import { expect } from 'vitest'
import { decodeAssignment, encodeAssignment, encodeSubscription } from '../../src/wire/consumer-protocol.ts'
import { ConsumerGroup } from './consumer-group.ts'
import type { Joined } from './group.ts'
import { commit, committed } from './group-offsets.ts'
import { story } from './story.ts'
import { Topic } from './topic.ts'
import type { World } from './world.ts'

/** A classic group of one member, which has all four partitions of its topic. */
async function classicGroup(world: World) {
  const topic = await Topic.create(world, [[1], [2], [3], [1]])
  const group = await ConsumerGroup.of(world, [topic])
  const { name } = topic
  const of = (...partitions: number[]) => [{ topic: name, partitions }]
  const owning = (...partitions: number[]) =>
    encodeSubscription({ topics: [name], ownedPartitions: partitions.length === 0 ? [] : of(...partitions) }, 1)
  const text = (...partitions: number[]) => partitions.map(each => `${name}-${each}`).join(' ')
  const given = (...partitions: number[]) => encodeAssignment({ assignedPartitions: of(...partitions) }, 1)
  const member = await group.joinAsNew({ metadata: owning() })
  await group.sync({ ...member, assignments: { [member.memberId]: given(0, 1, 2, 3) } })
  /** What a classic member is told to have. */
  const has = async ({ memberId, generation }: Pick<Joined, 'memberId' | 'generation'>) => {
    const { error, bytes } = await group.sync({ memberId, generation })
    if (error !== 'NONE') return error
    return decodeAssignment(bytes)
      .assignedPartitions.flatMap(each => each.partitions.map(partition => `${each.topic}-${partition}`))
      .sort()
      .join(' ')
  }
  return { topic, group, member, owning, text, has }
}

story(
  'a classic group goes over to the consumer protocol member by member, without a stop, and back when the last of the new kind leaves (G-58, G-4)',
  async world => {
    const { topic, group, member, owning, text, has } = await classicGroup(world)
    const { memberId } = member
    expect(await commit(group, topic, 5, member)).toBe('NONE')

    expect(await group.enter('N')).toMatchObject({ error: 'NONE', epoch: 2, assignment: '' })
    expect(await group.consumers()).toMatchObject({
      state: 'Reconciling',
      groupEpoch: 2,
      assignmentEpoch: 2,
      members: { N: `2 [] → [${text(2, 3)}]`, [memberId]: `1 [${text(0, 1, 2, 3)}] → [${text(0, 1)}]` },
    })
    expect(await group.described()).toMatchObject({ error: 'GROUP_ID_NOT_FOUND', state: 'Dead' })
    expect(await committed(group)).toBe(`${topic.name}-0:5`)

    // The classic member gives up in two steps, each a rebalance of its own.
    expect(await group.beat(member)).toBe('REBALANCE_IN_PROGRESS')
    expect(await commit(group, topic, 6, { memberId, generation: 1, version: 8 })).toBe('NONE')
    expect(await commit(group, topic, 9, { memberId, generation: 9 })).toBe('ILLEGAL_GENERATION')
    const revoking = await group.join({ memberId, metadata: owning(0, 1, 2, 3) })
    expect(revoking).toMatchObject({ error: 'NONE', generation: 1, protocol: 'range', leader: '', members: [] })
    expect(await has(revoking)).toBe(text(0, 1))
    expect(await group.beat(revoking)).toBe('REBALANCE_IN_PROGRESS')
    expect(await group.say('N', 2)).toMatchObject({ epoch: 2, assignment: null })
    const revoked = await group.join({ memberId, metadata: owning(0, 1) })
    expect(revoked).toMatchObject({ error: 'NONE', generation: 2 })
    expect(await has(revoked)).toBe(text(0, 1))
    expect(await group.say('N', 2)).toMatchObject({ epoch: 2, assignment: text(2, 3) })
    expect(await group.consumers()).toMatchObject({ state: 'Stable', groupEpoch: 2 })
    expect(await group.beat(revoked)).toBe('NONE')
    const types = (await group.consumers()).raw.map(each => `${each.memberId === 'N'} ${each.memberType}`)
    expect(types.sort()).toEqual(['false 0', 'true 1'])

    expect(await group.say('N', -1)).toMatchObject({ epoch: -1 })
    expect(await group.described()).toMatchObject({
      state: 'PreparingRebalance',
      protocolType: 'consumer',
      members: [{ memberId }],
    })
    expect(await group.beat(revoked)).toBe('REBALANCE_IN_PROGRESS')
    expect(await group.join({ memberId, metadata: owning(0, 1) })).toMatchObject({ generation: 3, leader: memberId })
    expect(await committed(group)).toBe(`${topic.name}-0:6`)
  },
)

story(
  'a classic member that is served in a consumer group is heard, synced, and leaves as in its own (G-58)',
  async world => {
    const { group, member, owning, text, has } = await classicGroup(world)
    await group.enter('N')
    const { memberId } = member
    await group.join({ memberId, metadata: owning(0, 1, 2, 3) })
    await has(member)
    const served = await group.join({ memberId, metadata: owning(0, 1) })
    expect(await group.beat({ ...served, generation: 9 })).toBe('ILLEGAL_GENERATION')
    expect(await group.beat({ ...served, memberId: 'nobody' })).toBe('UNKNOWN_MEMBER_ID')
    expect(await has({ memberId, generation: 9 })).toBe('ILLEGAL_GENERATION')
    expect(await has({ memberId: 'nobody', generation: 2 })).toBe('UNKNOWN_MEMBER_ID')
    expect(await has(served)).toBe(text(0, 1))
    expect(await group.leave({ memberId }, { memberId: 'nobody' })).toEqual(['NONE', 'NONE', 'UNKNOWN_MEMBER_ID'])
    const alone = await group.untilSaid('N', 2, 'has all', ({ epoch }) => epoch === 3)
    expect(alone.assignment).toBe(text(0, 1, 2, 3))
  },
)

story(
  'a classic consumer may join a consumer group, others may not; an empty group becomes what its next member is (G-58, G-4)',
  async world => {
    const { group, owning, text } = await classicGroup(world)
    const topic = group.topic
    const fresh = await ConsumerGroup.of(world, [topic])
    await fresh.enter('N')
    expect((await fresh.join({ protocolType: 'connect' })).error).toBe('INCONSISTENT_GROUP_PROTOCOL')
    const joined = await fresh.joinAsNew({ metadata: owning() })
    expect(joined).toMatchObject({ error: 'NONE', generation: 3, leader: '' })
    expect(await fresh.consumers()).toMatchObject({ groupEpoch: 3, state: 'Reconciling' })
    // Unlike a classic group, this one takes an id that it has never given.
    expect(await fresh.join({ memberId: 'own', metadata: owning() })).toMatchObject({ error: 'NONE', memberId: 'own' })

    const empty = await ConsumerGroup.of(world, [topic])
    await empty.enter('N')
    await empty.say('N', -1)
    expect(await empty.consumers()).toMatchObject({ state: 'Empty', groupEpoch: 3 })
    const classic = await empty.joinAsNew({ metadata: owning() })
    expect(classic).toMatchObject({ error: 'NONE', leader: classic.memberId })
    await empty.syncAll([classic])
    expect(await empty.consumers()).toMatchObject({ error: 'GROUP_ID_NOT_FOUND' })
    await empty.leave(classic)
    await empty.untilState('Empty')
    expect(await empty.enter('M')).toMatchObject({ error: 'NONE', assignment: text(0, 1, 2, 3) })
  },
)
