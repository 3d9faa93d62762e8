import { afterAll, beforeAll, expect, test } from 'vitest'
import { alterReplicaLogDirs } from '../../src/apis/alter-replica-log-dirs.ts'
import { describeLogDirs } from '../../src/apis/describe-log-dirs.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { append, ask, nameOf } from './asking.ts'

let cluster: Cluster

beforeAll(async () => {
  cluster = await createCluster({
    brokers: 2,
    topics: {
      t: { assignments: [[1], [2]] },
      r: {
        assignments: [
          [1, 2],
          [2, 1],
        ],
      },
    },
  })
})

afterAll(() => cluster.close())

type Wanted = Parameters<typeof ask<typeof describeLogDirs>>[3]['topics']

async function replicasAt(broker: number, topics: Wanted) {
  const { results } = await ask(cluster, broker, describeLogDirs, { topics })
  return results[0]!.topics.map(({ name, partitions }) => [name, partitions.map(each => each.partitionIndex).sort()])
}

test('a broker tells of its one directory and the replicas in it, and of no others (M-40)', async () => {
  expect(await replicasAt(1, null)).toEqual([
    ['t', [0]],
    ['r', [0, 1]],
  ])
  expect(await replicasAt(2, null)).toEqual([
    ['t', [1]],
    ['r', [0, 1]],
  ])
})

test('of the partitions that are asked for, those that are not here are left out', async () => {
  const asked = [
    { topic: 't', partitions: [0, 1, 9] },
    { topic: 'r', partitions: [] },
    { topic: 'nosuch', partitions: [0] },
  ]
  expect(await replicasAt(1, asked)).toEqual([['t', [0]]])
  const twice = [
    { topic: 'r', partitions: [1, 1] },
    { topic: 'r', partitions: [0] },
  ]
  expect(await replicasAt(1, twice)).toEqual([['r', [0, 1]]])
  expect(await replicasAt(1, [])).toEqual([])
})

test('a replica’s size is that of its batches', async () => {
  await append(cluster, 't', [1, 2, 3])
  const { log } = cluster.broker(1).broker!.requirePartition('t', 0)
  expect(log.size).toBeGreaterThan(61)
  const { results } = await ask(cluster, 1, describeLogDirs, { topics: [{ topic: 't', partitions: [0] }] })
  expect(results[0]!.topics).toEqual([
    {
      name: 't',
      partitions: [{ partitionIndex: 0, partitionSize: log.size, offsetLag: 0, isFutureKey: false }],
    },
  ])
})

test('memory has no volume: its size is unknown in v4, and not told before; v5 says that nothing is cordoned', async () => {
  for (const version of [1, 2, 3, 4, 5]) {
    expect(await ask(cluster, 1, describeLogDirs, { topics: [] }, version)).toEqual({
      throttleTimeMs: 0,
      errorCode: 0,
      results: [
        {
          errorCode: 0,
          logDir: '/tmp/kafka-logs',
          topics: [],
          totalBytes: -1,
          usableBytes: -1,
          isCordoned: false,
        },
      ],
    })
  }
})

test('the directory is the first of log.dirs', async () => {
  await using named = await createCluster({ brokers: 1, configs: { 'log.dirs': ['/data/a', '/data/b'] } })
  const { results } = await ask(named, 1, describeLogDirs, { topics: null })
  expect(results.map(({ logDir }) => logDir)).toEqual(['/data/a'])
})

async function move(...dirs: [path: string, topic: string, partitions: number[]][]) {
  const body = { dirs: dirs.map(([path, name, partitions]) => ({ path, topics: [{ name, partitions }] })) }
  const { results } = await ask(cluster, 1, alterReplicaLogDirs, body)
  return results.map(({ topicName, partitions }) => [
    topicName,
    ...partitions.map(({ partitionIndex, errorCode }) => `${partitionIndex} ${nameOf(errorCode)}`),
  ])
}

test('a replica stays where it is; one that is not here cannot be moved, and there is nowhere else to go', async () => {
  const here = '/tmp/kafka-logs'
  expect(await move([here, 't', [0, 1, 9]])).toEqual([
    ['t', '0 NONE', '1 REPLICA_NOT_AVAILABLE', '9 UNKNOWN_TOPIC_OR_PARTITION'],
  ])
  expect(await move(['/nosuch', 't', [0, 9]])).toEqual([['t', '0 LOG_DIR_NOT_FOUND', '9 LOG_DIR_NOT_FOUND']])
  expect(await move([`${here}/`, 't', [0]])).toEqual([['t', '0 LOG_DIR_NOT_FOUND']])
})

test('a partition that is named twice goes by the last mention', async () => {
  expect(await move(['/tmp/kafka-logs', 't', [0]], ['/nosuch', 't', [0]])).toEqual([['t', '0 LOG_DIR_NOT_FOUND']])
  expect(await move(['/nosuch', 't', [0]], ['/tmp/kafka-logs', 't', [0, 0]])).toEqual([['t', '0 NONE']])
  expect(await move(['/nosuch', 't', []])).toEqual([])
})
