import { alterPartitionReassignments } from '../../../src/apis/alter-partition-reassignments.ts'
import { electLeaders } from '../../../src/apis/elect-leaders.ts'
import { fetch } from '../../../src/apis/fetch.ts'
import { listPartitionReassignments } from '../../../src/apis/list-partition-reassignments.ts'
import { metadata } from '../../../src/apis/metadata.ts'
import { offsetForLeaderEpoch } from '../../../src/apis/offset-for-leader-epoch.ts'
import { produce } from '../../../src/apis/produce.ts'
import { CONTROLLER } from '../../scenarios/world.ts'
import type { Chapter, Play } from '../play.ts'
import { fill, producing, recordsWith } from './records.ts'

const moving = (name: string, replicas: readonly number[] | null, more: object = {}, partitionIndex = 0) => ({
  timeoutMs: 15_000,
  topics: [{ name, partitions: [{ partitionIndex, replicas: replicas && [...replicas] }] }],
  ...more,
})

async function placed(play: Play, name: string, replicas: readonly number[]): Promise<void> {
  await play.until(`${name} is on ${replicas}`, async () => {
    const { topics } = await play.request(listPartitionReassignments, 0, { timeoutMs: 15_000, topics: null })
    if (topics.some(topic => topic.name === name)) return false
    for (const to of [1, 2, 3]) {
      const body = { topics: [{ name }], allowAutoTopicCreation: false, includeTopicAuthorizedOperations: false }
      const found = (await play.request(metadata, 12, body, { to })).topics[0]!.partitions[0]!
      if (String(found.replicaNodes) !== String(replicas) || found.isrNodes.length !== replicas.length) return false
    }
    return true
  })
}

async function reassignments(play: Play): Promise<void> {
  const name = 'moved'
  await play.topic(name, [[1], [2]])
  await fill(play, { name }, [['a', 'b']])
  const step = (title: string, body: ReturnType<typeof moving>, options: object = {}) =>
    play.every(title, alterPartitionReassignments, body, options)
  await step('of an unknown topic', moving('never-was', [1]))
  await step('of a topic with a bad name', moving('bad name', [1]))
  await step('of an unknown partition', moving(name, [1], {}, 9))
  await step('to nobody', moving(name, []))
  await step('to an unknown broker', moving(name, [1, 9]))
  await step('to a negative broker', moving(name, [-1]))
  await step('to one broker twice', moving(name, [1, 1]))
  await step('to more, when their number must stay', moving(name, [1, 2], { allowReplicationFactorChange: false }), {
    from: 1,
  })
  await step('cancelled, where there is none', moving(name, null))
  await step('cancelled, of an unknown partition', moving(name, null, {}, 9))
  await step('of nothing', { timeoutMs: 15_000, topics: [] })
  await step('of no partition', { timeoutMs: 15_000, topics: [{ name, partitions: [] }] })
  await step('to where it is', moving(name, [1]))
  await step('with no time', moving(name, [1], { timeoutMs: 0 }))
  const twice = { timeoutMs: 15_000, topics: [...moving(name, [1]).topics, ...moving(name, [1]).topics] }
  await step('of a topic twice', twice)
  await step('of an unknown topic, at the controller', moving('never-was', [1]), { to: CONTROLLER })
  await play.ask('to a follower too', alterPartitionReassignments, 0, moving(name, [1, 2]))
  await placed(play, name, [1, 2])
  await play.ask('to another order', alterPartitionReassignments, 1, moving(name, [2, 1]))
  await placed(play, name, [2, 1])
  await play.every('after it was moved', metadata, {
    topics: [{ name }],
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  })
  await play.ask('to others', alterPartitionReassignments, 1, moving(name, [3]))
  await placed(play, name, [3])
  await play.ready(name, 2)
  await play.every('after it went elsewhere', metadata, {
    topics: [{ name }],
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  })
  const list = (topics: { name: string; partitionIndexes: number[] }[] | null, more: object = {}) => ({
    timeoutMs: 15_000,
    topics,
    ...more,
  })
  await play.every('of all', listPartitionReassignments, list(null))
  await play.every('of one that is not moved', listPartitionReassignments, list([{ name, partitionIndexes: [0] }]))
  await play.every(
    'of an unknown topic',
    listPartitionReassignments,
    list([{ name: 'never-was', partitionIndexes: [0] }]),
  )
  await play.every('of an unknown partition', listPartitionReassignments, list([{ name, partitionIndexes: [9] }]))
  await play.every('of nothing', listPartitionReassignments, list([]))
  await play.every('with no time', listPartitionReassignments, list(null, { timeoutMs: 0 }))
  await play.every('of all, at the controller', listPartitionReassignments, list(null), { to: CONTROLLER })
}

