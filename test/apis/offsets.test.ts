import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deleteRecords } from '../../src/apis/delete-records.ts'
import { describeProducers } from '../../src/apis/describe-producers.ts'
import { fetch } from '../../src/apis/fetch.ts'
import { incrementalAlterConfigs } from '../../src/apis/incremental-alter-configs.ts'
import { listOffsets } from '../../src/apis/list-offsets.ts'
import { offsetForLeaderEpoch } from '../../src/apis/offset-for-leader-epoch.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster, cut, hold } from '../../src/index.ts'
import { append, ask, nameOf } from './asking.ts'

let cluster: Cluster

/** The batches that the real broker was asked about: dates of 1970, which no retention may touch. */
const BATCHES = [[1000], [3000], [2000], [3000], [1500], [1000, 6000, 1100]]
const FOREVER = { 'retention.ms': -1 }

beforeAll(async () => {
  cluster = await createCluster({
    brokers: 3,
    topics: {
      dated: { configs: FOREVER },
      empty: {},
      copied: { assignments: [[1, 2, 3]], configs: FOREVER },
      deleted: { assignments: [[1]], configs: FOREVER },
      compacted: { assignments: [[1]], configs: { 'cleanup.policy': 'compact' } },
      both: { assignments: [[1]], configs: { ...FOREVER, 'cleanup.policy': 'compact,delete' } },
      kept: { assignments: [[1]], configs: { ...FOREVER } },
      __consumer_offsets: { assignments: [[1]] },
    },
  })
  for (const timestamps of BATCHES) await append(cluster, 'dated', timestamps)
  for (const timestamps of BATCHES) await append(cluster, 'copied', timestamps)
})

afterAll(() => cluster.close())

interface Options {
  readonly version?: number
  readonly replicaId?: number
  readonly isolationLevel?: number
  readonly epoch?: number
  readonly broker?: number
  readonly partition?: number
  readonly in?: Cluster
}

/** [error, offset, timestamp, leader epoch] of each answer. */
async function offsets(topic: string, timestamps: readonly number[], options: Options = {}) {
  const { version = 11, replicaId = -1, isolationLevel = 0, epoch = -1, partition = 0, in: where = cluster } = options
  const broker = options.broker ?? where.leaderOf(topic, 0).id
  const answers = []
  for (const timestamp of timestamps) {
    const asked = { partitionIndex: partition, timestamp, ...(version < 4 ? {} : { currentLeaderEpoch: epoch }) }
    const body = { replicaId, isolationLevel, timeoutMs: 1000, topics: [{ name: topic, partitions: [asked] }] }
    const { topics } = await ask(
      where,
      broker,
      listOffsets,
      version < 2 ? { ...body, isolationLevel: 0 } : body,
      version,
    )
    const answer = topics[0]!.partitions[0]!
    answers.push([nameOf(answer.errorCode), answer.offset, answer.timestamp, answer.leaderEpoch])
  }
  return answers
}

