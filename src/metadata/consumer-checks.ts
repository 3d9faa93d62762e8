/**
 * A consumer's configuration as it is in force: parsed, cross-checked and adjusted as KafkaConsumer's constructor does.
 *
 * Kafka throws three kinds of exceptions here (ConfigException, InvalidGroupIdException, InvalidConfigurationException) and
 * wraps some in a KafkaException "Failed to construct kafka consumer"; here every one is a bare ConfigError.
 */
import { ConfigError } from '../wire/errors.ts'
import { clientConfiguration } from './config-options.ts'
import { type ConsumerConfigs, consumerConfigs } from './consumer-configs.ts'

export interface ConsumerConfiguration {
  /** Every key; the ones that Kafka does not know are kept as they were given (C-8). */
  readonly configs: ConsumerConfigs
  /** What was adjusted, or given in vain. */
  readonly warnings: readonly string[]
}

/** Keys that say what the coordinator says in the other protocol (KIP-848). */
const refused = {
  CONSUMER: ['heartbeat.interval.ms', 'partition.assignment.strategy', 'session.timeout.ms'],
  CLASSIC: ['group.remote.assignor'],
} as const

/**
 * @param options keys under Kafka's names
 * @throws ConfigError for the first value that is not legal, or the first two that do not agree
 */
export function consumerConfiguration(options: object): ConsumerConfiguration {
  const { configs: parsed, given, warnings: unknown } = clientConfiguration(consumerConfigs, 'consumer', options)
  const configs = { ...parsed } as { -readonly [Name in keyof ConsumerConfigs]: ConsumerConfigs[Name] }
  const warnings = [...unknown]
  if (given.has('reconnect.backoff.ms') && !given.has('reconnect.backoff.max.ms')) {
    configs['reconnect.backoff.max.ms'] = configs['reconnect.backoff.ms']
  }
  const protocol = isConsumerProtocol(configs) ? 'CONSUMER' : 'CLASSIC'
  const inVain = refused[protocol].filter(name => given.has(name))
  if (inVain.length > 0) throw new ConfigError(`${inVain.join(', ')} cannot be set when group.protocol=${protocol}`)
  const groupId = configs['group.id']
  if (groupId !== null && groupId.trim() === '') {
    throw new ConfigError('The configured group.id should not be an empty string or whitespace.')
  }
  if (groupId === null && configs['enable.auto.commit']) {
    if (given.has('enable.auto.commit')) {
      throw new ConfigError('enable.auto.commit cannot be set to true when default group id (null) is used.')
    }
    configs['enable.auto.commit'] = false
  }
  if (groupId !== null && protocol === 'CLASSIC' && configs['heartbeat.interval.ms'] >= configs['session.timeout.ms']) {
    throw new ConfigError('Heartbeat must be set lower than the session timeout')
  }
  return { configs, warnings }
}

/** Whether `group.protocol` asks for that of KIP-848. */
export function isConsumerProtocol(configs: Pick<ConsumerConfigs, 'group.protocol'>): boolean {
  return configs['group.protocol'].toUpperCase() === 'CONSUMER'
}
