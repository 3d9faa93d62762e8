import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apiVersions } from '../../src/apis/api-versions.ts'
import { deleteTopics } from '../../src/apis/delete-topics.ts'
import { describeCluster } from '../../src/apis/describe-cluster.ts'
import { describeTopicPartitions } from '../../src/apis/describe-topic-partitions.ts'
import { metadata } from '../../src/apis/metadata.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import type { RequestInput } from '../../src/wire/api.ts'
import { zeroUuid } from '../../src/wire/uuid.ts'
import { ask, nameOf } from './asking.ts'

let cluster: Cluster

beforeAll(async () => {
  cluster = await createCluster({
    brokers: [{ id: 1, rack: 'r1' }, { id: 2 }, { id: 3 }],
    topics: {
      orders: { partitions: 3, replicationFactor: 3 },
      audit: { partitions: 1, replicationFactor: 2 },
    },
  })
})

afterAll(() => cluster.close())

type Asked = Partial<RequestInput<typeof metadata>>

async function topicsOf(body: Asked, version = 12, broker = 1) {
  const { topics } = await ask(cluster, broker, metadata, { topics: [], ...body }, version)
  return topics.map(({ errorCode, name, topicId, isInternal, partitions }) => [
    nameOf(errorCode),
    name,
    topicId === zeroUuid,
    isInternal,
    partitions.length,
  ])
}

const named = (...names: string[]): Asked => ({ topics: names.map(name => ({ name })), allowAutoTopicCreation: false })
const idOf = (topic: string) => cluster.broker(1).broker!.image.topic(topic)!.topicId

describe('ApiVersions', () => {
  const software = { clientSoftwareName: 'mini', clientSoftwareVersion: '1.0' }

  test('a broker advertises what it takes, Produce from 0 on, nothing that only controllers take (W-12, W-15)', async () => {
    const { errorCode, apiKeys } = await ask(cluster, 1, apiVersions, software)
    expect(errorCode).toBe(0)
    const ranges = new Map(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]))
    expect(ranges.get(0)).toEqual([0, 13])
    expect(ranges.get(1)).toEqual([4, 18])
    expect(ranges.get(2)).toEqual([1, 11])
    expect(ranges.get(3)).toEqual([0, 13])
    expect(ranges.get(18)).toEqual([0, 4])
    expect(ranges.get(22)).toEqual([0, 5])
    for (const controllerOnly of [56, 62, 63, 67]) expect(ranges.has(controllerOnly)).toBe(false)
  })

  test('no broker has a receiver of telemetry, so none advertises it, and clients send none (M-40)', async () => {
    const { apiKeys } = await ask(cluster, 1, apiVersions, software)
    const keys = apiKeys.map(({ apiKey }) => apiKey)
    expect(keys).toContain(35)
    for (const telemetry of [71, 72]) expect(keys).not.toContain(telemetry)
  })

  test('a controller answers for itself: registrations and heartbeats, no Produce (W-15)', async () => {
    const { errorCode, apiKeys } = await ask(cluster, 1000, apiVersions, software)
    expect(errorCode).toBe(0)
    const keys = apiKeys.map(({ apiKey }) => apiKey)
    expect(keys).toEqual(expect.arrayContaining([1, 18, 19, 56, 62, 63, 67]))
    expect(keys).not.toContain(0)
  })

  test('v4 tells features with their finalized levels, v3 leaves those out that begin at level 0 (W-14, W-17)', async () => {
    const v4 = await ask(cluster, 1, apiVersions, software, 4)
    expect(v4.supportedFeatures).toEqual([
      { name: 'group.version', minVersion: 0, maxVersion: 1 },
      { name: 'kraft.version', minVersion: 0, maxVersion: 1 },
      { name: 'metadata.version', minVersion: 7, maxVersion: 30 },
      { name: 'share.version', minVersion: 0, maxVersion: 1 },
      { name: 'streams.version', minVersion: 0, maxVersion: 1 },
      { name: 'transaction.version', minVersion: 0, maxVersion: 2 },
      { name: 'eligible.leader.replicas.version', minVersion: 0, maxVersion: 1 },
    ])
    expect(v4.finalizedFeatures).toEqual([
      { name: 'metadata.version', maxVersionLevel: 30, minVersionLevel: 30 },
      { name: 'transaction.version', maxVersionLevel: 2, minVersionLevel: 2 },
      { name: 'eligible.leader.replicas.version', maxVersionLevel: 1, minVersionLevel: 1 },
      { name: 'group.version', maxVersionLevel: 1, minVersionLevel: 1 },
    ])
    expect(v4.finalizedFeaturesEpoch).toBe(cluster.broker(1).broker!.image.offset)
    expect(v4.zkMigrationReady).toBe(false)
    const v3 = await ask(cluster, 1, apiVersions, software, 3)
    expect(v3.supportedFeatures).toEqual([{ name: 'metadata.version', minVersion: 7, maxVersion: 30 }])
  })

  test.each([
    ['', ''],
    ['-a', '1'],
    ['a b', '1'],
    ['a', '1_0'],
    ['a.', '1'],
    ['a', '1.'],
    ['ü', '1'],
  ])('software %j in version %j is refused without a list, from v3 on (W-13)', async (name, version) => {
    const body = { clientSoftwareName: name, clientSoftwareVersion: version }
    for (const v of [3, 4]) {
      expect(await ask(cluster, 1, apiVersions, body, v)).toMatchObject({ errorCode: 42, apiKeys: [] })
    }
    expect((await ask(cluster, 1, apiVersions, body, 2)).errorCode).toBe(0)
  })

  test('software a in version v1.0-rc.1 is welcome (W-13)', async () => {
    const body = { clientSoftwareName: 'a', clientSoftwareVersion: 'v1.0-rc.1' }
    expect((await ask(cluster, 1, apiVersions, body)).errorCode).toBe(0)
  })

  test('a version that nobody knows is answered in v0 with the versions of ApiVersions alone (W-11, W-9)', async () => {
    const upTo4 = ({ codec }: { codec: (version: number) => unknown }) => ({
      codec: (version: number) => codec(Math.min(version, 4)),
    })
    const { request, response } = apiVersions
    const unknown = {
      ...apiVersions,
      request: upTo4({ codec: version => request.codec(version) }),
      response: upTo4({ codec: version => response.codec(version) }),
    } as unknown as typeof apiVersions
    expect(await ask(cluster, 1, unknown, software, 999)).toMatchObject({
      errorCode: 35,
      apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }],
    })
  })
})

