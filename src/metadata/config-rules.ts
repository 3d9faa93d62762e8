/**
 * What the overrides of a resource may be, as a whole (M-20, M-22): every key known and legal, and the keys in agreement
 * with one another. Throws what Kafka answers: the code differs by the kind of resource.
 *
 * Not checked, since nothing here has them: thread counts, which Kafka lets at most halve or double at a time.
 */
import type { ErrorName } from '../wire/errors.ts'
import { ConfigError, KafkaError } from '../wire/errors.ts'
import { brokerConfigs } from './broker-configs.ts'
import { clientMetricsConfigs } from './client-metrics-configs.ts'
import type { ConfigDefinition } from './config-definition.ts'
import { definitionOf, parseConfig } from './config-definition.ts'
import type { BrokerConfigLayers, Overrides } from './config-values.ts'
import { defaultLayers, effectiveBrokerConfig, effectiveGroupConfig, effectiveTopicConfig } from './config-values.ts'
import { groupConfigs } from './group-configs.ts'
import { topicConfigs } from './topic-configs.ts'

/** @throws KafkaError INVALID_CONFIG */
export function checkTopicOverrides(overrides: Overrides, controller: BrokerConfigLayers = defaultLayers): void {
  for (const name of overrides.keys()) {
    if (definitionOf(topicConfigs, name) === undefined) refuse('INVALID_CONFIG', `Unknown topic config name: ${name}`)
  }
  const config = answering('INVALID_CONFIG', () => effectiveTopicConfig(overrides, controller))
  const least = config['min.compaction.lag.ms']
  const most = config['max.compaction.lag.ms']
  if (least > most) {
    const conflict = `min.compaction.lag.ms (${least}) > max.compaction.lag.ms (${most})`
    refuse('INVALID_CONFIG', `conflict topic config setting ${conflict}`)
  }
  if (config['remote.storage.enable']) {
    const consequence = 'Topic cannot be configured with remote log storage.'
    refuse('INVALID_CONFIG', `Tiered Storage functionality is disabled in the broker. ${consequence}`)
  }
}

/** Dynamic values of one broker, or of all. Unknown keys pass. @throws KafkaError INVALID_REQUEST */
export function checkBrokerOverrides(overrides: Overrides, scope: 'broker' | 'cluster'): void {
  const known: [name: string, definition: ConfigDefinition, text: string][] = []
  for (const [name, text] of overrides) {
    const definition = definitionOf(brokerConfigs, name)
    if (definition !== undefined) known.push([name, definition, text])
  }
  const refuseThose = (message: string, bad: (name: string, definition: ConfigDefinition) => boolean) => {
    const names = known.filter(([name, definition]) => bad(name, definition)).map(([name]) => name)
    if (names.length > 0) refuse('INVALID_REQUEST', `${message}: [${names.join(', ')}]`)
  }
  refuseThose('Cannot update these configs dynamically', (_, definition) => definition.update === 'read-only')
  refuseThose(
    'These security configs can be dynamically updated only per-listener using the listener prefix',
    (name, definition) => name.startsWith('ssl.') && definition.update === 'per-broker',
  )
  for (const [name, definition, text] of known) {
    answering('INVALID_REQUEST', () => parseConfig(definition, name, text))
  }
  if (scope === 'cluster') {
    const message = 'Cannot update these configs at default cluster level, broker id must be specified'
    refuseThose(message, (_, definition) => definition.update === 'per-broker')
  }
  answering('INVALID_REQUEST', () => checkBrokerConfig({ ...defaultLayers, dynamicBroker: overrides }))
}

/** What a broker's values must be together, static ones included. @throws ConfigError */
export function checkBrokerConfig(layers: BrokerConfigLayers): void {
  const config = effectiveBrokerConfig(layers)
  for (const name of ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'] as const) {
    if (config[name] === 0) {
      throw new ConfigError(`requirement failed: ${name} must be unlimited (-1) or, greater than or equal to 1`)
    }
  }
}

/** @throws KafkaError INVALID_CONFIG */
export function checkGroupOverrides(overrides: Overrides, layers: BrokerConfigLayers = defaultLayers): void {
  for (const name of overrides.keys()) {
    if (definitionOf(groupConfigs, name) === undefined) refuse('INVALID_CONFIG', `Unknown group config name: ${name}`)
  }
  const config = answering('INVALID_CONFIG', () => effectiveGroupConfig(overrides, layers))
  const broker: Readonly<Record<string, unknown>> = effectiveBrokerConfig(layers)
  for (const [name, value] of Object.entries(config)) {
    const { least, most } = boundsOf(name)
    if (broker[least] !== undefined && (value as number) < (broker[least] as number)) {
      refuse('INVALID_CONFIG', `${name} must be greater than or equal to ${least}`)
    }
    if (broker[most] !== undefined && (value as number) > (broker[most] as number)) {
      refuse('INVALID_CONFIG', `${name} must be less than or equal to ${most}`)
    }
  }
  for (const kind of ['consumer', 'share', 'streams'] as const) {
    if (config[`${kind}.session.timeout.ms`] <= config[`${kind}.heartbeat.interval.ms`]) {
      refuse('INVALID_CONFIG', `${kind}.session.timeout.ms must be greater than ${kind}.heartbeat.interval.ms`)
    }
  }
}

/** `consumer.session.timeout.ms` is bounded by `group.consumer.min.session.timeout.ms` and its like, where they exist. */
function boundsOf(name: string): { least: string; most: string } {
  const [kind, rest] = [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1).replace(/^num\./, '')]
  return { least: `group.${kind}.min.${rest}`, most: `group.${kind}.max.${rest}` }
}

const CLIENT_LABELS =
  /^(client_instance_id|client_id|client_software_name|client_software_version|client_source_address|client_source_port)$/

/** @throws KafkaError INVALID_REQUEST, INVALID_CONFIG */
export function checkClientMetricsOverrides(overrides: Overrides): void {
  for (const [name, text] of overrides) {
    const definition = definitionOf(clientMetricsConfigs, name)
    if (definition === undefined) refuse('INVALID_REQUEST', `Unknown client metrics configuration: ${name}`)
    const value = answering('INVALID_REQUEST', () => parseConfig(definition as ConfigDefinition, name, text))
    if (name === 'interval.ms' && ((value as number) < 100 || (value as number) > 3_600_000)) {
      const range = 'interval must be between 100 and 3600000 (1 hour)'
      refuse('INVALID_REQUEST', `Invalid value ${text} for ${name}, ${range}`)
    }
    if (name === 'match') for (const pattern of value as readonly string[]) checkPattern(pattern)
  }
}

/** `client_id=a.*`: a label and a regular expression. */
function checkPattern(pattern: string): void {
  const [label = '', expression, ...more] = pattern.split('=')
  let legal = CLIENT_LABELS.test(label.trim()) && expression !== undefined && more.length === 0
  if (legal) {
    try {
      new RegExp(expression!.trim())
    } catch {
      legal = false
    }
  }
  if (!legal) refuse('INVALID_CONFIG', `Illegal client matching pattern: ${pattern}`)
}

function refuse(code: ErrorName, message: string): never {
  throw new KafkaError(code, message)
}

/** Runs what may find a value illegal, and gives its words the code that Kafka answers with. */
function answering<Result>(code: ErrorName, run: () => Result): Result {
  try {
    return run()
  } catch (error) {
    if (error instanceof ConfigError) throw new KafkaError(code, error.message)
    throw error
  }
}
