import { afterAll, beforeAll, expect, test } from 'vitest'
import { alterPartitionReassignments } from '../../src/apis/alter-partition-reassignments.ts'
import { brokerRegistration } from '../../src/apis/broker-registration.ts'
import { consumerGroupDescribe } from '../../src/apis/consumer-group-describe.ts'
import { consumerGroupHeartbeat } from '../../src/apis/consumer-group-heartbeat.ts'
import { describeConfigs } from '../../src/apis/describe-configs.ts'
import { describeProducers } from '../../src/apis/describe-producers.ts'
import { electLeaders } from '../../src/apis/elect-leaders.ts'
import { fetch } from '../../src/apis/fetch.ts'
import { findCoordinator } from '../../src/apis/find-coordinator.ts'
import { initProducerId } from '../../src/apis/init-producer-id.ts'
import { joinGroup } from '../../src/apis/join-group.ts'
import { listOffsets } from '../../src/apis/list-offsets.ts'
import { metadata } from '../../src/apis/metadata.ts'
import { offsetForLeaderEpoch } from '../../src/apis/offset-for-leader-epoch.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { ask, nameOf, plantOf } from './asking.ts'

/** Corners of single APIs that a real broker showed, field by field (test/differential). */
let cluster: Cluster

beforeAll(async () => {
  cluster = await createCluster({
    brokers: [1, 2].map(id => ({ id, rack: `r${id}` })),
    topics: { t: { assignments: [[1, 2]] } },
  })
})

afterAll(() => cluster.close())

test.each([
  [5, -1],
  [-1, 5],
])(
  'InitProducerId with id %i and epoch %i is INVALID_REQUEST without a transactional id, too (T-10)',
  async (...half) => {
    const [producerId, producerEpoch] = half
    const asked = { transactionalId: null, transactionTimeoutMs: 1000, producerId, producerEpoch }
    expect(await ask(cluster, 1, initProducerId, asked, 5)).toMatchObject({ errorCode: 42, producerId: -1 })
  },
)

test('from v4 on FindCoordinator has no words for a share that it refuses', async () => {
  const asked = { keyType: 2, key: 'x', coordinatorKeys: ['x'] }
  const { coordinators } = await ask(cluster, 1, findCoordinator, { ...asked, key: undefined }, 5)
  expect(coordinators).toMatchObject([{ errorCode: 42, errorMessage: '' }])
  const { errorCode, errorMessage } = await ask(cluster, 1, findCoordinator, { keyType: 2, key: 'x' }, 3)
  expect([nameOf(errorCode), errorMessage]).toEqual(['INVALID_REQUEST', expect.stringMatching(/./)])
})

test('DescribeProducers of a name that no topic can have is INVALID_TOPIC_EXCEPTION (I-17)', async () => {
  const { topics } = await ask(cluster, 1, describeProducers, { topics: [{ name: 'x y', partitionIndexes: [0] }] })
  expect(nameOf(topics[0]!.partitions[0]!.errorCode)).toBe('INVALID_TOPIC_EXCEPTION')
})

test('a broker tells its id and its rack; of a topic that is not there the text is empty (M-21)', async () => {
  const resources = [
    { resourceType: 4, resourceName: '2', configurationKeys: ['node.id', 'broker.rack'] },
    { resourceType: 2, resourceName: 'nosuch', configurationKeys: null },
  ]
  const { results } = await ask(cluster, 2, describeConfigs, { resources })
  expect(results[0]!.configs.map(({ name, value, configSource }) => [name, value, configSource])).toEqual([
    ['node.id', '2', 4],
    ['broker.rack', 'r2', 4],
  ])
  expect(results[1]).toMatchObject({ errorCode: 3, errorMessage: '' })
})

test('JoinGroup without a protocol in common names the member that asked (G-10)', async () => {
  const protocol = { protocolType: 'consumer', protocols: [{ name: 'range', metadata: new Uint8Array(0) }] }
  const asked = { groupId: 'g', sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 1000, memberId: '', ...protocol }
  const to = await coordinatorOf('g')
  const { memberId } = await ask(cluster, to, joinGroup, asked, 3)
  const other = { ...asked, memberId, protocols: [{ name: 'sticky', metadata: new Uint8Array(0) }] }
  expect(await ask(cluster, to, joinGroup, other, 3)).toMatchObject({ errorCode: 23, memberId })
})

async function coordinatorOf(group: string): Promise<number> {
  await ask(cluster, 1, findCoordinator, { keyType: 0, coordinatorKeys: [group] })
  await cluster.runUntil(() => cluster.topicNames.includes('__consumer_offsets'))
  await cluster.settle()
  return cluster.coordinatorOf({ group }).id
}

