import { expect } from 'vitest'
import { createTopics } from '../../src/apis/create-topics.ts'
import { deleteTopics } from '../../src/apis/delete-topics.ts'
import { fetch } from '../../src/apis/fetch.ts'
import { metadata } from '../../src/apis/metadata.ts'
import { produce } from '../../src/apis/produce.ts'
import { errorOf } from '../../src/wire/errors.ts'
import { Records } from '../../src/wire/records.ts'
import { story } from './story.ts'
import { Topic } from './topic.ts'
import type { World } from './world.ts'

const HOUR = 3_600_000

story(
  'records older than retention.ms go by whole segments; the log starts where the rest begins (X-36, S-10, S-11, S-12, S-14)',
  async world => {
    const topic = await Topic.create(world, [1, 2], { 'segment.ms': 60_000, 'retention.ms': HOUR })
    for (const age of [3 * HOUR, 2 * HOUR, 0]) {
      await topic.produce(5, { batch: { timestamp: world.now() - age } })
    }
    await topic.until('the log starts at 10', async () => (await topic.offsetAt(-2)).offset === 10)
    expect(await topic.fetch({ offset: 0 })).toMatchObject({ error: 'OFFSET_OUT_OF_RANGE' })
    expect(await topic.fetch({ offset: 10 })).toMatchObject({ error: 'NONE', startOffset: 10, batches: '10-14/e0' })
    await topic.until(
      'the follower starts at 10',
      async () => (await topic.fetch({ at: 2, offset: 10 })).startOffset === 10,
    )
    if (world.cluster) {
      const bases = world.cluster
        .partition(topic.name, 0)
        .replicaLogs.get(1)!
        .segments.map(each => each.baseOffset)
      expect(bases).toEqual([10])
    }
    // A segment that is old in every record goes even if it is the active one: an empty log that starts at its end.
    const old = await Topic.create(world, [1], { 'segment.ms': 60_000, 'retention.ms': HOUR })
    await old.produce(5, { batch: { timestamp: world.now() - 3 * HOUR } })
    await old.until('the log is empty', async () => (await old.offsetAt(-2)).offset === 5)
    expect(await old.fetch({ offset: 5 })).toMatchObject({ error: 'NONE', highWatermark: 5, startOffset: 5 })
  },
)

story(
  'compaction keeps the last record of each key at its offset; a tombstone goes later (X-37, S-20, S-21, S-22)',
  async world => {
    const topic = await Topic.create(world, [1], {
      'cleanup.policy': 'compact',
      'segment.ms': 1_000,
      'min.cleanable.dirty.ratio': 0,
      'delete.retention.ms': 4_000,
    })
    const put = (key: string, value: string | null) => topic.produce([{ key, value }])
    await put('k1', 'a')
    await put('k2', 'b')
    await put('k1', 'c')
    await put('k2', null)
    await world.sleep(1_200)
    await put('z', '1')
    await topic.until('compacted', async () => (await topic.readAll()).batches === '2-2/e0 3-3/e0 4-4/e0')
    expect((await topic.readAll()).values).toEqual(['c', null, '1'])
    expect((await topic.offsetAt(-2)).offset).toBe(0)
    // Nothing is cleaned without news; then the tombstone is past its horizon.
    await world.sleep(5_000)
    expect((await topic.readAll()).values).toEqual(['c', null, '1'])
    await put('z', '2')
    await topic.until('the tombstone is gone', async () => (await topic.readAll()).batches === '2-2/e0 4-4/e0 5-5/e0')
    expect((await topic.readAll()).values).toEqual(['c', '1', '2'])
  },
)

story(
  'under compact,delete old segments go whole, and what stays keeps one record of each key (S-26, S-10, S-21)',
  async world => {
    const topic = await Topic.create(world, [1], {
      'cleanup.policy': 'compact,delete',
      'segment.ms': 60_000,
      'retention.ms': HOUR,
      'min.cleanable.dirty.ratio': 0,
    })
    const put = (key: string, value: string, age: number) =>
      topic.produce([{ key, value }], { batch: { timestamp: world.now() - age } })
    await put('only-here', 'old', 3 * HOUR)
    await topic.until('the old one is gone', async () => (await topic.offsetAt(-2)).offset === 1)
    await put('k', 'a', HOUR / 2)
    await put('k', 'b', HOUR / 2)
    await put('z', '1', 0)
    await topic.until('cleaned', async () => (await topic.readAll()).batches === '2-2/e0 3-3/e0')
    expect((await topic.readAll()).values).toEqual(['b', '1'])
    expect((await topic.offsetAt(-2)).offset).toBe(1)
    expect(await topic.deleteRecordsTo(3)).toEqual({ error: 'NONE', lowWatermark: 3 })
  },
)

