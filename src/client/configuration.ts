import { type AdminConfigs, type AdminOptions, adminConfigs } from '../metadata/admin-configs.ts'
import type { ConfigTable } from '../metadata/config-definition.ts'
import { clientConfiguration } from '../metadata/config-options.ts'
import { consumerConfiguration } from '../metadata/consumer-checks.ts'
import {
  type ConsumerConfigs,
  type ConsumerOptions as ConsumerKeys,
  consumerConfigs,
} from '../metadata/consumer-configs.ts'
import { didYouMean } from '../metadata/nearest-name.ts'
import { producerConfiguration } from '../metadata/producer-checks.ts'
import {
  type ProducerConfigs,
  type ProducerOptions as ProducerKeys,
  producerConfigs,
} from '../metadata/producer-configs.ts'
import { addressText } from '../network/channel.ts'
import { ConfigError } from '../wire/errors.ts'
import type { AssignorChoice, AssignorName } from './consumer/assignors/strategies.ts'
import type { ConsumerInterceptor } from './consumer/consumer-interceptors.ts'
import type { ClientEnvironment } from './environment.ts'
import { type DeserializerChoice, defaultSerde, type SerializerChoice } from './serdes.ts'

/** A producer's configuration, under Kafka's own names. */
export type ProducerOptions = Omit<ProducerKeys, 'key.serializer' | 'value.serializer' | 'transactional.id'> & {
  /** `'string'`, `'json'`, `'bytes'`, a Java name, or your own. Default: text as UTF-8, bytes as they are. */
  readonly 'key.serializer'?: SerializerChoice | undefined
  /** `'string'`, `'json'`, `'bytes'`, a Java name, or your own. Default: text as UTF-8, bytes as they are. */
  readonly 'value.serializer'?: SerializerChoice | undefined
  /** Transactions are not built yet: anything but null is refused. */
  readonly 'transactional.id'?: ProducerKeys['transactional.id']
}

/** What `key.deserializer` and `value.deserializer` may hold. */
export type Deserializing = DeserializerChoice | undefined

/** A consumer's configuration, under Kafka's own names. */
export type ConsumerOptions<
  KeyChoice extends Deserializing = Deserializing,
  ValueChoice extends Deserializing = Deserializing,
> = Omit<
  ConsumerKeys,
  'key.deserializer' | 'value.deserializer' | 'partition.assignment.strategy' | 'interceptor.classes'
> & {
  /** `'string'`, `'json'`, `'bytes'`, a Java name, or your own. Default: a Buffer. */
  readonly 'key.deserializer'?: KeyChoice | undefined
  /** `'string'`, `'json'`, `'bytes'`, a Java name, or your own. Default: a Buffer. */
  readonly 'value.deserializer'?: ValueChoice | undefined
  /**
   * `'range'`, `'roundrobin'`, `'sticky'`, `'cooperative-sticky'`, Java names, or your own; in a list (or separated by
   * commas) the first is preferred. Default: range and cooperative-sticky. Only with the classic `group.protocol`.
   */
  readonly 'partition.assignment.strategy'?:
    | AssignorName
    | `${string}Assignor`
    | `${string},${string}`
    | readonly AssignorChoice[]
    | undefined
  /** Objects with onConsume, onCommit and close, or classes of such. Default: none. */
  readonly 'interceptor.classes'?: readonly (ConsumerInterceptor | (new () => ConsumerInterceptor))[] | undefined
}

/**
 * Configurations of our own clients: Kafka's keys, defaults and checks, but a key that nobody knows is refused, with the
 * name that was probably meant (Kafka's clients keep and ignore it, C-8), and serializers have a default.
 */
export function producerConfigsOf(options: ProducerOptions, environment: ClientEnvironment): ProducerConfigs {
  refuseUnknown(producerConfigs, 'producer', options)
  const { configs } = producerConfiguration({
    'key.serializer': defaultSerde,
    'value.serializer': defaultSerde,
    ...reached(environment),
    ...given(options),
  })
  if (configs['transactional.id'] !== null) {
    const advice = 'leave it out, and records are sent without a transaction'
    throw new ConfigError(`transactional.id: transactions are not built yet in this version; ${advice}`)
  }
  return configs
}

export function consumerConfigsOf(options: ConsumerOptions, environment: ClientEnvironment): ConsumerConfigs {
  refuseUnknown(consumerConfigs, 'consumer', options)
  return consumerConfiguration({
    'key.deserializer': defaultSerde,
    'value.deserializer': defaultSerde,
    ...reached(environment),
    ...given(options),
  }).configs
}

export function adminConfigsOf(options: AdminOptions, environment: ClientEnvironment): AdminConfigs {
  refuseUnknown(adminConfigs, 'admin', options)
  return clientConfiguration(adminConfigs, 'admin', { ...reached(environment), ...given(options) }).configs
}

function reached({ bootstrap, clientName }: ClientEnvironment): object {
  return { 'bootstrap.servers': bootstrap.map(addressText), 'client.id': clientName }
}

/** A key that is there with `undefined` counts as left out. */
function given(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function refuseUnknown(table: ConfigTable, area: string, options: object): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(table, name)) continue
    throw new ConfigError(`unknown ${area} config '${name}'${didYouMean(name, Object.keys(table))}`)
  }
}
