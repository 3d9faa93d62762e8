import { afterEach, beforeEach, expect, expectTypeOf, test } from 'vitest'
import { deserializerOf, serializerOf } from '../../src/client/serdes.ts'
import {
  type Cluster,
  createCluster,
  listDeserializer,
  listSerializer,
  type Named,
  Producer,
  type RecordData,
} from '../../src/index.ts'
import { ConfigError, KafkaError, SerializationError } from '../../src/wire/errors.ts'

const uuid = '41ab71ba-90fe-4c3d-8a2d-0ea4e4b0b3a8'

const write = (choice: string | object, data: unknown) =>
  serializerOf('value.serializer', choice)('t', data) as Uint8Array | null
const read = (choice: string | object, bytes: Uint8Array | null) =>
  deserializerOf('value.deserializer', choice)('t', bytes)
const hex = (bytes: Uint8Array | null) => bytes && Buffer.from(bytes).toString('hex')

const javaUuid = Buffer.from(uuid).toString('hex')

/** What the classes of org.apache.kafka.common.serialization, 4.3.1, make of the same. */
const golden: [short: string, java: string, data: unknown, bytes: string][] = [
  ['int16', 'Short', -2, 'fffe'],
  ['int32', 'Integer', -5, 'fffffffb'],
  ['int64', 'Long', 2 ** 40, '0000010000000000'],
  ['bigint', 'Long', -(2n ** 63n), '8000000000000000'],
  ['float', 'Float', 1.5, '3fc00000'],
  ['double', 'Double', -0.1, 'bfb999999999999a'],
  ['boolean', 'Boolean', true, '01'],
  ['uuid', 'UUID', uuid, javaUuid],
  ['string', 'String', 'grüße', '6772c3bcc39f65'],
  ['bytes', 'ByteArray', Buffer.from([1, 2]), '0102'],
]

test.each(golden)("'%s' writes what Java's %sSerializer does, and reads it again", (short, java, data, bytes) => {
  const name = `org.apache.kafka.common.serialization.${java}`
  expect([hex(write(short, data)), hex(write(`${name}Serializer`, data))]).toEqual([bytes, bytes])
  expect(read(short, Buffer.from(bytes, 'hex'))).toEqual(data)
  if (short !== 'bigint') expect(read(`${name}Deserializer`, Buffer.from(bytes, 'hex'))).toEqual(data)
})

test('null stays null, both ways, whatever the serializer', () => {
  const names =
    'default string json bytes int16 int32 int64 bigint float double boolean uuid null ByteBuffer Bytes Void'
  for (const name of names.split(' ')) expect([name, write(name, null), read(name, null)]).toEqual([name, null, null])
  expect(write('string', undefined)).toBeNull()
})

test('objects survive as JSON', () => {
  expect(read('json', write('json', { paid: [1, null] }))).toEqual({ paid: [1, null] })
  expect(() => read('json', Buffer.from('{'))).toThrow(/^not JSON: /)
})

test('a number is big enough for int64 within ±2^53 only, a bigint for all', () => {
  expect(hex(write('int64', 2n ** 63n - 1n))).toBe('7fffffffffffffff')
  expect(() => write('int64', 2 ** 53)).toThrow('a whole number within ±2^53, or a bigint, is expected, not a number')
  expect(() => write('Long', 2n ** 63n)).toThrow('9223372036854775808 does not fit 64 bits')
  expect(() => read('int64', Buffer.from('7fffffffffffffff', 'hex'))).toThrow(
    "a number lies outside ±2^53: 'bigint' reads it",
  )
  expect(read('bigint', Buffer.from('7fffffffffffffff', 'hex'))).toBe(2n ** 63n - 1n)
})

