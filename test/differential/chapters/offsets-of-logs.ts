import { alterReplicaLogDirs } from '../../../src/apis/alter-replica-log-dirs.ts'
import { deleteRecords } from '../../../src/apis/delete-records.ts'
import { describeLogDirs } from '../../../src/apis/describe-log-dirs.ts'
import { listOffsets } from '../../../src/apis/list-offsets.ts'
import { offsetForLeaderEpoch } from '../../../src/apis/offset-for-leader-epoch.ts'
import type { Chapter, Play } from '../play.ts'
import { fill } from './records.ts'

async function listing(play: Play): Promise<void> {
  const name = 'listed'
  await play.topic(name, [
    [1, 2],
    [2, 1],
    [1, 2],
  ])
  const at = (records: readonly (readonly [string, number])[]) =>
    records.map(([value, ms]) => ({ value, timestamp: play.startedAt - 100_000 + ms }))
  await fill(play, { name }, [
    at([
      ['a', 10],
      ['b', 30],
    ]),
    at([['c', 20]]),
    at([
      ['d', 40],
      ['e', 40],
    ]),
  ])
  const of = (timestamp: number, more: object = {}, partition: object = {}) => ({
    replicaId: -1,
    isolationLevel: 0,
    timeoutMs: 10_000,
    topics: [{ name, partitions: [{ partitionIndex: 0, timestamp, ...partition }] }],
    ...more,
  })
  const special = {
    latest: -1,
    earliest: -2,
    'the newest record': -3,
    'earliest here': -4,
    'latest elsewhere': -5,
    'earliest to go elsewhere': -6,
    '−7': -7,
  }
  for (const [what, timestamp] of Object.entries(special)) {
    await play.every(what, listOffsets, of(timestamp))
    await play.every(`${what}, of an empty partition`, listOffsets, of(timestamp, {}, { partitionIndex: 2 }))
  }
  for (const ms of [0, 10, 15, 30, 31, 40, 41])
    await play.every(`at ${ms} ms`, listOffsets, of(play.startedAt - 100_000 + ms))
  await play.every('at time 0', listOffsets, of(0))
  await play.every('in an empty partition, by time', listOffsets, of(0, {}, { partitionIndex: 2 }))
  await play.every('of what is committed', listOffsets, of(-1, { isolationLevel: 1 }), { from: 2 })
  await play.every('of the newest that is committed', listOffsets, of(-3, { isolationLevel: 1 }), { from: 2 })
  await play.every('of an unknown isolation level', listOffsets, of(-1, { isolationLevel: 9 }), { from: 2 })
  await play.every('at a follower', listOffsets, of(-1), { to: 2 })
  await play.every('at no replica', listOffsets, of(-1), { to: 3 })
  await play.every('of a partition led elsewhere', listOffsets, of(-1, {}, { partitionIndex: 1 }))
  await play.every('of an unknown partition', listOffsets, of(-1, {}, { partitionIndex: 9 }))
  await play.every('of a negative partition', listOffsets, of(-1, {}, { partitionIndex: -1 }))
  const elsewhere = (topic: string) =>
    of(-1, { topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1 }] }] })
  await play.every('of an unknown topic', listOffsets, elsewhere('never-was'))
  await play.every('of a topic with a bad name', listOffsets, elsewhere('bad name'))
  await play.every('of nothing', listOffsets, of(-1, { topics: [] }))
  await play.every('of no partition', listOffsets, of(-1, { topics: [{ name, partitions: [] }] }))
  const twice = [0, 0].map(partitionIndex => ({ partitionIndex, timestamp: -1 }))
  await play.every('of a partition twice', listOffsets, of(-1, { topics: [{ name, partitions: twice }] }))
  await play.every(
    'of a partition twice and one once',
    listOffsets,
    of(-1, { topics: [{ name, partitions: [...twice, { partitionIndex: 2, timestamp: -1 }] }] }),
  )
  for (const epoch of [0, 7, -2])
    await play.every(`with leader epoch ${epoch}`, listOffsets, of(-1, {}, { currentLeaderEpoch: epoch }), { from: 4 })
  for (const replicaId of [-2, 2, 9]) {
    await play.every(`by replica ${replicaId}`, listOffsets, of(-1, { replicaId }))
    await play.every(`by replica ${replicaId}, at a follower`, listOffsets, of(-1, { replicaId }), { to: 2 })
  }
}

async function epochs(play: Play): Promise<void> {
  const name = 'epochs'
  await play.topic(name, [
    [1, 2],
    [2, 1],
  ])
  await fill(play, { name }, [['a', 'b'], ['c']])
  const of = (leaderEpoch: number, partition: object = {}, more: object = {}) => ({
    replicaId: -1,
    topics: [{ topic: name, partitions: [{ partition: 0, leaderEpoch, ...partition }] }],
    ...more,
  })
  for (const epoch of [0, 1, 9, -1, -2]) await play.every(`the end of epoch ${epoch}`, offsetForLeaderEpoch, of(epoch))
  await play.every('by who knows the epoch', offsetForLeaderEpoch, of(0, { currentLeaderEpoch: 0 }))
  await play.every('by who knows an epoch to come', offsetForLeaderEpoch, of(0, { currentLeaderEpoch: 7 }))
  await play.every('at a follower', offsetForLeaderEpoch, of(0), { to: 2 })
  await play.every('at no replica', offsetForLeaderEpoch, of(0), { to: 3 })
  await play.every('by a debugging consumer at a follower', offsetForLeaderEpoch, of(0, {}, { replicaId: -2 }), {
    to: 2,
  })
  await play.every('of a partition led elsewhere', offsetForLeaderEpoch, of(0, { partition: 1 }))
  await play.every('of an unknown partition', offsetForLeaderEpoch, of(0, { partition: 9 }))
  const elsewhere = (topic: string) =>
    of(0, {}, { topics: [{ topic, partitions: [{ partition: 0, leaderEpoch: 0 }] }] })
  await play.every('of an unknown topic', offsetForLeaderEpoch, elsewhere('never-was'))
  await play.every('of a topic with a bad name', offsetForLeaderEpoch, elsewhere('bad name'))
  await play.every('of nothing', offsetForLeaderEpoch, of(0, {}, { topics: [] }))
}

