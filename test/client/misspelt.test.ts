import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Cluster, ConfigError, createCluster, IllegalArgumentError } from '../../src/index.ts'

let cluster: Cluster
beforeEach(async () => {
  cluster = await createCluster({ topics: { orders: { partitions: 2, replicationFactor: 3 } } })
})
afterEach(() => cluster.close())

/** As somebody without TypeScript would write it. */
const loosely = (value: unknown) => value as never

async function refusal(call: () => Promise<unknown>): Promise<string> {
  const error = await call().then(
    () => new Error('accepted'),
    reason => reason,
  )
  expect(error).toBeInstanceOf(IllegalArgumentError)
  return error.message
}

test('an empty transactional.id is refused; none, and one left out, are none', () => {
  expect(() => cluster.producer({ 'transactional.id': '' })).toThrow(ConfigError)
  cluster.producer({ 'transactional.id': null })
  cluster.producer({ 'transactional.id': undefined })
})

test('a record with a misspelt value is refused, not stored as null', async () => {
  const producer = cluster.producer()
  const send = (record: object) => () => producer.send(loosely(record))
  expect(await refusal(send({ topic: 'orders', values: 'x' }))).toBe(
    "send() takes one record: unknown field 'values': did you mean 'value'?",
  )
  expect(await refusal(send({ topic: 'orders', messages: [{ value: 'x' }] }))).toBe(
    "send() takes one record: unknown field 'messages': there are topic, partition, timestamp, key, value, headers",
  )
  expect(await producer.send({ topic: 'orders', partition: 0, key: 'tombstone' })).toMatchObject({ offset: 0 })
  expect(await producer.send({ topic: 'orders', partition: 0, value: undefined })).toMatchObject({ offset: 1 })
})

test('what a consumer read can be sent on as it is', async () => {
  const producer = cluster.producer()
  await producer.send({ topic: 'orders', partition: 0, value: 'x' })
  const consumer = cluster.consumer({ 'auto.offset.reset': 'earliest' })
  consumer.assign(await consumer.partitionsFor('orders'))
  const [record] = await consumer.poll({ timeoutMs: 1_000 })
  expect(await producer.send({ ...record!, partition: 1 })).toMatchObject({ partition: 1, offset: 0 })
})

test('a new topic has no numPartitions, and topics come in an array', async () => {
  const admin = cluster.admin()
  expect(await refusal(() => admin.createTopics(loosely([{ name: 'audit', numPartitions: 3 }])))).toMatch(
    "unknown field 'numPartitions': did you mean 'partitions'?",
  )
  expect(await refusal(() => admin.createTopics(loosely({ topics: [] })))).toBe(
    'createTopics takes an array, as in [{ name: \'orders\', partitions: 3 }], not {"topics":[]}',
  )
  expect((await admin.listTopics()).map(({ name }) => name)).toEqual(['orders'])
})

test('misspelt fields of what an admin client is handed are refused', async () => {
  const admin = cluster.admin()
  const first = { topic: 'orders', partition: 0 }
  const topic = { type: 'topic', name: 'orders' }
  const calls: [refused: string, call: () => Promise<unknown>][] = [
    ["'validateOnyl': did you mean 'validateOnly'?", () => admin.createTopics([], loosely({ validateOnyl: true }))],
    ["'timeout': did you mean 'timeoutMs'?", () => admin.deleteTopics(['orders'], loosely({ timeout: 1 }))],
    ["'topicsIds': did you mean 'topicIds'?", () => admin.deleteTopics(loosely({ topicsIds: [] }))],
    ['deleteTopics takes an array', () => admin.deleteTopics(loosely('orders'))],
    ["'listInternals': did you mean", () => admin.listTopics(loosely({ listInternals: true }))],
    ['describeTopics takes an array', () => admin.describeTopics(loosely('orders'))],
    ["'counts': did you mean 'count'?", () => admin.createPartitions(loosely({ orders: { counts: 6 } }))],
    ['is an object with count, assignments, not 6', () => admin.createPartitions(loosely({ orders: 6 }))],
    ['takes an object, name to total', () => admin.createPartitions(loosely([{ topic: 'orders', count: 6 }]))],
    ["'beforeOffsets': did you mean", () => admin.deleteRecords(loosely([{ ...first, beforeOffsets: 1 }]))],
    ['beforeOffset is missing', () => admin.deleteRecords(loosely([first]))],
    ["'specs': did you mean 'spec'?", () => admin.listOffsets(loosely([{ ...first, specs: 'latest' }]))],
    [
      "'partitions': did you mean 'partition'?",
      () => admin.describeProducers(loosely([{ topic: 'orders', partitions: 0 }])),
    ],
    ["'nam': did you mean 'name'?", () => admin.describeConfigs(loosely([{ type: 'topic', nam: 'orders' }]))],
    ["'key': did you mean 'keys'?", () => admin.describeConfigs([], loosely({ key: [] }))],
    [
      "'operation': did you mean 'operations'?",
      () => admin.incrementalAlterConfigs(loosely([{ resource: topic, operation: [] }])),
    ],
    [
      "'values': did you mean 'value'?",
      () =>
        admin.incrementalAlterConfigs(
          loosely([{ resource: topic, operations: [{ name: 'retention.ms', values: 1 }] }]),
        ),
    ],
    ['electLeaders takes an array', () => admin.electLeaders('preferred', loosely(first))],
    [
      "'replica': did you mean 'replicas'?",
      () => admin.alterPartitionReassignments(loosely([{ ...first, replica: [1] }])),
    ],
    ['listPartitionReassignments takes an array', () => admin.listPartitionReassignments(loosely(first))],
    ["'includeFenced': there are includeFencedBrokers", () => admin.describeCluster(loosely({ includeFenced: true }))],
  ]
  for (const [refused, call] of calls) expect(await refusal(call)).toContain(refused)
  expect(cluster.requests({ api: 'DeleteTopics' })).toEqual([])
})

test('misspelt fields of what a consumer is handed are refused', async () => {
  const consumer = cluster.consumer()
  expect(() => consumer.assign(loosely([{ topic: 'orders', partitions: 0 }]))).toThrow(
    "unknown field 'partitions': did you mean 'partition'?",
  )
  expect(() => consumer.assign(loosely({ topic: 'orders', partition: 0 }))).toThrow('assign takes an array')
  consumer.assign([{ topic: 'orders', partition: 0 }])
  expect(() => consumer.seek(loosely({ topics: 'orders', partition: 0 }), 0)).toThrow(
    "unknown field 'topics': did you mean 'topic'?",
  )
  const advice = "unknown field 'timeout': did you mean 'timeoutMs'?"
  expect(await refusal(() => consumer.poll(loosely({ timeout: 100 })))).toBe(`poll({ timeoutMs }): ${advice}`)
  expect(await refusal(() => consumer.poll(loosely(undefined)))).toMatch('an object with timeoutMs, not undefined')
  for (const client of [consumer, cluster.producer(), cluster.admin()]) {
    expect(await refusal(() => client.close(loosely({ timeout: 100 })))).toBe(`close({ timeoutMs }): ${advice}`)
  }
})
