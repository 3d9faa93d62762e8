import { afterAll, beforeAll, expect, test } from 'vitest'
import { alterConfigs } from '../../src/apis/alter-configs.ts'
import { incrementalAlterConfigs } from '../../src/apis/incremental-alter-configs.ts'
import { listConfigResources } from '../../src/apis/list-config-resources.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { ask, nameOf } from './asking.ts'

const TOPIC = 2
const BROKER = 4
const LOGGER = 8
const CLIENT_METRICS = 16
const GROUP = 32

let cluster: Cluster

beforeAll(async () => {
  cluster = await createCluster({ brokers: 2, topics: { t: {}, r: {} } })
})

afterAll(() => cluster.close())

type Replacement = readonly [type: number, name: string, configs: Record<string, string | null>]

function bodyOf(replacements: readonly Replacement[], validateOnly = false) {
  return {
    resources: replacements.map(([resourceType, resourceName, configs]) => ({
      resourceType,
      resourceName,
      configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
    })),
    validateOnly,
  }
}

/** Answers the error's name, or with a message both. */
async function replace(node: number, type: number, name: string, configs: Record<string, string | null>, version = 2) {
  const { responses } = await ask(cluster, node, alterConfigs, bodyOf([[type, name, configs]]), version)
  const { errorCode, errorMessage, ...resource } = responses[0]!
  expect(resource).toEqual({ resourceType: type, resourceName: name })
  return errorMessage === null ? nameOf(errorCode) : `${nameOf(errorCode)}: ${errorMessage}`
}

const overrides = (type: number, name: string) =>
  Object.fromEntries(cluster.broker(2).broker!.image.configsOf(type, name))

test.each([0, 1, 2])('AlterConfigs v%i replaces everything: what is not named is unset (M-22)', async version => {
  expect(await replace(1, TOPIC, 't', { 'flush.messages': '5', 'retention.ms': '1000' }, version)).toBe('NONE')
  expect(overrides(TOPIC, 't')).toEqual({ 'flush.messages': '5', 'retention.ms': '1000' })
  expect(await replace(2, TOPIC, 't', { 'retention.ms': '2000' }, version)).toBe('NONE')
  expect(overrides(TOPIC, 't')).toEqual({ 'retention.ms': '2000' })
  expect(await replace(1000, TOPIC, 't', {}, version)).toBe('NONE')
  expect(overrides(TOPIC, 't')).toEqual({})
})

test('validateOnly changes nothing, and finds what is wrong', async () => {
  const before = cluster.controller.controller!.endOffset
  const body = bodyOf(
    [
      [TOPIC, 't', { 'retention.ms': '1000' }],
      [TOPIC, 'r', { 'nosuch.key': '1' }],
    ],
    true,
  )
  const { responses } = await ask(cluster, 1, alterConfigs, body)
  expect(responses.map(({ errorCode }) => nameOf(errorCode))).toEqual(['NONE', 'INVALID_CONFIG'])
  expect(cluster.controller.controller!.endOffset).toBe(before)
})

test('topics that are not there, illegal names and values are refused one by one (M-22)', async () => {
  const body = bodyOf([
    [TOPIC, 'nosuch', {}],
    [TOPIC, 't', { 'flush.ms': '7' }],
    [TOPIC, '', {}],
    [TOPIC, 'a b', {}],
    [TOPIC, 'r', { 'flush.messages': '0' }],
  ])
  const { responses } = await ask(cluster, 1, alterConfigs, body)
  expect(responses.map(({ errorCode, errorMessage }) => [nameOf(errorCode), errorMessage])).toEqual([
    ['UNKNOWN_TOPIC_OR_PARTITION', "The topic 'nosuch' does not exist."],
    ['NONE', null],
    ['INVALID_REQUEST', 'Default topic resources are not allowed.'],
    [
      'INVALID_TOPIC_EXCEPTION',
      "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
    ],
    ['INVALID_CONFIG', 'Invalid value 0 for configuration flush.messages: Value must be at least 1'],
  ])
  expect(overrides(TOPIC, 't')).toEqual({ 'flush.ms': '7' })
})

test('null values and repeated keys are INVALID_REQUEST (M-22)', async () => {
  expect(await replace(1, TOPIC, 't', { 'flush.messages': null })).toBe(
    'INVALID_REQUEST: Null value not supported for : flush.messages',
  )
  const configs = [
    { name: 'flush.messages', value: '1' },
    { name: 'flush.messages', value: '2' },
  ]
  const resources = [{ resourceType: TOPIC, resourceName: 'r', configs }]
  const { responses } = await ask(cluster, 1, alterConfigs, { resources, validateOnly: false })
  expect(responses).toMatchObject([{ errorCode: 42, errorMessage: 'Error due to duplicate config keys' }])
})

test('a resource that is named twice, over which Kafka’s broker falls silent, is refused both times', async () => {
  for (const node of [1, 1000]) {
    const body = bodyOf([
      [TOPIC, 't', { 'flush.messages': '1' }],
      [TOPIC, 't', { 'flush.messages': '2' }],
    ])
    const { responses } = await ask(cluster, node, alterConfigs, body)
    expect(responses.map(({ errorCode }) => nameOf(errorCode))).toEqual(['INVALID_REQUEST', 'INVALID_REQUEST'])
  }
})

