import { describe, expect, test } from 'vitest'
import { createPartitions } from '../../src/apis/create-partitions.ts'
import { createTopics } from '../../src/apis/create-topics.ts'
import { deleteTopics } from '../../src/apis/delete-topics.ts'
import { resourceTypes } from '../../src/metadata/image.ts'
import type { RequestInput } from '../../src/wire/api.ts'
import { errorOf } from '../../src/wire/errors.ts'
import { zeroUuid } from '../../src/wire/uuid.ts'
import { DrivenController } from './driven-controller.ts'

type NewTopic = RequestInput<typeof createTopics>['topics'][number]

function asked(name: string, other: Partial<NewTopic> = {}): NewTopic {
  return { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [], ...other }
}

function byHand(name: string, ...replicas: number[][]): NewTopic {
  const assignments = replicas.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }))
  return asked(name, { numPartitions: -1, replicationFactor: -1, assignments })
}

function create(driven: DrivenController, ...topics: NewTopic[]) {
  return driven.ask(createTopics, { topics }).topics.map(topic => ({ ...topic, error: errorOf(topic.errorCode).name }))
}

const error = (driven: DrivenController, topic: NewTopic) => create(driven, topic)[0]!.error

describe('CreateTopics', () => {
  test('names: 249 letters, digits, dots, underscores, dashes (M-10)', () => {
    const driven = DrivenController.withBrokers(1)
    for (const name of ['', '.', '..', 'x y', 'ü', 'x/y', 'n'.repeat(250)]) {
      expect(error(driven, asked(name))).toBe('INVALID_TOPIC_EXCEPTION')
    }
    expect(error(driven, asked('n'.repeat(249)))).toBe('NONE')
    expect(error(driven, asked('...'))).toBe('NONE')
  })

  test('a name that is taken, or that metrics could not tell from one that is (M-10)', () => {
    const driven = DrivenController.withBrokers(1)
    expect(error(driven, asked('a.b'))).toBe('NONE')
    expect(error(driven, asked('a_b'))).toBe('INVALID_TOPIC_EXCEPTION')
    expect(error(driven, asked('a.b'))).toBe('TOPIC_ALREADY_EXISTS')
    expect(create(driven, asked('c.d'), asked('c_d')).map(topic => topic.error)).toEqual([
      'NONE',
      'INVALID_TOPIC_EXCEPTION',
    ])
    const { topics } = driven.ask(createTopics, { topics: [asked('a.b')], validateOnly: true })
    expect(errorOf(topics[0]!.errorCode).name).toBe('TOPIC_ALREADY_EXISTS')
  })

  test('twice in one request: it is not made, and refused once (M-10)', () => {
    const driven = DrivenController.withBrokers(1)
    const answers = create(driven, asked('twice'), asked('once'), asked('twice'))
    expect(answers.map(topic => topic.error)).toEqual(['INVALID_REQUEST', 'NONE'])
    expect(driven.image.topic('twice')).toBeUndefined()
  })

  test('counts: −1 asks for the default of the controller (M-11)', () => {
    const configs = new Map([
      ['num.partitions', '3'],
      ['default.replication.factor', '2'],
    ])
    const driven = DrivenController.withBrokers(4, { configs })
    const [answer] = create(driven, asked('defaults', { numPartitions: -1, replicationFactor: -1 }))
    expect(answer).toMatchObject({ error: 'NONE', numPartitions: 3, replicationFactor: 2 })
    expect(driven.image.topic('defaults')!.partitions.map(partition => partition.replicas.length)).toEqual([2, 2, 2])
  })

  test.each([
    [0, 1, 'INVALID_PARTITIONS'],
    [-2, 1, 'INVALID_PARTITIONS'],
    [1, 0, 'INVALID_REPLICATION_FACTOR'],
    [1, -2, 'INVALID_REPLICATION_FACTOR'],
    [1, 5, 'INVALID_REPLICATION_FACTOR'],
    [0, 0, 'INVALID_REPLICATION_FACTOR'],
    [0, 9, 'INVALID_PARTITIONS'],
  ])('%i partitions with %i replicas on four brokers: %s (M-11)', (numPartitions, replicationFactor, expected) => {
    const driven = DrivenController.withBrokers(4)
    const [answer] = create(driven, asked('counts', { numPartitions, replicationFactor }))
    expect(answer).toMatchObject({ error: expected, numPartitions: -1, replicationFactor: -1, configs: [] })
    expect(answer!.errorMessage).not.toBe('')
    expect(answer!.topicId).toBe(zeroUuid)
  })

  test('replicas by hand: what they must be (M-11)', () => {
    const driven = DrivenController.withBrokers(4)
    expect(error(driven, { ...byHand('x', [1, 2]), numPartitions: 1 })).toBe('INVALID_REQUEST')
    expect(error(driven, { ...byHand('x', [1, 2]), replicationFactor: 2 })).toBe('INVALID_REQUEST')
    expect(error(driven, byHand('x', [1, 1]))).toBe('INVALID_REPLICA_ASSIGNMENT')
    expect(error(driven, byHand('x', [1, 9]))).toBe('INVALID_REPLICA_ASSIGNMENT')
    expect(error(driven, byHand('x', [1, 2], [3]))).toBe('INVALID_REPLICA_ASSIGNMENT')
    expect(error(driven, byHand('x', []))).toBe('INVALID_REPLICA_ASSIGNMENT')
    expect(error(driven, byHand('x', [1, -1]))).toBe('INVALID_REPLICA_ASSIGNMENT')
    const gap = [0, 2].map(partitionIndex => ({ partitionIndex, brokerIds: [1] }))
    expect(error(driven, { ...byHand('x'), assignments: gap })).toBe('INVALID_REPLICA_ASSIGNMENT')
    const same = [0, 0].map(partitionIndex => ({ partitionIndex, brokerIds: [1] }))
    expect(error(driven, { ...byHand('x'), assignments: same })).toBe('INVALID_REPLICA_ASSIGNMENT')
    const [answer] = create(driven, byHand('x', [3, 2], [2, 4]))
    expect(answer).toMatchObject({ error: 'NONE', numPartitions: 2, replicationFactor: 2 })
    expect(driven.state('x', 1)).toBe('leader=2 le=0 pe=0 isr=[2,4] replicas=[2,4]')
  })

  test('configurations: unknown, illegal or null ones refuse the topic; the last of a doubled name counts (M-11)', () => {
    const driven = DrivenController.withBrokers(1)
    const config = (name: string, value: string | null) => asked('x', { configs: [{ name, value }] })
    expect(error(driven, config('retention.ms', 'soon'))).toBe('INVALID_CONFIG')
    expect(error(driven, config('no.such.key', '1'))).toBe('INVALID_CONFIG')
    expect(error(driven, config('retention.ms', null))).toBe('INVALID_CONFIG')
    expect(error(driven, config('min.insync.replicas', '0'))).toBe('INVALID_CONFIG')
    expect(error(driven, config('segment.bytes', '200'))).toBe('INVALID_CONFIG')
    const configs = ['1000', '2000'].map(value => ({ name: 'retention.ms', value }))
    expect(error(driven, asked('x', { configs }))).toBe('NONE')
    expect([...driven.image.configsOf(resourceTypes.topic, 'x')]).toEqual([['retention.ms', '2000']])
  })

  test('the answer tells all 33 configurations and where each comes from (W-46)', () => {
    const driven = DrivenController.withBrokers(1)
    const [answer] = create(driven, asked('x', { configs: [{ name: 'retention.ms', value: '5000' }] }))
    expect(answer!.configs).toHaveLength(33)
    expect(answer!.configs!.find(config => config.name === 'retention.ms')).toEqual({
      name: 'retention.ms',
      value: '5000',
      readOnly: false,
      configSource: 1,
      isSensitive: false,
    })
    expect(answer!.configs!.find(config => config.name === 'min.insync.replicas')!.configSource).toBe(3)
    expect(answer!.errorMessage).toBeNull()
  })

  test('validateOnly makes the same checks and nothing else, and still answers with a topic id (M-11)', () => {
    const driven = DrivenController.withBrokers(1)
    const before = driven.image.offset
    const { topics } = driven.ask(createTopics, { topics: [asked('x')], validateOnly: true })
    expect(topics[0]).toMatchObject({ errorCode: 0, numPartitions: 1, replicationFactor: 1 })
    expect(topics[0]!.topicId).not.toBe(zeroUuid)
    expect(driven.image.offset).toBe(before)
  })

  test('fenced brokers come into replicas, not into the in-sync set; with nobody else there is no topic (M-12, R-51)', async () => {
    const driven = DrivenController.withBrokers(4)
    await driven.loseBroker(4)
    expect(create(driven, byHand('ok', [4, 2]), byHand('bad', [4])).map(topic => topic.error)).toEqual([
      'NONE',
      'INVALID_REPLICA_ASSIGNMENT',
    ])
    expect(driven.state('ok')).toBe('leader=2 le=0 pe=0 isr=[2] replicas=[4,2]')
    expect(error(driven, asked('four', { replicationFactor: 4 }))).toBe('NONE')
    const four = driven.partition('four')
    expect([...four.replicas].sort()).toEqual([1, 2, 3, 4])
    expect(four.replicas.at(-1)).toBe(4)
    expect(four.inSyncReplicas).toEqual(four.replicas.slice(0, 3))
    expect(four.leader).toBe(four.replicas[0])
    for (const id of [1, 2, 3]) await driven.loseBroker(id)
    expect(error(driven, asked('none'))).toBe('INVALID_REPLICATION_FACTOR')
  })

  test('10,000 partitions are the most in one request', () => {
    const driven = DrivenController.withBrokers(1)
    expect(error(driven, asked('many', { numPartitions: 10_001 }))).toBe('POLICY_VIOLATION')
    const small = create(driven, asked('a', { numPartitions: 9_999 }), asked('b', { numPartitions: 2 }))
    expect(small.map(topic => topic.error)).toEqual(['NONE', 'POLICY_VIOLATION'])
  })

  test('the same seed places the same replicas and draws the same ids; another does not', () => {
    const run = (seed: number) => {
      const driven = DrivenController.withBrokers(3, { seed })
      create(driven, asked('x', { numPartitions: 8, replicationFactor: 2 }))
      const { topicId, partitions } = driven.image.topic('x')!
      return [topicId, partitions.map(partition => partition.replicas)]
    }
    expect(run(7)).toEqual(run(7))
    expect(run(7)).not.toEqual(run(8))
  })
})

