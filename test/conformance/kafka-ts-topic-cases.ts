/** Topics, their partitions and their configurations, asked by kafka-ts in every version. */
import { API, API_ERROR } from 'kafka-ts'
import { expect } from 'vitest'
import { cut } from '../../src/cluster/network-faults.ts'
import type { Cases, KafkaTsWorld } from './kafka-ts-world.ts'

const TOPIC_RESOURCE = 2
const BROKER_RESOURCE = 4
const GROUP_RESOURCE = 32
/** Where a configuration's value is from. */
const DYNAMIC_TOPIC = 1
const DEFAULT = 5
const SET = 0
const DELETE = 1
const OMITTED = -2147483648

export const topicCases: Cases = {
  async Metadata(world, version) {
    const { name, id } = await world.topic(2)
    const answer = await world.ask(API.METADATA, version, {
      topics: [{ id: null, name }],
      allowTopicAutoCreation: false,
      includeTopicAuthorizedOperations: false,
    })
    const addresses = answer.brokers.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`])
    expect(addresses.sort()).toEqual(world.cluster.brokers.map(({ id }, i) => [id, world.cluster.addresses[i]]))
    // What stands for the controller is some broker: clients cannot reach the real one.
    expect(version >= 1 ? answer.controllerId : 1).toBeOneOf([1, 2, 3])
    expect(answer.clusterId).toEqual(version >= 2 ? expect.stringMatching(/^[\w-]{22}$/) : null)
    expect(answer).toMatchObject({ throttleTimeMs: 0, clusterAuthorizedOperations: OMITTED, errorCode: 0 })
    const leader = (partition: number) => world.cluster.leaderOf(name, partition).id
    expect(answer.topics).toMatchObject([
      { errorCode: 0, name, topicId: version >= 10 ? id : '', isInternal: false, topicAuthorizedOperations: OMITTED },
    ])
    const partitions = answer.topics[0]!.partitions.sort((a, b) => a.partitionIndex - b.partitionIndex)
    expect(partitions).toMatchObject(
      [0, 1].map(partitionIndex => ({
        errorCode: 0,
        partitionIndex,
        leaderId: leader(partitionIndex),
        leaderEpoch: version >= 7 ? 0 : -1,
        offlineReplicas: [],
      })),
    )
    for (const { replicaNodes, isrNodes } of partitions) {
      expect([[...replicaNodes].sort(), [...isrNodes].sort()]).toEqual([
        [1, 2, 3],
        [1, 2, 3],
      ])
    }
    const known = await world.ask(API.METADATA, version, { topics: version === 0 ? [] : null })
    expect(known.topics.map(topic => topic.name)).toContain(name)
    const unknown = { topics: [{ id: null, name: 'no-such-topic' }], allowTopicAutoCreation: false }
    if (version >= 4) {
      expect((await world.refused(API.METADATA, version, unknown)).errorCode).toBe(API_ERROR.UNKNOWN_TOPIC_OR_PARTITION)
    }
    if (version >= 12) {
      const byId = await world.ask(API.METADATA, version, { topics: [{ id, name: null as never }] })
      expect(byId.topics).toMatchObject([{ name, topicId: id }])
      const noTopic = { topics: [{ id: '0123456789abcdef'.repeat(2), name: null as never }] }
      expect((await world.refused(API.METADATA, version, noTopic)).errorCode).toBe(API_ERROR.UNKNOWN_TOPIC_ID)
    }
  },

  async CreateTopics(world, version) {
    const [counted, assigned] = [world.name('counted'), world.name('assigned')]
    const assignments = [{ partitionIndex: 0, brokerIds: [3, 1] }]
    const topics = [
      { name: counted, numPartitions: 2, replicationFactor: 3, configs: [{ name: 'retention.ms', value: '1000' }] },
      { name: assigned, numPartitions: -1, replicationFactor: -1, assignments },
    ]
    const create = (topics: object[], validateOnly = false) =>
      ({ topics, timeoutMs: 5_000, validateOnly }) as { topics: { name: string }[]; timeoutMs: number }
    const validated = await world.ask(API.CREATE_TOPICS, version, create(topics, true))
    expect(validated.topics.map(topic => topic.errorCode)).toEqual([0, 0])
    expect(world.cluster.topicNames).not.toContain(counted)

    const answer = await world.ask(API.CREATE_TOPICS, version, create(topics))
    expect(answer.throttleTimeMs).toBe(0)
    const [one, other] = [counted, assigned].map(name => answer.topics.find(topic => topic.name === name)!)
    expect([one, other]).toMatchObject([
      { errorCode: 0, errorMessage: null },
      { errorCode: 0, errorMessage: null },
    ])
    if (version >= 5) {
      expect([one, other]).toMatchObject([
        { _numPartitions: 2, _replicationFactor: 3 },
        { _numPartitions: 1, _replicationFactor: 2 },
      ])
      expect(one!.configs.find(config => config.name === 'retention.ms')).toMatchObject({
        value: '1000',
        readOnly: false,
        configSource: DYNAMIC_TOPIC,
        isSensitive: false,
      })
    }
    await world.cluster.runUntil(() => [counted, assigned].every(name => world.cluster.topicNames.includes(name)))
    if (version >= 7) {
      const known = await world.ask(API.METADATA, 13, { topics: [{ id: null, name: counted }] })
      expect(one!._topicId).toBe(known.topics[0]!.topicId)
    }
    expect(world.cluster.partition(assigned, 0).replicas).toEqual([3, 1])
    const refused = async (topic: object) => world.refused(API.CREATE_TOPICS, version, create([topic]))
    expect(await refused({ name: counted, numPartitions: 1, replicationFactor: 1 })).toMatchObject({
      errorCode: API_ERROR.TOPIC_ALREADY_EXISTS,
      response: { topics: [{ errorMessage: `Topic '${counted}' already exists.` }] },
    })
    const wide = await refused({ name: world.name('wide'), numPartitions: 1, replicationFactor: 9 })
    expect(wide.errorCode).toBe(API_ERROR.INVALID_REPLICATION_FACTOR)
  },

  async DeleteTopics(world, version) {
    const [one, other] = [await world.topic(), await world.topic()]
    const named = { topics: [{ name: one.name, topicId: null }], timeoutMs: 5_000 }
    const answer = await world.ask(API.DELETE_TOPICS, version, named)
    expect(answer).toMatchObject({
      throttleTimeMs: 0,
      responses: [{ name: one.name, errorCode: 0, errorMessage: null }],
    })
    const again = await world.refused(API.DELETE_TOPICS, version, named)
    expect(again.errorCode).toBe(API_ERROR.UNKNOWN_TOPIC_OR_PARTITION)
    if (version >= 6) {
      const byId = { topics: [{ name: null as never, topicId: other.id }], timeoutMs: 5_000 }
      const gone = await world.ask(API.DELETE_TOPICS, version, byId)
      expect(gone.responses).toMatchObject([{ name: other.name, _topicId: other.id, errorCode: 0 }])
      expect(world.cluster.topicNames).not.toContain(other.name)
    }
  },

  async CreatePartitions(world, version) {
    const { name } = await world.topic(1)
    const to = (count: number, validateOnly = false) => ({
      topics: [{ name, count, assignments: null }],
      timeoutMs: 5_000,
      validateOnly,
    })
    const done = { throttleTimeMs: 0, results: [{ name, errorCode: 0, errorMessage: null }] }
    expect(await world.ask(API.CREATE_PARTITIONS, version, to(3, true))).toMatchObject(done)
    expect(await world.ask(API.CREATE_PARTITIONS, version, to(3))).toMatchObject(done)
    const refused = await world.refused(API.CREATE_PARTITIONS, version, to(3))
    expect(refused).toMatchObject({ errorCode: API_ERROR.INVALID_PARTITIONS, response: { results: [{ name }] } })
    const assignments = [{ brokerIds: [2, 3, 1] }]
    const placed = { ...to(4), topics: [{ name, count: 4, assignments }] }
    expect(await world.ask(API.CREATE_PARTITIONS, version, placed)).toMatchObject(done)
    expect(world.cluster.partition(name, 3).replicas).toEqual([2, 3, 1])
  },

  async DescribeConfigs(world, version) {
    const { name } = await world.topic(1, { 'cleanup.policy': 'compact' })
    const resource = { resourceType: TOPIC_RESOURCE, resourceName: name }
    const answer = await world.ask(API.DESCRIBE_CONFIGS, version, {
      resources: [{ ...resource, configurationKeys: ['cleanup.policy', 'max.message.bytes'] }],
      includeSynonyms: true,
      includeDocumentation: true,
    })
    expect(answer).toMatchObject({ throttleTimeMs: 0, results: [{ ...resource, errorCode: 0, errorMessage: '' }] })
    const configs = [...answer.results[0]!.configs].sort((a, b) => (a.name < b.name ? -1 : 1))
    expect(configs).toMatchObject([
      {
        name: 'cleanup.policy',
        value: 'compact',
        readOnly: false,
        configSource: DYNAMIC_TOPIC,
        isSensitive: false,
        synonyms: [
          { name: 'cleanup.policy', value: 'compact', source: DYNAMIC_TOPIC },
          { name: 'log.cleanup.policy', value: 'delete', source: DEFAULT },
        ],
      },
      { name: 'max.message.bytes', value: '1048588', configSource: DEFAULT },
    ])
    // LIST and INT.
    if (version >= 3) expect(configs.map(({ configType }) => configType)).toEqual([7, 3])
    const unknown = { resources: [{ ...resource, resourceName: 'no-such-topic', configurationKeys: null }] }
    const { errorCode } = await world.refused(API.DESCRIBE_CONFIGS, version, { ...unknown, includeSynonyms: false })
    expect(errorCode).toBe(API_ERROR.UNKNOWN_TOPIC_OR_PARTITION)
  },

  async AlterConfigs(world, version) {
    const { name } = await world.topic(1, { 'cleanup.policy': 'compact' })
    const resource = { resourceType: TOPIC_RESOURCE, resourceName: name }
    const alter = (config: string, value: string, validateOnly = false) => ({
      resources: [{ ...resource, configs: [{ name: config, value }] }],
      validateOnly,
    })
    const done = { throttleTimeMs: 0, responses: [{ ...resource, errorCode: 0, errorMessage: null }] }
    expect(await world.ask(API.ALTER_CONFIGS, version, alter('retention.ms', '5', true))).toMatchObject(done)
    expect(await configsOf(world, name)).toMatchObject({ 'cleanup.policy': 'compact' })
    expect(await world.ask(API.ALTER_CONFIGS, version, alter('retention.ms', '5000'))).toMatchObject(done)
    // The old call replaces all.
    expect(await configsOf(world, name)).toEqual({ 'retention.ms': '5000' })
    const refused = await world.refused(API.ALTER_CONFIGS, version, alter('retention.ms', 'soon'))
    expect(refused).toMatchObject({ errorCode: API_ERROR.INVALID_CONFIG, response: { responses: [resource] } })
  },

  async IncrementalAlterConfigs(world, version) {
    const { name } = await world.topic(1, { 'cleanup.policy': 'compact' })
    const resource = { resourceType: TOPIC_RESOURCE, resourceName: name }
    const alter = (...configs: { name: string; configOperation: number; value: string | null }[]) => ({
      resources: [{ ...resource, configs }],
      validateOnly: false,
    })
    const change = alter(
      { name: 'retention.ms', configOperation: SET, value: '5000' },
      { name: 'cleanup.policy', configOperation: DELETE, value: null },
      { name: 'min.insync.replicas', configOperation: DELETE, value: null },
    )
    expect(await world.ask(API.INCREMENTAL_ALTER_CONFIGS, version, change)).toMatchObject({
      throttleTimeMs: 0,
      responses: [{ ...resource, errorCode: 0, errorMessage: null }],
    })
    expect(await configsOf(world, name)).toEqual({ 'retention.ms': '5000' })
    const wrong = alter({ name: 'retention.ms', configOperation: SET, value: 'soon' })
    expect((await world.refused(API.INCREMENTAL_ALTER_CONFIGS, version, wrong)).errorCode).toBe(
      API_ERROR.INVALID_CONFIG,
    )
  },

  async DescribeTopicPartitions(world, version) {
    const [one, other] = [await world.topic(2), await world.topic(1)]
    const ask = (limit: number, cursor: { topicName: string; partitionIndex: number } | null) =>
      world.ask(API.DESCRIBE_TOPIC_PARTITIONS, version, {
        topics: [{ name: other.name }, { name: one.name }],
        responsePartitionLimit: limit,
        cursor,
      })
    const whole = await ask(2_000, null)
    expect(whole).toMatchObject({ throttleTimeMs: 0, nextCursor: null })
    expect(whole.topics).toMatchObject(
      [one, other]
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map(({ name, id }) => ({ errorCode: 0, name, topicId: id, isInternal: false })),
    )
    const partitions = whole.topics.find(({ name }) => name === one.name)!.partitions
    expect(partitions).toMatchObject([
      { errorCode: 0, partitionIndex: 0, leaderId: world.leader(one.name), leaderEpoch: 0, offlineReplicas: [] },
      { errorCode: 0, partitionIndex: 1, eligibleLeaderReplicas: [], lastKnownElr: [] },
    ])
    const first = await ask(1, null)
    expect(first.nextCursor).toMatchObject({ topicName: first.topics.at(-1)!.name, partitionIndex: 1 })
    const { topicName, partitionIndex } = first.nextCursor!
    const rest = await ask(2_000, { topicName, partitionIndex })
    const count = (answer: typeof rest) => answer.topics.flatMap(topic => topic.partitions).length
    expect([count(first), count(rest)]).toEqual([1, 2])
  },

  async ElectLeaders(world, version) {
    const { name } = await world.topic()
    const ask = { electionType: 0, topicPartitions: [{ topic: name, partitions: [0] }], timeoutMs: 5_000 }
    expect(await world.refused(API.ELECT_LEADERS, version, ask)).toMatchObject({
      errorCode: API_ERROR.ELECTION_NOT_NEEDED,
      response: {
        throttleTimeMs: 0,
        errorCode: 0,
        replicaElectionResults: [{ topic: name, partitionResult: [{ partitionId: 0 }] }],
      },
    })
    // For all partitions: every topic is named, partitions that need none are not.
    const all = await world.ask(API.ELECT_LEADERS, version, { ...ask, topicPartitions: null })
    expect(all).toMatchObject({ throttleTimeMs: 0, errorCode: 0, replicaElectionResults: expect.anything() })
    for (const { partitionResult } of all.replicaElectionResults) expect(partitionResult).toEqual([])
    expect(all.replicaElectionResults.map(({ topic }) => topic)).toContain(name)
  },

  async AlterPartitionReassignments(world, version) {
    const name = world.name('moved')
    await world.cluster.createTopic({ name, assignments: [[1, 2]] })
    const ask = (replicas: number[] | null) => ({
      timeoutMs: 5_000,
      allowReplicationFactorChange: true,
      topics: [{ name, partitions: [{ partitionIndex: 0, replicas }] }],
    })
    const nothing = await world.refused(API.ALTER_PARTITION_REASSIGNMENTS, version, ask(null))
    expect(nothing.errorCode).toBe(API_ERROR.NO_REASSIGNMENT_IN_PROGRESS)
    expect(await world.ask(API.ALTER_PARTITION_REASSIGNMENTS, version, ask([3, 1]))).toMatchObject({
      throttleTimeMs: 0,
      errorCode: 0,
      errorMessage: null,
      responses: [{ name, partitions: [{ partitionIndex: 0, errorCode: 0, errorMessage: null }] }],
    })
    const replicas = () => world.cluster.partition(name, 0).replicas
    await world.cluster.runUntil(() => `${replicas()}` === '3,1')
  },

  async ListPartitionReassignments(world, version) {
    const name = world.name('moved')
    await world.cluster.createTopic({ name, assignments: [[1]] })
    await world.write(name, [{ key: 'a', value: '1' }])
    const list = () =>
      world.ask(API.LIST_PARTITION_REASSIGNMENTS, version, {
        timeoutMs: 5_000,
        topics: [{ name, partitionIndexes: [0] }],
      })
    expect(await list()).toMatchObject({ throttleTimeMs: 0, errorCode: 0, errorMessage: null, topics: [] })
    // The new replica cannot fetch, so the move lasts.
    using _ = world.cluster.network.rule(cut(1, 2))
    const partitions = [{ partitionIndex: 0, replicas: [2] }]
    const topics = [{ name, partitions }]
    await world.ask(API.ALTER_PARTITION_REASSIGNMENTS, 1, { timeoutMs: 5_000, topics })
    expect((await list()).topics).toMatchObject([
      { name, partitions: [{ partitionIndex: 0, replicas: [2, 1], addingReplicas: [2], removingReplicas: [1] }] },
    ])
  },

  async DescribeLogDirs(world, version) {
    const { name } = await world.topic()
    await world.write(name, [{ key: 'a', value: '1' }])
    const answer = await world.ask(API.DESCRIBE_LOG_DIRS, version, { topics: [{ topic: name, partitions: [0] }] })
    expect(answer).toMatchObject({ throttleTimeMs: 0, errorCode: 0 })
    const [dir] = answer.results
    expect(dir).toMatchObject({
      errorCode: 0,
      logDir: expect.stringMatching(/^\//),
      topics: [{ name, partitions: [{ partitionIndex: 0, offsetLag: 0n, isFutureKey: false }] }],
      isCordoned: false,
    })
    expect(dir!.topics[0]!.partitions[0]!.partitionSize).toBeGreaterThan(61n)
    if (version >= 4) expect(dir!.usableBytes).toBeLessThanOrEqual(dir!.totalBytes)
  },

  async AlterReplicaLogDirs(world, version) {
    const { name } = await world.topic()
    const { results } = await world.ask(API.DESCRIBE_LOG_DIRS, 5, { topics: null })
    const to = (path: string) => ({ dirs: [{ path, topics: [{ name, partitions: [0] }] }] })
    expect(await world.ask(API.ALTER_REPLICA_LOG_DIRS, version, to(results[0]!.logDir!))).toMatchObject({
      throttleTimeMs: 0,
      results: [{ topicName: name, partitions: [{ partitionIndex: 0, errorCode: 0 }] }],
    })
    const elsewhere = await world.refused(API.ALTER_REPLICA_LOG_DIRS, version, to('/elsewhere'))
    expect(elsewhere.errorCode).toBe(API_ERROR.LOG_DIR_NOT_FOUND)
  },

  async ListConfigResources(world, version) {
    const { name } = await world.topic()
    const list = async (resourceTypes?: number[]) => {
      const data = resourceTypes === undefined ? {} : { resourceTypes }
      const answer = await world.ask(API.LIST_CONFIG_RESOURCES, version, data)
      expect(answer).toMatchObject({ throttleTimeMs: 0, errorCode: 0 })
      return answer.configResources.map(({ resourceName, resourceType }) => [resourceType, resourceName])
    }
    // v0 knows subscriptions of clients' metrics only: there are none.
    if (version === 0) return expect(await list()).toEqual([])
    expect(await list([TOPIC_RESOURCE])).toContainEqual([TOPIC_RESOURCE, name])
    expect(await list([BROKER_RESOURCE])).toEqual([
      [BROKER_RESOURCE, '1'],
      [BROKER_RESOURCE, '2'],
      [BROKER_RESOURCE, '3'],
    ])
    expect(await list([GROUP_RESOURCE])).toEqual([])
    expect(await list([])).toContainEqual([TOPIC_RESOURCE, name])
  },
}

/** What was set on a topic. */
async function configsOf(world: KafkaTsWorld, name: string): Promise<Record<string, string | null>> {
  const { results } = await world.ask(API.DESCRIBE_CONFIGS, 4, {
    resources: [{ resourceType: TOPIC_RESOURCE, resourceName: name, configurationKeys: null }],
    includeSynonyms: false,
  })
  const set = results[0]!.configs.filter(({ configSource }) => configSource === DYNAMIC_TOPIC)
  return Object.fromEntries(set.map(({ name, value }) => [name, value]))
}
