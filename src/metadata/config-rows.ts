/**
 * The rows of DescribeConfigs (M-21): value, where it comes from, and the synonyms that were passed over for it.
 */
import { brokerConfigs } from './broker-configs.ts'
import { clientMetricsConfigs } from './client-metrics-configs.ts'
import type { ConfigDefinition, ConfigTable, ConfigType } from './config-definition.ts'
import { definitionOf, formatConfig } from './config-definition.ts'
import { shownText } from './config-text.ts'
import type { BrokerConfigLayers, Overrides } from './config-values.ts'
import { effectiveBrokerConfig, effectiveGroupConfig, effectiveTopicConfig, variantsOf } from './config-values.ts'
import { groupConfigs } from './group-configs.ts'
import { topicConfigs } from './topic-configs.ts'

/** Codes of `config_source`. */
export const configSources = {
  unknown: 0,
  dynamicTopic: 1,
  dynamicBroker: 2,
  dynamicDefaultBroker: 3,
  staticBroker: 4,
  default: 5,
  dynamicBrokerLogger: 6,
  clientMetrics: 7,
  group: 8,
} as const

/** Codes of `config_type`; 0 is a key that Kafka does not know. */
const typeCodes: Readonly<Record<ConfigType, number>> = {
  BOOLEAN: 1,
  STRING: 2,
  INT: 3,
  SHORT: 4,
  LONG: 5,
  DOUBLE: 6,
  LIST: 7,
  CLASS: 8,
  PASSWORD: 9,
}

export interface ConfigSynonymRow {
  readonly name: string
  readonly value: string | null
  readonly source: number
}

export interface ConfigRow {
  readonly name: string
  readonly value: string | null
  /** One of `configSources`. */
  readonly source: number
  readonly isDefault: boolean
  readonly readOnly: boolean
  readonly isSensitive: boolean
  /** Best first; a handler leaves them out unless the request asks for them. */
  readonly synonyms: readonly ConfigSynonymRow[]
  readonly type: number
  /** Kafka sends its documentation only when asked; mini-kafka has none. */
  readonly documentation: null
}

/** The keys asked for; null or an empty list = all (M-21). */
export type AskedKeys = readonly string[] | null

/** A topic on one broker. */
export function describeTopicConfigs(overrides: Overrides, layers: BrokerConfigLayers, keys: AskedKeys): ConfigRow[] {
  const values: Readonly<Record<string, unknown>> = effectiveTopicConfig(overrides, layers)
  return rows(topicConfigs, overrides, keys, (name, definition) => {
    const broker = definition.synonyms[0]
    const below = broker === undefined ? [] : brokerSynonyms(broker.name, layers)
    return ofResource(name, definition, overrides, configSources.dynamicTopic, values[name], below)
  })
}

/** A group. A key that no broker key supplies shows its default as a synonym of its own, unlike a topic's. */
export function describeGroupConfigs(overrides: Overrides, layers: BrokerConfigLayers, keys: AskedKeys): ConfigRow[] {
  const values: Readonly<Record<string, unknown>> = effectiveGroupConfig(overrides, layers)
  return rows(groupConfigs, overrides, keys, (name, definition) => {
    const broker = definition.synonyms[0]
    const own = { name, value: formatConfig(definition, definition.default), source: configSources.default }
    const below = broker === undefined ? [own] : brokerSynonyms(broker.name, layers)
    return ofResource(name, definition, overrides, configSources.group, values[name], below)
  })
}

/** A client metrics subscription. */
export function describeClientMetricsConfigs(overrides: Overrides, keys: AskedKeys): ConfigRow[] {
  return rows(clientMetricsConfigs, overrides, keys, (name, definition) =>
    ofResource(name, definition, overrides, configSources.clientMetrics, definition.default, []),
  )
}

/** One broker. Internal and dynamic-only keys show only when set, and so do keys that Kafka does not know. */
export function describeBrokerConfigs(layers: BrokerConfigLayers, keys: AskedKeys): ConfigRow[] {
  const values: Readonly<Record<string, unknown>> = effectiveBrokerConfig(layers)
  const set = new Map([...layers.static, ...layers.dynamicDefault, ...layers.dynamicBroker])
  return rows(brokerConfigs, set, keys, (name, definition) =>
    ofBroker(name, definition, values[name], brokerSynonyms(name, layers)),
  )
}