describe('Metadata', () => {
  test('lists brokers with racks, the cluster id, and a living broker as controller (M-1)', async () => {
    const answer = await ask(cluster, 2, metadata, { topics: [] }, 13)
    expect(answer.brokers).toEqual([
      { nodeId: 1, host: 'broker-1', port: 9092, rack: 'r1' },
      { nodeId: 2, host: 'broker-2', port: 9092, rack: null },
      { nodeId: 3, host: 'broker-3', port: 9092, rack: null },
    ])
    expect(answer.clusterId).toMatch(/^[\w-]{22}$/)
    expect([1, 2, 3]).toContain(answer.controllerId)
    expect([answer.topics, answer.errorCode]).toEqual([[], 0])
  })

  test('the controller id is drawn among the living brokers (M-1)', async () => {
    const drawn = new Set<number>()
    for (let i = 0; i < 40; i++) drawn.add((await ask(cluster, 1, metadata, { topics: [] })).controllerId)
    expect([...drawn].sort()).toEqual([1, 2, 3])
  })

  test('v0 takes an empty list for all topics; later versions null, and empty for none (W-43, M-3)', async () => {
    expect(await topicsOf({ topics: [] }, 0)).toHaveLength(2)
    expect(await topicsOf({ topics: [] }, 1)).toHaveLength(0)
    expect(await topicsOf({ topics: null }, 1)).toHaveLength(2)
    expect((await topicsOf({ topics: null }, 13)).map(topic => topic[1])).toEqual(['orders', 'audit'])
  })

  test('tells leader, leader epoch, replicas and who is in sync (M-2)', async () => {
    const { topics } = await ask(cluster, 3, metadata, named('audit') as never, 12)
    expect(topics[0]!.partitions).toEqual([
      {
        errorCode: 0,
        partitionIndex: 0,
        leaderId: cluster.leaderOf('audit', 0).id,
        leaderEpoch: 0,
        replicaNodes: cluster.partition('audit', 0).replicas,
        isrNodes: cluster.partition('audit', 0).replicas,
        offlineReplicas: [],
      },
    ])
  })

  test('an unknown name is UNKNOWN_TOPIC_OR_PARTITION, a bad one INVALID_TOPIC_EXCEPTION (M-3, M-10)', async () => {
    expect(await topicsOf(named('no-such'))).toEqual([['UNKNOWN_TOPIC_OR_PARTITION', 'no-such', true, false, 0]])
    for (const name of ['', 'a b', '.', '..', 'x'.repeat(250), 'ü', 'a/b']) {
      expect((await topicsOf(named(name)))[0]![0]).toBe('INVALID_TOPIC_EXCEPTION')
    }
    expect((await topicsOf(named('x'.repeat(249))))[0]![0]).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(await topicsOf(named('__share_group_state'))).toEqual([
      ['UNKNOWN_TOPIC_OR_PARTITION', '__share_group_state', true, true, 0],
    ])
  })

  test('a name that is given twice is answered once (M-3)', async () => {
    expect(await topicsOf(named('audit', 'audit'))).toEqual([['NONE', 'audit', false, false, 1]])
  })

  test('v12 finds topics by id; one id, and the names beside it do not count (M-3)', async () => {
    const orders = { topicId: idOf('orders'), name: null }
    expect(await topicsOf({ topics: [orders] })).toEqual([['NONE', 'orders', false, false, 3]])
    const unknown = { topicId: 'AAAAAAAAAAAAAAAAAAAABA', name: null }
    expect(await topicsOf({ topics: [unknown] })).toEqual([['UNKNOWN_TOPIC_ID', null, false, false, 0]])
    expect(await topicsOf({ topics: [orders, { name: 'audit' }] })).toEqual([['NONE', 'orders', false, false, 3]])
    expect(await topicsOf({ topics: [{ topicId: idOf('orders'), name: 'audit' }] })).toEqual([
      ['NONE', 'orders', false, false, 3],
    ])
  })

  test.each([10, 11])(
    'v%i with an id, or without a name, is refused as a whole: no brokers, no cluster (M-3)',
    async v => {
      const id = idOf('audit')
      const answer = await ask(cluster, 1, metadata, { topics: [{ topicId: id, name: 'audit' }] }, v)
      expect(answer).toMatchObject({ brokers: [], clusterId: null, controllerId: -1 })
      expect(answer.topics).toMatchObject([{ errorCode: 42, name: 'audit', topicId: id, partitions: [] }])
      const nameless = await ask(cluster, 1, metadata, { topics: [{ topicId: id, name: null }] }, v)
      expect(nameless.topics).toMatchObject([{ errorCode: 42, name: '', topicId: id }])
    },
  )

  test('v12 with neither name nor id is INVALID_REQUEST, where Kafka’s broker fails inside itself (M-3)', async () => {
    expect(await topicsOf({ topics: [{ name: null }] })).toEqual([['INVALID_REQUEST', '', true, false, 0]])
  })

  test('authorized operations are told when asked for: of topics from v8, of the cluster to v10 (M-5)', async () => {
    const body = { ...named('audit'), includeTopicAuthorizedOperations: true } as const
    const withCluster = { ...body, includeClusterAuthorizedOperations: true }
    for (const version of [8, 10]) {
      const answer = await ask(cluster, 1, metadata, withCluster as never, version)
      expect([answer.clusterAuthorizedOperations, answer.topics[0]!.topicAuthorizedOperations]).toEqual([8096, 3576])
    }
    const v12 = await ask(cluster, 1, metadata, body as never, 12)
    expect(v12.topics[0]!.topicAuthorizedOperations).toBe(3576)
    const unasked = await ask(cluster, 1, metadata, named('audit') as never, 8)
    expect([unasked.clusterAuthorizedOperations, unasked.topics[0]!.topicAuthorizedOperations]).toEqual([
      -2147483648, -2147483648,
    ])
  })

  test('every version answers', async () => {
    for (let version = 0; version <= 13; version++) {
      expect((await ask(cluster, 1, metadata, { topics: [{ name: 'audit' }] }, version)).topics).toMatchObject([
        { errorCode: 0, name: 'audit' },
      ])
    }
  })
})

