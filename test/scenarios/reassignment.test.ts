import { expect } from 'vitest'
import { listPartitionReassignments } from '../../src/apis/list-partition-reassignments.ts'
import { story } from './story.ts'
import { Topic } from './topic.ts'

story(
  'a reassignment adds first and removes when all of its replicas are in sync; it can be changed and cancelled (R-49, R-43, M-15)',
  async world => {
    const topic = await Topic.create(world, [1, 2])
    await topic.produce(10)
    const listed = async () => {
      const { topics } = await world.request(2, listPartitionReassignments, 0, { timeoutMs: 30_000, topics: null })
      const found = topics.find(({ name }) => name === topic.name)?.partitions[0]
      return found === undefined ? 'none' : `${found.replicas} +${found.addingReplicas} -${found.removingReplicas}`
    }
    const mend = world.cut(3, 1)
    expect(await topic.reassign([2, 3])).toBe('NONE')
    await topic.until('under way', async () => (await listed()) !== 'none')
    expect(await listed()).toBe('2,3,1 +3 -1')
    expect(await topic.state()).toMatchObject({ leader: 1, leaderEpoch: 0, replicas: [2, 3, 1], inSync: [1, 2] })
    expect(await topic.produce(1)).toMatchObject({ error: 'NONE', baseOffset: 10 })

    expect(await topic.reassign([1, 3])).toBe('NONE')
    await topic.until('another target', async () => (await listed()) === '1,3,2 +3 -2')
    expect(await topic.reassign(null)).toBe('NONE')
    await topic.until('cancelled', async () => (await listed()) === 'none')
    // A removal has a new leader epoch, also where it is taken back.
    expect(await topic.state()).toMatchObject({ leader: 1, leaderEpoch: 1, replicas: [1, 2], inSync: [1, 2] })
    expect(await topic.reassign(null)).toBe('NO_REASSIGNMENT_IN_PROGRESS')

    expect(await topic.reassign([2, 3])).toBe('NONE')
    mend()
    await topic.untilInSync([2, 3])
    await topic.untilLedBy(2)
    expect(await topic.state()).toMatchObject({ leaderEpoch: 2, replicas: [2, 3] })
    expect(await topic.produce(1)).toMatchObject({ error: 'NONE', baseOffset: 11 })
    expect(await topic.endOffset(3)).toBe(12)
    await topic.until('1 knows that it has no replica', async () => (await topic.fetch({ at: 1 })).error !== 'NONE')
    expect(await topic.produce(1, { at: 1, acks: 1 })).toMatchObject({
      error: 'NOT_LEADER_OR_FOLLOWER',
      currentLeader: '2@2',
    })
    expect(await topic.fetch({ at: 1 })).toMatchObject({ error: 'NOT_LEADER_OR_FOLLOWER' })
    expect((await topic.offsetAt(-1, 1)).error).toBe('NOT_LEADER_OR_FOLLOWER')

    // One change, without waiting.
    expect(await topic.reassign([2])).toBe('NONE')
    await topic.untilInSync([2])
    expect(await topic.state()).toMatchObject({ leader: 2, leaderEpoch: 3, replicas: [2] })
  },
)

story('a reassignment to brokers that are not there is refused (M-15)', async world => {
  const topic = await Topic.create(world, [1, 2])
  expect(await topic.reassign([1, 9])).toBe('INVALID_REPLICA_ASSIGNMENT')
  expect(await topic.reassign([1, 1])).toBe('INVALID_REPLICA_ASSIGNMENT')
  expect(await topic.reassign([1, 2])).toBe('NONE')
  const unknown = new Topic(world, 'nobody-knows-it', topic.id)
  expect(await unknown.reassign([1])).toBe('UNKNOWN_TOPIC_OR_PARTITION')
})
