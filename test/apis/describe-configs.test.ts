import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeConfigs } from '../../src/apis/describe-configs.ts'
import { incrementalAlterConfigs } from '../../src/apis/incremental-alter-configs.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { ask, nameOf } from './asking.ts'

let cluster: Cluster

const TOPIC = 2
const BROKER = 4
const SET = 0
const DELETE = 1

beforeAll(async () => {
  cluster = await createCluster({
    brokers: 2,
    configs: { 'log.retention.hours': 2 },
    topics: { orders: { configs: { 'segment.ms': 5000 } } },
  })
})

afterAll(() => cluster.close())

async function describeOne(
  resourceType: number,
  resourceName: string,
  keys: readonly string[] | null = null,
  { broker = 1, includeSynonyms = false, version = 4 } = {},
) {
  const resources = [{ resourceType, resourceName, configurationKeys: keys }]
  const { results } = await ask(cluster, broker, describeConfigs, { resources, includeSynonyms }, version)
  return results[0]!
}

async function alter(
  broker: number,
  resources: readonly (readonly [type: number, name: string, key: string, value: string | null])[],
  validateOnly = false,
) {
  const body = {
    resources: resources.map(([resourceType, resourceName, name, value]) => ({
      resourceType,
      resourceName,
      configs: [{ name, configOperation: value === null ? DELETE : SET, value }],
    })),
    validateOnly,
  }
  const { responses } = await ask(cluster, broker, incrementalAlterConfigs, body)
  return responses.map(({ errorCode, resourceName }) => [nameOf(errorCode), resourceName])
}

test('a topic’s value comes from its override, else from the broker, else from the default (M-21)', async () => {
  const keys = ['segment.ms', 'retention.ms', 'max.message.bytes', 'min.insync.replicas', 'nonesuch']
  const { errorCode, errorMessage, configs } = await describeOne(TOPIC, 'orders', keys, { includeSynonyms: true })
  expect([errorCode, errorMessage]).toEqual([0, ''])
  expect(configs.map(({ name, value, configSource }) => [name, value, configSource])).toEqual([
    ['segment.ms', '5000', 1],
    ['retention.ms', '7200000', 5],
    ['max.message.bytes', '1048588', 5],
    ['min.insync.replicas', '1', 3],
  ])
  expect(configs[3]).toEqual({
    name: 'min.insync.replicas',
    value: '1',
    readOnly: false,
    configSource: 3,
    isSensitive: false,
    synonyms: [
      { name: 'min.insync.replicas', value: '1', source: 3 },
      { name: 'min.insync.replicas', value: '1', source: 5 },
    ],
    configType: 3,
    documentation: null,
  })
  expect(configs[0]!.synonyms[0]).toEqual({ name: 'segment.ms', value: '5000', source: 1 })
})

test('synonyms are left out unless asked for; null and an empty list mean all keys (M-21)', async () => {
  const all = await describeOne(TOPIC, 'orders', null)
  expect(all.configs.length).toBe(33)
  expect(all.configs.every(config => config.synonyms.length === 0)).toBe(true)
  expect((await describeOne(TOPIC, 'orders', [])).configs.length).toBe(33)
  expect((await describeOne(TOPIC, 'orders', ['segment.ms'], { version: 1 })).configs).toHaveLength(1)
})

test.each([
  [TOPIC, 'nosuch', 'UNKNOWN_TOPIC_OR_PARTITION'],
  [TOPIC, 'a b', 'INVALID_TOPIC_EXCEPTION'],
  [BROKER, '2', 'INVALID_REQUEST'],
  [BROKER, 'x', 'INVALID_REQUEST'],
  [8, '2', 'INVALID_REQUEST'],
  [16, '', 'INVALID_REQUEST'],
  [32, '', 'INVALID_REQUEST'],
  [99, 'x', 'INVALID_REQUEST'],
])('resource of type %i, %j: %s (M-21)', async (type, name, error) => {
  const result = await describeOne(type, name)
  expect([nameOf(result.errorCode), result.configs]).toEqual([error, []])
})

