import type { LogStores } from '../log/log-store.ts'
import type { BrokerOptions as BrokerConfigOptions } from '../metadata/broker-configs.ts'
import { brokerOverrides } from '../metadata/config-options.ts'
import type { Overrides } from '../metadata/config-values.ts'
import { supportedFeatures } from '../metadata/features.ts'
import { unknownField } from '../metadata/nearest-name.ts'
import { isBefore, type KafkaRelease, releaseOf } from '../metadata/releases.ts'
import type { TopicOptions as TopicConfigOptions } from '../metadata/topic-configs.ts'
import { ConfigError } from '../wire/errors.ts'
import { type AuthorizerOptions, authorizerConfigs } from './authorizer-options.ts'
import { type AdmissionPlan, type ListenOptions, planAdmission } from './listening.ts'
import { MAX_BROKER_ID } from './plant.ts'
import type { QuotaSpec } from './quota-order.ts'
import type { SaslOptions } from './sasl-options.ts'

export interface BrokerSpec {
  /** 0 or more, not 1000, which is the controller. */
  readonly id: number
  readonly rack?: string
}

export interface TopicSpec {
  /** Default: the broker's `num.partitions`, 1. */
  readonly partitions?: number
  /** Default: the broker's `default.replication.factor`, 1. */
  readonly replicationFactor?: number
  /** Replicas of each partition by broker id, the preferred leader first; instead of the two counts. */
  readonly assignments?: readonly (readonly number[])[]
  /** Under Kafka's own names, such as `'min.insync.replicas'`. */
  readonly configs?: TopicConfigOptions
}

/** A topic to create: under a name, or under a prefix with a name of its own, for tests that share a cluster. */
export type NewTopic = TopicSpec & ({ readonly name: string } | { readonly prefix: string })

export interface ClusterOptions {
  /** How many (ids 1…n), or which. Default 3. */
  readonly brokers?: number | readonly BrokerSpec[]
  /** Topics that are there when the promise resolves. */
  readonly topics?: Readonly<Record<string, TopicSpec>>
  /** Static configuration of all brokers and the controller, under Kafka's own names. */
  readonly configs?: BrokerConfigOptions
  /** Of all chance. Default: the environment's `MINI_KAFKA_SEED`, else 1. */
  readonly seed?: number
  /**
   * Every broker listens on TCP, so that any Kafka client of any process reaches it at `bootstrapServers`: `true` for free
   * ports on loopback, or where, with TLS and SASL; a list for several listeners, of which the first one is that of
   * `bootstrapServers`. Needs real time, which it makes the default. Default: false.
   */
  readonly listen?: boolean | ListenOptions | readonly ListenOptions[]
  /** Users who may authenticate: in process (also on virtual time), and where `listen` says `sasl: true`. Default: nobody. */
  readonly sasl?: SaslOptions
  /**
   * Who may do what goes by ACLs, which are changed by `allow`, `deny` and admins; brokers and the test itself may do
   * everything. Default: everybody may.
   */
  readonly authorizer?: 'standard' | AuthorizerOptions
  /** Release of Kafka, such as `'2.8'`, whose APIs clients are offered; what it did not have is refused. Default `'4.3'`. */
  readonly kafkaVersion?: string
  /**
   * Levels to finalize, under Kafka's own names: `{ 'transaction.version': 1 }` for transactions as before KIP-890. Default:
   * those of a new 4.3 cluster, `transaction.version` 2 among them; 0 for a `kafkaVersion` before 4.0.
   */
  readonly features?: Readonly<Record<string, number>>
  /** Of clients, from the start; `cluster.quota()` changes them. Default: none. */
  readonly quotas?: readonly QuotaSpec[]
  /** Default `'virtual'`, but `'real'` with `listen`, and with logs that do real I/O. */
  readonly time?: 'virtual' | 'real'
  /** Milliseconds since the epoch at which virtual time begins. Default 2026-01-01T00:00:00Z. */
  readonly startTime?: number
  /** Where logs are kept. Default: memory. */
  readonly logs?: LogStores
  /** How long user code that the cluster awaits may take, in real milliseconds. Default 4,000. */
  readonly outsideMs?: number
  /** Virtual milliseconds of nothing but housekeeping after which a pending call is given up. Default 300,000. */
  readonly patienceMs?: number
  readonly trace?: {
    /** How many events are kept. Default 10,000. */
    readonly limit?: number
  }
  /**
   * Told once when virtual time is paced, when brokers listen where others can reach them, and of what a client's configuration
   * says in vain. Default `console.warn`.
   */
  readonly warn?: (text: string) => void
  /** @internal For tests of checkers: safety rules that are switched off. */
  readonly mutants?: readonly string[]
  /** @internal For tests of virtual time: a hop of the event loop after every event. */
  readonly hopAlways?: boolean
}

