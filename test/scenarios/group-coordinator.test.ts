import { expect } from 'vitest'
import { alterPartitionReassignments } from '../../src/apis/alter-partition-reassignments.ts'
import { describeTopicPartitions } from '../../src/apis/describe-topic-partitions.ts'
import { electLeaders } from '../../src/apis/elect-leaders.ts'
import { fetch } from '../../src/apis/fetch.ts'
import { findCoordinator } from '../../src/apis/find-coordinator.ts'
import { partitionFor } from '../../src/coordinators/partition-for.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { Group } from './group.ts'
import { commit, committed, deleteOffset } from './group-offsets.ts'
import { story } from './story.ts'
import { Topic } from './topic.ts'
import { WORLD_CONFIGS, type World } from './world.ts'

const OFFSETS_TOPIC = '__consumer_offsets'
const PARTITIONS = WORLD_CONFIGS['offsets.topic.num.partitions']
const partitionOf = (group: Group) => partitionFor(group.name, PARTITIONS)

async function partitions(world: World) {
  const body = { topics: [{ name: OFFSETS_TOPIC }] }
  return (await world.request(world.witnesses[0]!, describeTopicPartitions, 0, body)).topics[0]!.partitions
}

/** Makes another broker lead the group's partition, with nobody harmed: the reassignment changes their order only. */
async function handOver(group: Group): Promise<number> {
  const { world } = group
  const index = partitionOf(group)
  const replicas = (await partitions(world))[index]!.replicaNodes
  const to = replicas.find(id => id !== group.coordinator)!
  const order = [to, ...replicas.filter(id => id !== to)]
  const topics = [{ name: OFFSETS_TOPIC, partitions: [{ partitionIndex: index, replicas: order }] }]
  await world.request(world.witnesses[0]!, alterPartitionReassignments, 1, { timeoutMs: 30_000, topics })
  await world.eventually(`${to} leads ${OFFSETS_TOPIC}-${index}`, async () => {
    const elect = {
      electionType: 0,
      topicPartitions: [{ topic: OFFSETS_TOPIC, partitions: [index] }],
      timeoutMs: 30_000,
    }
    await world.request(world.witnesses[0]!, electLeaders, 2, elect)
    return (await partitions(world))[index]!.leaderId === to
  })
  return to
}

/** The same group, asked at another broker. */
async function at<T>(group: Group, broker: number, ask: () => Promise<T>): Promise<T> {
  const { coordinator } = group
  group.coordinator = broker
  try {
    return await ask()
  } finally {
    group.coordinator = coordinator
  }
}

/** What every request about a group is answered by a broker. */
async function answersAt(group: Group, topic: Topic, broker: number): Promise<string[]> {
  const consumers = await ConsumerGroup.of(group.world, [topic])
  const member = { memberId: 'm', generation: 1 }
  const classic = await at(group, broker, async () => [
    (await group.join()).error,
    (await group.sync(member)).error,
    await group.beat(member),
    (await group.leave(member))[0]!,
    await commit(group, topic, 1),
    await committed(group),
    await deleteOffset(group, topic),
    (await group.described()).error,
    await group.delete(),
  ])
  const other = group.world.witnesses.find(id => id !== consumers.coordinator)!
  const consumer = await at(consumers, other, async () => [
    (await consumers.enter('A')).error,
    (await consumers.consumers()).error,
  ])
  return [...classic, ...consumer]
}

story(
  'the coordinator of a group leads the partition of __consumer_offsets that its name’s hash says, every broker knows it, and the others refuse (G-1, G-2)',
  async world => {
    const topic = await Topic.create(world, [1])
    const group = await Group.open(world)
    const all = await partitions(world)
    expect(all).toHaveLength(PARTITIONS)
    // Java's hashes: of `abc` 96354, of `b` 98, of nothing 0.
    const keys = ['abc', 'b', '', group.name]
    const { coordinators } = await world.request(1, findCoordinator, 6, { keyType: 0, coordinatorKeys: keys })
    expect(coordinators.map(({ nodeId }) => nodeId)).toEqual(
      [96_354 % PARTITIONS, 98 % PARTITIONS, 0, partitionOf(group)].map(index => all[index]!.leaderId),
    )
    for (const broker of [1, 2, 3]) {
      expect(await group.lookup(broker)).toEqual({ error: 'NONE', coordinator: group.coordinator })
    }
    const other = world.witnesses.find(id => id !== group.coordinator)!
    expect(await answersAt(group, topic, other)).toEqual(Array(11).fill('NOT_COORDINATOR'))

    // What is wrong in itself is refused by any broker.
    const consumers = await ConsumerGroup.of(world, [topic])
    const stranger = world.witnesses.find(id => id !== consumers.coordinator)!
    expect((await at(group, other, () => group.join({ sessionMs: 1 }))).error).toBe('INVALID_SESSION_TIMEOUT')
    expect((await at(consumers, stranger, () => consumers.enter('A', { assignor: 'nope' }))).error).toBe(
      'UNSUPPORTED_ASSIGNOR',
    )
    expect((await at(consumers, stranger, () => consumers.enter(''))).error).toBe('INVALID_REQUEST')
    expect((await at(consumers, stranger, () => consumers.enter('A', { regex: '[' }))).error).toBe('NOT_COORDINATOR')
  },
)