story(
  'DeleteRecords moves the start of every replica, up to the high watermark and never back (X-38, S-30)',
  async world => {
    const topic = await Topic.create(world, [1, 2])
    await topic.produce(10)
    expect(await topic.deleteRecordsTo(5)).toEqual({ error: 'NONE', lowWatermark: 5 })
    expect(await topic.fetch({ offset: 0 })).toMatchObject({ error: 'OFFSET_OUT_OF_RANGE' })
    expect(await topic.fetch({ offset: 5 })).toMatchObject({ error: 'NONE', startOffset: 5, batches: '0-9/e0' })
    expect([(await topic.offsetAt(-2)).offset, (await topic.offsetAt(-1)).offset]).toEqual([5, 10])
    expect(await topic.deleteRecordsTo(11)).toEqual({ error: 'OFFSET_OUT_OF_RANGE', lowWatermark: -1 })
    expect(await topic.deleteRecordsTo(3)).toEqual({ error: 'NONE', lowWatermark: 5 })
    expect(await topic.deleteRecordsTo(-2)).toEqual({ error: 'OFFSET_OUT_OF_RANGE', lowWatermark: -1 })
    expect(await topic.deleteRecordsTo(6, { at: 2 })).toMatchObject({ error: 'NOT_LEADER_OR_FOLLOWER' })
    const mend = world.cut(2, 1)
    expect(await topic.deleteRecordsTo(7, { timeoutMs: 1_000 })).toMatchObject({ error: 'REQUEST_TIMED_OUT' })
    mend()
    await topic.until(
      'the follower starts at 7',
      async () => (await topic.fetch({ at: 2, offset: 7 })).startOffset === 7,
    )
    expect(await topic.deleteRecordsTo(-1)).toEqual({ error: 'NONE', lowWatermark: 10 })
    const compacted = await Topic.create(world, [1], { 'cleanup.policy': 'compact' })
    expect((await compacted.deleteRecordsTo(0)).error).toBe('POLICY_VIOLATION')
  },
)

async function recreate(world: World, topic: Topic): Promise<Topic> {
  await world.request(1, deleteTopics, 6, { topics: [{ name: topic.name, topicId: ZERO }], timeoutMs: 30_000 })
  await topic.until('deleted', async () => (await byId(world, topic.id)) === 'UNKNOWN_TOPIC_ID')
  const request = { name: topic.name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  let id = ''
  await topic.until('created again', async () => {
    const { topics } = await world.request(1, createTopics, 7, { topics: [request] })
    id = topics[0]!.topicId
    return topics[0]!.errorCode === 0
  })
  const again = new Topic(world, topic.name, id)
  await again.until('led', async () => (await again.leader()) > 0 && (await again.offsetAt(-1)).error === 'NONE')
  return again
}

const ZERO = 'AAAAAAAAAAAAAAAAAAAAAA'

async function byId(world: World, topicId: string): Promise<string> {
  const body = {
    topics: [{ topicId, name: null }],
    allowAutoTopicCreation: false,
    includeTopicAuthorizedOperations: false,
  }
  const { topics } = await world.request(1, metadata, 12, body)
  return errorOf(topics[0]!.errorCode).name
}

story('a topic that is made again under its name is another one: its old id is unknown (X-39, M-14)', async world => {
  const topic = await Topic.create(world, [1])
  await topic.produce(3)
  expect(await topic.fetch({ version: 13 })).toMatchObject({ error: 'NONE', batches: '0-2/e0' })
  const again = await recreate(world, topic)
  expect(again.id).not.toBe(topic.id)
  const leader = await again.leader()
  const asked = { fetchOffset: 0, partitionMaxBytes: 1000, partition: 0 }
  const fetchBy = async (topicId: string) => {
    const body = { maxWaitMs: 0, minBytes: 1, topics: [{ topicId, partitions: [asked] }], forgottenTopicsData: [] }
    const { responses } = await world.request(leader, fetch, 16, body)
    return errorOf(responses[0]!.partitions[0]!.errorCode).name
  }
  expect([await fetchBy(topic.id), await fetchBy(again.id)]).toEqual(['UNKNOWN_TOPIC_ID', 'NONE'])
  const { responses } = await world.request(leader, produce, 13, {
    acks: 1,
    timeoutMs: 1_000,
    topicData: [{ topicId: topic.id, partitionData: [{ index: 0, records: Records.of([topic.batch(1)]) }] }],
  })
  expect(errorOf(responses[0]!.partitionResponses[0]!.errorCode).name).toBe('UNKNOWN_TOPIC_ID')
  expect(await again.fetch({ at: leader })).toMatchObject({ error: 'NONE', highWatermark: 0 })
})