describe('ListOffsets', () => {
  test('of an empty log: both ends are 0, nothing is found (F-30, F-31, F-32, F-33, F-34, F-35, F-36)', async () => {
    expect(await offsets('empty', [-1, -2, -3, -4, -5, -6, 0])).toEqual([
      ['NONE', 0, -1, 0],
      ['NONE', 0, -1, 0],
      ['NONE', -1, -1, -1],
      ['NONE', 0, -1, 0],
      ['NONE', -1, -1, -1],
      ['NONE', -1, -1, -1],
      ['NONE', -1, -1, -1],
    ])
  })

  test.each([
    ['F-30', -1, ['NONE', 8, -1, 0]],
    ['F-31', -2, ['NONE', 0, -1, 0]],
    ['F-32', -3, ['NONE', 6, 6000, 0]],
    ['F-33', -4, ['NONE', 0, -1, 0]],
    ['F-34', -5, ['NONE', -1, -1, -1]],
    ['F-35', -6, ['NONE', -1, -1, -1]],
    ['F-37', -7, ['UNSUPPORTED_VERSION', -1, -1, -1]],
    ['F-36', 0, ['NONE', 0, 1000, 0]],
    ['F-36', 1000, ['NONE', 0, 1000, 0]],
    ['F-36', 1001, ['NONE', 1, 3000, 0]],
    ['F-36', 2001, ['NONE', 1, 3000, 0]],
    ['F-36', 3000, ['NONE', 1, 3000, 0]],
    ['F-36', 3001, ['NONE', 6, 6000, 0]],
    ['F-36', 6000, ['NONE', 6, 6000, 0]],
    ['F-36', 6001, ['NONE', -1, -1, -1]],
    ['F-36', 4611686018427387, ['NONE', -1, -1, -1]],
  ])('%s: for timestamp %i it answers as a 4.3 broker does', async (_, timestamp, expected) => {
    expect(await offsets('dated', [timestamp])).toEqual([expected])
  })

  test('a special timestamp in a version from before it is UNSUPPORTED_VERSION (F-37, W-42)', async () => {
    const errorIn = async (version: number, timestamp: number) =>
      (await offsets('dated', [timestamp], { version }))[0]![0]
    expect(await errorIn(1, -3)).toBe('UNSUPPORTED_VERSION')
    expect(await errorIn(6, -3)).toBe('UNSUPPORTED_VERSION')
    expect(await errorIn(7, -3)).toBe('NONE')
    expect(await errorIn(7, -4)).toBe('UNSUPPORTED_VERSION')
    expect(await errorIn(8, -4)).toBe('NONE')
    expect(await errorIn(8, -5)).toBe('UNSUPPORTED_VERSION')
    expect(await errorIn(9, -5)).toBe('NONE')
    expect(await errorIn(10, -6)).toBe('UNSUPPORTED_VERSION')
    expect(await errorIn(11, -6)).toBe('NONE')
  })

  test('v1 answers without a leader epoch (W-42)', async () => {
    expect(await offsets('dated', [-2, -1], { version: 1 })).toEqual([
      ['NONE', 0, -1, -1],
      ['NONE', 8, -1, -1],
    ])
  })

  test('what is unknown is UNKNOWN_TOPIC_OR_PARTITION, elsewhere NOT_LEADER_OR_FOLLOWER (F-37)', async () => {
    expect(await offsets('dated', [-1], { partition: 7 })).toEqual([['UNKNOWN_TOPIC_OR_PARTITION', -1, -1, -1]])
    expect(await offsets('nosuch', [-1], { broker: 1 })).toEqual([['UNKNOWN_TOPIC_OR_PARTITION', -1, -1, -1]])
    expect(await offsets('copied', [-1], { broker: 2 })).toEqual([['NOT_LEADER_OR_FOLLOWER', -1, -1, -1]])
    expect(await offsets('deleted', [-1], { broker: 2 })).toEqual([['NOT_LEADER_OR_FOLLOWER', -1, -1, -1]])
  })

  test('a partition that is asked for twice gets one INVALID_REQUEST (F-37)', async () => {
    const partitions = [
      { partitionIndex: 0, timestamp: -1 },
      { partitionIndex: 0, timestamp: -2 },
    ]
    const body = { replicaId: -1, isolationLevel: 0, topics: [{ name: 'dated', partitions }] }
    const { topics } = await ask(cluster, cluster.leaderOf('dated', 0).id, listOffsets, body)
    expect(topics).toEqual([
      { name: 'dated', partitions: [{ partitionIndex: 0, errorCode: 42, timestamp: -1, offset: -1, leaderEpoch: -1 }] },
    ])
  })

  test('an older leader epoch is fenced, a newer one unknown (R-32)', async () => {
    await using moved = await createCluster({ brokers: 2, topics: { moved: { assignments: [[1, 2]] } } })
    await moved.broker(1).crash()
    await moved.runUntil(() => moved.partition('moved', 0).leader === 2)
    const at = async (epoch: number) => (await offsets('moved', [-1], { epoch, in: moved, broker: 2 }))[0]![0]
    await moved.runUntil(() => moved.broker(2).broker!.requirePartition('moved', 0).isLeader)
    expect([await at(-1), await at(0), await at(1), await at(2)]).toEqual([
      'NONE',
      'FENCED_LEADER_EPOCH',
      'NONE',
      'UNKNOWN_LEADER_EPOCH',
    ])
  })

  test('isolation levels are 0 and 1; another is INVALID_REQUEST (F-39)', async () => {
    expect(await offsets('dated', [-1], { isolationLevel: 1 })).toEqual([['NONE', 8, -1, 0]])
    expect(await offsets('dated', [-1], { isolationLevel: 7 })).toEqual([['INVALID_REQUEST', -1, -1, -1]])
  })

  test('who debugs (replica id −2) reads the end of any replica (F-37)', async () => {
    for (const broker of [1, 2, 3]) {
      expect(await offsets('copied', [-1, -2], { broker, replicaId: -2 })).toEqual([
        ['NONE', 8, -1, 0],
        ['NONE', 0, -1, 0],
      ])
    }
    expect(await offsets('copied', [-1], { broker: 1, replicaId: 2 })).toEqual([['NONE', 8, -1, 0]])
  })

  test('consumers see the high watermark, or the last stable offset; a replica the end (F-30, F-39)', async () => {
    await using torn = await createCluster({ brokers: 2, topics: { t: { assignments: [[1, 2]] } } })
    await append(torn, 't', [1000])
    await torn.runUntil(() => torn.partition('t', 0).highWatermark === 1)
    torn.network.rule(cut(1, 2))
    await append(torn, 't', [2000], { acks: 1 })
    expect(await offsets('t', [-1, -3, 1500], { in: torn })).toEqual([
      ['NONE', 1, -1, 0],
      ['NONE', -1, -1, -1],
      ['NONE', -1, -1, -1],
    ])
    expect(await offsets('t', [-1], { in: torn, isolationLevel: 1 })).toEqual([['NONE', 1, -1, 0]])
    expect(await offsets('t', [-1, -3, 1500], { in: torn, replicaId: -2 })).toEqual([
      ['NONE', 2, -1, 0],
      ['NONE', 1, 2000, 0],
      ['NONE', 1, 2000, 0],
    ])
  })

  test('a new leader whose high watermark lags says OFFSET_NOT_AVAILABLE, LEADER_NOT_AVAILABLE before v5 (F-38, R-5)', async () => {
    await using torn = await createCluster({
      brokers: 3,
      topics: { t: { assignments: [[1, 2, 3]], configs: FOREVER } },
      configs: { 'broker.session.timeout.ms': 6000, 'replica.lag.time.max.ms': 20_000 },
    })
    await append(torn, 't', [1000, 1001, 1002, 1003, 1004])
    await torn.runUntil(() => [1, 2, 3].every(id => torn.partition('t', 0).replicaLogs.get(id)!.highWatermark === 5))
    // Broker 3 gets no answers any more: 2 copies five records that never become committed under 1.
    torn.network.rule(hold({ from: 1, to: 3 }))
    await append(torn, 't', [2000, 2001, 2002, 2003, 2004], { acks: 1 })
    await torn.runUntil(() => torn.partition('t', 0).replicaLogs.get(2)!.endOffset === 10)
    torn.network.rule(hold({ from: 3, to: 2 }))
    await torn.broker(1).crash()
    await torn.runUntil(() => torn.partition('t', 0).leader === 2)
    await torn.runUntil(() => torn.broker(2).broker!.requirePartition('t', 0).isLeader)
    const asked = { in: torn, broker: 2 }
    expect(torn.partition('t', 0).highWatermark).toBe(5)
    expect(await offsets('t', [-1, -2, -3, 0, 9000], asked)).toEqual([
      ['OFFSET_NOT_AVAILABLE', -1, -1, -1],
      ['NONE', 0, -1, 0],
      ['OFFSET_NOT_AVAILABLE', -1, -1, -1],
      ['NONE', 0, 1000, 0],
      ['OFFSET_NOT_AVAILABLE', -1, -1, -1],
    ])
    expect(await offsets('t', [-1], { ...asked, version: 4 })).toEqual([['LEADER_NOT_AVAILABLE', -1, -1, -1]])
    // 3 is put out of the in-sync set, and what 2 has is all that counts.
    await torn.runUntil(() => torn.partition('t', 0).highWatermark === 10)
    expect(torn.partition('t', 0).inSyncReplicas).toEqual([2])
    expect(await offsets('t', [-1], asked)).toEqual([['NONE', 10, -1, 1]])
  })
})