describe('auto-creation', () => {
  test.each([0, 3, 13])('v%i: the answer is UNKNOWN_TOPIC_OR_PARTITION, and then the topic is there (M-4)', async v => {
    const name = `wanted-in-v${v}`
    expect((await topicsOf({ topics: [{ name }] }, v, 2))[0]![0]).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    await cluster.runUntil(() => cluster.broker(2).broker!.image.topic(name) !== undefined)
    const { topics } = await ask(cluster, 2, metadata, { topics: [{ name }] })
    expect(topics).toMatchObject([{ errorCode: 0, name, partitions: [{ partitionIndex: 0, leaderEpoch: 0 }] }])
    expect(topics[0]!.partitions[0]!.replicaNodes).toHaveLength(1)
  })

  test('not when the request forbids it, and not for a bad name (M-4)', async () => {
    await topicsOf({ topics: [{ name: 'unwanted' }, { name: 'a b' }], allowAutoTopicCreation: false })
    await topicsOf({ topics: [{ name: 'a b' }] })
    await cluster.clock.advance(5_000)
    expect(cluster.topicNames).not.toContain('unwanted')
    expect(cluster.topicNames).not.toContain('a b')
  })

  test('an internal topic is made with the settings of its own (M-4)', async () => {
    await topicsOf({ topics: [{ name: '__consumer_offsets' }] })
    await cluster.runUntil(() => cluster.broker(1).broker!.image.topic('__consumer_offsets') !== undefined)
    const { topics } = await ask(cluster, 1, metadata, { topics: [{ name: '__consumer_offsets' }] })
    expect(topics[0]).toMatchObject({ isInternal: true })
    expect(topics[0]!.partitions).toHaveLength(50)
    expect(topics[0]!.partitions[0]!.replicaNodes).toHaveLength(3)
    const configs = cluster.broker(1).broker!.image.configsOf(2, '__consumer_offsets')
    expect(Object.fromEntries(configs)).toEqual({
      'compression.type': 'producer',
      'cleanup.policy': 'compact',
      'segment.bytes': '104857600',
    })
    await ask(cluster, 1, deleteTopics, {
      topics: [{ name: '__consumer_offsets', topicId: zeroUuid }],
      timeoutMs: 1000,
    })
  })

  test('with auto.create.topics.enable=false nothing is made (M-4)', async () => {
    await using closed = await createCluster({ brokers: 1, configs: { 'auto.create.topics.enable': false } })
    await ask(closed, 1, metadata, { topics: [{ name: 'wanted' }] })
    await closed.clock.advance(5_000)
    expect(closed.topicNames).toEqual([])
  })
})

