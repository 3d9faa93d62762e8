import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTopics } from '../../src/apis/create-topics.ts'
import { describeConfigs } from '../../src/apis/describe-configs.ts'
import { type Cluster, createCluster, reset } from '../../src/index.ts'
import { ConfigError, IllegalArgumentError, IllegalStateError, type KafkaError } from '../../src/wire/errors.ts'

let cluster: Cluster
beforeEach(async () => {
  cluster = await createCluster({
    topics: { orders: { partitions: 2, replicationFactor: 3 } },
    configs: { 'auto.create.topics.enable': false },
  })
})
afterEach(() => cluster.close())

const first = { topic: 'orders', partition: 0 }

test('a topic is created as asked, and the answer says what it got (M-11, M-12)', async () => {
  const admin = cluster.admin()
  const created = await admin.createTopics([
    { name: 'audit', partitions: 3, replicationFactor: 2, configs: { 'min.insync.replicas': 2 } },
    { name: 'placed', assignments: [[3, 1]] },
  ])
  expect(created.get('audit')).toMatchObject({ partitions: 3, replicationFactor: 2 })
  expect(created.get('audit')?.configs.get('min.insync.replicas')).toBe('2')
  const described = await admin.describeTopics(['placed', 'audit'])
  expect(described.get('placed')?.partitions).toMatchObject([{ partition: 0, leader: 3, replicas: [3, 1] }])
  expect(described.get('audit')?.partitions).toHaveLength(3)
  expect((await admin.listTopics()).map(({ name }) => name)).toEqual(['audit', 'orders', 'placed'])
})

test('what fails rejects with its name; the details say what became of the others (M-10)', async () => {
  const error: KafkaError = await cluster
    .admin()
    .createTopics([{ name: 'fine' }, { name: 'orders' }, { name: 'no spaces' }])
    .then(
      () => undefined,
      reason => reason,
    )
  expect(error).toMatchObject({
    errorName: 'TOPIC_ALREADY_EXISTS',
    message: expect.stringMatching(/^topic 'orders': /),
  })
  const details = error.details as Map<string, { errorName?: string; partitions?: number }>
  expect(details.get('fine')).toMatchObject({ partitions: 1 })
  expect(details.get('no spaces')?.errorName).toBe('INVALID_TOPIC_EXCEPTION')
})

test('topics are described by id as well; an id that nobody has rejects with itself (M-3)', async () => {
  const admin = cluster.admin()
  const { topicId } = (await admin.listTopics())[0]!
  const described = await admin.describeTopics({ topicIds: [topicId] })
  expect(described.get(topicId)).toMatchObject({
    name: 'orders',
    isInternal: false,
    partitions: [{ partition: 0, inSyncReplicas: expect.arrayContaining([1, 2, 3]) }, { partition: 1 }],
  })
  const nobodys = topicId.split('').reverse().join('')
  await expect(admin.describeTopics({ topicIds: [topicId, nobodys] })).rejects.toMatchObject({
    errorName: 'UNKNOWN_TOPIC_ID',
    message: expect.stringContaining(nobodys),
  })
})

test('features are described: what is finalized, and what the brokers support (W-14, W-17)', async () => {
  const { finalized, finalizedEpoch, supported } = await cluster.admin().describeFeatures()
  expect(finalized.get('metadata.version')).toEqual({ min: 30, max: 30 })
  expect(supported.get('metadata.version')).toEqual({ min: 7, max: 30 })
  expect(finalizedEpoch).toBeGreaterThan(0)
})

test('validateOnly creates nothing (M-11)', async () => {
  const admin = cluster.admin()
  await admin.createTopics([{ name: 'audit' }], { validateOnly: true })
  expect((await admin.listTopics()).map(({ name }) => name)).toEqual(['orders'])
})

test('an unknown topic configuration is refused before anything is sent', async () => {
  await expect(
    cluster.admin().createTopics([{ name: 'audit', configs: { 'min.insync.replica': 2 } as never }]),
  ).rejects.toThrow(new ConfigError("unknown topic config 'min.insync.replica': did you mean 'min.insync.replicas'?"))
})

