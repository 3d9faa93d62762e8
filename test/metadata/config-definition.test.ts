import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  boolean,
  definitionOf,
  double,
  int,
  list,
  long,
  MAX_LONG,
  parseConfig,
  string,
} from '../../src/metadata/config-definition.ts'
import { topicOverrides } from '../../src/metadata/config-options.ts'
import { formatValue, shownText } from '../../src/metadata/config-text.ts'
import { consumerConfigs } from '../../src/metadata/consumer-configs.ts'
import { durationMs } from '../../src/metadata/iso-duration.ts'
import type { ProducerOptions } from '../../src/metadata/producer-configs.ts'
import { producerConfigs } from '../../src/metadata/producer-configs.ts'
import type { TopicConfigs, TopicOptions } from '../../src/metadata/topic-configs.ts'
import { topicConfigs } from '../../src/metadata/topic-configs.ts'

test('an illegal value is refused in the words of Kafka (C-1)', () => {
  const read = (name: keyof typeof producerConfigs, value: unknown) => () =>
    parseConfig(producerConfigs[name], name, value)
  expect(read('linger.ms', -1)).toThrow('Invalid value -1 for configuration linger.ms: Value must be at least 0')
  expect(read('linger.ms', '1e3')).toThrow('Invalid value 1e3 for configuration linger.ms: Not a number of type LONG')
  expect(read('retries', 1.5)).toThrow(
    'Invalid value 1.5 for configuration retries: Expected value to be a 32-bit integer',
  )
  expect(read('acks', 'ALL')).toThrow('Invalid value ALL for configuration acks: String must be one of: all, -1, 0, 1')
  expect(read('security.protocol', 'TLS')).toThrow(
    'Invalid value TLS for configuration security.protocol: String must be one of (case insensitive): ' +
      'SASL_SSL, PLAINTEXT, SSL, SASL_PLAINTEXT',
  )
  expect(read('compression.gzip.level', 0)).toThrow(
    'Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1',
  )
  expect(read('enable.idempotence', 'yes')).toThrow(
    'Invalid value yes for configuration enable.idempotence: Expected value to be either true or false',
  )
  expect(read('transactional.id', ' ')).toThrow(
    'Invalid value  for configuration transactional.id: String must be non-empty',
  )
  expect(read('bootstrap.servers', '')).toThrow(
    "Configuration 'bootstrap.servers' must not be empty. Valid values include: any non-empty value",
  )
  expect(read('bootstrap.servers', undefined)).toThrow(
    'Missing required configuration "bootstrap.servers" which has no default value.',
  )
  expect(() =>
    parseConfig(topicConfigs['leader.replication.throttled.replicas'], 'leader.replication.throttled.replicas', 'x'),
  ).toThrow(
    'Invalid value [x] for configuration leader.replication.throttled.replicas: leader.replication.throttled.replicas ' +
      "must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...",
  )
})

test('text is trimmed and read as Java reads it (C-1)', () => {
  expect(parseConfig(int(0), 'n', ' +5 ')).toBe(5)
  expect(parseConfig(boolean(true), 'b', 'FALSE')).toBe(false)
  expect(parseConfig(double(0), 'd', '1d')).toBe(1)
  expect(parseConfig(list([]), 'l', ' a , b ')).toEqual(['a', 'b'])
  expect(parseConfig(string('x'), 's', ' y ')).toBe('y')
  expect(() => parseConfig(int(0), 'n', '2147483648')).toThrow('Not a number of type INT')
  expect(() => parseConfig(long(0), 'n', '9223372036854775808')).toThrow('Not a number of type LONG')
})

test('a long that no number holds is for ever, and prints as it was written', () => {
  expect(parseConfig(long(0), 'n', '9223372036854775807')).toBe(Number.POSITIVE_INFINITY)
  expect(parseConfig(long(0), 'n', Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY)
  expect(parseConfig(long(0), 'n', 9007199254740993n)).toBe(Number.POSITIVE_INFINITY)
  expect(formatValue('LONG', MAX_LONG)).toBe('9223372036854775807')
  expect(shownText('LONG', 'n', ' 9007199254740993 ')).toBe('9007199254740993')
})

test('integers of every size survive being printed and read', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), value => {
      expect(parseConfig(long(0), 'n', formatValue('LONG', value))).toBe(value)
    }),
  )
})

test('doubles print as Java prints them, and are read back', () => {
  expect(formatValue('DOUBLE', 1)).toBe('1.0')
  expect(formatValue('DOUBLE', 0.5)).toBe('0.5')
  expect(formatValue('DOUBLE', 0)).toBe('0.0')
  expect(formatValue('DOUBLE', 1e7)).toBe('1.0E7')
  expect(formatValue('DOUBLE', 0.00025)).toBe('2.5E-4')
  expect(formatValue('DOUBLE', Number.MAX_VALUE)).toBe('1.7976931348623157E308')
  fc.assert(
    fc.property(fc.double(), value => {
      expect(parseConfig(double(0), 'd', formatValue('DOUBLE', value))).toBe(value)
    }),
  )
})

test('a consumer may begin so long before now (KIP-1106)', () => {
  const name = 'auto.offset.reset'
  const read = (value: string) => () => parseConfig(consumerConfigs[name], name, value)
  expect(read('by_duration:P1DT2H3M4.5S')()).toBe('by_duration:P1DT2H3M4.5S')
  for (const value of ['by_duration:', 'by_duration:P', 'by_duration:PT', 'by_duration:-PT1S', 'Latest', 'never']) {
    expect(read(value)).toThrow(`Invalid value ${value} for configuration auto.offset.reset`)
  }
  expect(durationMs('P1DT2H3M4.5S')).toBe(93_784_500)
  expect(durationMs('PT0S')).toBe(0)
  expect(durationMs('1h')).toBeUndefined()
})

test('what every object has is no key', () => {
  expect(definitionOf(topicConfigs, 'constructor')).toBeUndefined()
  expect(() => topicOverrides({ constructor: 1 })).toThrow("unknown topic config 'constructor'")
})

test('a key of a topic that was mistyped is refused with the nearest one', () => {
  expect(() => topicOverrides({ 'min.insync.replica': 2 })).toThrow(
    "unknown topic config 'min.insync.replica': did you mean 'min.insync.replicas'?",
  )
})

test('options of a topic become the text that config records hold', () => {
  const options: TopicOptions = {
    'min.insync.replicas': 2,
    'cleanup.policy': ['compact', 'delete'],
    'flush.ms': Number.POSITIVE_INFINITY,
    'retention.ms': '5000',
    preallocate: 'true',
    'segment.ms': undefined,
  }
  expect([...topicOverrides(options)]).toEqual([
    ['min.insync.replicas', '2'],
    ['cleanup.policy', 'compact,delete'],
    ['flush.ms', '9223372036854775807'],
    ['retention.ms', '5000'],
    ['preallocate', 'true'],
  ])
})

test('options and values are typed by the tables', () => {
  const options: ProducerOptions = { acks: 'all', 'linger.ms': 5, 'enable.idempotence': false }
  // @ts-expect-error: one of all, -1, 0, 1
  const misspelt: ProducerOptions = { acks: 'al' }
  // @ts-expect-error: no such key
  const unknown: ProducerOptions = { 'linger.msec': 5 }
  const read = (configs: TopicConfigs): [number, readonly ('compact' | 'delete')[], number | null] => [
    configs['min.insync.replicas'],
    configs['cleanup.policy'],
    configs['internal.segment.bytes'],
  ]
  expect([options, misspelt, unknown, read].length).toBe(4)
})