describe('a broker is gone', () => {
  test('it is listed no more; its partition has no leader, an error in Metadata and none in DescribeTopicPartitions (M-1, M-2, M-7, R-45)', async () => {
    await using small = await createCluster({
      brokers: 2,
      topics: { solo: { assignments: [[2]] }, pair: { assignments: [[2, 1]] } },
    })
    await small.broker(2).crash()
    await small.runUntil(() => !small.broker(1).broker!.image.isUnfenced(2))
    const answer = await ask(small, 1, metadata, { topics: [{ name: 'solo' }, { name: 'pair' }] })
    expect(answer.brokers.map(broker => broker.nodeId)).toEqual([1])
    expect(answer.controllerId).toBe(1)
    expect(answer.topics.map(topic => topic.partitions)).toEqual([
      [
        {
          errorCode: 5,
          partitionIndex: 0,
          leaderId: -1,
          leaderEpoch: 1,
          replicaNodes: [2],
          isrNodes: [],
          offlineReplicas: [2],
        },
      ],
      [
        {
          errorCode: 0,
          partitionIndex: 0,
          leaderId: 1,
          leaderEpoch: 1,
          replicaNodes: [2, 1],
          isrNodes: [1],
          offlineReplicas: [2],
        },
      ],
    ])
    const described = await ask(small, 1, describeTopicPartitions, { topics: [{ name: 'solo' }] })
    expect(described.topics[0]!.partitions).toEqual([
      {
        errorCode: 0,
        partitionIndex: 0,
        leaderId: -1,
        leaderEpoch: 1,
        replicaNodes: [2],
        isrNodes: [],
        eligibleLeaderReplicas: [2],
        lastKnownElr: [2],
        offlineReplicas: [2],
      },
    ])
    const cluster = await ask(small, 1, describeCluster, { includeClusterAuthorizedOperations: false })
    expect(cluster.brokers.map(broker => broker.brokerId)).toEqual([1])
    const fenced = await ask(small, 1, describeCluster, {
      includeClusterAuthorizedOperations: false,
      includeFencedBrokers: true,
    })
    expect(fenced.brokers.map(({ brokerId, isFenced }) => [brokerId, isFenced])).toEqual([
      [1, false],
      [2, true],
    ])
  })
})

