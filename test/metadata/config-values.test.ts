import { expect, test } from 'vitest'
import { brokerOverrides, topicOverrides } from '../../src/metadata/config-options.ts'
import type { BrokerConfigLayers } from '../../src/metadata/config-values.ts'
import {
  defaultLayers,
  effectiveBrokerConfig,
  effectiveGroupConfig,
  effectiveTopicConfig,
  noOverrides,
  segmentBytes,
} from '../../src/metadata/config-values.ts'

const layers = (parts: Partial<Record<keyof BrokerConfigLayers, object>>): BrokerConfigLayers => ({
  dynamicBroker: brokerOverrides(parts.dynamicBroker ?? {}),
  dynamicDefault: brokerOverrides(parts.dynamicDefault ?? {}),
  static: brokerOverrides(parts.static ?? {}),
})

test("a topic goes by its own value, then the broker's, then that of all brokers, then the static one, then the default (M-21)", () => {
  const all = {
    static: { 'message.max.bytes': 4 },
    dynamicDefault: { 'message.max.bytes': 3 },
    dynamicBroker: { 'message.max.bytes': 2 },
  }
  const value = (overrides: object, parts: Parameters<typeof layers>[0]) =>
    effectiveTopicConfig(topicOverrides(overrides), layers(parts))['max.message.bytes']
  expect(value({ 'max.message.bytes': 1 }, all)).toBe(1)
  expect(value({}, all)).toBe(2)
  expect(value({}, { ...all, dynamicBroker: {} })).toBe(3)
  expect(value({}, { static: all.static })).toBe(4)
  expect(value({}, {})).toBe(1_048_588)
})

test('retention and roll times come in three units: the finest that is set wins (M-21)', () => {
  const times = (statics: object, dynamicDefault: object = {}) => {
    const config = effectiveTopicConfig(noOverrides, layers({ static: statics, dynamicDefault }))
    return [config['retention.ms'], config['segment.ms'], config['segment.jitter.ms']]
  }
  expect(times({})).toEqual([604_800_000, 604_800_000, 0])
  expect(times({ 'log.retention.hours': 1, 'log.roll.hours': 2, 'log.roll.jitter.hours': 1 })).toEqual([
    3_600_000, 7_200_000, 3_600_000,
  ])
  expect(times({ 'log.retention.hours': 1, 'log.retention.minutes': 5 })).toEqual([300_000, 604_800_000, 0])
  expect(times({ 'log.retention.minutes': 5, 'log.retention.ms': 7 })).toEqual([7, 604_800_000, 0])
  expect(times({ 'log.retention.minutes': 5 }, { 'log.retention.ms': 8 })).toEqual([8, 604_800_000, 0])
  expect(times({ 'log.retention.hours': -1 })[0]).toBe(-1)
  expect(times({ 'log.retention.ms': -5 })[0]).toBe(-1)
})

test('without an interval of its own a flush comes with the scheduler (M-21)', () => {
  const config = effectiveTopicConfig(noOverrides, layers({ static: { 'log.flush.scheduler.interval.ms': 5000 } }))
  expect(config['flush.ms']).toBe(5000)
})

test('a dynamic value displaces the static value in another unit, on the broker too', () => {
  const config = effectiveBrokerConfig(
    layers({ static: { 'log.roll.hours': 2 }, dynamicBroker: { 'log.roll.ms': 5000 } }),
  )
  expect([config['log.roll.ms'], config['log.roll.hours']]).toEqual([5000, 168])
})

test("a group goes by its own value, then by the broker's for groups", () => {
  const broker = layers({ static: { 'group.consumer.session.timeout.ms': 50_000 } })
  const own = new Map([['consumer.session.timeout.ms', '60000']])
  expect(effectiveGroupConfig(own, broker)['consumer.session.timeout.ms']).toBe(60_000)
  expect(effectiveGroupConfig(noOverrides, broker)['consumer.session.timeout.ms']).toBe(50_000)
  expect(effectiveGroupConfig(noOverrides)['consumer.session.timeout.ms']).toBe(45_000)
})

test('the hidden segment size goes before the public one (S-3)', () => {
  expect(segmentBytes(effectiveTopicConfig(noOverrides))).toBe(1_073_741_824)
  const small = topicOverrides({ 'internal.segment.bytes': 200, 'segment.bytes': 1_048_576 })
  expect(segmentBytes(effectiveTopicConfig(small))).toBe(200)
})

test('values are compiled once for as long as the layers are the same, and nobody can write to them', () => {
  const broker = layers({ static: { 'log.retention.hours': 1 } })
  expect(effectiveTopicConfig(noOverrides, broker)).toBe(effectiveTopicConfig(noOverrides, broker))
  expect(effectiveBrokerConfig(defaultLayers)).toBe(effectiveBrokerConfig(defaultLayers))
  const config = effectiveTopicConfig(noOverrides, broker) as { 'retention.ms': number }
  expect(() => {
    config['retention.ms'] = 1
  }).toThrow(TypeError)
})