describe('OffsetForLeaderEpoch', () => {
  const epochEnd = async (
    where: Cluster,
    broker: number,
    leaderEpoch: number,
    currentLeaderEpoch = -1,
    partition = 0,
  ) => {
    const body = {
      replicaId: -1,
      topics: [{ topic: 't', partitions: [{ partition, currentLeaderEpoch, leaderEpoch }] }],
    }
    const { topics } = await ask(where, broker, offsetForLeaderEpoch, body)
    const answer = topics[0]!.partitions[0]!
    return [nameOf(answer.errorCode), answer.leaderEpoch, answer.endOffset]
  }

  test('tells where each epoch ended, and nothing of one that is to come (R-31, R-37, R-32)', async () => {
    await using moved = await createCluster({ brokers: 3, topics: { t: { assignments: [[1, 2, 3]] } } })
    await append(moved, 't', [1000, 1001, 1002, 1003, 1004])
    await moved.broker(1).crash()
    await moved.runUntil(() => moved.partition('t', 0).leader === 2)
    await moved.runUntil(() => [2, 3].every(id => moved.broker(id).broker!.requirePartition('t', 0).leaderEpoch === 1))
    await append(moved, 't', [2000, 2001, 2002])
    expect(await epochEnd(moved, 2, -1)).toEqual(['NONE', -1, -1])
    expect(await epochEnd(moved, 2, 0)).toEqual(['NONE', 0, 5])
    expect(await epochEnd(moved, 2, 1)).toEqual(['NONE', 1, 8])
    expect(await epochEnd(moved, 2, 99)).toEqual(['NONE', -1, -1])
    expect(await epochEnd(moved, 2, 0, 0)).toEqual(['FENCED_LEADER_EPOCH', -1, -1])
    expect(await epochEnd(moved, 2, 0, 1)).toEqual(['NONE', 0, 5])
    expect(await epochEnd(moved, 2, 0, 5)).toEqual(['UNKNOWN_LEADER_EPOCH', -1, -1])
    expect(await epochEnd(moved, 3, 0)).toEqual(['NOT_LEADER_OR_FOLLOWER', -1, -1])
    expect(await epochEnd(moved, 2, 0, -1, 7)).toEqual(['UNKNOWN_TOPIC_OR_PARTITION', -1, -1])
  })
})