describe('DescribeCluster', () => {
  test('tells the brokers and the cluster id; authorized operations only when asked for (M-7)', async () => {
    const { clusterId } = await ask(cluster, 1, metadata, { topics: [] })
    const answer = await ask(cluster, 1, describeCluster, { includeClusterAuthorizedOperations: false })
    expect(answer).toMatchObject({
      errorCode: 0,
      errorMessage: null,
      endpointType: 1,
      clusterId,
      clusterAuthorizedOperations: -2147483648,
    })
    expect([1, 2, 3]).toContain(answer.controllerId)
    expect(answer.brokers).toEqual([
      { brokerId: 1, host: 'broker-1', port: 9092, rack: 'r1', isFenced: false },
      { brokerId: 2, host: 'broker-2', port: 9092, rack: null, isFenced: false },
      { brokerId: 3, host: 'broker-3', port: 9092, rack: null, isFenced: false },
    ])
    const asked = await ask(cluster, 1, describeCluster, { includeClusterAuthorizedOperations: true }, 0)
    expect(asked.clusterAuthorizedOperations).toBe(8096)
  })

  test('a broker that is asked for controllers says MISMATCHED_ENDPOINT_TYPE (M-7)', async () => {
    const body = { includeClusterAuthorizedOperations: false, endpointType: 2 }
    expect(nameOf((await ask(cluster, 1, describeCluster, body)).errorCode)).toBe('MISMATCHED_ENDPOINT_TYPE')
    const strange = { includeClusterAuthorizedOperations: false, endpointType: 3 }
    expect(nameOf((await ask(cluster, 1, describeCluster, strange)).errorCode)).toBe('UNSUPPORTED_ENDPOINT_TYPE')
  })
})

describe('DescribeTopicPartitions', () => {
  const describedBy = async (body: RequestInput<typeof describeTopicPartitions>) => {
    const { topics, nextCursor } = await ask(cluster, 1, describeTopicPartitions, body)
    const listed = topics.map(({ errorCode, name, partitions, topicAuthorizedOperations }) => [
      nameOf(errorCode),
      name,
      partitions.map(partition => partition.partitionIndex),
      topicAuthorizedOperations,
    ])
    return { listed, nextCursor }
  }

  test('topics come in order of their names, the unknown one too (M-7)', async () => {
    expect(await describedBy({ topics: [{ name: 'orders' }, { name: 'no' }, { name: 'audit' }] })).toEqual({
      listed: [
        ['NONE', 'audit', [0], 3576],
        ['UNKNOWN_TOPIC_OR_PARTITION', 'no', [], 3576],
        ['NONE', 'orders', [0, 1, 2], 3576],
      ],
      nextCursor: null,
    })
  })

  test('a page ends at the limit, and the cursor begins the next one (M-7)', async () => {
    const topics = [{ name: 'audit' }, { name: 'orders' }]
    const first = await describedBy({ topics, responsePartitionLimit: 2 })
    expect(first).toEqual({
      listed: [
        ['NONE', 'audit', [0], 3576],
        ['NONE', 'orders', [0], 3576],
      ],
      nextCursor: { topicName: 'orders', partitionIndex: 1 },
    })
    expect(await describedBy({ topics, responsePartitionLimit: 2, cursor: first.nextCursor })).toEqual({
      listed: [['NONE', 'orders', [1, 2], 3576]],
      nextCursor: null,
    })
    expect(await describedBy({ topics, responsePartitionLimit: 1 })).toEqual({
      listed: [['NONE', 'audit', [0], 3576]],
      nextCursor: { topicName: 'orders', partitionIndex: 0 },
    })
  })

  test.each([0, -1])('a limit of %i acts as 1 (M-7)', async responsePartitionLimit => {
    const { listed } = await describedBy({ topics: [{ name: 'orders' }], responsePartitionLimit })
    expect(listed).toEqual([['NONE', 'orders', [0], 3576]])
  })

  test('a bad name is INVALID_TOPIC_EXCEPTION, and so is none, where Kafka’s broker fails inside itself (M-7)', async () => {
    const { listed } = await describedBy({ topics: [{ name: 'a b' }] })
    expect(listed).toEqual([['INVALID_TOPIC_EXCEPTION', 'a b', [], 3576]])
    const nameless = await describedBy({ topics: [{ name: '' }] })
    expect(nameless.listed).toEqual([['INVALID_TOPIC_EXCEPTION', '', [], 3576]])
  })

  test('an empty list means all topics, and no unknown ones (M-7)', async () => {
    const { listed } = await describedBy({ topics: [], cursor: { topicName: 'b', partitionIndex: 0 } })
    expect(listed[0]).toEqual(['NONE', 'orders', [0, 1, 2], 3576])
  })

  test('a cursor behind the last partition gives the topic without partitions; a bad one INVALID_REQUEST (M-7)', async () => {
    const topics = [{ name: 'orders' }]
    expect((await describedBy({ topics, cursor: { topicName: 'orders', partitionIndex: 9 } })).listed).toEqual([
      ['NONE', 'orders', [], 3576],
    ])
    for (const cursor of [
      { topicName: 'orders', partitionIndex: -1 },
      { topicName: 'audit', partitionIndex: 0 },
    ]) {
      expect((await describedBy({ topics, cursor })).listed).toEqual([['INVALID_REQUEST', 'orders', [], -2147483648]])
    }
  })
})
