import { expect, test } from 'vitest'
import type { ConfigRow } from '../../src/metadata/config-rows.ts'
import {
  configSources,
  describeBrokerConfigs,
  describeClientMetricsConfigs,
  describeClusterConfigs,
  describeGroupConfigs,
  describeTopicConfigs,
} from '../../src/metadata/config-rows.ts'
import type { BrokerConfigLayers } from '../../src/metadata/config-values.ts'
import { defaultLayers, noOverrides } from '../../src/metadata/config-values.ts'

const { dynamicTopic, dynamicBroker, dynamicDefaultBroker, staticBroker } = configSources
const fallback = configSources.default
/** As a fresh cluster is: eligible leader replicas put a minimum for all brokers into the metadata log. */
const fresh: BrokerConfigLayers = { ...defaultLayers, dynamicDefault: new Map([['min.insync.replicas', '1']]) }
const kafka: BrokerConfigLayers = {
  static: new Map([
    ['log.retention.hours', '1'],
    ['log.roll.hours', '2'],
    ['log.segment.bytes', '2097152'],
    ['log.flush.scheduler.interval.ms', '5000'],
    ['no.such.key', 'x'],
    ['node.id', '1'],
  ]),
  dynamicDefault: new Map([['min.insync.replicas', '1']]),
  dynamicBroker: noOverrides,
}
const rolled: BrokerConfigLayers = {
  ...kafka,
  dynamicDefault: new Map([...kafka.dynamicDefault, ['log.roll.ms', '5000']]),
  dynamicBroker: new Map([
    ['log.roll.ms', '6000'],
    ['leader.replication.throttled.rate', '7'],
    ['ssl.keystore.password', 'secret'],
  ]),
}
const only = (rows: ConfigRow[]) => {
  expect(rows.length).toBe(1)
  return rows[0]!
}
const synonyms = (row: ConfigRow) => row.synonyms.map(({ name, value, source }) => [name, value, source])

test('a topic shows 33 keys, and the hidden one only when it is set (M-21, S-3)', () => {
  expect(describeTopicConfigs(noOverrides, fresh, null).length).toBe(33)
  expect(describeTopicConfigs(noOverrides, fresh, []).length).toBe(33)
  const small = describeTopicConfigs(new Map([['internal.segment.bytes', '100']]), fresh, null)
  expect(small.length).toBe(34)
  expect(small.find(row => row.name === 'internal.segment.bytes')?.value).toBe('100')
})

test('a key that was asked for and does not exist is left out (M-21)', () => {
  expect(describeTopicConfigs(noOverrides, fresh, ['retention.ms', 'nonesuch']).map(row => row.name)).toEqual([
    'retention.ms',
  ])
})

test('an override of a topic is followed by what it hides (M-21)', () => {
  const overrides = new Map([
    ['retention.ms', '5000'],
    ['segment.bytes', ' 2097152 '],
  ])
  expect(only(describeTopicConfigs(overrides, fresh, ['retention.ms']))).toEqual({
    name: 'retention.ms',
    value: '5000',
    source: dynamicTopic,
    isDefault: false,
    readOnly: false,
    isSensitive: false,
    synonyms: [{ name: 'retention.ms', value: '5000', source: dynamicTopic }],
    type: 5,
    documentation: null,
  })
  const bytes = only(describeTopicConfigs(overrides, kafka, ['segment.bytes']))
  expect([bytes.value, synonyms(bytes)]).toEqual([
    '2097152',
    [
      ['segment.bytes', '2097152', dynamicTopic],
      ['log.segment.bytes', '2097152', staticBroker],
      ['log.segment.bytes', '1073741824', fallback],
    ],
  ])
})

test('a fresh cluster shows min.insync.replicas as set for all brokers (M-21)', () => {
  const row = only(describeTopicConfigs(noOverrides, fresh, ['min.insync.replicas']))
  expect([row.value, row.source, row.isDefault]).toEqual(['1', dynamicDefaultBroker, false])
  expect(synonyms(row)).toEqual([
    ['min.insync.replicas', '1', dynamicDefaultBroker],
    ['min.insync.replicas', '1', fallback],
  ])
})

test('a value that comes in another unit calls itself a default and lists no synonyms, as in Kafka (M-21)', () => {
  for (const [name, value] of [
    ['retention.ms', '3600000'],
    ['segment.ms', '7200000'],
    ['flush.ms', '5000'],
    ['segment.jitter.ms', '0'],
  ]) {
    const row = only(describeTopicConfigs(noOverrides, kafka, [name!]))
    expect([name, row.value, row.source, synonyms(row)]).toEqual([name, value, fallback, []])
  }
})