test('topics are deleted by name and by id (M-14)', async () => {
  const admin = cluster.admin()
  const created = await admin.createTopics([{ name: 'a' }, { name: 'b' }])
  await admin.deleteTopics(['a'])
  await admin.deleteTopics({ topicIds: [created.get('b')!.topicId] })
  expect((await admin.listTopics()).map(({ name }) => name)).toEqual(['orders'])
  await expect(admin.deleteTopics(['a'])).rejects.toMatchObject({ errorName: 'UNKNOWN_TOPIC_OR_PARTITION' })
})

test('a topic that nobody knows is described as such', async () => {
  await expect(cluster.admin().describeTopics(['audit'])).rejects.toMatchObject({
    errorName: 'UNKNOWN_TOPIC_OR_PARTITION',
    message: expect.stringMatching(/^topic 'audit': /),
  })
})

test('descriptions of many partitions come page by page (M-7)', async () => {
  await cluster.close()
  cluster = await createCluster({
    brokers: 1,
    topics: { a: { partitions: 7 }, b: { partitions: 5 }, c: {} },
    configs: { 'max.request.partition.size.limit': 3 },
  })
  const described = await cluster.admin().describeTopics(['c', 'b', 'a'])
  const partitions = (name: string) => described.get(name)?.partitions.map(({ partition }) => partition)
  expect([partitions('a'), partitions('b'), partitions('c')]).toEqual([[0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4], [0]])
})

test('partitions can be added, not taken away (M-13)', async () => {
  const admin = cluster.admin()
  await admin.createPartitions({
    orders: { count: 4, assignments: [[1], [2]].map(ids => [...ids, 3, ids[0] === 1 ? 2 : 1]) },
  })
  expect((await admin.describeTopics(['orders'])).get('orders')?.partitions).toHaveLength(4)
  await expect(admin.createPartitions({ orders: { count: 3 } })).rejects.toMatchObject({
    errorName: 'INVALID_PARTITIONS',
  })
})

test('records before an offset are deleted at every replica, and offsets can be listed by place and time', async () => {
  const admin = cluster.admin()
  const producer = cluster.producer()
  for (let i = 0; i < 10; i++) await producer.send({ ...first, value: `${i}`, timestamp: 1_767_225_600_000 + i })
  const request = { ...first, beforeOffset: 4 }
  expect((await admin.deleteRecords([request])).get(request)).toEqual({ lowWatermark: 4 })
  const specs = ['earliest', 'latest', 'maxTimestamp', 1_767_225_600_006] as const
  const requests = specs.map(spec => ({ ...first, spec }))
  const offsets = []
  for (const one of requests) offsets.push((await admin.listOffsets([one])).get(one)?.offset)
  expect(offsets).toEqual([4, 10, 9, 6])
  await expect(admin.deleteRecords([{ ...first, beforeOffset: 11 }])).rejects.toMatchObject({
    errorName: 'OFFSET_OUT_OF_RANGE',
    message: expect.stringMatching(/^orders-0: /),
  })
  await expect(admin.deleteRecords([{ topic: 'orders', partition: 7, beforeOffset: 1 }])).rejects.toThrow(
    "topic 'orders' has 2 partition(s), so there is no partition 7",
  )
})

test('the producers of a partition are known to its leader with their last sequence', async () => {
  const producer = cluster.producer()
  for (let i = 0; i < 3; i++) await producer.send({ ...first, value: 'x' })
  const states = (await cluster.admin().describeProducers([first])).get(first)
  expect(states).toMatchObject([
    { producerEpoch: 0, lastSequence: 2, coordinatorEpoch: undefined, currentTransactionStartOffset: undefined },
  ])
})