test('a blank group id is refused by any broker; a member without a pattern shows an empty one (G-51, G-54)', async () => {
  const beat = {
    memberId: 'm',
    memberEpoch: 0,
    rebalanceTimeoutMs: 1000,
    subscribedTopicNames: ['t'],
    topicPartitions: [],
  }
  for (const to of [1, 2]) {
    expect(await ask(cluster, to, consumerGroupHeartbeat, { ...beat, groupId: ' ' })).toMatchObject({ errorCode: 42 })
  }
  const to = await coordinatorOf('k')
  await ask(cluster, to, consumerGroupHeartbeat, { ...beat, groupId: 'k' })
  const { groups } = await ask(cluster, to, consumerGroupDescribe, {
    groupIds: ['k'],
    includeAuthorizedOperations: false,
  })
  expect(groups[0]!.members[0]!.subscribedTopicRegex).toBe('')
})

const fetching = (more: object = {}) => ({
  maxWaitMs: 0,
  minBytes: 1,
  topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000, ...more }] }],
  forgottenTopicsData: [],
})

test('a fetch with an old epoch is fenced also where the partition is not led any more (R-32)', async () => {
  const name = await cluster.createTopic({ prefix: 'moved', assignments: [[1, 2]] })
  const partitions = [{ partitionIndex: 0, replicas: [2, 1] }]
  await ask(cluster, 1, alterPartitionReassignments, { topics: [{ name, partitions }] })
  await ask(cluster, 1, electLeaders, { electionType: 0, topicPartitions: [{ topic: name, partitions: [0] }] })
  await cluster.runUntil(() => cluster.leaderOf(name, 0).id === 2)
  await cluster.settle()
  const code = async (currentLeaderEpoch: number) => {
    const body = fetching({ currentLeaderEpoch })
    const { responses } = await ask(cluster, 1, fetch, { ...body, topics: [{ ...body.topics[0]!, topic: name }] }, 10)
    return nameOf(responses[0]!.partitions[0]!.errorCode)
  }
  expect([await code(0), await code(1), await code(-1)]).toEqual([
    'FENCED_LEADER_EPOCH',
    'NOT_LEADER_OR_FOLLOWER',
    'NOT_LEADER_OR_FOLLOWER',
  ])
})

test('an epoch below −1 is none to a fetch, and an old one to ListOffsets; OffsetForLeaderEpoch names it (R-31, R-32)', async () => {
  const { responses } = await ask(cluster, 1, fetch, fetching({ currentLeaderEpoch: -2 }), 12)
  expect(responses[0]!.partitions[0]!.errorCode).toBe(0)
  const asked = { partitionIndex: 0, timestamp: -1, currentLeaderEpoch: -2 }
  const { topics } = await ask(cluster, 1, listOffsets, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name: 't', partitions: [asked] }],
  })
  expect(nameOf(topics[0]!.partitions[0]!.errorCode)).toBe('FENCED_LEADER_EPOCH')
  const ends = await ask(cluster, 1, offsetForLeaderEpoch, {
    replicaId: -1,
    topics: [{ topic: 't', partitions: [{ partition: 0, leaderEpoch: -2 }] }],
  })
  expect(ends.topics[0]!.partitions[0]).toMatchObject({ leaderEpoch: -2, endOffset: 0 })
})

test('ListOffsets leaves out a topic without partitions (F-37)', async () => {
  const asked = { replicaId: -1, isolationLevel: 0, topics: [{ name: 't', partitions: [] }] }
  expect((await ask(cluster, 1, listOffsets, asked)).topics).toEqual([])
})

test('followers are not told where leaders are: they have their metadata (F-12)', async () => {
  const { topics: described } = await ask(cluster, 1, metadata, { topics: [{ name: 't' }] })
  const body = fetching()
  const topics = [{ topicId: described[0]!.topicId, partitions: body.topics[0]!.partitions }]
  const of = (replicaId: number) =>
    ask(cluster, 2, fetch, { ...body, topics, replicaState: { replicaId, replicaEpoch: -1 } })
  expect((await of(9)).nodeEndpoints).toEqual([])
})

test('a broker of ZooKeeper cannot register (R-50)', async () => {
  const asked = {
    brokerId: 9,
    clusterId: plantOf(cluster).clusterId,
    incarnationId: 'aW5jYXJuYXRpb24tb25lLQ',
    listeners: [],
    features: [],
    rack: null,
    isMigratingZkBroker: true,
  }
  expect(nameOf((await ask(cluster, 1000, brokerRegistration, asked)).errorCode)).toBe('BROKER_ID_NOT_REGISTERED')
})

test('AlterPartitionReassignments of nothing has an empty text', async () => {
  expect(await ask(cluster, 1, alterPartitionReassignments, { topics: [] })).toMatchObject({ errorMessage: '' })
})
