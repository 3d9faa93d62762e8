import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { alterPartitionReassignments } from '../../src/apis/alter-partition-reassignments.ts'
import { createPartitions } from '../../src/apis/create-partitions.ts'
import { createTopics } from '../../src/apis/create-topics.ts'
import { deleteTopics } from '../../src/apis/delete-topics.ts'
import { electLeaders } from '../../src/apis/elect-leaders.ts'
import { incrementalAlterConfigs } from '../../src/apis/incremental-alter-configs.ts'
import { initProducerId } from '../../src/apis/init-producer-id.ts'
import { listPartitionReassignments } from '../../src/apis/list-partition-reassignments.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster, cut } from '../../src/index.ts'
import { zeroUuid } from '../../src/wire/uuid.ts'
import { ask, nameOf } from './asking.ts'

let cluster: Cluster

beforeAll(async () => {
  cluster = await createCluster({
    brokers: 3,
    topics: { led: { assignments: [[1, 2, 3]] }, fixed: { assignments: [[1], [2]] } },
  })
})

afterAll(() => cluster.close())

const newTopic = (name: string, numPartitions = 2, replicationFactor = 3) => ({
  name,
  numPartitions,
  replicationFactor,
  assignments: [],
  configs: [],
})

const imagesOf = (topic: string) => cluster.brokers.map(({ broker }) => broker!.image.topic(topic)?.partitions.length)

describe('any broker takes what the controller decides', () => {
  test('CreateTopics: the topic is known to every broker by the time of the answer (M-10, M-12)', async () => {
    for (const version of [2, 4, 5, 7]) {
      const name = `made-in-v${version}`
      const { topics } = await ask(cluster, 2, createTopics, { topics: [newTopic(name)], timeoutMs: 1000 }, version)
      expect(topics).toMatchObject([{ name, errorCode: 0, errorMessage: null }])
      expect(imagesOf(name)).toEqual([2, 2, 2])
      if (version >= 5) expect(topics[0]).toMatchObject({ numPartitions: 2, replicationFactor: 3 })
      if (version >= 7) expect(topics[0]!.topicId).not.toBe(zeroUuid)
    }
    const again = { topics: [newTopic('made-in-v7'), newTopic('a b')], timeoutMs: 1000 }
    expect((await ask(cluster, 3, createTopics, again)).topics.map(topic => nameOf(topic.errorCode))).toEqual([
      'TOPIC_ALREADY_EXISTS',
      'INVALID_TOPIC_EXCEPTION',
    ])
  })

  test('DeleteTopics: by name in v1, by name or id in v6; gone from every broker by the time of the answer (M-14)', async () => {
    const topics = [newTopic('gone-1'), newTopic('gone-2'), newTopic('gone-3')]
    const made = await ask(cluster, 1, createTopics, { topics, timeoutMs: 1000 })
    const v1 = { topicNames: ['gone-1', 'nosuch'], timeoutMs: 1000 }
    expect((await ask(cluster, 2, deleteTopics, v1, 1)).responses).toMatchObject([
      { name: 'gone-1', errorCode: 0 },
      { name: 'nosuch', errorCode: 3 },
    ])
    const v6 = {
      topics: [
        { name: 'gone-2', topicId: zeroUuid },
        { name: null, topicId: made.topics[2]!.topicId },
        { name: null, topicId: 'AAAAAAAAAAAAAAAAAAAABA' },
      ],
      timeoutMs: 1000,
    }
    const { responses } = await ask(cluster, 3, deleteTopics, v6)
    expect(responses.map(({ name, errorCode }) => [name, nameOf(errorCode)])).toEqual([
      ['gone-2', 'NONE'],
      ['gone-3', 'NONE'],
      [null, 'UNKNOWN_TOPIC_ID'],
    ])
    for (const name of ['gone-1', 'gone-2', 'gone-3']) expect(imagesOf(name)).toEqual([undefined, undefined, undefined])
  })

  test('without delete.topic.enable: INVALID_REQUEST before v3, TOPIC_DELETION_DISABLED from then on (M-14)', async () => {
    await using kept = await createCluster({
      brokers: 1,
      topics: { t: {} },
      configs: { 'delete.topic.enable': false },
    })
    const errorIn = async (version: number) => {
      const { responses } = await ask(kept, 1, deleteTopics, { topicNames: ['t'], timeoutMs: 1000 }, version)
      return nameOf(responses[0]!.errorCode)
    }
    expect([await errorIn(2), await errorIn(3)]).toEqual(['INVALID_REQUEST', 'TOPIC_DELETION_DISABLED'])
  })

  test('CreatePartitions (M-13)', async () => {
    await ask(cluster, 1, createTopics, { topics: [newTopic('grows')], timeoutMs: 1000 })
    const grow = async (count: number) => {
      const body = { topics: [{ name: 'grows', count, assignments: null }], timeoutMs: 1000, validateOnly: false }
      return nameOf((await ask(cluster, 2, createPartitions, body)).results[0]!.errorCode)
    }
    expect(await grow(4)).toBe('NONE')
    expect(imagesOf('grows')).toEqual([4, 4, 4])
    expect(await grow(4)).toBe('INVALID_PARTITIONS')
  })

  test('ElectLeaders: v0 tells each partition, null means all (R-48)', async () => {
    const body = { topicPartitions: [{ topic: 'led', partitions: [0, 9] }], timeoutMs: 1000 }
    for (const version of [0, 2]) {
      const { replicaElectionResults } = await ask(cluster, 3, electLeaders, body, version)
      expect(replicaElectionResults[0]!.partitionResult.map(({ errorCode }) => nameOf(errorCode))).toEqual([
        'ELECTION_NOT_NEEDED',
        'UNKNOWN_TOPIC_OR_PARTITION',
      ])
    }
    const all = await ask(cluster, 3, electLeaders, { topicPartitions: null, timeoutMs: 1000 })
    expect(all.replicaElectionResults).toContainEqual({ topic: 'led', partitionResult: [] })
  })

  test('reassignments: the new replica is in, the old one out (M-15)', async () => {
    const body = {
      timeoutMs: 1000,
      topics: [{ name: 'fixed', partitions: [{ partitionIndex: 0, replicas: [3] }] }],
    }
    expect((await ask(cluster, 2, alterPartitionReassignments, body)).responses).toEqual([
      { name: 'fixed', partitions: [{ partitionIndex: 0, errorCode: 0, errorMessage: null }] },
    ])
    await cluster.runUntil(() => cluster.partition('fixed', 0).replicas.join() === '3')
    const none = await ask(cluster, 2, listPartitionReassignments, { timeoutMs: 1000 })
    expect(none).toMatchObject({ errorCode: 0, topics: [] })
  })
})

