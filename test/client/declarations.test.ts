/** What a user's editor sees: `tsc` checks this file, too. */
import { afterEach, expect, expectTypeOf, test } from 'vitest'
import * as door from '../../src/index.ts'
import {
  type Admin,
  type Cluster,
  type Consumer,
  type ConsumerRecord,
  type ConsumerRecords,
  createCluster,
  cut,
  type PartitionInfo,
  type Producer,
  type ProducerOptions,
  type ProducerRecord,
  type RecordMetadata,
  type TopicPartition,
} from '../../src/index.ts'

let cluster: Cluster
afterEach(() => cluster?.close())

interface Order {
  readonly id: number
}

test('clients and what they hand out can be named', async () => {
  cluster = await createCluster({ topics: { orders: {} } })
  const producer: Producer = cluster.producer()
  const admin: Admin = cluster.admin()
  const consumer: Consumer = cluster.consumer()
  const record: ProducerRecord = { topic: 'orders', value: 'x' }
  const metadata: RecordMetadata = await producer.send(record)
  const partitions: PartitionInfo[] = await producer.partitionsFor('orders')
  const place: TopicPartition = partitions[0]!
  expect([metadata.topic, place.partition, (await admin.listTopics()).length]).toEqual(['orders', 0, 1])
  expectTypeOf(consumer.poll({ timeoutMs: 0 }).catch(() => {})).resolves.toEqualTypeOf<ConsumerRecords | void>()
})

test('the types of keys and values are those that the deserializers make', async () => {
  cluster = await createCluster({ topics: { orders: {} } })
  await cluster.producer({ 'value.serializer': 'json' }).send({ topic: 'orders', key: 'a', value: { id: 7 } })
  const consumer = cluster.consumer<string, Order>({
    'key.deserializer': 'string',
    'value.deserializer': 'json',
    'auto.offset.reset': 'earliest',
  })
  consumer.assign([{ topic: 'orders', partition: 0 }])
  const [record] = await consumer.poll({ timeoutMs: 1_000 })
  expectTypeOf(record!).toEqualTypeOf<ConsumerRecord<string, Order>>()
  expect([record!.key, record!.value.id]).toEqual(['a', 7])
})

test('clients have names that rules of the network take', async () => {
  cluster = await createCluster({ topics: { orders: {} } })
  const clients = [cluster.producer(), cluster.consumer(), cluster.admin()]
  expect(clients.map(({ name }) => name)).toEqual(['producer-1', 'consumer-1', 'admin-1'])
  expect(cut(cluster.producer(), cluster.broker(1)).nodes).toEqual(['producer-2', 'broker-1'])
})

test('built-in serializers are known by name to the compiler, and functions to its inference', () => {
  const known: ProducerOptions[] = [
    { 'key.serializer': 'Long', 'value.serializer': 'org.apache.kafka.common.serialization.StringSerializer' },
    { 'value.serializer': (_topic, data) => Buffer.from(String(data)) },
    { 'value.serializer': { serialize: (_topic, order: Order) => Buffer.from(`${order.id}`) } },
  ]
  // @ts-expect-error there is no such serializer
  const unknown: ProducerOptions = { 'value.serializer': 'jsn' }
  expect([...known, unknown]).toHaveLength(4)
})

test('the errors that a client throws can be told apart by class', () => {
  const errors = Object.keys(door).filter(name => name.endsWith('Error'))
  expect(errors.sort()).toEqual([
    'BufferExhaustedError',
    'ClientError',
    'CommitFailedError',
    'ConfigError',
    'FaultsNeverFiredError',
    'IllegalArgumentError',
    'IllegalStateError',
    'InvalidGroupIdError',
    'KafkaError',
    'LogTruncationError',
    'NoOffsetForPartitionError',
    'OutsideError',
    'PatienceError',
    'RebalanceInProgressError',
    'RetriableCommitFailedError',
    'SerializationError',
    'WaitTimeoutError',
    'WakeupError',
  ])
})