test('configurations are described with where they come from, and altered key by key (M-21, KIP-339)', async () => {
  const admin = cluster.admin()
  const resource = { type: 'topic', name: 'orders' } as const
  await admin.incrementalAlterConfigs([
    {
      resource,
      operations: [
        { name: 'retention.ms', value: 1000 },
        { name: 'cleanup.policy', operation: 'append', value: 'compact' },
      ],
    },
  ])
  const keys = ['retention.ms', 'cleanup.policy', 'segment.bytes']
  const found = (await admin.describeConfigs([resource], { keys, includeSynonyms: true })).get(resource)!
  expect([...found.values()].map(({ name, value, source }) => [name, value, source])).toEqual([
    ['retention.ms', '1000', 'dynamicTopic'],
    ['cleanup.policy', 'delete,compact', 'dynamicTopic'],
    ['segment.bytes', '1073741824', 'default'],
  ])
  expect(found.get('retention.ms')?.synonyms[0]).toEqual({
    name: 'retention.ms',
    value: '1000',
    source: 'dynamicTopic',
  })
  await admin.incrementalAlterConfigs([{ resource, operations: [{ name: 'retention.ms', operation: 'delete' }] }])
  expect((await admin.describeConfigs([resource], { keys })).get(resource)?.get('retention.ms')?.isDefault).toBe(true)
  await expect(
    admin.incrementalAlterConfigs([{ resource, operations: [{ name: 'retention.ms', value: 'soon' }] }]),
  ).rejects.toMatchObject({ errorName: 'INVALID_CONFIG' })
})

test('a broker is asked about its own configuration (M-21)', async () => {
  const admin = cluster.admin()
  const asked: number[] = []
  cluster.intercept(describeConfigs, (request, next) => {
    asked.push(request.node)
    return next()
  })
  const resource = { type: 'broker', name: '2' } as const
  const keys = ['auto.create.topics.enable']
  const found = (await admin.describeConfigs([resource], { keys })).get(resource)
  expect(found?.get('auto.create.topics.enable')).toMatchObject({ value: 'false', source: 'staticBroker' })
  expect(asked).toEqual([2])
  await expect(admin.describeConfigs([{ type: 'broker', name: 'two' }])).rejects.toThrow(IllegalArgumentError)
  await expect(admin.describeConfigs([{ type: 'broker', name: '9' }])).rejects.toMatchObject({
    errorName: 'BROKER_NOT_AVAILABLE',
  })
})

test('replicas are moved, and the preferred leader elected (R-41, R-49)', async () => {
  const admin = cluster.admin()
  await cluster.admin().createTopics([{ name: 'moving', assignments: [[1]] }])
  const partition = { topic: 'moving', partition: 0 }
  await admin.alterPartitionReassignments([{ ...partition, replicas: [2, 3] }])
  await cluster.runUntil(() => cluster.leaderOf('moving', 0).id !== 1)
  await cluster.runUntil(() => cluster.partition('moving', 0).inSyncReplicas.length === 2)
  expect(await admin.listPartitionReassignments()).toEqual([])
  const [result] = await admin.electLeaders('preferred', [partition])
  expect(result).toMatchObject(partition)
  expect([undefined, 'ELECTION_NOT_NEEDED']).toContain(result?.error?.errorName)
  expect(cluster.leaderOf('moving', 0).id).toBe(2)
  await expect(admin.alterPartitionReassignments([{ ...partition, replicas: null }])).rejects.toMatchObject({
    errorName: 'NO_REASSIGNMENT_IN_PROGRESS',
  })
})

test('the cluster is described with its brokers, on demand the fenced ones too (M-7)', async () => {
  const admin = cluster.admin()
  await cluster.broker(3).crash()
  await cluster.runUntil(() => cluster.trace.events().some(({ kind }) => kind === 'fenced'))
  const ids = async (includeFencedBrokers: boolean) =>
    (await admin.describeCluster({ includeFencedBrokers })).nodes.map(({ id, isFenced }) => [id, isFenced])
  expect(await ids(false)).toEqual([
    [1, false],
    [2, false],
  ])
  expect(await ids(true)).toEqual([
    [1, false],
    [2, false],
    [3, true],
  ])
})

test('a call whose answer is lost is made again', async () => {
  cluster.network.rule(reset({ api: createTopics, kind: 'response', to: 'admin-1', times: 1 }))
  const admin = cluster.admin()
  await expect(admin.createTopics([{ name: 'audit' }])).rejects.toMatchObject({ errorName: 'TOPIC_ALREADY_EXISTS' })
  expect((await admin.listTopics()).map(({ name }) => name)).toContain('audit')
})

test('after close every call says so', async () => {
  const admin = cluster.admin()
  await admin.close()
  await admin.close()
  await expect(admin.listTopics()).rejects.toThrow(IllegalStateError)
})