describe('without the controller', () => {
  test('each item says NOT_CONTROLLER, which clients retry, and the connection stays open', async () => {
    await using headless = await createCluster({ brokers: 2, topics: { t: { assignments: [[1, 2]] } } })
    await headless.controller.crash()
    const created = await ask(headless, 1, createTopics, { topics: [newTopic('x'), newTopic('y')], timeoutMs: 1000 })
    expect(created.topics.map(topic => nameOf(topic.errorCode))).toEqual(['NOT_CONTROLLER', 'NOT_CONTROLLER'])
    const v1 = await ask(headless, 1, deleteTopics, { topicNames: ['t'], timeoutMs: 1000 }, 1)
    expect(v1.responses.map(topic => [topic.name, nameOf(topic.errorCode)])).toEqual([['t', 'NOT_CONTROLLER']])
    const grown = await ask(headless, 1, createPartitions, {
      topics: [{ name: 't', count: 2, assignments: null }],
      timeoutMs: 1000,
      validateOnly: false,
    })
    expect(grown.results.map(({ errorCode }) => nameOf(errorCode))).toEqual(['NOT_CONTROLLER'])
    const elect = { topicPartitions: [{ topic: 't', partitions: [0] }], timeoutMs: 1000 }
    for (const version of [0, 2]) {
      const elected = await ask(headless, 1, electLeaders, elect, version)
      expect(nameOf(elected.errorCode)).toBe(version === 0 ? 'NONE' : 'NOT_CONTROLLER')
      expect(nameOf(elected.replicaElectionResults[0]!.partitionResult[0]!.errorCode)).toBe('NOT_CONTROLLER')
    }
    const moved = await ask(headless, 1, alterPartitionReassignments, {
      timeoutMs: 1000,
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, replicas: [2] }] }],
    })
    expect(nameOf(moved.errorCode)).toBe('NOT_CONTROLLER')
    expect(nameOf(moved.responses[0]!.partitions[0]!.errorCode)).toBe('NOT_CONTROLLER')
    const listed = await ask(headless, 1, listPartitionReassignments, { timeoutMs: 1000 })
    expect(nameOf(listed.errorCode)).toBe('NOT_CONTROLLER')
    const configs = [{ name: 'retention.ms', configOperation: 0, value: '1' }]
    const altered = await ask(headless, 1, incrementalAlterConfigs, {
      resources: [
        { resourceType: 4, resourceName: '2', configs },
        { resourceType: 2, resourceName: 't', configs },
      ],
      validateOnly: false,
    })
    expect(altered.responses.map(({ errorCode }) => nameOf(errorCode))).toEqual(['INVALID_REQUEST', 'NOT_CONTROLLER'])
  })

  test('a broker that is cut off from it answers too, once it gives the controller up', async () => {
    await using torn = await createCluster({ brokers: 2 })
    torn.network.rule(cut(1, 1000))
    const { topics } = await ask(torn, 1, createTopics, { topics: [newTopic('x', 1, 1)], timeoutMs: 1000 })
    expect(nameOf(topics[0]!.errorCode)).toBe('NOT_CONTROLLER')
  })
})