describe('DeleteRecords', () => {
  const deleteTo = async (
    topic: string,
    offset: number,
    options: { in?: Cluster; broker?: number; partition?: number; timeoutMs?: number } = {},
  ) => {
    const { in: where = cluster, broker = 1, partition = 0, timeoutMs = 30_000 } = options
    const partitions = [{ partitionIndex: partition, offset }]
    const { topics } = await ask(where, broker, deleteRecords, { topics: [{ name: topic, partitions }], timeoutMs })
    const answer = topics[0]!.partitions[0]!
    return [nameOf(answer.errorCode), answer.lowWatermark]
  }
  const fetchAt = async (topic: string, fetchOffset: number) => {
    const topicId = cluster.broker(1).broker!.image.topic(topic)!.topicId
    const body = {
      maxWaitMs: 0,
      minBytes: 0,
      topics: [{ topicId, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1000 }] }],
      forgottenTopicsData: [],
    }
    const { responses } = await ask(cluster, 1, fetch, body)
    return nameOf(responses[0]!.partitions[0]!.errorCode)
  }

  test('moves the log start up and never down; not above the high watermark, nor below −1 (S-30, F-10)', async () => {
    await append(
      cluster,
      'deleted',
      Array.from({ length: 10 }, (_, i) => 1000 + i),
    )
    expect(await deleteTo('deleted', 5)).toEqual(['NONE', 5])
    expect(await deleteTo('deleted', 3)).toEqual(['NONE', 5])
    expect(await offsets('deleted', [-2, 0])).toEqual([
      ['NONE', 5, -1, 0],
      ['NONE', 5, 1005, 0],
    ])
    expect(await deleteTo('deleted', 11)).toEqual(['OFFSET_OUT_OF_RANGE', -1])
    expect(await deleteTo('deleted', -2)).toEqual(['OFFSET_OUT_OF_RANGE', -1])
    expect(await deleteTo('deleted', -1)).toEqual(['NONE', 10])
    expect(await deleteTo('deleted', 10)).toEqual(['NONE', 10])
    expect(await fetchAt('deleted', 0)).toBe('OFFSET_OUT_OF_RANGE')
    expect(await fetchAt('deleted', 9)).toBe('OFFSET_OUT_OF_RANGE')
    expect(await fetchAt('deleted', 10)).toBe('NONE')
  })

  test('a topic that is only compacted refuses, and so does an internal one (S-30)', async () => {
    expect(await deleteTo('compacted', 0)).toEqual(['POLICY_VIOLATION', -1])
    await append(cluster, 'both', [1000, 1001])
    expect(await deleteTo('both', 1)).toEqual(['NONE', 1])
    await append(cluster, 'kept', [1000, 1001])
    const configs = [{ name: 'cleanup.policy', configOperation: 0, value: '' }]
    const resources = [{ resourceType: 2, resourceName: 'kept', configs }]
    await ask(cluster, 1, incrementalAlterConfigs, { resources, validateOnly: false })
    expect(await deleteTo('kept', 1)).toEqual(['NONE', 1])
    expect(await deleteTo('__consumer_offsets', 0)).toEqual(['INVALID_TOPIC_EXCEPTION', -1])
    expect(await deleteTo('nosuch', 0)).toEqual(['UNKNOWN_TOPIC_OR_PARTITION', -1])
    expect(await deleteTo('deleted', 0, { partition: 7 })).toEqual(['UNKNOWN_TOPIC_OR_PARTITION', -1])
    expect(await deleteTo('deleted', 0, { broker: 2 })).toEqual(['NOT_LEADER_OR_FOLLOWER', -1])
  })

  test('is answered when the log of every live replica begins there (S-31)', async () => {
    await append(cluster, 'copied', [7000])
    expect(await deleteTo('copied', 4)).toEqual(['NONE', 4])
    const { replicaLogs } = cluster.partition('copied', 0)
    expect([1, 2, 3].map(id => replicaLogs.get(id)!.startOffset)).toEqual([4, 4, 4])
    expect(await deleteTo('copied', 2, { broker: 2 })).toEqual(['NOT_LEADER_OR_FOLLOWER', -1])
  })

  test('a replica that cannot follow makes it time out, with the least log start so far (S-31)', async () => {
    await using torn = await createCluster({ brokers: 3, topics: { t: { assignments: [[1, 2, 3]] } } })
    await append(torn, 't', [1000, 1001, 1002])
    await torn.clock.advance(2_000)
    const rule = torn.network.rule(cut(1, 3))
    expect(await deleteTo('t', 2, { in: torn, timeoutMs: 5_000 })).toEqual(['REQUEST_TIMED_OUT', 0])
    expect(torn.partition('t', 0).replicaLogs.get(2)!.startOffset).toBe(2)
    rule.dispose()
    expect(await deleteTo('t', 2, { in: torn })).toEqual(['NONE', 2])
  })

  test('a broker that is fenced meanwhile is not waited for (S-31)', async () => {
    await using torn = await createCluster({ brokers: 3, topics: { t: { assignments: [[1, 2, 3]] } } })
    await append(torn, 't', [1000, 1001, 1002])
    await torn.clock.advance(2_000)
    await torn.broker(3).crash()
    expect(torn.broker(1).broker!.image.isUnfenced(3)).toBe(true)
    expect(await deleteTo('t', 2, { in: torn, timeoutMs: 60_000 })).toEqual(['NONE', 2])
    expect(torn.broker(1).broker!.image.isUnfenced(3)).toBe(false)
  })

  test('who loses leadership while it waits says so (S-31)', async () => {
    await using torn = await createCluster({ brokers: 3, topics: { t: { assignments: [[1, 2, 3]] } } })
    await append(torn, 't', [1000, 1001, 1002])
    await torn.clock.advance(2_000)
    torn.network.rule(cut(1, 3))
    const answered = deleteTo('t', 2, { in: torn, timeoutMs: 60_000 })
    await torn.clock.advance(1_000)
    const rule = torn.network.rule(cut(1, 1000))
    await torn.runUntil(() => torn.partition('t', 0).leader !== 1)
    rule.dispose()
    expect(await answered).toEqual(['NOT_LEADER_OR_FOLLOWER', -1])
  })
})

