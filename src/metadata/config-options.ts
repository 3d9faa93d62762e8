/**
 * Configurations as a user writes them, for topics, brokers and clients.
 *
 * Topics and brokers refuse a key they do not know: in a test it is a typing error. Clients keep and ignore it, as Kafka's
 * do (C-8), but say so.
 */
import { ConfigError } from '../wire/errors.ts'
import { standardAuthorizerConfigs } from './authorizer-configs.ts'
import { brokerConfigs } from './broker-configs.ts'
import type { ConfigDefinition, ConfigsOf, ConfigTable } from './config-definition.ts'
import { definitionOf, parseConfig } from './config-definition.ts'
import { formatValue } from './config-text.ts'
import type { Overrides } from './config-values.ts'
import { didYouMean } from './nearest-name.ts'
import { topicConfigs } from './topic-configs.ts'

/** Text of every key given, as a config record of the metadata log has it. @throws ConfigError on an unknown key or a bad value */
export function overridesFrom(table: ConfigTable, area: string, options: object): Overrides {
  const overrides = new Map<string, string>()
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue
    const definition = definitionOf(table, name)
    if (definition === undefined) {
      throw new ConfigError(`unknown ${area} config '${name}'${didYouMean(name, Object.keys(table))}`)
    }
    const parsed = parseConfig(definition, name, value)
    if (parsed === null) continue
    overrides.set(name, definition.type === 'PASSWORD' ? String(parsed) : (formatValue(definition.type, parsed) ?? ''))
  }
  return overrides
}

/** Overrides of a topic from `{ 'min.insync.replicas': 2 }`. @throws ConfigError */
export function topicOverrides(options: object): Overrides {
  return overridesFrom(topicConfigs, 'topic', options)
}

/** Static values of a broker from `{ 'log.retention.hours': 1 }`. @throws ConfigError */
export function brokerOverrides(options: object): Overrides {
  return overridesFrom({ ...brokerConfigs, ...standardAuthorizerConfigs }, 'broker', options)
}

export interface ClientConfiguration<Configs> {
  /** Every key of the table, and the unknown ones as they were given. */
  readonly configs: Configs
  /** The keys that the user gave. */
  readonly given: ReadonlySet<string>
  /** What the Java client would log: unknown keys, values that were adjusted in silence. */
  readonly warnings: readonly string[]
}

/**
 * Every key of a client, given or default (C-1).
 *
 * @throws ConfigError for a value that is not legal, and for a required key that is absent
 */
export function clientConfiguration<Table extends ConfigTable>(
  table: Table,
  area: string,
  options: object,
): ClientConfiguration<ConfigsOf<Table>> {
  const values = options as Record<string, unknown>
  const configs: Record<string, unknown> = {}
  const warnings: string[] = []
  const given = new Set(Object.keys(values).filter(name => values[name] !== undefined))
  for (const [name, definition] of Object.entries(table)) {
    configs[name] = parseClientConfig(definition, name, given.has(name) ? values[name] : undefined)
  }
  for (const name of given) {
    if (definitionOf(table, name) !== undefined) continue
    configs[name] = values[name]
    warnings.push(`unknown ${area} config '${name}'${didYouMean(name, Object.keys(table))}`)
  }
  return { configs: configs as ConfigsOf<Table>, given, warnings }
}

/** In Kafka's words, and where these name one bound only or none, with the whole range. */
function parseClientConfig(definition: ConfigDefinition, name: string, value: unknown): unknown {
  try {
    return parseConfig(definition, name, value)
  } catch (error) {
    const legal = definition.validator?.text
    if (!(error instanceof ConfigError) || legal === undefined || !legal.startsWith('[')) throw error
    if (/must be one of|between/.test(error.message)) throw error
    throw new ConfigError(`${error.message} (legal: ${legal})`)
  }
}
