import { alterConfigs } from '../../../src/apis/alter-configs.ts'
import { describeConfigs } from '../../../src/apis/describe-configs.ts'
import { incrementalAlterConfigs } from '../../../src/apis/incremental-alter-configs.ts'
import { listConfigResources } from '../../../src/apis/list-config-resources.ts'
import type { RequestInput } from '../../../src/wire/api.ts'
import { CONTROLLER } from '../../scenarios/world.ts'
import type { Chapter, Play } from '../play.ts'

const TOPIC = 2
const BROKER = 4
const BROKER_LOGGER = 8
const CLIENT_METRICS = 16
const GROUP = 32
const SET = 0
const DELETE = 1
const APPEND = 2
const SUBTRACT = 3

type Resource = readonly [type: number, name: string]
type Change = readonly [name: string, value: string | null, operation?: number]

const describing = (keys: readonly string[] | null, ...resources: Resource[]) => ({
  resources: resources.map(([resourceType, resourceName]) => ({
    resourceType,
    resourceName,
    configurationKeys: keys === null ? null : [...keys],
  })),
  includeSynonyms: true,
  includeDocumentation: false,
})

/** As AlterConfigs and IncrementalAlterConfigs have it. */
function altering([resourceType, resourceName]: Resource, changes: readonly Change[], validateOnly = false) {
  const configs = changes.map(([name, value, configOperation = SET]) => ({ name, value, configOperation }))
  return { resources: [{ resourceType, resourceName, configs }], validateOnly }
}

async function change(play: Play, resource: Resource, changes: readonly Change[]): Promise<void> {
  const { responses } = await play.request(incrementalAlterConfigs, 1, altering(resource, changes))
  if (responses[0]!.errorCode !== 0) throw new Error(`${resource}: ${responses[0]!.errorMessage}`)
}

/** Until the brokers tell of it: each of itself only. */
async function settled(
  play: Play,
  resource: Resource,
  name: string,
  value: string,
  at: readonly number[] = [1, 2, 3],
): Promise<void> {
  await play.until(`${name} is ${value}`, async () => {
    for (const to of at) {
      const { results } = await play.request(describeConfigs, 4, describing([name], resource), { to })
      if (results[0]!.configs[0]?.value !== value) return false
    }
    return true
  })
}

async function descriptions(play: Play): Promise<void> {
  const topic: Resource = [TOPIC, 'described-config']
  await play.topic('described-config', [[1]], { 'retention.ms': '5000' })
  const step = (title: string, body: RequestInput<typeof describeConfigs>, options: object = {}) =>
    play.every(title, describeConfigs, body, options)
  const some = ['retention.ms', 'cleanup.policy', 'min.insync.replicas', 'no.such.key']
  await step('of a topic', describing(some, topic))
  await play.ask('of a topic, all', describeConfigs, 4, describing(null, topic))
  await play.ask('of a topic, without synonyms', describeConfigs, 4, {
    ...describing(some, topic),
    includeSynonyms: false,
  })
  await step('of a topic, no keys', describing([], topic))
  await step('of a topic, a key twice', describing(['retention.ms', 'retention.ms'], topic))
  await step('of a topic twice', describing(some, topic, topic))
  await step('of an unknown topic', describing(some, [TOPIC, 'never-was']))
  await step('of a topic with a bad name', describing(some, [TOPIC, 'bad name']))
  await step('of a topic without a name', describing(some, [TOPIC, '']))
  const ofBroker = [
    'log.retention.ms',
    'num.io.threads',
    'min.insync.replicas',
    'node.id',
    'broker.rack',
    'ssl.keystore.password',
    'message.max.bytes',
    'no.such.key',
  ]
  await step('of a broker', describing(ofBroker, [BROKER, '1']))
  await step('of another broker', describing(ofBroker, [BROKER, '2']))
  await step('of all brokers', describing(ofBroker, [BROKER, '']))
  await step('of an unknown broker', describing(ofBroker, [BROKER, '9']))
  await step('of a broker that is no number', describing(ofBroker, [BROKER, 'one']))
  await step('of loggers', describing(['no.such.logger'], [BROKER_LOGGER, '1']))
  await step('of loggers of all', describing(null, [BROKER_LOGGER, '']))
  await step('of a group', describing(null, [GROUP, 'described-config']))
  await step('of a group without a name', describing(null, [GROUP, '']))
  await step('of metrics of clients', describing(null, [CLIENT_METRICS, 'described-config']))
  await step('of metrics of clients without a name', describing(null, [CLIENT_METRICS, '']))
  for (const type of [0, 1, 3, 64, -1]) await step(`of a resource of type ${type}`, describing(null, [type, 'x']))
  await step('of nothing', describing(null))
  await step('of good and bad', describing(['retention.ms'], topic, [TOPIC, 'never-was'], [BROKER, '9'], [TOPIC, '']))
}

