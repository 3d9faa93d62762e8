import { expect, test } from 'vitest'
import type { ConfigOperation } from '../../src/metadata/config-operations.ts'
import {
  alterBrokerConfigs,
  alterClientMetricsConfigs,
  alterGroupConfigs,
  alterTopicConfigs,
  configOperations,
  replaceBrokerConfigs,
  replaceTopicConfigs,
} from '../../src/metadata/config-operations.ts'
import { checkBrokerConfig } from '../../src/metadata/config-rules.ts'
import type { Overrides } from '../../src/metadata/config-values.ts'
import { defaultLayers, noOverrides } from '../../src/metadata/config-values.ts'
import { KafkaError } from '../../src/wire/errors.ts'

/** `set name=value`, `delete name`, … */
const operation = (text: string): ConfigOperation => {
  const [, verb, name, value] = /^(\w+) ([^=]+)(?:=(.*))?$/.exec(text)!
  return { name: name!, operation: configOperations[verb as keyof typeof configOperations], value: value ?? null }
}
/** NONE, or the error with its words. */
const answer = (run: () => unknown): string => {
  try {
    run()
    return 'NONE'
  } catch (error) {
    expect(error).toBeInstanceOf(KafkaError)
    const { errorName, ownMessage } = error as KafkaError
    return ownMessage === null ? errorName : `${errorName} ${ownMessage}`
  }
}
const topic = (...texts: string[]) => answer(() => alterTopicConfigs(noOverrides, texts.map(operation)))
const broker = (...texts: string[]) => answer(() => alterBrokerConfigs(noOverrides, texts.map(operation), 'broker'))
const allBrokers = (...texts: string[]) =>
  answer(() => alterBrokerConfigs(noOverrides, texts.map(operation), 'cluster'))
const group = (...texts: string[]) => answer(() => alterGroupConfigs(noOverrides, texts.map(operation)))
const clientMetrics = (...texts: string[]) => answer(() => alterClientMetricsConfigs(noOverrides, texts.map(operation)))

test.each([
  ['set retention.ms=-1', 'NONE'],
  ['set retention.ms=-2', 'INVALID_CONFIG Invalid value -2 for configuration retention.ms: Value must be at least -1'],
  ['set retention.ms=x', 'INVALID_CONFIG Invalid value x for configuration retention.ms: Not a number of type LONG'],
  [
    'set segment.bytes=1048575',
    'INVALID_CONFIG Invalid value 1048575 for configuration segment.bytes: Value must be at least 1048576',
  ],
  ['set segment.bytes=1048576', 'NONE'],
  ['set internal.segment.bytes=100', 'NONE'],
  ['set cleanup.policy=compact,delete', 'NONE'],
  ['set cleanup.policy=', 'NONE'],
  [
    'set cleanup.policy=foo',
    'INVALID_CONFIG Invalid value foo for configuration cleanup.policy: String must be one of: compact, delete',
  ],
  ['set cleanup.policy=compact,', "INVALID_CONFIG Configuration 'cleanup.policy' values must not be empty."],
  ['set cleanup.policy=delete,delete', 'NONE'],
  [
    'set min.insync.replicas=0',
    'INVALID_CONFIG Invalid value 0 for configuration min.insync.replicas: Value must be at least 1',
  ],
  ['set min.insync.replicas=5', 'NONE'],
  ['set nonesuch=1', 'INVALID_CONFIG Unknown topic config name: nonesuch'],
  ['set message.format.version=3.0', 'INVALID_CONFIG Unknown topic config name: message.format.version'],
  [
    'set message.timestamp.type=createtime',
    'INVALID_CONFIG Invalid value createtime for configuration message.timestamp.type: String must be one of: CreateTime, LogAppendTime',
  ],
  [
    'set min.cleanable.dirty.ratio=1.5',
    'INVALID_CONFIG Invalid value 1.5 for configuration min.cleanable.dirty.ratio: Value must be no more than 1',
  ],
  ['set min.cleanable.dirty.ratio=NaN', 'NONE'],
  [
    'set unclean.leader.election.enable=maybe',
    'INVALID_CONFIG Invalid value maybe for configuration unclean.leader.election.enable: Expected value to be either true or false',
  ],
  [
    'set compression.lz4.level=18',
    'INVALID_CONFIG Invalid value 18 for configuration compression.lz4.level: Value must be no more than 17',
  ],
  ['set leader.replication.throttled.replicas=*', 'NONE'],
  ['set leader.replication.throttled.replicas=', 'NONE'],
  ['set retention.bytes=-5', 'NONE'],
  [
    'set remote.storage.enable=true',
    'INVALID_CONFIG Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.',
  ],
  ['set retention.ms', 'INVALID_REQUEST Null value not supported for : retention.ms'],
  ['append cleanup.policy=compact', 'NONE'],
  ['append retention.ms=3', "INVALID_CONFIG Can't APPEND to key retention.ms because its type is not LIST."],
  ['subtract nonesuch=1', "INVALID_CONFIG Can't SUBTRACT to key nonesuch because its type is not LIST."],
  ['delete retention.ms', 'NONE'],
  ['delete nonesuch', 'NONE'],
])('topic: %s → %s (M-20, M-22)', (text, expected) => {
  expect(topic(text)).toBe(expected)
})

