import { expect } from 'vitest'
import { createPartitions } from '../../src/apis/create-partitions.ts'
import { deleteTopics } from '../../src/apis/delete-topics.ts'
import { zeroUuid } from '../../src/wire/uuid.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { commit, committed, deleteOffset } from './group-offsets.ts'
import { story } from './story.ts'
import { Topic } from './topic.ts'

const of = (topic: Topic, ...partitions: number[]) => partitions.map(each => `${topic.name}-${each}`).join(' ')

story(
  'a group learns by itself of partitions that are added to its topics, and of topics that are deleted (G-53)',
  async world => {
    const [grows, goes] = [await Topic.create(world, [[1], [2]]), await Topic.create(world, [1])]
    const group = await ConsumerGroup.of(world, [grows, goes])
    const topics = [grows.name, goes.name]
    const both = [of(grows, 0, 1), of(goes, 0)].sort().join(' ')
    expect(await group.enter('A', { topics })).toMatchObject({ epoch: 2, assignment: both })

    const more = { name: grows.name, count: 3, assignments: [{ brokerIds: [1] }] }
    const body = { topics: [more], timeoutMs: 30_000, validateOnly: false }
    expect((await world.request(world.witnesses[0]!, createPartitions, 3, body)).results[0]!.errorCode).toBe(0)
    const grown = [of(grows, 0, 1, 2), of(goes, 0)].sort().join(' ')
    const heard = await group.untilSaid('A', 2, 'has the new partition', ({ epoch }) => epoch === 3)
    expect(heard.assignment).toBe(grown)

    const gone = { topics: [{ name: goes.name, topicId: zeroUuid }], timeoutMs: 30_000 }
    expect((await world.request(world.witnesses[0]!, deleteTopics, 6, gone)).responses[0]!.errorCode).toBe(0)
    const left = await group.untilSaid('A', 3, 'is told to give up', ({ assignment }) => assignment !== null)
    expect(left.assignment).toBe(of(grows, 0, 1, 2))
    const kept = await group.untilSaid('A', left.epoch, 'has given it up', ({ epoch }) => epoch === 4, {
      owned: of(grows, 0, 1, 2),
    })
    expect(kept).toMatchObject({ error: 'NONE' })
  },
)

story(
  'topics by a pattern: the whole name has to match, and what is found is told at a later heartbeat (G-51, G-53)',
  async world => {
    const [one, two] = [await Topic.create(world, [1]), await Topic.create(world, [1])]
    const prefixed = await Topic.create(world, [1], {}, `not-${one.name}`)
    const group = await ConsumerGroup.of(world, [one, two, prefixed])
    const regex = `${one.name}|${two.name}`
    const entered = await group.enter('A', { regex })
    expect(entered).toMatchObject({ error: 'NONE', epoch: 1, assignment: '' })
    const heard = await group.untilSaid('A', entered.epoch, 'has its topics', ({ assignment }) => assignment !== null)
    expect(heard).toMatchObject({ epoch: 2, assignment: [of(one, 0), of(two, 0)].sort().join(' ') })
    const { raw } = await group.consumers()
    expect(
      raw.map(({ subscribedTopicNames, subscribedTopicRegex }) => [subscribedTopicNames, subscribedTopicRegex]),
    ).toEqual([[[], regex]])
    expect((await group.say('A', 2, { regex: '[' })).error).toBe('INVALID_REGULAR_EXPRESSION')
    expect(await group.say('A', 2)).toMatchObject({ error: 'NONE', epoch: 2 })
  },
)

story(
  'partitions are dealt by the assignor that most members want: range keeps those of one number together (G-57)',
  async world => {
    const [left, right] = [await Topic.create(world, [[1], [1]]), await Topic.create(world, [[1], [1]])]
    const group = await ConsumerGroup.of(world, [left, right])
    const joining = { topics: [left.name, right.name], assignor: 'range' }
    const all = [of(left, 0, 1), of(right, 0, 1)].sort().join(' ')
    const [zero, one] = [`${of(left, 0)} ${of(right, 0)}`, `${of(left, 1)} ${of(right, 1)}`]
    expect(await group.enter('A', joining)).toMatchObject({ epoch: 2, assignment: all })
    await group.enter('B', joining)
    expect(await group.consumers()).toMatchObject({
      assignor: 'range',
      members: { A: `2 [${all}] → [${zero}]`, B: `3 [] → [${one}]` },
    })
    // One vote each is a tie, which the first configured one wins.
    expect((await group.say('B', 3, { assignor: 'uniform' })).error).toBe('NONE')
    await group.say('A', 2, { owned: zero })
    expect(await group.consumers()).toMatchObject({ assignor: 'uniform' })
  },
)

story(
  'a member commits in its own epoch, or in an older one since which it has had the partition; the group takes nobody else’s word (G-31, X-35)',
  async world => {
    const topic = await Topic.create(world, [[1], [2]])
    const group = await ConsumerGroup.of(world, [topic])
    const all = of(topic, 0, 1)
    await group.enter('A')
    await group.enter('B')
    await group.say('A', 2, { owned: all })
    expect(await group.say('A', 2, { owned: of(topic, 0) })).toMatchObject({ epoch: 3 })
    const errorOf = (options: Parameters<typeof commit>[3]) => commit(group, topic, 7, options)
    expect(await errorOf({ memberId: 'A', generation: 3 })).toBe('NONE')
    // It has had partition 0 since epoch 2, and gave up partition 1.
    expect(await errorOf({ memberId: 'A', generation: 2 })).toBe('NONE')
    expect(await errorOf({ memberId: 'A', generation: 1 })).toBe('STALE_MEMBER_EPOCH')
    expect(await errorOf({ memberId: 'A', generation: 4 })).toBe('STALE_MEMBER_EPOCH')
    expect(await errorOf({ memberId: 'A', generation: 2, partition: 1 })).toBe('STALE_MEMBER_EPOCH')
    expect(await errorOf({ memberId: 'A', generation: 3, version: 8 })).toBe('UNSUPPORTED_VERSION')
    expect(await errorOf({ memberId: 'C', generation: 3 })).toBe('UNKNOWN_MEMBER_ID')
    expect(await errorOf({ memberId: 'A' })).toBe('STALE_MEMBER_EPOCH')
    expect(await errorOf({})).toBe('UNKNOWN_MEMBER_ID')

    const asked = (options: Parameters<typeof committed>[2]) => committed(group, null, options)
    expect(await asked({ memberId: 'A', generation: 3 })).toBe(`${topic.name}-0:7`)
    expect(await asked({ memberId: 'A', generation: 2 })).toBe('STALE_MEMBER_EPOCH')
    expect(await asked({ memberId: 'C', generation: 3 })).toBe('UNKNOWN_MEMBER_ID')
    expect(await asked({})).toBe(`${topic.name}-0:7`)
    expect(await deleteOffset(group, topic)).toBe('GROUP_SUBSCRIBED_TO_TOPIC')

    await group.say('A', -1)
    await group.say('B', -1)
    expect(await errorOf({})).toBe('NONE')
    expect(await deleteOffset(group, topic)).toBe('NONE')
  },
)