const topicChanges: Readonly<Record<string, readonly Change[]>> = {
  'a value': [['retention.ms', '7000']],
  'two values': [
    ['retention.ms', '8000'],
    ['cleanup.policy', 'compact'],
  ],
  nothing: [],
  'an unknown key': [['no.such.key', '1']],
  'a nameless key': [['', '1']],
  'what is no number': [['retention.ms', 'soon']],
  'what is out of range': [['min.insync.replicas', '0']],
  'what is no choice': [['cleanup.policy', 'burn']],
  'a null': [['retention.ms', null]],
  'an empty value': [['retention.ms', '']],
  'a key twice': [
    ['retention.ms', '1'],
    ['retention.ms', '2'],
  ],
  'good and bad': [
    ['retention.ms', '1'],
    ['no.such.key', '1'],
  ],
  'what only brokers have': [['log.retention.ms', '1']],
  'throttled replicas': [['leader.replication.throttled.replicas', '*']],
  'bad throttled replicas': [['leader.replication.throttled.replicas', 'x']],
}

const listChanges: Readonly<Record<string, readonly Change[]>> = {
  'the removal of a value': [['retention.ms', null, DELETE]],
  'the removal of what is not set': [['segment.bytes', null, DELETE]],
  'the removal of an unknown key': [['no.such.key', null, DELETE]],
  'more of a list': [['cleanup.policy', 'compact', APPEND]],
  'more of what is there': [['cleanup.policy', 'compact', APPEND]],
  'less of a list': [['cleanup.policy', 'delete', SUBTRACT]],
  'less of what is not there': [['cleanup.policy', 'delete', SUBTRACT]],
  'more of what is no list': [['retention.ms', '1', APPEND]],
  'less of what is no list': [['retention.ms', '1', SUBTRACT]],
  'a null of a list': [['cleanup.policy', null, APPEND]],
  'a value and its removal': [
    ['retention.ms', '1'],
    ['retention.ms', null, DELETE],
  ],
}

const others: Readonly<Record<string, readonly [Resource, readonly Change[]]>> = {
  'of an unknown topic': [[TOPIC, 'never-was'], [['retention.ms', '1']]],
  'of a topic with a bad name': [[TOPIC, 'bad name'], [['retention.ms', '1']]],
  'of a topic without a name': [[TOPIC, ''], [['retention.ms', '1']]],
  'of an unknown broker': [[BROKER, '9'], [['num.io.threads', '9']]],
  'of another broker': [[BROKER, '2'], [['num.io.threads', '9']]],
  'of a broker that is no number': [[BROKER, 'one'], [['num.io.threads', '9']]],
  'of a broker, what cannot be changed': [[BROKER, '1'], [['node.id', '9']]],
  'of a broker, what nobody knows': [[BROKER, '1'], [['no.such.key', '9']]],
  'of a broker, what is no number': [[BROKER, '1'], [['num.io.threads', 'many']]],
  'of all brokers, what each has': [[BROKER, ''], [['listeners', 'PLAINTEXT://:9092']]],
  'of all brokers, what cannot be changed': [[BROKER, ''], [['node.id', '9']]],
  'of all brokers, out of range': [[BROKER, ''], [['min.insync.replicas', '0']]],
  'of a group, an unknown key': [[GROUP, 'g'], [['no.such.key', '1']]],
  'of a group, out of range': [[GROUP, 'g'], [['consumer.session.timeout.ms', '1']]],
  'of a group without a name': [[GROUP, ''], [['consumer.session.timeout.ms', '50000']]],
  'of metrics, an unknown key': [[CLIENT_METRICS, 'm'], [['no.such.key', '1']]],
  'of metrics, a bad interval': [[CLIENT_METRICS, 'm'], [['interval.ms', '1']]],
  'of metrics, a bad pattern': [[CLIENT_METRICS, 'm'], [['match', 'nonsense']]],
  'of metrics without a name': [[CLIENT_METRICS, ''], [['interval.ms', '1000']]],
  'of a logger, an unknown level': [[BROKER_LOGGER, '1'], [['root', 'LOUD']]],
  'of a resource of type 0': [[0, 'x'], [['a', 'b']]],
  'of a resource of type 64': [[64, 'x'], [['a', 'b']]],
}