describe('DeleteTopics (M-14)', () => {
  const remove = (driven: DrivenController, ...topics: { name: string | null; topicId?: string }[]) =>
    driven
      .ask(deleteTopics, { topics: topics.map(topic => ({ topicId: zeroUuid, ...topic })), timeoutMs: 1000 })
      .responses.map(({ name, topicId, errorCode }) => ({ name, topicId, error: errorOf(errorCode).name }))

  test('by name or by id, and the answer tells both', () => {
    const driven = DrivenController.withBrokers(1)
    create(driven, asked('a'), asked('b', { configs: [{ name: 'retention.ms', value: '1' }] }))
    const a = driven.image.topic('a')!.topicId
    const b = driven.image.topic('b')!.topicId
    expect(remove(driven, { name: 'a' }, { name: null, topicId: b })).toEqual([
      { name: 'a', topicId: a, error: 'NONE' },
      { name: 'b', topicId: b, error: 'NONE' },
    ])
    expect(driven.image.topics.size).toBe(0)
    expect(driven.image.configsOf(resourceTypes.topic, 'b').size).toBe(0)
    expect(remove(driven, { name: null, topicId: b })).toEqual([{ name: null, topicId: b, error: 'UNKNOWN_TOPIC_ID' }])
    create(driven, asked('a'))
    expect(driven.image.topic('a')!.topicId).not.toBe(a)
  })

  test('unknown, ambiguous, nameless, repeated', () => {
    const driven = DrivenController.withBrokers(1)
    create(driven, asked('a'), asked('b'))
    const { topicId } = driven.image.topic('a')!
    const errors = (...topics: Parameters<typeof remove>[1][]) => remove(driven, ...topics).map(answer => answer.error)
    expect(errors({ name: 'nosuch' })).toEqual(['UNKNOWN_TOPIC_OR_PARTITION'])
    expect(errors({ name: null, topicId: 'ZZZZZZZZZZZZZZZZZZZZZQ' })).toEqual(['UNKNOWN_TOPIC_ID'])
    expect(errors({ name: 'a', topicId })).toEqual(['INVALID_REQUEST'])
    expect(errors({ name: null })).toEqual(['INVALID_REQUEST'])
    expect(errors({ name: 'a' }, { name: 'a' })).toEqual(['INVALID_REQUEST'])
    expect(errors({ name: null, topicId }, { name: null, topicId })).toEqual(['INVALID_REQUEST'])
    expect(errors({ name: null, topicId }, { name: 'b' }, { name: 'a' })).toEqual(['NONE', 'INVALID_REQUEST'])
    create(driven, asked('b'))
    expect([...driven.image.topics.keys()]).toEqual(['a', 'b'])
    expect(driven.ask(deleteTopics, { topicNames: ['a'], timeoutMs: 1 }, 5).responses[0]!.errorCode).toBe(0)
  })

  test('switched off by delete.topic.enable', () => {
    const driven = DrivenController.withBrokers(1, { configs: new Map([['delete.topic.enable', 'false']]) })
    create(driven, asked('a'))
    expect(remove(driven, { name: 'a' })[0]!.error).toBe('TOPIC_DELETION_DISABLED')
    expect(driven.image.topic('a')).toBeDefined()
  })
})

