import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTopics } from '../../src/apis/create-topics.ts'
import { describeCluster } from '../../src/apis/describe-cluster.ts'
import { describeQuorum } from '../../src/apis/describe-quorum.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster, cut } from '../../src/index.ts'
import { zeroUuid } from '../../src/wire/uuid.ts'
import { ask, nameOf } from './asking.ts'

let cluster: Cluster

beforeAll(async () => {
  cluster = await createCluster({ brokers: 2 })
  await cluster.clock.advance(2_000)
})

afterAll(() => cluster.close())

const metadataLog = { topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }] }
const address = () => {
  const { host, port } = cluster.controller.controller!.address
  return { host, port }
}

test.each([1, 2, 1000])('node %i tells of one voter, the leader, and of the brokers that follow', async node => {
  const answer = await ask(cluster, node, describeQuorum, metadataLog)
  const end = cluster.controller.controller!.endOffset
  const now = cluster.clock.now()
  expect(answer).toMatchObject({ errorCode: 0, errorMessage: '' })
  expect(answer.nodes).toEqual([{ nodeId: 1000, listeners: [{ name: 'CONTROLLER', ...address() }] }])
  const [partition] = answer.topics[0]!.partitions
  expect(partition).toMatchObject({
    errorCode: 0,
    errorMessage: '',
    leaderId: 1000,
    leaderEpoch: 1,
    highWatermark: end,
  })
  expect(partition!.currentVoters).toEqual([
    {
      replicaId: 1000,
      replicaDirectoryId: zeroUuid,
      logEndOffset: end,
      lastFetchTimestamp: expect.any(Number),
      lastCaughtUpTimestamp: partition!.currentVoters[0]!.lastFetchTimestamp,
    },
  ])
  expect(now - partition!.currentVoters[0]!.lastFetchTimestamp).toBeLessThan(1000)
  expect(partition!.observers.map(({ replicaId, logEndOffset }) => [replicaId, logEndOffset])).toEqual([
    [1, end],
    [2, end],
  ])
})

test('v0 knows no times, v1 no addresses', async () => {
  const v0 = await ask(cluster, 1, describeQuorum, metadataLog, 0)
  expect(v0.nodes).toEqual([])
  expect(v0.topics[0]!.partitions[0]!.observers[0]).toMatchObject({
    lastFetchTimestamp: -1,
    lastCaughtUpTimestamp: -1,
  })
  const v1 = await ask(cluster, 1, describeQuorum, metadataLog, 1)
  expect(v1.nodes).toEqual([])
  expect(v1.topics[0]!.partitions[0]!.observers[0]!.lastFetchTimestamp).toBeGreaterThan(0)
})

test('anything but the one partition of the metadata log, alone, is unknown', async () => {
  const asked = async (...topics: [name: string, ...partitions: number[]][]) => {
    const body = {
      topics: topics.map(([topicName, ...partitions]) => ({
        topicName,
        partitions: partitions.map(partitionIndex => ({ partitionIndex })),
      })),
    }
    const { errorCode, topics: answers, nodes } = await ask(cluster, 1, describeQuorum, body)
    expect([errorCode, nodes]).toEqual([0, []])
    return answers.map(({ topicName, partitions }) => [
      topicName,
      ...partitions.map(({ partitionIndex, errorCode: code, leaderId }) => [partitionIndex, nameOf(code), leaderId]),
    ])
  }
  expect(await asked(['t', 0])).toEqual([['t', [0, 'UNKNOWN_TOPIC_OR_PARTITION', 0]]])
  expect(await asked(['__cluster_metadata', 0, 1])).toEqual([
    ['__cluster_metadata', [0, 'UNKNOWN_TOPIC_OR_PARTITION', 0], [1, 'UNKNOWN_TOPIC_OR_PARTITION', 0]],
  ])
  expect(await asked(['__cluster_metadata', 0], ['t', 0])).toEqual([
    ['__cluster_metadata', [0, 'UNKNOWN_TOPIC_OR_PARTITION', 0]],
    ['t', [0, 'UNKNOWN_TOPIC_OR_PARTITION', 0]],
  ])
  expect(await asked(['__cluster_metadata'])).toEqual([['__cluster_metadata']])
  expect(await asked()).toEqual([])
})

test('a follower that is cut off falls behind, and is forgotten after five minutes', async () => {
  await using torn = await createCluster({ brokers: 2 })
  torn.network.rule(cut(2, 1000))
  await torn.clock.advance(20_000)
  const made = { name: 'made', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  await ask(torn, 1000, createTopics, { topics: [made], timeoutMs: 1000 })
  const observers = async () => {
    const { topics } = await ask(torn, 1000, describeQuorum, metadataLog)
    return topics[0]!.partitions[0]!
  }
  const { highWatermark, observers: known } = await observers()
  const [one, two] = known
  expect(one).toMatchObject({ replicaId: 1, logEndOffset: highWatermark })
  expect(two!.replicaId).toBe(2)
  expect(two!.logEndOffset).toBeLessThan(highWatermark)
  expect(two!.lastCaughtUpTimestamp).toBeLessThanOrEqual(one!.lastFetchTimestamp - 15_000)
  await torn.clock.advance(300_000)
  expect((await observers()).observers.map(({ replicaId }) => replicaId)).toEqual([1])
})

test('the controller describes itself to who asks for controllers, and refuses who asks for brokers (M-7)', async () => {
  const asked = (version: number, endpointType?: number) =>
    ask(
      cluster,
      1000,
      describeCluster,
      { includeClusterAuthorizedOperations: false, ...(endpointType === undefined ? {} : { endpointType }) },
      version,
    )
  expect(await asked(2, 2)).toMatchObject({
    errorCode: 0,
    endpointType: 2,
    clusterId: cluster.controller.controller!.clusterId,
    controllerId: 1000,
    brokers: [{ brokerId: 1000, ...address(), rack: null, isFenced: false }],
    clusterAuthorizedOperations: -2147483648,
  })
  expect((await asked(1, 2)).controllerId).toBe(1000)
  expect(nameOf((await asked(0)).errorCode)).toBe('INVALID_REQUEST')
  expect(nameOf((await asked(1, 1)).errorCode)).toBe('MISMATCHED_ENDPOINT_TYPE')
  expect(nameOf((await asked(2, 3)).errorCode)).toBe('UNSUPPORTED_ENDPOINT_TYPE')
})