async function alterations(play: Play): Promise<void> {
  const topic: Resource = [TOPIC, 'altered']
  await play.topic('altered', [[1]])
  for (const api of [alterConfigs, incrementalAlterConfigs]) {
    for (const [what, changes] of Object.entries(topicChanges)) {
      await play.every(`${what}, only checked`, api, altering(topic, changes, true))
      await play.every(what, api, altering(topic, changes))
    }
    for (const [what, [resource, changes]] of Object.entries(others))
      await play.every(what, api, altering(resource, changes))
    await play.every('of no resource', api, { resources: [], validateOnly: false })
    await play.every('at the controller', api, altering(topic, [['retention.ms', '1234']]), { to: CONTROLLER })
    await play.every('at the controller, unknown', api, altering(topic, [['no.such.key', '1234']]), { to: CONTROLLER })
  }
  for (const [what, changes] of Object.entries(listChanges)) {
    await play.every(what, incrementalAlterConfigs, altering(topic, changes))
  }
  const two = {
    resources: [
      ...altering(topic, [['retention.ms', '77']]).resources,
      ...altering([TOPIC, 'never-was'], [['retention.ms', '1']]).resources,
    ],
    validateOnly: false,
  }
  await play.every('of a good and an unknown topic', incrementalAlterConfigs, two)
  const twice = {
    resources: [
      ...altering(topic, [['retention.ms', '78']]).resources,
      ...altering(topic, [['retention.ms', '79']]).resources,
    ],
    validateOnly: false,
  }
  await play.every('of a topic twice', incrementalAlterConfigs, twice)
  await change(play, topic, [['retention.ms', '4711']])
  await settled(play, topic, 'retention.ms', '4711')
  await play.ask('after all that', describeConfigs, 4, describing(['retention.ms', 'cleanup.policy'], topic), { to: 2 })
}

async function dynamic(play: Play): Promise<void> {
  await play.topic('dynamic', [[1]])
  const all: Resource = [BROKER, '']
  const one: Resource = [BROKER, '1']
  const group: Resource = [GROUP, 'dynamic']
  const metrics: Resource = [CLIENT_METRICS, 'dynamic']
  await play.every('of all brokers', incrementalAlterConfigs, altering(all, [['log.retention.ms', '100000000']]))
  await play.every('of one broker', incrementalAlterConfigs, altering(one, [['log.retention.ms', '200000000']]))
  await settled(play, one, 'log.retention.ms', '200000000', [1])
  await settled(play, [BROKER, '2'], 'log.retention.ms', '100000000', [2])
  await play.every('of a group', incrementalAlterConfigs, altering(group, [['consumer.session.timeout.ms', '50000']]))
  await play.every(
    'of metrics',
    incrementalAlterConfigs,
    altering(metrics, [
      ['interval.ms', '1000'],
      ['metrics', ''],
    ]),
  )
  await settled(play, group, 'consumer.session.timeout.ms', '50000')
  await settled(play, metrics, 'interval.ms', '1000')
  const keys = ['log.retention.ms']
  await play.every('of a broker that has its own', describeConfigs, describing(keys, one))
  await play.every('of a broker that has that of all', describeConfigs, describing(keys, [BROKER, '2']), { to: 2 })
  await play.every('of all', describeConfigs, describing(null, all))
  await play.every('of a topic under it', describeConfigs, describing(['retention.ms'], [TOPIC, 'dynamic']))
  await play.every('of a group that has its own', describeConfigs, describing(null, group))
  await play.every('of metrics that were set', describeConfigs, describing(null, metrics))
  const of = (...resourceTypes: number[]) => ({ resourceTypes })
  for (const to of [1, 2]) await play.every(`of metrics, by ${to}`, listConfigResources, of(CLIENT_METRICS), { to })
  await play.every('of groups', listConfigResources, of(GROUP), { from: 1 })
  await play.every('of brokers', listConfigResources, of(BROKER), { from: 1 })
  await play.every('of loggers', listConfigResources, of(BROKER_LOGGER), { from: 1 })
  await play.every('of metrics and groups', listConfigResources, of(CLIENT_METRICS, GROUP), { from: 1 })
  await play.every('of metrics twice', listConfigResources, of(CLIENT_METRICS, CLIENT_METRICS), { from: 1 })
  await play.every('of an unknown type', listConfigResources, of(77), { from: 1 })
  await play.every('of type 0', listConfigResources, of(0), { from: 1 })
  await play.every('of all types', listConfigResources, of(), { from: 1, blur: ['configResources'] })
  for (const [resource, name] of [
    [all, 'log.retention.ms'],
    [one, 'log.retention.ms'],
    [group, 'consumer.session.timeout.ms'],
    [metrics, 'interval.ms'],
    [metrics, 'metrics'],
  ] as const) {
    await change(play, resource, [[name, null, DELETE]])
  }
}

export const configChapters: readonly Chapter[] = [
  { title: 'configurations are described', play: descriptions },
  { title: 'configurations are altered', play: alterations },
  { title: 'configurations of brokers, groups and metrics', play: dynamic },
]
