import { type AdminConfigs, type AdminOptions, adminConfigs } from '../metadata/admin-configs.ts'
import { type ConfigTable, definitionOf, parseConfig } from '../metadata/config-definition.ts'
import { clientConfiguration } from '../metadata/config-options.ts'
import { formatValue } from '../metadata/config-text.ts'
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
import { defaultSerde } from './built-in-serdes.ts'
import type { AssignorChoice, AssignorName } from './consumer/assignors/strategies.ts'
import type { ConsumerInterceptor } from './consumer/consumer-interceptors.ts'
import type { ClientEnvironment } from './environment.ts'
import { reasonWithoutEffect } from './ineffective-keys.ts'
import type { Partitioner } from './producer/partitioner.ts'
import type { ProducerInterceptor } from './producer/producer-interceptors.ts'
import type { Deserializing, Serializing } from './serde-choice.ts'

/** A producer's configuration, under Kafka's own names. */
export type ProducerOptions<
  KeyChoice extends Serializing = Serializing,
  ValueChoice extends Serializing = Serializing,
> = Omit<
  ProducerKeys,
  'key.serializer' | 'value.serializer' | 'transactional.id' | 'partitioner.class' | 'interceptor.classes'
> & {
  /** `'string'`, `'json'`, `'int32'`, …, a Java name, or your own. Default: text as UTF-8, bytes as they are. */
  readonly 'key.serializer'?: KeyChoice | undefined
  /** `'string'`, `'json'`, `'int32'`, …, a Java name, or your own. Default: text as UTF-8, bytes as they are. */
  readonly 'value.serializer'?: ValueChoice | undefined
  /** Transactions are not built yet: anything but null is refused. */
  readonly 'transactional.id'?: ProducerKeys['transactional.id']
  /** A function, an object with `partition`, or `'RoundRobinPartitioner'`. Default: by the key, else sticky. */
  readonly 'partitioner.class'?:
    | Partitioner
    | { partition: Partitioner }
    | `${string}RoundRobinPartitioner`
    | null
    | undefined
  /** Objects with onSend, onAcknowledgement and close, or classes of such. Default: none. */
  readonly 'interceptor.classes'?: readonly (ProducerInterceptor | (new () => ProducerInterceptor))[] | undefined
}

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
 * Configurations of our own clients: Kafka's keys, defaults and checks. A key that nobody knows is kept and ignored, as Kafka's
 * clients do (C-8), but not silently: a warning names the one that was probably meant. So does one for a key of Kafka's that
 * changes nothing here. Serializers have a default.
 */
export function producerConfigsOf(options: ProducerOptions, environment: ClientEnvironment): ProducerConfigs {
  const { configs } = producerConfiguration({
    'key.serializer': defaultSerde,
    'value.serializer': defaultSerde,
    ...reached(environment),
    ...given(options),
  })
  warnOfVain(producerConfigs, 'producer', options, environment)
  return configs
}

export function consumerConfigsOf(options: ConsumerOptions, environment: ClientEnvironment): ConsumerConfigs {
  const { configs } = consumerConfiguration({
    'key.deserializer': defaultSerde,
    'value.deserializer': defaultSerde,
    ...reached(environment),
    ...given(options),
  })
  warnOfVain(consumerConfigs, 'consumer', options, environment)
  return configs
}

export function adminConfigsOf(options: AdminOptions, environment: ClientEnvironment): AdminConfigs {
  const { configs } = clientConfiguration(adminConfigs, 'admin', { ...reached(environment), ...given(options) })
  warnOfVain(adminConfigs, 'admin', options, environment)
  return configs
}

function reached({ bootstrap, clientName }: ClientEnvironment): object {
  return { 'bootstrap.servers': bootstrap.map(addressText), 'client.id': clientName }
}

/** A key that is there with `undefined` counts as left out. */
function given(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** What is said in vain: keys that nobody knows, and values of Kafka's keys that would change something there only. */
function warnOfVain(table: ConfigTable, area: string, options: object, environment: ClientEnvironment): void {
  const warn = environment.warn ?? console.warn
  for (const [name, value] of Object.entries(given(options))) {
    const definition = definitionOf(table, name)
    if (definition === undefined) {
      warn(`${environment.clientName}: unknown ${area} config '${name}'${didYouMean(name, Object.keys(table))}`)
      continue
    }
    const reason = reasonWithoutEffect(name)
    if (reason === undefined) continue
    const [said, otherwise] = [parseConfig(definition, name, value), definition.default]
    if (formatValue(definition.type, said) === formatValue(definition.type, otherwise)) continue
    warn(`${environment.clientName}: ${area} config '${name}' has no effect here: ${reason}`)
  }
}