/** The cluster-wide default: what is set, and nothing else. */
export function describeClusterConfigs(dynamicDefault: Overrides, keys: AskedKeys): ConfigRow[] {
  const asked = keys === null || keys.length === 0 ? [...dynamicDefault.keys()] : [...new Set(keys)]
  return asked
    .filter(name => dynamicDefault.has(name))
    .map(name => {
      const definition = definitionOf(brokerConfigs, name)
      const value = shown(definition, name, dynamicDefault.get(name)!)
      return {
        ...ofBroker(name, definition, null, [{ name, value, source: configSources.dynamicDefaultBroker }]),
        value,
      }
    })
}

function rows(
  table: ConfigTable,
  set: Overrides,
  keys: AskedKeys,
  row: (name: string, definition: ConfigDefinition<unknown>) => ConfigRow,
): ConfigRow[] {
  const result: ConfigRow[] = []
  const names = keys === null || keys.length === 0 ? [...Object.keys(table), ...set.keys()] : keys
  for (const name of new Set(names)) {
    const definition = definitionOf(table, name)
    const hidden = definition === undefined || definition.internal || definition.dynamicOnly
    if (!hidden || set.has(name)) result.push(row(name, definition as ConfigDefinition))
  }
  return result
}

function ofResource(
  name: string,
  definition: ConfigDefinition,
  overrides: Overrides,
  source: number,
  effective: unknown,
  below: readonly ConfigSynonymRow[],
): ConfigRow {
  const text = overrides.get(name)
  const value = text === undefined ? formatConfig(definition, effective) : shown(definition, name, text)
  const synonyms = text === undefined ? below : [{ name, value, source }, ...below]
  return row(name, definition, value, synonyms, false)
}

function ofBroker(
  name: string,
  definition: ConfigDefinition | undefined,
  effective: unknown,
  synonyms: readonly ConfigSynonymRow[],
): ConfigRow {
  const value = definition === undefined ? null : formatConfig(definition, effective)
  return row(name, definition, value, synonyms, definition?.update === undefined || definition.update === 'read-only')
}

function row(
  name: string,
  definition: ConfigDefinition | undefined,
  value: string | null,
  synonyms: readonly ConfigSynonymRow[],
  readOnly: boolean,
): ConfigRow {
  const source = synonyms[0]?.source ?? configSources.default
  return {
    name,
    value,
    source,
    isDefault: source === configSources.default,
    readOnly,
    isSensitive: definition?.sensitive ?? true,
    synonyms,
    type: definition === undefined ? 0 : typeCodes[definition.type],
    documentation: null,
  }
}

/**
 * What the layers say of a broker key and its variants in other units, best first. As in Kafka the list begins with the key
 * itself: a variant that wins although the key is not set is passed over in silence, and the row calls itself a default.
 */
function brokerSynonyms(name: string, layers: BrokerConfigLayers): ConfigSynonymRow[] {
  const names = variantsOf(name)
  const found: ConfigSynonymRow[] = []
  const add = (layer: Overrides, source: number) => {
    for (const variant of names) {
      const text = layer.get(variant)
      const definition = definitionOf(brokerConfigs, variant)
      if (text !== undefined) found.push({ name: variant, value: shown(definition, variant, text), source })
    }
  }
  add(layers.dynamicBroker, configSources.dynamicBroker)
  add(layers.dynamicDefault, configSources.dynamicDefaultBroker)
  add(layers.static, configSources.staticBroker)
  for (const variant of names) {
    const definition = definitionOf(brokerConfigs, variant)
    if (definition === undefined || definition.default === null || definition.dynamicOnly) continue
    found.push({ name: variant, value: formatConfig(definition, definition.default), source: configSources.default })
  }
  const first = found.findIndex(synonym => synonym.name === name)
  return first === -1 ? [] : found.slice(first)
}

/** Text of a layer as it is shown: null for what is sensitive, and what Kafka does not know counts as that. */
function shown(definition: ConfigDefinition | undefined, name: string, text: string): string | null {
  return definition === undefined || definition.sensitive ? null : shownText(definition.type, name, text)
}