test('what cannot be serialized says what would do', () => {
  const refused: [name: string, data: unknown, text: string][] = [
    [
      'default',
      { a: 1 },
      "a string, a Uint8Array or null (for objects: 'value.serializer': 'json') is expected, not an Object",
    ],
    ['string', 5, 'a string or null is expected, not a number'],
    ['bytes', 'x', 'a Uint8Array or null is expected, not a string'],
    ['json', () => 1, 'something that JSON can say is expected, not a function'],
    ['int16', 40_000, '40000 does not fit 16 bits'],
    ['int32', 2 ** 31, '2147483648 does not fit 32 bits'],
    ['int32', 1.5, 'a whole number is expected, not a number'],
    ['Double', '1', 'a number is expected, not a string'],
    ['boolean', 1, 'true, false or null is expected, not a number'],
    ['uuid', 'x', "a UUID is expected, as in 41ab71ba-90fe-4c3d-8a2d-0ea4e4b0b3a8, not 'x'"],
    ['null', 'x', 'null is expected, not a string'],
  ]
  for (const [name, data, text] of refused) {
    expect(() => write(name, data)).toThrow(new SerializationError(text))
  }
})

test('bytes of another length or form are refused, as by the classes of Kafka', () => {
  const refused: [name: string, bytes: number[], text: string][] = [
    ['Long', [0, 0, 0], 'a number of 8 bytes is expected, not 3'],
    ['Short', [0, 0, 0], 'a number of 2 bytes is expected, not 3'],
    ['boolean', [7], 'one byte, 0 or 1, is expected, not 07'],
    ['boolean', [1, 1], 'one byte, 0 or 1, is expected, not 0101'],
    ['null', [1, 1], 'null is expected, not 2 bytes'],
    ['uuid', [120], "a UUID is expected, as in 41ab71ba-90fe-4c3d-8a2d-0ea4e4b0b3a8, not 'x'"],
  ]
  for (const [name, bytes, text] of refused) {
    expect(() => read(name, Buffer.from(bytes))).toThrow(new SerializationError(text))
  }
})

/** What Kafka's ListSerializer over the named one makes of the list. */
const lists: [entries: 'int32' | 'string' | 'uuid' | 'boolean', list: unknown[], bytes: string][] = [
  ['int32', [1, null, 3], '000000000100000001000000030000000100000003'],
  ['int32', [], '000000000000000000'],
  ['string', ['a', null, 'bcd', ''], '01000000040000000161ffffffff0000000362636400000000'],
  ['boolean', [true, false], '010000000200000001010000000100'],
  ['uuid', [uuid], `000000000000000001${javaUuid}`],
]

test.each(lists)("lists of '%s' are those of Kafka: %j", (entries, list, bytes) => {
  expect(hex(write(listSerializer(entries), list))).toBe(bytes)
  expect(read(listDeserializer(entries), Buffer.from(bytes, 'hex'))).toEqual(list)
})

test('a list of a custom serializer has lengths, and bytes that are no list are refused', () => {
  const upper = (_: string, text: string) => Buffer.from(text.toUpperCase())
  expect(hex(write(listSerializer(upper), ['a']))).toBe('01000000010000000141')
  expect(write(listSerializer('int32'), null)).toBeNull()
  expect(read(listDeserializer('int32'), null)).toBeNull()
  expect(() => write(listSerializer('int32'), 'x')).toThrow('an array or null is expected, not a string')
  expect(() => read(listDeserializer('int32'), Buffer.from('02', 'hex'))).toThrow('not a list: it begins with 2')
  expect(() => read(listDeserializer('int32'), Buffer.from('0000', 'hex'))).toThrow('not a list: it ends too early')
  expect(() => read(listDeserializer('string'), Buffer.from('017fffffff', 'hex'))).toThrow('it has 2147483647 entries')
  expect(() => read(listDeserializer('string'), Buffer.from(lists[0]![2], 'hex'))).toThrow('entries have one size')
})

test('an unknown serializer is refused with the name that was probably meant', () => {
  const refusal = (value: string | object) => {
    try {
      serializerOf('key.serializer', value)
      return 'taken'
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError)
      return (error as Error).message
    }
  }
  expect(refusal('jsn')).toBe("key.serializer 'jsn' is not known: did you mean 'json'?")
  expect(refusal('com.example.StringSerializer')).toBe(
    "key.serializer 'com.example.StringSerializer' is not known: did you mean 'string'?",
  )
  expect(refusal('ListSerializer')).toBe(
    "key.serializer 'ListSerializer' does not say what the lists hold: use listSerializer('int32') or its like",
  )
  expect(refusal('avro')).toMatch(/^key.serializer 'avro' is not known: known are default, string, json, bytes, int16/)
  expect(refusal({})).toBe(
    'key.serializer must be a function (topic, data) => bytes, an object with serialize, or a known name',
  )
})

