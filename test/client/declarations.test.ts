/** What a user's editor sees: `tsc` checks this file, too. */
import { afterEach, expect, expectTypeOf, test } from 'vitest'
import * as door from '../../src/index.ts'
import {
  type Admin,
  type Cluster,
  Consumer,
  type ConsumerOptions,
  type ConsumerRecord,
  type ConsumerRecords,
  createCluster,
  cut,
  type Named,
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

test('without type arguments the deserializers say what keys and values are', async () => {
  cluster = await createCluster({ topics: { orders: {} } })
  type Bytes = Buffer | null
  const config: ConsumerOptions = { 'value.deserializer': 'json' }
  const long = 'org.apache.kafka.common.serialization.LongDeserializer'
  const length = (_topic: string, bytes: Uint8Array | null) => ({ length: bytes?.length })
  const consumers = [
    cluster.consumer() satisfies Consumer<Bytes, Bytes>,
    cluster.consumer({ 'group.id': 'billing' }) satisfies Consumer<Bytes, Bytes>,
    cluster.consumer({ 'value.deserializer': 'bytes' }) satisfies Consumer<Bytes, Bytes>,
    cluster.consumer({ 'key.deserializer': 'string' }) satisfies Consumer<string | null, Bytes>,
    cluster.consumer({ 'key.deserializer': long, 'value.deserializer': length }) satisfies Consumer<
      number | null,
      { length: number | undefined }
    >,
    cluster.consumer({ 'value.deserializer': { deserialize: () => 7 } }) satisfies Consumer<Bytes, number>,
    cluster.consumer({ 'value.deserializer': (_topic, bytes) => bytes?.length }) satisfies Consumer<
      Bytes,
      number | undefined
    >,
    // What is not known while it compiles is as without deserializers.
    cluster.consumer(config) satisfies Consumer<Bytes, Bytes>,
    cluster.consumer<Buffer, Order>(config) satisfies Consumer<Buffer, Order>,
  ]
  const json = cluster.consumer({ 'value.deserializer': 'json' })
  expectTypeOf(json).toEqualTypeOf<Named<Consumer<Bytes, unknown>>>()
  const own = new Consumer({ 'bootstrap.servers': 'localhost:1', 'value.deserializer': 'string' })
  expectTypeOf(own).toEqualTypeOf<Consumer<Bytes, string | null>>()
  await own.close()
  class Orders extends Consumer<string, Order> {}
  const orders = new Orders({ 'bootstrap.servers': 'localhost:1' })
  expect(orders).toBeInstanceOf(Consumer)
  await orders.close()
  expect(consumers.every(consumer => consumer instanceof Consumer)).toBe(true)
})

test('values of configurations are known to the compiler, and so are their misspellings', async () => {
  cluster = await createCluster({ topics: { orders: {} } })
  const legal: ConsumerOptions[] = [
    { 'auto.offset.reset': 'by_duration:PT1H', 'group.protocol': 'CONSUMER', 'enable.auto.commit': 'false' },
    { 'group.protocol': 'classic', 'partition.assignment.strategy': 'range,org.apache.kafka.StickyAssignor' },
    { 'partition.assignment.strategy': ['sticky', 'range'], 'value.deserializer': { deserialize: () => 1 } },
  ]
  for (const config of legal) cluster.consumer({ 'group.id': 'billing', ...config })
  const refused = [
    // @ts-expect-error there is no such policy
    () => cluster.consumer({ 'auto.offset.reset': 'earlist' }),
    // @ts-expect-error there is no such protocol
    () => cluster.consumer({ 'group.protocol': 'klassic' }),
    // @ts-expect-error there is no such assignor: refused without a group, too
    () => cluster.consumer({ 'partition.assignment.strategy': ['rnge'] }),
    // @ts-expect-error it is true or false
    () => cluster.consumer({ 'check.crcs': 'yes' }),
    // @ts-expect-error it cannot deserialize
    () => cluster.consumer({ 'value.deserializer': { deserialise: () => 1 } }),
  ]
  for (const call of refused) expect(call).toThrow(door.ConfigError)
  // @ts-expect-error there is no such key: where nobody compiles, a warning says so (C-8)
  const misspelt: ConsumerOptions = { 'value.deserialiser': 'string' }
  expect(misspelt).toBeDefined()
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
    'ApplicationRecoverableError',
    'AuthenticationError',
    'AuthorizationError',
    'BufferExhaustedError',
    'ClientError',
    'CommitFailedError',
    'ConfigError',
    'FaultsNeverFiredError',
    'IllegalArgumentError',
    'IllegalStateError',
    'InvalidConfigurationError',
    'InvalidGroupIdError',
    'InvalidMetadataError',
    'KafkaError',
    'LogTruncationError',
    'NoOffsetForPartitionError',
    'OutOfOrderSequenceError',
    'OutsideError',
    'PatienceError',
    'ProducerFencedError',
    'RebalanceInProgressError',
    'RecordTooLargeError',
    'RefreshRetriableError',
    'RetriableCommitFailedError',
    'RetriableError',
    'SerializationError',
    'SslAuthenticationError',
    'TimeoutError',
    'TransactionAbortableError',
    'TransactionAbortedError',
    'UnsupportedVersionError',
    'WaitTimeoutError',
    'WakeupError',
  ])
})
