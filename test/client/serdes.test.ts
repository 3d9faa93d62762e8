import { expect, test } from 'vitest'
import { deserializerOf, serializerOf } from '../../src/client/serdes.ts'
import { ConfigError, SerializationError } from '../../src/wire/errors.ts'

const roundTrip = (name: string, data: unknown) =>
  deserializerOf('value.deserializer', name)(
    't',
    serializerOf('value.serializer', name)('t', data) as Uint8Array | null,
  )

test('values survive the serializers that are known by name', () => {
  expect(roundTrip('string', 'grüße')).toBe('grüße')
  expect(roundTrip('json', { paid: [1, null] })).toEqual({ paid: [1, null] })
  expect(roundTrip('org.apache.kafka.common.serialization.LongSerializer'.replace('Serializer', ''), 2 ** 40)).toBe(
    2 ** 40,
  )
  expect(roundTrip('Integer', -5)).toBe(-5)
  expect(roundTrip('Double', 0.1)).toBe(0.1)
  for (const name of ['default', 'string', 'json', 'bytes', 'Integer']) expect(roundTrip(name, null)).toBeNull()
})

test('Java names of serializers are understood', () => {
  const serialize = serializerOf('key.serializer', 'org.apache.kafka.common.serialization.StringSerializer')
  expect(serialize('t', 'abc')).toEqual(Buffer.from('abc'))
  expect(serializerOf('key.serializer', 'org.apache.kafka.common.serialization.IntegerSerializer')('t', 258)).toEqual(
    Buffer.from([0, 0, 1, 2]),
  )
})

test('what cannot be serialized says what would do', () => {
  const serialize = serializerOf('value.serializer', 'default')
  expect(() => serialize('t', { a: 1 })).toThrow(
    new SerializationError(
      "a string, a Uint8Array or null (for objects: 'value.serializer': 'json') is expected, not an Object",
    ),
  )
  expect(() => serializerOf('value.serializer', 'Integer')('t', 2 ** 31)).toThrow(SerializationError)
  expect(() => deserializerOf('value.deserializer', 'Long')('t', new Uint8Array(3))).toThrow(
    'a number of 8 bytes is expected, not 3',
  )
})

test('an unknown serializer is refused with the name that was probably meant', () => {
  expect(() => serializerOf('key.serializer', 'jsn')).toThrow(
    new ConfigError("key.serializer 'jsn' is not known: did you mean 'json'?"),
  )
  expect(() => serializerOf('key.serializer', {})).toThrow(ConfigError)
})