test('a broker is asked for itself alone, the controller for any that is registered (M-22)', async () => {
  expect(await replace(1, BROKER, '1', { 'background.threads': '11' })).toBe('NONE')
  expect(overrides(BROKER, '1')).toEqual({ 'background.threads': '11' })
  expect(await replace(1, BROKER, '2', {})).toMatch(/^INVALID_REQUEST: /)
  expect(await replace(1, BROKER, 'x', {})).toMatch(/^INVALID_REQUEST: /)
  expect(await replace(1000, BROKER, '2', {})).toBe('NONE')
  expect(await replace(1000, BROKER, '9', {})).toMatch(/^BROKER_ID_NOT_REGISTERED: /)
  expect(await replace(1, BROKER, '1', { 'node.id': '7' })).toMatch(/^INVALID_REQUEST: /)
  expect(await replace(1, BROKER, '1', { 'what.nobody.knows': '7' })).toBe('NONE')
  expect(await replace(1, BROKER, '1', {})).toBe('NONE')
})

test('min.insync.replicas stays set for the cluster, and is not set for one broker (M-21, R-45)', async () => {
  expect(await replace(1, BROKER, '', { 'background.threads': '9' })).toBe(
    'INVALID_CONFIG: Cluster-level min.insync.replicas cannot be removed while ELR is enabled.',
  )
  expect(await replace(1, BROKER, '', { 'background.threads': '9', 'min.insync.replicas': '2' })).toBe('NONE')
  expect(overrides(BROKER, '')).toEqual({ 'background.threads': '9', 'min.insync.replicas': '2' })
  expect(await replace(1, BROKER, '', { 'min.insync.replicas': '1' })).toBe('NONE')
  expect(overrides(BROKER, '')).toEqual({ 'min.insync.replicas': '1' })
  expect(await replace(1, BROKER, '1', { 'min.insync.replicas': '1' })).toBe(
    'INVALID_CONFIG: Broker-level min.insync.replicas cannot be altered while ELR is enabled.',
  )
})

test('subscriptions and groups have a configuration too; loggers and what nobody knows have none', async () => {
  expect(await replace(1, CLIENT_METRICS, 'sub', { 'interval.ms': '1000' })).toBe('NONE')
  expect(await replace(1, CLIENT_METRICS, '', {})).toBe("INVALID_REQUEST: Subscription name can't be empty")
  expect(await replace(1, CLIENT_METRICS, 'sub', { 'interval.ms': '1' })).toBe(
    'INVALID_REQUEST: Invalid value 1 for interval.ms, interval must be between 100 and 3600000 (1 hour)',
  )
  expect(await replace(1, GROUP, 'g', { 'consumer.session.timeout.ms': '50000' })).toBe('NONE')
  expect(await replace(1, GROUP, '', {})).toBe('INVALID_REQUEST: Default group resources are not allowed.')
  expect(await replace(1, GROUP, 'g', { 'consumer.session.timeout.ms': '1' })).toBe(
    'INVALID_CONFIG: consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms',
  )
  for (const type of [0, 1, LOGGER, 99]) {
    expect(await replace(1, type, '1', {})).toBe(`INVALID_REQUEST: Unknown resource type ${type}`)
  }
})

test('IncrementalAlterConfigs refuses an illegal topic name by that name, too', async () => {
  const resources = [{ resourceType: TOPIC, resourceName: 'a b', configs: [] }]
  const { responses } = await ask(cluster, 1, incrementalAlterConfigs, { resources, validateOnly: false })
  expect(nameOf(responses[0]!.errorCode)).toBe('INVALID_TOPIC_EXCEPTION')
})

const resourcesOf = async (resourceTypes: number[], version = 1) => {
  const body = version === 0 ? {} : { resourceTypes }
  const { errorCode, configResources } = await ask(cluster, 1, listConfigResources, body, version)
  return [
    nameOf(errorCode),
    ...configResources.map(({ resourceType, resourceName }) => `${resourceType} ${resourceName}`),
  ]
}

test('ListConfigResources v0 lists subscriptions of client metrics, under its old name (KIP-1142)', async () => {
  expect(await resourcesOf([], 0)).toEqual(['NONE', '16 sub'])
})

test('v1 lists topics, brokers and their loggers, and the groups and subscriptions on which something was set', async () => {
  const everything = ['NONE', '32 g', '16 sub', '8 1', '8 2', '4 1', '4 2', '2 t', '2 r']
  expect(await resourcesOf([])).toEqual(everything)
  expect(await resourcesOf([TOPIC, BROKER, LOGGER, CLIENT_METRICS, GROUP])).toEqual(everything)
  expect(await resourcesOf([TOPIC, TOPIC])).toEqual(['NONE', '2 t', '2 r'])
  expect(await resourcesOf([GROUP])).toEqual(['NONE', '32 g'])
  await replace(1, GROUP, 'g', {})
  expect(await resourcesOf([GROUP])).toEqual(['NONE'])
})

test.each([[0], [99], [-1], [TOPIC, 99]])('types %i, … that nobody knows are UNSUPPORTED_VERSION', async (...types) => {
  expect(await resourcesOf(types)).toEqual(['UNSUPPORTED_VERSION'])
})

test('a stopped broker is not listed', async () => {
  await using two = await createCluster({ brokers: 2 })
  await two.broker(2).stop()
  await two.runUntil(() => !two.broker(1).broker!.image.isUnfenced(2))
  const { configResources } = await ask(two, 1, listConfigResources, { resourceTypes: [BROKER] })
  expect(configResources).toEqual([{ resourceName: '1', resourceType: BROKER }])
})