/** Members of a classic and of a consumer group with the same coordinator, and what both have committed. */
async function inFlight(world: World) {
  const topic = await Topic.create(world, [[1], [2]])
  const classic = await Group.open(world)
  let consumer = await ConsumerGroup.of(world, [topic])
  while (consumer.coordinator !== classic.coordinator) consumer = await ConsumerGroup.of(world, [topic])
  const [leader, follower] = await classic.stable({}, {})
  expect(await consumer.enter('A')).toMatchObject({ epoch: 2 })
  expect(await commit(classic, topic, 7, { ...leader!, metadata: 'seven' })).toBe('NONE')
  expect(await commit(consumer, topic, 8, { memberId: 'A', generation: 2 })).toBe('NONE')
  const goesOn = async () => {
    expect(await classic.beat(leader!)).toBe('NONE')
    expect(await classic.state()).toBe('Stable')
    expect(await classic.sync(follower!)).toMatchObject({ error: 'NONE', assignment: '1' })
    expect(await consumer.say('A', 2)).toMatchObject({ error: 'NONE', epoch: 2 })
    const { name } = topic
    expect(await committed(classic)).toBe(`${name}-0:7(seven)`)
    expect(await committed(consumer, null, { memberId: 'A', generation: 2 })).toBe(`${name}-0:8`)
    expect(await commit(classic, topic, 9, leader!)).toBe('NONE')
    expect(await commit(consumer, topic, 9, { memberId: 'A', generation: 2 })).toBe('NONE')
    expect(await classic.join({ memberId: follower!.memberId })).toMatchObject({ error: 'NONE', generation: 1 })
  }
  return { topic, classic, consumer, leader: leader!, follower: follower!, goesOn }
}

story(
  'when another broker takes over, the old coordinator says so, and members go on with the same generation or epoch (G-2)',
  async world => {
    const { topic, classic, consumer, leader, goesOn } = await inFlight(world)
    const old = classic.coordinator
    const next = await handOver(classic)
    await handOver(consumer)
    expect(await classic.find()).toBe(next)
    await consumer.find()
    await goesOn()
    await world.eventually('the old one knows', async () => {
      return (await at(classic, old, () => classic.beat(leader))) === 'NOT_COORDINATOR'
    })
    expect(await at(classic, old, () => commit(classic, topic, 99, leader))).toBe('NOT_COORDINATOR')
    expect(await committed(classic)).toBe(`${topic.name}-0:9`)
  },
)

story(
  'when a coordinator is killed, another one has everything that was committed and members go on; of a rebalance that was under way nothing is left but to begin again (G-2, G-42, G-15)',
  async world => {
    const { classic, consumer, goesOn } = await inFlight(world)
    let rebalancing = await Group.open(world)
    while (rebalancing.coordinator !== classic.coordinator) rebalancing = await Group.open(world)
    const [leader, follower] = await rebalancing.stable({}, {})
    const joining = rebalancing.join({ memberId: leader!.memberId }).catch((error: Error) => error)
    await rebalancing.untilState('PreparingRebalance')

    const old = classic.coordinator
    await world.crash(old)
    expect(await joining).toBeInstanceOf(Error)
    expect(await classic.find()).not.toBe(old)
    await Promise.all([consumer.find(), rebalancing.find()])
    // What it sees as committed follows behind what it knows.
    await Promise.all([classic.untilState('Stable'), rebalancing.untilState('Stable')])
    await goesOn()
    const joined = await Promise.all([
      rebalancing.join({ memberId: leader!.memberId }),
      rebalancing.join({ memberId: follower!.memberId, topics: ['u'] }),
    ])
    expect(joined.map(({ error, generation }) => `${error} ${generation}`)).toEqual(['NONE 2', 'NONE 2'])
  },
)

story(
  'a commit that too few replicas would have is refused with COORDINATOR_NOT_AVAILABLE, and nothing of it is seen (G-2)',
  async world => {
    const topic = await Topic.create(world, [1])
    const group = await Group.open(world)
    expect(await commit(group, topic, 1)).toBe('NONE')
    const other = world.witnesses.find(id => id !== group.coordinator)!
    const inSync = async () => (await partitions(world))[partitionOf(group)]!.isrNodes
    const lift = world.hold({ from: other, to: group.coordinator, api: fetch })
    // It waits for the held follower, which is behind from now on.
    const waiting = commit(group, topic, 2)
    await world.eventually(`${other} is out of sync`, async () => !(await inSync()).includes(other))
    await waiting
    const seen = `${topic.name}-0:2`
    await world.eventually('the others have it', async () => (await committed(group)) === seen)
    const offsets = new Topic(world, OFFSETS_TOPIC, '')
    expect(await offsets.setConfig('min.insync.replicas', 3)).toBe('NONE')
    await world.settled()
    expect(await commit(group, topic, 3)).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(await committed(group)).toBe(seen)
    expect(await offsets.setConfig('min.insync.replicas', 1)).toBe('NONE')
    lift()
    await world.eventually('it can be committed', async () => (await commit(group, topic, 4)) === 'NONE')
    expect(await committed(group)).toBe(`${topic.name}-0:4`)
  },
)