test('one bad key refuses the whole resource (M-22)', () => {
  const current: Overrides = new Map([['flush.ms', '7']])
  const operations = [operation('set flush.ms=8'), operation('set retention.ms=x')]
  expect(() => alterTopicConfigs(current, operations)).toThrow('Not a number of type LONG')
  expect([...current]).toEqual([['flush.ms', '7']])
})

test('a key twice in one resource is refused, whatever is done to it (M-22)', () => {
  expect(topic('set retention.ms=1', 'delete retention.ms')).toBe('INVALID_REQUEST Error due to duplicate config keys')
})

test('an operation that does not exist is an unknown server error (M-22)', () => {
  expect(answer(() => alterTopicConfigs(noOverrides, [{ name: 'retention.ms', operation: 9, value: '1' }]))).toBe(
    'UNKNOWN_SERVER_ERROR',
  )
})

test('entries are appended to the default and taken away again (M-22)', () => {
  const step = (current: Overrides, text: string) => alterTopicConfigs(current, [operation(text)])
  const both = step(noOverrides, 'append cleanup.policy=compact')
  expect([...both]).toEqual([['cleanup.policy', 'delete,compact']])
  expect([...step(both, 'append cleanup.policy=compact')]).toEqual([...both])
  const compact = step(both, 'subtract cleanup.policy=delete')
  expect([...compact]).toEqual([['cleanup.policy', 'compact']])
  expect([...step(compact, 'subtract cleanup.policy=delete')]).toEqual([...compact])
  expect([...step(new Map([['cleanup.policy', 'delete,delete']]), 'subtract cleanup.policy=delete')]).toEqual([
    ['cleanup.policy', 'delete'],
  ])
})

test('a record may not have to be compacted before it may be (M-20)', () => {
  expect(topic('set min.compaction.lag.ms=10', 'set max.compaction.lag.ms=5')).toBe(
    'INVALID_CONFIG conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)',
  )
  const statics = { ...defaultLayers, static: new Map([['log.cleaner.min.compaction.lag.ms', '10']]) }
  const operations = [operation('set max.compaction.lag.ms=5')]
  expect(answer(() => alterTopicConfigs(noOverrides, operations))).toBe('NONE')
  expect(answer(() => alterTopicConfigs(noOverrides, operations, statics))).toContain('conflict topic config setting')
})

test('AlterConfigs replaces everything (M-22)', () => {
  expect([...replaceTopicConfigs([{ name: 'flush.messages', value: '5' }])]).toEqual([['flush.messages', '5']])
  expect(answer(() => replaceTopicConfigs([{ name: 'flush.messages', value: null }]))).toBe(
    'INVALID_REQUEST Null value not supported for : flush.messages',
  )
})

const SECURITY = 'These security configs can be dynamically updated only per-listener using the listener prefix'
const UNIT = 'requirement failed: log.retention.ms must be unlimited (-1) or, greater than or equal to 1'

test.each([
  [
    'set log.retention.ms=x',
    'INVALID_REQUEST Invalid value x for configuration log.retention.ms: Not a number of type LONG',
  ],
  ['set log.retention.ms=0', `INVALID_REQUEST ${UNIT}`],
  ['set log.retention.ms=-5', 'NONE'],
  ['set broker.rack=x', 'INVALID_REQUEST Cannot update these configs dynamically: [broker.rack]'],
  ['set log.retention.hours=4', 'INVALID_REQUEST Cannot update these configs dynamically: [log.retention.hours]'],
  ['delete log.retention.hours', 'NONE'],
  ['set ssl.keystore.type=JKS', `INVALID_REQUEST ${SECURITY}: [ssl.keystore.type]`],
  ['set no.such=1', 'NONE'],
  ['delete no.such', 'NONE'],
  ['append log.cleanup.policy=compact', 'NONE'],
  ['append num.io.threads=3', 'INVALID_CONFIG Config value append is not allowed for config key: num.io.threads'],
  ['append no.such=3', 'INVALID_CONFIG Unknown config name: no.such'],
  ['set leader.replication.throttled.rate=7', 'NONE'],
])('one broker or all of them: %s → %s (M-22)', (text, expected) => {
  expect(broker(text)).toBe(expected)
  expect(allBrokers(text)).toBe(expected)
})