const electing = (
  electionType: number,
  topicPartitions: { topic: string; partitions: number[] }[] | null,
  more: object = {},
) => ({
  electionType,
  topicPartitions,
  timeoutMs: 15_000,
  ...more,
})

/** A partition whose leader was changed once: its leader epoch is 1 or more, and the old one leads no more. */
async function elections(play: Play): Promise<void> {
  const name = 'elected'
  const topicId = await play.topic(name, [[1, 2]])
  await fill(play, { name }, [['a', 'b']])
  const step = (title: string, body: ReturnType<typeof electing>, options: object = {}) =>
    play.every(title, electLeaders, body, options)
  await step('of the preferred leader, which leads', electing(0, [{ topic: name, partitions: [0] }]))
  await step('of anybody, where somebody leads', electing(1, [{ topic: name, partitions: [0] }]), { from: 1 })
  await step('of an unknown kind', electing(9, [{ topic: name, partitions: [0] }]), { from: 1 })
  await step('in an unknown partition', electing(0, [{ topic: name, partitions: [9] }]))
  await step('in an unknown topic', electing(0, [{ topic: 'never-was', partitions: [0] }]))
  await step('in a topic with a bad name', electing(0, [{ topic: 'bad name', partitions: [0] }]))
  await step('in nothing', electing(0, []))
  await step('in no partition', electing(0, [{ topic: name, partitions: [] }]))
  await step('in a partition twice', electing(0, [{ topic: name, partitions: [0, 0] }]))
  await step('with no time', electing(0, [{ topic: name, partitions: [0] }], { timeoutMs: 0 }))
  await step('in an unknown topic, at the controller', electing(0, [{ topic: 'never-was', partitions: [0] }]), {
    to: CONTROLLER,
  })
  await play.request(alterPartitionReassignments, 1, moving(name, [2, 1]))
  await placed(play, name, [2, 1])
  await play.ask('of another that is preferred now', electLeaders, 2, electing(0, [{ topic: name, partitions: [0] }]))
  await play.until('the other leads', async () => {
    const found = await play.request(produce, 12, producing(name, topicId, 0, recordsWith(play, ['c'])), { to: 2 })
    return found.responses[0]!.partitionResponses[0]!.errorCode === 0
  })
  const fetching = (more: object) => ({
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1 << 20,
    forgottenTopicsData: [],
    topics: [
      { topic: name, topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20, ...more }] },
    ],
  })
  await play.until('the old leader has heard of it', async () => {
    const { responses } = await play.request(fetch, 9, fetching({}), { to: 1 })
    return responses[0]!.partitions[0]!.errorCode === 6
  })
  await play.every('with an epoch of before', fetch, fetching({ currentLeaderEpoch: 0 }), { to: 2, from: 9 })
  await play.every('with the epoch of now', fetch, fetching({ currentLeaderEpoch: 1 }), { to: 2, from: 9 })
  await play.every('at who led before', fetch, fetching({}), { to: 1, until: 10 })
  await play.every('at who led before, with its epoch', fetch, fetching({ currentLeaderEpoch: 0 }), { to: 1, from: 9 })
  await play.every(
    'with what was fetched in the epoch of before',
    fetch,
    fetching({ fetchOffset: 3, lastFetchedEpoch: 0 }),
    { to: 2, from: 12 },
  )
  await play.every('at who led before', produce, producing(name, topicId, 0, recordsWith(play, ['d'])), { to: 1 })
  for (const epoch of [0, 1, 2]) {
    await play.every(
      `the end of epoch ${epoch}`,
      offsetForLeaderEpoch,
      { replicaId: -1, topics: [{ topic: name, partitions: [{ partition: 0, leaderEpoch: epoch }] }] },
      { to: 2 },
    )
    await play.every(
      `by who knows epoch ${epoch}`,
      offsetForLeaderEpoch,
      {
        replicaId: -1,
        topics: [{ topic: name, partitions: [{ partition: 0, currentLeaderEpoch: epoch, leaderEpoch: 0 }] }],
      },
      { to: 2 },
    )
  }
}

export const replicaChapters: readonly Chapter[] = [
  { title: 'partitions are moved', play: reassignments },
  { title: 'leaders are elected', play: elections },
]