// --- on a cluster --------------------------------------------------------------------------------------------------------

let cluster: Cluster
beforeEach(async () => {
  cluster = await createCluster({ brokers: 1, topics: { orders: {} } })
})
afterEach(() => cluster.close())

interface Order {
  readonly id: number
}

async function refused(send: Promise<unknown>): Promise<Error> {
  const error = await send.then(
    () => new Error('sent'),
    reason => reason,
  )
  expect(error).toBeInstanceOf(SerializationError)
  return error
}

test('the wrong type is a SerializationError that names key or value, and the topic; nothing else is hurt', async () => {
  const producer = cluster.producer<unknown, unknown>({ 'key.serializer': 'int32', 'value.serializer': 'string' })
  const bad = [
    refused(producer.send({ topic: 'orders', key: 'x', value: 'x' })),
    refused(producer.send({ topic: 'orders', key: 1, value: { id: 7 } })),
  ]
  const good = producer.send({ topic: 'orders', key: 1, value: 'x' })
  expect((await Promise.all(bad)).map(({ message }) => message)).toEqual([
    "Can't serialize the key of a record for orders: a whole number is expected, not a string",
    "Can't serialize the value of a record for orders: a string or null is expected, not an Object",
  ])
  expect(await good).toMatchObject({ offset: 0, serializedKeySize: 4 })
})

test('whatever a serializer throws or answers is a SerializationError with its cause; an error of Kafka stays what it is', async () => {
  const boom = new TypeError('boom')
  const throwing = [
    () => {
      throw boom
    },
    async () => {
      throw boom
    },
    {
      serialize() {
        throw boom
      },
    },
  ]
  for (const serializer of throwing) {
    const error = await refused(
      cluster.producer({ 'value.serializer': serializer }).send({ topic: 'orders', value: 1 }),
    )
    expect(error).toMatchObject({ message: "Can't serialize the value of a record for orders: boom", cause: boom })
  }
  for (const serializer of [() => 'text', async () => 'text']) {
    const producer = cluster.producer({ 'value.serializer': serializer as unknown as () => Buffer })
    expect((await refused(producer.send({ topic: 'orders', value: 'x' }))).message).toMatch(
      'value.serializer answered a string, not bytes (a Uint8Array) or null',
    )
  }
  const denied = cluster.producer({
    'value.serializer': () => {
      throw new KafkaError('TOPIC_AUTHORIZATION_FAILED')
    },
  })
  await expect(denied.send({ topic: 'orders', value: 'x' })).rejects.toMatchObject({
    errorName: 'TOPIC_AUTHORIZATION_FAILED',
  })
})

test('a serializer of a class is made, configured and closed with its client; undefined stands for null', async () => {
  const seen: unknown[] = []
  class Prefixed {
    #prefix = ''
    configure(configs: Readonly<Record<string, unknown>>, isKey: boolean) {
      this.#prefix = String(configs['client.id'])
      seen.push(isKey)
    }
    serialize(_topic: string, text: string | undefined) {
      return text === undefined ? (undefined as never) : Buffer.from(`${this.#prefix}:${text}`)
    }
    deserialize(_topic: string, bytes: Uint8Array | null) {
      return bytes === null ? 'nothing' : `${this.#prefix}<${Buffer.from(bytes)}`
    }
    close() {
      seen.push('closed')
      throw new Error('only noted')
    }
  }
  const producer = cluster.producer({ 'value.serializer': Prefixed, 'client.id': 'p' })
  await producer.send({ topic: 'orders', value: 'x' })
  await producer.send({ topic: 'orders', value: undefined })
  await producer.close()
  const consumer = cluster.consumer({
    'value.deserializer': Prefixed,
    'client.id': 'c',
    'auto.offset.reset': 'earliest',
  })
  consumer.assign([{ topic: 'orders', partition: 0 }])
  const records = await consumer.poll({ timeoutMs: 1_000 })
  expectTypeOf(records[0]!.value).toEqualTypeOf<string>()
  expect(records.map(({ value }) => value)).toEqual(['c<p:x', 'nothing'])
  await consumer.close()
  expect(seen).toEqual([false, 'closed', false, 'closed'])
  class Angry extends Prefixed {
    override configure() {
      throw new Error('no such registry')
    }
  }
  expect(() => cluster.producer({ 'key.serializer': Angry })).toThrow(
    new ConfigError('key.serializer: configure() threw: no such registry'),
  )
})