describe('InitProducerId', () => {
  const init = async (transactionalId: string | null, rest: object = {}, { version = 5, broker = 1 } = {}) => {
    const body = { transactionalId, transactionTimeoutMs: 60_000, ...rest }
    const { errorCode, producerId, producerEpoch } = await ask(cluster, broker, initProducerId, body, version)
    return [nameOf(errorCode), producerId, producerEpoch]
  }

  test('gives ids in order out of the broker’s block of a thousand, epoch 0, whatever comes with the request (I-15, T-10)', async () => {
    await cluster.clock.advance(1_000)
    const [, first] = (await init(null)) as [string, number, number]
    expect(first % 1000).toBe(0)
    for (const version of [0, 1, 2, 3, 4, 5]) {
      expect(await init(null, {}, { version })).toEqual(['NONE', first + 1 + version, 0])
    }
    expect(await init(null, { producerId: first, producerEpoch: 3 })).toEqual(['NONE', first + 7, 0])
    expect(await init(null, { transactionTimeoutMs: -5 })).toEqual(['NONE', first + 8, 0])
    const [, other] = (await init(null, {}, { broker: 2 })) as [string, number, number]
    expect(Math.floor(other / 1000)).not.toBe(Math.floor(first / 1000))
  })

  test('an empty transactional id, or half of id and epoch with one, is INVALID_REQUEST (T-10)', async () => {
    expect(await init('')).toEqual(['INVALID_REQUEST', -1, -1])
    expect(await init('tx', { producerId: 1 })).toEqual(['INVALID_REQUEST', -1, -1])
    expect(await init('tx', { producerEpoch: 1 })).toEqual(['INVALID_REQUEST', -1, -1])
  })

  test('without a block of ids the answer is COORDINATOR_LOAD_IN_PROGRESS, until the controller is back (I-15)', async () => {
    await using headless = await createCluster({ brokers: 1 })
    const take = async () => {
      const body = { transactionalId: null, transactionTimeoutMs: 0 }
      return nameOf((await ask(headless, 1, initProducerId, body)).errorCode)
    }
    // The first block is asked for when the broker is ready, and is there a little later.
    await headless.clock.advance(1_000)
    expect(await take()).toBe('NONE')
    await headless.controller.crash()
    for (let i = 1; i < 1000; i++) headless.broker(1).broker!.producerIds.take()
    expect(await take()).toBe('COORDINATOR_LOAD_IN_PROGRESS')
    await headless.controller.restart()
    await headless.clock.advance(3_000)
    expect(await take()).toBe('NONE')
  })
})