test('a broker tells its own values, the cluster default what is set for all, a group and a subscription theirs (M-21)', async () => {
  const own = await describeOne(BROKER, '2', ['log.retention.hours', 'num.io.threads'], { broker: 2 })
  expect(own.configs.map(({ name, value, configSource, readOnly }) => [name, value, configSource, readOnly])).toEqual([
    ['log.retention.hours', '2', 4, true],
    ['num.io.threads', '8', 5, false],
  ])
  const all = await describeOne(BROKER, '')
  expect(all.configs.map(({ name, value }) => [name, value])).toEqual([['min.insync.replicas', '1']])
  expect((await describeOne(8, '1')).errorCode).toBe(0)
  expect((await describeOne(32, 'g')).configs.length).toBe(17)
  expect((await describeOne(16, 'm')).configs.length).toBe(3)
})

test('what was altered shows on every broker by the time of the answer, and goes again when deleted (M-22, M-21)', async () => {
  expect(await alter(2, [[TOPIC, 'orders', 'retention.ms', '1234']])).toEqual([['NONE', 'orders']])
  for (const broker of [1, 2]) {
    const { configs } = await describeOne(TOPIC, 'orders', ['retention.ms'], { broker })
    expect([configs[0]!.value, configs[0]!.configSource]).toEqual(['1234', 1])
  }
  expect(await alter(1, [[TOPIC, 'orders', 'retention.ms', null]])).toEqual([['NONE', 'orders']])
  expect((await describeOne(TOPIC, 'orders', ['retention.ms'])).configs[0]!.value).toBe('7200000')
})

test('the configuration of broker 2 is altered by broker 2 alone; what else is in the request goes on (M-22)', async () => {
  const mixed = [
    [BROKER, '2', 'log.cleaner.threads', '2'],
    [TOPIC, 'orders', 'flush.messages', '7'],
    [BROKER, 'x', 'log.cleaner.threads', '2'],
    [BROKER, '', 'log.cleaner.threads', '3'],
  ] as const
  expect(await alter(1, mixed)).toEqual([
    ['INVALID_REQUEST', '2'],
    ['NONE', 'orders'],
    ['INVALID_REQUEST', 'x'],
    ['NONE', ''],
  ])
  const threads = async (broker: number) => {
    const { configs } = await describeOne(BROKER, `${broker}`, ['log.cleaner.threads'], { broker })
    return [configs[0]!.value, configs[0]!.configSource]
  }
  expect([await threads(1), await threads(2)]).toEqual([
    ['3', 3],
    ['3', 3],
  ])
  expect(await alter(2, [[BROKER, '2', 'log.cleaner.threads', '2']])).toEqual([['NONE', '2']])
  expect([await threads(1), await threads(2)]).toEqual([
    ['3', 3],
    ['2', 2],
  ])
  expect((await describeOne(TOPIC, 'orders', ['flush.messages'])).configs[0]!.value).toBe('7')
})

test('a resource that is named twice is refused twice, and what is only validated is not done (M-22)', async () => {
  const twice = [
    [TOPIC, 'orders', 'retention.ms', '1'],
    [TOPIC, 'orders', 'retention.bytes', '1'],
  ] as const
  expect(await alter(1, twice)).toEqual([
    ['INVALID_REQUEST', 'orders'],
    ['INVALID_REQUEST', 'orders'],
  ])
  expect(await alter(1, [[TOPIC, 'orders', 'retention.bytes', '5']], true)).toEqual([['NONE', 'orders']])
  expect((await describeOne(TOPIC, 'orders', ['retention.bytes'])).configs[0]!.value).toBe('-1')
  expect(await alter(1, [[TOPIC, 'orders', 'retention.ms', 'x']], true)).toEqual([['INVALID_CONFIG', 'orders']])
  expect(await alter(1, [[TOPIC, 'nosuch', 'retention.ms', '1']])).toEqual([['UNKNOWN_TOPIC_OR_PARTITION', 'nosuch']])
})