describe('DescribeProducers', () => {
  const producersAt = async (broker: number, topic: string, partition = 0) => {
    const body = { topics: [{ name: topic, partitionIndexes: [partition] }] }
    const { topics } = await ask(cluster, broker, describeProducers, body)
    const { errorCode, activeProducers } = topics[0]!.partitions[0]!
    return [nameOf(errorCode), activeProducers]
  }

  test('every replica tells the producers that it knows (I-17, I-13)', async () => {
    const producer = { producerId: 77, producerEpoch: 0, baseSequence: 0 }
    await append(cluster, 'copied', [8000, 8500], producer)
    await cluster.runUntil(() => {
      const { replicaLogs, endOffset } = cluster.partition('copied', 0)
      return [1, 2, 3].every(id => replicaLogs.get(id)!.endOffset === endOffset)
    })
    for (const broker of [1, 2, 3]) {
      expect(await producersAt(broker, 'copied')).toEqual([
        'NONE',
        [
          {
            producerId: 77,
            producerEpoch: 0,
            lastSequence: 1,
            lastTimestamp: 8500,
            coordinatorEpoch: -1,
            currentTxnStartOffset: -1,
          },
        ],
      ])
    }
  })

  test('without producers the list is empty; what is unknown has an error (I-17)', async () => {
    expect(await producersAt(cluster.leaderOf('empty', 0).id, 'empty')).toEqual(['NONE', []])
    expect(await producersAt(1, 'empty', 77)).toEqual(['UNKNOWN_TOPIC_OR_PARTITION', []])
    expect(await producersAt(1, 'nosuch')).toEqual(['UNKNOWN_TOPIC_OR_PARTITION', []])
    expect(await producersAt(2, 'deleted')).toEqual(['NOT_LEADER_OR_FOLLOWER', []])
  })
})