test('the types of keys and values are those that the serializers take', async () => {
  type Client<Key, Value> = Named<Producer<Key, Value>>
  const java = 'org.apache.kafka.common.serialization.IntegerSerializer'
  expectTypeOf(cluster.producer()).toEqualTypeOf<Client<RecordData, RecordData>>()
  expectTypeOf(cluster.producer({ 'linger.ms': 0 })).toEqualTypeOf<Client<RecordData, RecordData>>()
  expectTypeOf(cluster.producer({ 'key.serializer': 'string', 'value.serializer': 'json' })).toEqualTypeOf<
    Client<string | null | undefined, unknown>
  >()
  expectTypeOf(cluster.producer({ 'key.serializer': java, 'value.serializer': 'bytes' })).toEqualTypeOf<
    Client<number | null | undefined, Uint8Array | null | undefined>
  >()
  expectTypeOf(cluster.producer({ 'key.serializer': 'int64', 'value.serializer': 'boolean' })).toEqualTypeOf<
    Client<number | bigint | null | undefined, boolean | null | undefined>
  >()
  expectTypeOf(cluster.producer({ 'key.serializer': 'null', 'value.serializer': 'uuid' })).toEqualTypeOf<
    Client<null | undefined, string | null | undefined>
  >()
  expectTypeOf(
    cluster.producer({
      'key.serializer': (_topic: string, id: number) => Buffer.of(id),
      'value.serializer': { serialize: (_topic: string, order: Order) => Buffer.of(order.id) },
    }),
  ).toEqualTypeOf<Client<number, Order>>()
  expectTypeOf(cluster.producer({ 'value.serializer': listSerializer('int32') })).toEqualTypeOf<
    Client<RecordData, readonly (number | null | undefined)[] | null | undefined>
  >()
  const producer = cluster.producer<string, Order>({ 'value.serializer': 'json' })
  expectTypeOf(producer).toEqualTypeOf<Client<string, Order>>()
  await producer.send({ topic: 'orders', key: 'a', value: { id: 7 } })
  // @ts-expect-error an order has a number
  await producer.send({ topic: 'orders', key: 'a', value: { id: '7' } })
  // @ts-expect-error without a serializer a value is text or bytes
  await expect(cluster.producer().send({ topic: 'orders', value: 5 })).rejects.toThrow(SerializationError)
  const own = new Producer({ 'bootstrap.servers': 'localhost:1', 'value.serializer': 'int32' })
  expectTypeOf(own).toEqualTypeOf<Producer<RecordData, number | null | undefined>>()
  await own.close()
  class Orders extends Producer<string, Order> {}
  const orders = new Orders({ 'bootstrap.servers': 'localhost:1' })
  expect(orders).toBeInstanceOf(Producer)
  await orders.close()
})

test('keys and values are read as what they were sent as', async () => {
  const producer = cluster.producer({ 'key.serializer': 'uuid', 'value.serializer': listSerializer('double') })
  await producer.send({ topic: 'orders', key: uuid, value: [0.5, null] })
  const consumer = cluster.consumer({
    'key.deserializer': 'uuid',
    'value.deserializer': listDeserializer('double'),
    'auto.offset.reset': 'earliest',
  })
  consumer.assign([{ topic: 'orders', partition: 0 }])
  const [record] = await consumer.poll({ timeoutMs: 1_000 })
  expectTypeOf(record!.key).toEqualTypeOf<string | null>()
  expectTypeOf(record!.value).toEqualTypeOf<(number | null)[] | null>()
  expect([record!.key, record!.value]).toEqual([uuid, [0.5, null]])
})
