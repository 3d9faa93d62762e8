import { type AdminConfigs, type AdminOptions, adminConfigs } from '../metadata/admin-configs.ts'
import type { ConfigTable } from '../metadata/config-definition.ts'
import { clientConfiguration } from '../metadata/config-options.ts'
import { type ConsumerConfigs, type ConsumerOptions, consumerConfigs } from '../metadata/consumer-configs.ts'
import { didYouMean } from '../metadata/nearest-name.ts'
import { producerConfiguration } from '../metadata/producer-checks.ts'
import { type ProducerConfigs, type ProducerOptions, producerConfigs } from '../metadata/producer-configs.ts'
import { addressText } from '../network/channel.ts'
import { ConfigError } from '../wire/errors.ts'
import type { ClientEnvironment } from './environment.ts'
import { defaultSerde } from './serdes.ts'

/**
 * Configurations of our own clients: Kafka's keys, defaults and checks, but a key that nobody knows is refused, with the
 * name that was probably meant (Kafka's clients keep and ignore it, C-8), and serializers have a default.
 */
export function producerConfigsOf(options: ProducerOptions, environment: ClientEnvironment): ProducerConfigs {
  refuseUnknown(producerConfigs, 'producer', options)
  return producerConfiguration({
    'key.serializer': defaultSerde,
    'value.serializer': defaultSerde,
    ...reached(environment),
    ...given(options),
  }).configs
}

export function consumerConfigsOf(options: ConsumerOptions, environment: ClientEnvironment): ConsumerConfigs {
  refuseUnknown(consumerConfigs, 'consumer', options)
  return clientConfiguration(consumerConfigs, 'consumer', {
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