export interface ClusterPlan {
  readonly brokers: readonly { readonly id: number; readonly rack: string | null }[]
  readonly configs: Overrides
  readonly seed: number
  readonly time: 'virtual' | 'real'
  readonly admission: AdmissionPlan
  readonly release: KafkaRelease
  /** Where they differ from those of a new cluster. */
  readonly features: Readonly<Record<string, number>>
}

/** The release whose behaviour all of this is. */
const TARGET_RELEASE: KafkaRelease = '4.3'

const OPTION_NAMES: readonly (keyof ClusterOptions)[] = [
  'brokers',
  'topics',
  'configs',
  'seed',
  'listen',
  'sasl',
  'authorizer',
  'kafkaVersion',
  'features',
  'quotas',
  'time',
  'startTime',
  'logs',
  'outsideMs',
  'patienceMs',
  'trace',
  'warn',
  'mutants',
  'hopAlways',
]

const TOPIC_OPTION_NAMES: readonly (keyof TopicSpec)[] = ['partitions', 'replicationFactor', 'assignments', 'configs']

/** On real time a fail-over has to fit into a test's five seconds (see docs/deviations.md). */
const REAL_TIME_CONFIGS: Overrides = new Map([
  ['broker.session.timeout.ms', '500'],
  ['broker.heartbeat.interval.ms', '50'],
  ['replica.lag.time.max.ms', '1000'],
  ['replica.fetch.backoff.ms', '50'],
  ['replica.fetch.wait.max.ms', '200'],
  ['group.initial.rebalance.delay.ms', '0'],
  ['group.consumer.assignment.interval.ms', '0'],
])

/** Members of consumer groups hear of what they are to have with their heartbeats. */
const REAL_TIME_HEARTBEATS: Overrides = new Map([
  ['group.consumer.min.heartbeat.interval.ms', '200'],
  ['group.consumer.heartbeat.interval.ms', '200'],
])

/** Without the heartbeats where somebody bounds them: all of those have to agree. */
function realTimeConfigs(given: Overrides): [string, string][] {
  const isBounded = ['min', 'max'].some(bound => given.has(`group.consumer.${bound}.heartbeat.interval.ms`))
  return [...REAL_TIME_CONFIGS, ...(isBounded ? [] : REAL_TIME_HEARTBEATS)] as [string, string][]
}

/** Kafka's defaults for its own topics, as far as there are brokers: groups work on one broker too (docs/deviations.md). */
function internalTopicConfigs(brokers: number): [string, string][] {
  return [
    ['offsets.topic.replication.factor', 3],
    ['transaction.state.log.replication.factor', 3],
    ['transaction.state.log.min.isr', 2],
  ].map(([name, most]) => [name as string, `${Math.min(most as number, brokers)}`])
}