async function deletion(play: Play): Promise<void> {
  for (let version = 0; version <= 2; version++) {
    await play.topic(`trimmed-v${version}`, [
      [1, 2],
      [2, 1],
    ])
    await fill(play, { name: `trimmed-v${version}` }, [['a', 'b'], ['c', 'd'], ['e']])
  }
  await play.topic('trimmed-compacted', [[1]], { 'cleanup.policy': 'compact' })
  const of =
    (offset: number, more: { name?: string; partition?: number } = {}) =>
    (version: number) => ({
      topics: [
        { name: more.name ?? `trimmed-v${version}`, partitions: [{ partitionIndex: more.partition ?? 0, offset }] },
      ],
      timeoutMs: 15_000,
    })
  await play.every('up to an offset', deleteRecords, of(3))
  await play.every('up to where it begins', deleteRecords, of(3))
  await play.every('up to before that', deleteRecords, of(1))
  await play.every('up to 0', deleteRecords, of(0))
  await play.every('up to −2', deleteRecords, of(-2))
  await play.every('up to behind the end', deleteRecords, of(9))
  await play.every('of all', deleteRecords, of(-1))
  await play.every('of all again', deleteRecords, of(-1))
  await play.every('at a follower', deleteRecords, of(-1), { to: 2 })
  await play.every('at no replica', deleteRecords, of(-1), { to: 3 })
  await play.every('of a partition led elsewhere', deleteRecords, of(0, { partition: 1 }))
  await play.every('of an unknown partition', deleteRecords, of(0, { partition: 9 }))
  await play.every('of an unknown topic', deleteRecords, of(0, { name: 'never-was' }))
  await play.every('of a topic with a bad name', deleteRecords, of(0, { name: 'bad name' }))
  await play.every('of a compacted topic', deleteRecords, of(0, { name: 'trimmed-compacted' }))
  await play.coordinator('anybody')
  await play.every('of a topic of Kafka itself', deleteRecords, of(0, { name: '__consumer_offsets' }))
  await play.every('of nothing', deleteRecords, { topics: [], timeoutMs: 15_000 })
  await play.every('with no time', deleteRecords, version => ({ ...of(-1)(version), timeoutMs: 0 }))
}

async function directories(play: Play): Promise<void> {
  const name = 'kept'
  await play.topic(name, [[1], [2]])
  await fill(play, { name }, [['a', 'b'], ['c']])
  const blur = ['logDir']
  const of = (...partitions: number[]) => ({ topics: [{ topic: name, partitions }] })
  await play.every('of a partition', describeLogDirs, of(0), { blur })
  await play.every('of a partition that is elsewhere', describeLogDirs, of(1), { blur })
  await play.every('of two', describeLogDirs, of(0, 1), { blur })
  await play.every('of an unknown partition', describeLogDirs, of(9), { blur })
  await play.every(
    'of an unknown topic',
    describeLogDirs,
    { topics: [{ topic: 'never-was', partitions: [0] }] },
    { blur },
  )
  await play.every('of no partition', describeLogDirs, of(), { blur })
  await play.every('of nothing', describeLogDirs, { topics: [] }, { blur })
  await play.every('of everything', describeLogDirs, { topics: null }, { blur: [...blur, 'topics'] })
  const { results } = await play.request(describeLogDirs, 4, of(0))
  const move = (path: string, topic: string, ...partitions: number[]) => ({
    dirs: [{ path, topics: [{ name: topic, partitions }] }],
  })
  await play.every('to where it is', alterReplicaLogDirs, move(results[0]!.logDir, name, 0))
  await play.every('to nowhere', alterReplicaLogDirs, move('/no/such/dir', name, 0))
  await play.every('to a place that is not named from the root', alterReplicaLogDirs, move('relative', name, 0))
  await play.every('of a partition that is elsewhere', alterReplicaLogDirs, move(results[0]!.logDir, name, 1))
  await play.every('of an unknown partition', alterReplicaLogDirs, move(results[0]!.logDir, name, 9))
  await play.every('of an unknown topic', alterReplicaLogDirs, move(results[0]!.logDir, 'never-was', 0))
  await play.every('of nothing', alterReplicaLogDirs, { dirs: [] })
}

export const logChapters: readonly Chapter[] = [
  { title: 'offsets are listed', play: listing },
  { title: 'ends of epochs', play: epochs },
  { title: 'records are deleted', play: deletion },
  { title: 'log directories', play: directories },
]