test('what differs between brokers cannot be set for all of them (M-22)', () => {
  expect(broker('set sasl.kerberos.kinit.cmd=/x')).toBe('NONE')
  expect(allBrokers('set sasl.kerberos.kinit.cmd=/x')).toBe(
    'INVALID_REQUEST Cannot update these configs at default cluster level, broker id must be specified: [sasl.kerberos.kinit.cmd]',
  )
})

test('min.insync.replicas belongs to all brokers together, and stays (M-21)', () => {
  const current: Overrides = new Map([['min.insync.replicas', '1']])
  const perBroker = 'INVALID_CONFIG Broker-level min.insync.replicas cannot be altered while ELR is enabled.'
  const removed = 'INVALID_CONFIG Cluster-level min.insync.replicas cannot be removed while ELR is enabled.'
  expect(broker('set min.insync.replicas=1')).toBe(perBroker)
  expect(broker('delete min.insync.replicas')).toBe(perBroker)
  expect([...alterBrokerConfigs(current, [operation('set min.insync.replicas=2')], 'cluster')]).toEqual([
    ['min.insync.replicas', '2'],
  ])
  expect(answer(() => alterBrokerConfigs(current, [operation('delete min.insync.replicas')], 'cluster'))).toBe(removed)
  expect(answer(() => replaceBrokerConfigs(current, [], 'cluster'))).toBe(removed)
})

test('static values are held against one another as well', () => {
  const statics = (name: string) => () => checkBrokerConfig({ ...defaultLayers, static: new Map([[name, '0']]) })
  expect(statics('log.retention.hours')).toThrow(
    'log.retention.hours must be unlimited (-1) or, greater than or equal to 1',
  )
  expect(statics('log.roll.jitter.hours')).not.toThrow()
})

const consumer = 'consumer.session.timeout.ms'
const bound = 'group.consumer'

test.each([
  [`set ${consumer}=50000`, 'NONE'],
  [
    `set ${consumer}=1000`,
    `INVALID_CONFIG ${consumer} must be greater than or equal to ${bound}.min.session.timeout.ms`,
  ],
  [`set ${consumer}=70000`, `INVALID_CONFIG ${consumer} must be less than or equal to ${bound}.max.session.timeout.ms`],
  ['set nonesuch=1', 'INVALID_CONFIG Unknown group config name: nonesuch'],
  ['set consumer.heartbeat.interval.ms=6000', 'NONE'],
  [
    'set share.delivery.count.limit=11',
    'INVALID_CONFIG share.delivery.count.limit must be less than or equal to group.share.max.delivery.count.limit',
  ],
  [
    'set share.partition.max.record.locks=99',
    'INVALID_CONFIG Invalid value 99 for configuration share.partition.max.record.locks: Value must be at least 100',
  ],
  [
    'set streams.num.standby.replicas=3',
    'INVALID_CONFIG streams.num.standby.replicas must be less than or equal to group.streams.max.standby.replicas',
  ],
  ['set share.auto.offset.reset=by_duration:PT1H', 'NONE'],
  [
    'set share.isolation.level=x',
    'INVALID_CONFIG Invalid value x for configuration share.isolation.level: String must be one of: read_committed, read_uncommitted',
  ],
])('group: %s → %s (M-22)', (text, expected) => {
  expect(group(text)).toBe(expected)
})

test.each([
  ['set interval.ms=5000', 'NONE'],
  [
    'set interval.ms=1',
    'INVALID_REQUEST Invalid value 1 for interval.ms, interval must be between 100 and 3600000 (1 hour)',
  ],
  ['set nonesuch=1', 'INVALID_REQUEST Unknown client metrics configuration: nonesuch'],
  ['set match=client_id=a.*', 'NONE'],
  ['set match=x', 'INVALID_CONFIG Illegal client matching pattern: x'],
  ['set match=foo=a', 'INVALID_CONFIG Illegal client matching pattern: foo=a'],
  ['set match=client_id=(', 'INVALID_CONFIG Illegal client matching pattern: client_id=('],
  ['append metrics=c', "INVALID_CONFIG Can't APPEND to key metrics because its type is not LIST."],
])('client metrics: %s → %s (M-22)', (text, expected) => {
  expect(clientMetrics(text)).toBe(expected)
})