/** @throws {ConfigError} that names the option, and what would be right. */
export function planCluster(options: ClusterOptions): ClusterPlan {
  refuseUnknown('option of createCluster', options, OPTION_NAMES)
  const brokers = planBrokers(options.brokers ?? 3)
  const admission = planAdmission(options.listen, options.sasl, brokers.length)
  const { listeners: listen } = admission
  const { logs, time = listen === undefined && !options.logs?.realIo ? 'virtual' : 'real' } = options
  if (time !== 'virtual' && time !== 'real') {
    throw new ConfigError(`time must be 'virtual' or 'real', not ${JSON.stringify(time)}`)
  }
  if (time === 'virtual' && listen !== undefined) {
    throw new ConfigError("listen: virtual time cannot wait for sockets: leave time out, or say time: 'real'")
  }
  if (time === 'virtual' && logs?.realIo) {
    throw new ConfigError(
      "logs: this log store does real I/O, which virtual time cannot hold: leave time out, or say time: 'real'",
    )
  }
  for (const name of ['startTime', 'outsideMs', 'patienceMs'] as const) {
    const value = options[name]
    if (value !== undefined && !(Number.isInteger(value) && value >= 0)) {
      throw new ConfigError(`${name} must be a whole number of milliseconds, 0 or more, not ${value}`)
    }
  }
  if (options.quotas !== undefined && !Array.isArray(options.quotas)) {
    throw new ConfigError("quotas takes a list, as in [{ clientId: 'reports', consumerByteRate: 1024 }]")
  }
  if (Array.isArray(options.topics)) {
    throw new ConfigError('topics takes an object, name to options, as in { orders: { partitions: 3 } }')
  }
  for (const [name, topic] of Object.entries(options.topics ?? {})) {
    if (typeof topic !== 'object' || topic === null) {
      throw new ConfigError(`the topic '${name}' takes options, as in { partitions: 3 }, not ${JSON.stringify(topic)}`)
    }
    for (const count of ['partitions', 'replicationFactor'] as const) {
      if (topic[count] === undefined || Number.isInteger(topic[count])) continue
      throw new ConfigError(`${count} of the topic '${name}' is a whole number, not ${JSON.stringify(topic[count])}`)
    }
    refuseUnknown(`option of the topic '${name}'`, topic, TOPIC_OPTION_NAMES)
  }
  const given = brokerOverrides({ ...authorizerConfigs(options.authorizer), ...options.configs })
  const release = releaseOf(options.kafkaVersion ?? TARGET_RELEASE)
  return {
    brokers,
    admission,
    release,
    features: planFeatures(options.features ?? {}, release),
    configs: new Map([
      ...(brokers.length < 3 ? internalTopicConfigs(brokers.length) : []),
      ...(time === 'real' ? realTimeConfigs(given) : []),
      ...given,
    ]),
    seed: planSeed(options.seed),
    time,
  }
}

function planFeatures(
  given: Readonly<Record<string, number>>,
  release: KafkaRelease,
): Readonly<Record<string, number>> {
  refuseUnknown(
    'feature',
    given,
    supportedFeatures.map(({ name }) => name),
  )
  for (const { name, minSupportedVersion: min, maxSupportedVersion: max } of supportedFeatures) {
    const level = given[name]
    if (level === undefined || (Number.isInteger(level) && level >= min && level <= max)) continue
    throw new ConfigError(`the feature ${name} has levels ${min} to ${max}, not ${level}`)
  }
  return { ...(isBefore(release, '4.0') ? { 'transaction.version': 0 } : {}), ...given }
}

export function refuseUnknown(what: string, given: object, known: readonly string[]): void {
  const unknown = unknownField(given, known)
  if (unknown === undefined) return
  throw new ConfigError(`unknown ${what} ${unknown}${unknown.endsWith('?') ? '' : `: there are ${known.join(', ')}`}`)
}

function planBrokers(brokers: number | readonly BrokerSpec[]): ClusterPlan['brokers'] {
  if (typeof brokers === 'number') {
    if (!Number.isInteger(brokers) || brokers < 1 || brokers >= MAX_BROKER_ID) {
      throw new ConfigError(`brokers must be a whole number from 1 to ${MAX_BROKER_ID - 1}, not ${brokers}`)
    }
    return Array.from({ length: brokers }, (_, i) => ({ id: i + 1, rack: null }))
  }
  if (!Array.isArray(brokers)) {
    throw new ConfigError(`brokers takes a number, or a list such as [{ id: 1 }], not ${JSON.stringify(brokers)}`)
  }
  if (brokers.length === 0) throw new ConfigError('brokers must name at least one broker')
  const seen = new Set<number>()
  return brokers.map(({ id, rack = null }) => {
    if (!Number.isInteger(id) || id < 0 || id >= MAX_BROKER_ID) {
      throw new ConfigError(`a broker id must be a whole number from 0 to ${MAX_BROKER_ID - 1}, not ${id}`)
    }
    if (seen.has(id)) throw new ConfigError(`broker ${id} is named twice`)
    seen.add(id)
    return { id, rack }
  })
}

function planSeed(given: number | undefined): number {
  const text = process.env.MINI_KAFKA_SEED
  const seed = given ?? (text === undefined || text === '' ? 1 : Number(text))
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ConfigError(`a seed must be a whole number from 0 to 2^53, not ${given ?? JSON.stringify(text)}`)
  }
  return seed
}