test('once the key itself is set, its other units are listed too (M-21)', () => {
  const expected = [
    ['log.roll.ms', '6000', dynamicBroker],
    ['log.roll.ms', '5000', dynamicDefaultBroker],
    ['log.roll.hours', '2', staticBroker],
    ['log.roll.hours', '168', fallback],
  ]
  const topic = only(describeTopicConfigs(noOverrides, rolled, ['segment.ms']))
  expect([topic.value, topic.source, synonyms(topic)]).toEqual(['6000', dynamicBroker, expected])
  const broker = only(describeBrokerConfigs(rolled, ['log.roll.ms']))
  expect([broker.value, broker.source, synonyms(broker)]).toEqual(['6000', dynamicBroker, expected])
})

test('a broker shows 340 keys; internal and dynamic-only ones, and unknown ones, only when set (M-21, M-23)', () => {
  expect(describeBrokerConfigs(fresh, null).length).toBe(340)
  expect(describeBrokerConfigs(kafka, null).length).toBe(341)
  expect(describeBrokerConfigs(kafka, ['unstable.api.versions.enable', 'leader.replication.throttled.rate'])).toEqual(
    [],
  )
  const rate = only(describeBrokerConfigs(rolled, ['leader.replication.throttled.rate']))
  expect([rate.value, synonyms(rate)]).toEqual(['7', [['leader.replication.throttled.rate', '7', dynamicBroker]]])
})

test('passwords, and keys that Kafka does not know, show no value (M-21)', () => {
  const unknown = only(describeBrokerConfigs(kafka, ['no.such.key']))
  expect(unknown).toMatchObject({ value: null, source: staticBroker, isSensitive: true, readOnly: true, type: 0 })
  expect(synonyms(unknown)).toEqual([['no.such.key', null, staticBroker]])
  const password = only(describeBrokerConfigs(rolled, ['ssl.keystore.password']))
  expect(password).toMatchObject({ value: null, source: dynamicBroker, isSensitive: true, readOnly: false, type: 9 })
  expect(synonyms(password)).toEqual([['ssl.keystore.password', null, dynamicBroker]])
})

test('what may not be altered is read-only, and what must be given has no default (M-23)', () => {
  const row = (name: string) => only(describeBrokerConfigs(kafka, [name]))
  expect(row('num.partitions')).toMatchObject({ value: '1', source: fallback, readOnly: true })
  expect(row('message.max.bytes')).toMatchObject({ value: '1048588', source: fallback, readOnly: false })
  expect(synonyms(row('node.id'))).toEqual([['node.id', '1', staticBroker]])
  expect(row('log.cleaner.io.max.bytes.per.second')).toMatchObject({ value: '1.7976931348623157E308', type: 6 })
})

test('the cluster-wide default shows what is set, and nothing else (M-21)', () => {
  expect(only(describeClusterConfigs(fresh.dynamicDefault, null))).toMatchObject({
    name: 'min.insync.replicas',
    value: '1',
    source: dynamicDefaultBroker,
    readOnly: false,
    synonyms: [{ name: 'min.insync.replicas', value: '1', source: dynamicDefaultBroker }],
  })
  expect(describeClusterConfigs(fresh.dynamicDefault, ['num.io.threads'])).toEqual([])
  expect(only(describeClusterConfigs(new Map([['no.such', '1']]), null))).toMatchObject({
    value: null,
    isSensitive: true,
  })
})

test('a group shows 17 keys with the broker keys behind them (M-21)', () => {
  expect(describeGroupConfigs(noOverrides, fresh, null).length).toBe(17)
  const row = only(
    describeGroupConfigs(new Map([['consumer.session.timeout.ms', '50000']]), fresh, ['consumer.session.timeout.ms']),
  )
  expect(synonyms(row)).toEqual([
    ['consumer.session.timeout.ms', '50000', configSources.group],
    ['group.consumer.session.timeout.ms', '45000', fallback],
  ])
  const own = only(describeGroupConfigs(noOverrides, fresh, ['share.isolation.level']))
  expect(synonyms(own)).toEqual([['share.isolation.level', 'read_uncommitted', fallback]])
})

test('a client metrics subscription shows 3 keys (M-21)', () => {
  const rows = describeClientMetricsConfigs(new Map([['interval.ms', '5000']]), null)
  expect(rows.map(row => [row.name, row.value, row.source])).toEqual([
    ['interval.ms', '5000', configSources.clientMetrics],
    ['match', '', fallback],
    ['metrics', '', fallback],
  ])
})