describe('CreatePartitions (M-13)', () => {
  const grow = (driven: DrivenController, name: string, count: number, replicas: number[][] | null = null) => {
    const assignments = replicas?.map(brokerIds => ({ brokerIds })) ?? null
    const topics = [{ name, count, assignments }]
    const { results } = driven.ask(createPartitions, { topics, timeoutMs: 1000, validateOnly: false })
    return [errorOf(results[0]!.errorCode).name, results[0]!.errorMessage]
  }

  test('more partitions with as many replicas as the first, never fewer', () => {
    const driven = DrivenController.withBrokers(3)
    driven.createTopic('a.b', [[1, 2]])
    expect(grow(driven, 'a.b', 1)).toEqual(['INVALID_PARTITIONS', 'Topic already has 1 partition(s).'])
    expect(grow(driven, 'a.b', 0)[0]).toBe('INVALID_PARTITIONS')
    expect(grow(driven, 'a.b', -1)[0]).toBe('INVALID_PARTITIONS')
    expect(grow(driven, 'nosuch', 5)[0]).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(grow(driven, 'a.b', 3)).toEqual(['NONE', null])
    expect(driven.image.topic('a.b')!.partitions.map(partition => partition.replicas.length)).toEqual([2, 2, 2])
  })

  test('with replicas by hand, exactly as many as are added, of the same number', () => {
    const driven = DrivenController.withBrokers(3)
    driven.createTopic('a', [[1]])
    expect(grow(driven, 'a', 3, [[2]])[0]).toBe('INVALID_REPLICA_ASSIGNMENT')
    expect(grow(driven, 'a', 2, [[2, 3]])[0]).toBe('INVALID_REPLICA_ASSIGNMENT')
    expect(grow(driven, 'a', 2, [[9]])[0]).toBe('INVALID_REPLICA_ASSIGNMENT')
    expect(grow(driven, 'a', 3, [[2], [3]])[0]).toBe('NONE')
    expect(driven.state('a', 2)).toBe('leader=3 le=0 pe=0 isr=[3] replicas=[3]')
  })

  test('validateOnly and a topic named twice change nothing', () => {
    const driven = DrivenController.withBrokers(1)
    driven.createTopic('a', [[1]])
    const one = { name: 'a', count: 2, assignments: null }
    const checked = driven.ask(createPartitions, { topics: [one], timeoutMs: 1, validateOnly: true })
    expect(checked.results[0]!.errorCode).toBe(0)
    const twice = driven.ask(createPartitions, { topics: [one, one], timeoutMs: 1, validateOnly: false })
    expect(twice.results.map(result => errorOf(result.errorCode).name)).toEqual(['INVALID_REQUEST'])
    expect(driven.image.topic('a')!.partitions).toHaveLength(1)
  })
})
