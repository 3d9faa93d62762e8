/**
 * A producer's configuration as it is in force: parsed, cross-checked and adjusted as KafkaProducer's constructor does
 * (C-1 to C-8).
 *
 * Kafka wraps two of its refusals (addresses, delivery timeout) in a KafkaException "Failed to construct kafka producer";
 * here every one is a bare ConfigError. `enable.idempotence=null` and `client.id=null`, which are a NullPointerException
 * there, are a ConfigError too. Class names are resolved by whoever uses the key.
 */
import { ConfigError } from '../wire/errors.ts'
import { serverAddresses } from './bootstrap-servers.ts'
import { MAX_INT } from './config-definition.ts'
import { clientConfiguration } from './config-options.ts'
import type { ProducerConfigs } from './producer-configs.ts'
import { producerConfigs } from './producer-configs.ts'

export interface ProducerConfiguration {
  /** Every key; the ones that Kafka does not know are kept as they were given (C-8). */
  readonly configs: ProducerConfigs
  /** What was adjusted, or given in vain. */
  readonly warnings: readonly string[]
}

/**
 * @param options keys under Kafka's names
 * @throws ConfigError for the first value that is not legal, or the first two that do not agree
 */
export function producerConfiguration(options: object): ProducerConfiguration {
  const { configs: parsed, given, warnings: unknown } = clientConfiguration(producerConfigs, 'producer', options)
  const configs = { ...parsed } as { -readonly [Name in keyof ProducerConfigs]: ProducerConfigs[Name] }
  const warnings = [...unknown]

  if (configs['retry.backoff.ms'] > configs['retry.backoff.max.ms']) {
    const always = `always ${configs['retry.backoff.max.ms']} ms`
    warnings.push(`retry.backoff.ms is above retry.backoff.max.ms: the backoff is ${always}`)
  }
  // Without a bound of its own, a reconnect backoff that was given is constant.
  if (given.has('reconnect.backoff.ms') && !given.has('reconnect.backoff.max.ms')) {
    configs['reconnect.backoff.max.ms'] = configs['reconnect.backoff.ms']
  }
  configs['enable.idempotence'] = idempotence(configs, given, warnings)
  if (configs['transaction.two.phase.commit.enable'] && given.has('transaction.timeout.ms')) {
    const reason = 'Transactions will not expire with two-phase commit enabled.'
    const conflict = 'transaction.timeout.ms when transaction.two.phase.commit.enable is set to true'
    throw new ConfigError(`Cannot set ${conflict}. ${reason}`)
  }
  if (configs['transactional.id'] !== null && configs['client.id'] === '') {
    configs['client.id'] = `producer-${configs['transactional.id']}`
  }
  if (configs.acks === 'all') configs.acks = '-1'
  configs['batch.size'] = Math.max(1, configs['batch.size'])
  configs['linger.ms'] = Math.min(configs['linger.ms'], MAX_INT)
  configs['delivery.timeout.ms'] = deliveryTimeout(configs, given, warnings)
  serverAddresses(configs['bootstrap.servers'])
  return { configs, warnings }
}

/** C-2 to C-4: a conflict refuses what the user asked for, and quietly turns off what only is the default. */
function idempotence(configs: ProducerConfigs, given: ReadonlySet<string>, warnings: string[]): boolean {
  const asked = given.has('enable.idempotence')
  const wanted = configs['enable.idempotence']
  let enabled = wanted
  if (wanted) {
    if (configs.retries === 0) {
      if (asked) throw new ConfigError('Must set retries to non-zero when using the idempotent producer.')
      warnings.push('idempotence is off because retries is 0')
      enabled = false
    }
    if (configs.acks !== 'all' && configs.acks !== '-1') {
      if (asked) {
        const reason = 'Otherwise we cannot guarantee idempotence.'
        throw new ConfigError(`Must set acks to all in order to use the idempotent producer. ${reason}`)
      }
      warnings.push(`idempotence is off because acks is ${configs.acks}, not all`)
      enabled = false
    }
    // Checked whether or not the default was just turned off.
    const inFlight = configs['max.in.flight.requests.per.connection']
    if (inFlight > 5) {
      const limit = 'max.in.flight.requests.per.connection must be set to at most 5'
      throw new ConfigError(`To use the idempotent producer, ${limit}. Current value is ${inFlight}.`)
    }
  }
  if (!enabled && configs['transactional.id'] !== null) {
    throw new ConfigError('Cannot set a transactional.id without also enabling idempotence.')
  }
  return enabled
}

/** C-6: a record must have time to linger and for one request. */
function deliveryTimeout(configs: ProducerConfigs, given: ReadonlySet<string>, warnings: string[]): number {
  const timeoutMs = configs['delivery.timeout.ms']
  const leastMs = Math.min(configs['linger.ms'] + configs['request.timeout.ms'], MAX_INT)
  if (timeoutMs >= leastMs) return timeoutMs
  if (given.has('delivery.timeout.ms')) {
    throw new ConfigError('delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms')
  }
  warnings.push(`delivery.timeout.ms is raised to ${leastMs}, linger.ms + request.timeout.ms`)
  return leastMs
}
