import { expect } from 'vitest'
import { offsetFetch } from '../../src/apis/offset-fetch.ts'
import { Group } from './group.ts'
import { commit, committed, textOf } from './group-offsets.ts'
import { story } from './story.ts'
import { Topic } from './topic.ts'
import { TransactionalId } from './transaction.ts'
import type { World } from './world.ts'

async function reading(world: World) {
  const [id, group, topic] = [
    await TransactionalId.open(world),
    await Group.open(world),
    await Topic.create(world, [1]),
  ]
  return { id, group, topic, producer: await id.become() }
}

/** As those ask who must not read twice: OffsetFetch with requireStable. */
async function stable(group: Group, topic: Topic): Promise<string> {
  const groups = [{ groupId: group.name, topics: [{ name: topic.name, partitionIndexes: [0] }] }]
  const answer = await group.world.request(group.coordinator, offsetFetch, 8, { groups, requireStable: true })
  return textOf(answer.groups[0]!.topics)
}

story(
  'offsets of a transaction are pending until its marker: a commit brings them, an abort leaves what was (T-24, T-36, G-40)',
  async world => {
    const { id, group, topic, producer } = await reading(world)
    const old = `${topic.name}-0:3`
    expect(await commit(group, topic, 3)).toBe('NONE')
    expect(await id.commitOffset(producer, group, topic, 7)).toBe('NONE')
    expect((await id.described()).partitions.map(name => name.replace(/-\d+$/, ''))).toEqual(['__consumer_offsets'])
    expect(await committed(group, [[topic, 0]])).toBe(old)
    expect(await stable(group, topic)).toBe(`${topic.name}-0:UNSTABLE_OFFSET_COMMIT`)
    const second = await id.ended(producer, 'abort')
    await world.eventually('nothing is pending', async () => (await stable(group, topic)) === old)

    expect(await id.commitOffset(second, group, topic, 8)).toBe('NONE')
    // A commit outside the transaction is seen at once; the marker brings what is older, and does not undo it.
    expect(await commit(group, topic, 5)).toBe('NONE')
    expect(await committed(group, [[topic, 0]])).toBe(`${topic.name}-0:5`)
    await id.ended(second, 'commit')
    await world.eventually('it is committed', async () => (await stable(group, topic)) === `${topic.name}-0:5`)
  },
)

story(
  'offsets of older clients are verified, and refused if their group was not added to the transaction (T-16, T-30)',
  async world => {
    const { id, group, topic, producer } = await reading(world)
    expect(await id.commitOffset(producer, group, topic, 7, { version: 3 })).toBe('INVALID_TXN_STATE')
    expect(await id.commitOffset(producer, group, topic, 7, { version: 4 })).toBe('TRANSACTION_ABORTABLE')
    expect(await id.state()).toBe('Empty 0')
    expect(await id.addOffsets(producer, group)).toBe('NONE')
    expect(await id.commitOffset(producer, group, topic, 7, { version: 4 })).toBe('NONE')
    await id.ended(producer, 'commit', 4)
    await world.eventually('it is committed', async () => (await stable(group, topic)) === `${topic.name}-0:7`)
  },
)

story(
  'offsets of somebody who is no member, or was one in another generation, are refused; without a member anybody may (T-35)',
  async world => {
    const { id, group, topic, producer } = await reading(world)
    const [member] = await group.stable({ topics: [topic.name] })
    const { memberId, generation } = member!
    const as = (who: { memberId?: string; generation?: number }) => id.commitOffset(producer, group, topic, 7, who)
    expect(await as({ memberId: 'nobody', generation })).toBe('UNKNOWN_MEMBER_ID')
    expect(await as({ memberId, generation: generation + 1 })).toBe('ILLEGAL_GENERATION')
    expect(await as({ memberId, generation: generation - 1 })).toBe('ILLEGAL_GENERATION')
    expect(await as({ memberId, generation })).toBe('NONE')
    expect(await as({})).toBe('NONE')
    await group.leave(member!)
    await group.untilState('Empty')
    expect(await as({ memberId, generation })).toBe('UNKNOWN_MEMBER_ID')
    await id.ended(producer, 'commit')
    await world.eventually('it is committed', async () => (await stable(group, topic)) === `${topic.name}-0:7`)
  },
)
