/**
 * Values in force, from the layers that Kafka keeps (M-21): an override of the topic or group, then the dynamic value of
 * this broker, then the dynamic value of all brokers, then the static one, then the default.
 *
 * A result is a plain object with every key of its table, compiled once per change: reading a key is reading a property.
 * Layers are immutable: a change makes a new object, and values are kept for as long as their layers are.
 */
import type { BrokerConfigs } from './broker-configs.ts'
import { brokerConfigs } from './broker-configs.ts'
import type { ConfigDefinition, ConfigsOf, ConfigTable } from './config-definition.ts'
import { definitionOf, parseConfig } from './config-definition.ts'
import type { GroupConfigs } from './group-configs.ts'
import { groupConfigs } from './group-configs.ts'
import type { TopicConfigs } from './topic-configs.ts'
import { topicConfigs } from './topic-configs.ts'

/** Text by key, as config records have it. */
export type Overrides = ReadonlyMap<string, string>

/** What one broker goes by. */
export interface BrokerConfigLayers {
  /** Set for this broker by IncrementalAlterConfigs. */
  readonly dynamicBroker: Overrides
  /** Set for all brokers by IncrementalAlterConfigs. */
  readonly dynamicDefault: Overrides
  /** Given when the broker was made (server.properties). */
  readonly static: Overrides
}

/** What a topic goes by on one broker. */
export type LogConfig = TopicConfigs

export const noOverrides: Overrides = new Map()
export const defaultLayers: BrokerConfigLayers = {
  dynamicBroker: noOverrides,
  dynamicDefault: noOverrides,
  static: noOverrides,
}

/** Broker keys that mean one thing in several units: the first that is set wins. */
const unitVariants: readonly (readonly string[])[] = Object.values(topicConfigs)
  .filter(definition => definition.synonyms.length > 1)
  .map(definition => definition.synonyms.map(synonym => synonym.name))

/** The key and its variants in other units, in the order of precedence. */
export function variantsOf(name: string): readonly string[] {
  return unitVariants.find(names => names.includes(name)) ?? [name]
}

const brokerValues = new WeakMap<BrokerConfigLayers, BrokerConfigs>()
const topicDefaults = new WeakMap<BrokerConfigLayers, TopicConfigs>()
const groupDefaults = new WeakMap<BrokerConfigLayers, GroupConfigs>()

/**
 * Every broker key. A required key that nobody gave (`node.id`, `process.roles`, `controller.listener.names`) is null.
 */
export function effectiveBrokerConfig(layers: BrokerConfigLayers): BrokerConfigs {
  return kept(brokerValues, layers, () => {
    const values = new Map(layers.static)
    // A dynamic value takes the place of its variants in other units (Kafka's DynamicBrokerConfig).
    for (const layer of [layers.dynamicDefault, layers.dynamicBroker]) {
      for (const [name, text] of layer) {
        for (const variant of variantsOf(name)) values.delete(variant)
        values.set(name, text)
      }
    }
    return compile<BrokerConfigs>(brokerConfigs, values, (_, definition) => definition.default)
  })
}

/** Every topic key. `internal.segment.bytes` is null unless set (S-3); `segmentBytes` minds it. */
export function effectiveTopicConfig(overrides: Overrides, layers: BrokerConfigLayers = defaultLayers): LogConfig {
  const defaults = kept(topicDefaults, layers, () => fromBroker<TopicConfigs>(topicConfigs, layers))
  if (overrides.size === 0) return defaults
  return compile<TopicConfigs>(topicConfigs, overrides, name => defaults[name as keyof TopicConfigs])
}

/** Every group key. */
export function effectiveGroupConfig(overrides: Overrides, layers: BrokerConfigLayers = defaultLayers): GroupConfigs {
  const defaults = kept(groupDefaults, layers, () => fromBroker<GroupConfigs>(groupConfigs, layers))
  if (overrides.size === 0) return defaults
  return compile<GroupConfigs>(groupConfigs, overrides, name => defaults[name as keyof GroupConfigs])
}

/** How large a segment may grow: `internal.segment.bytes` goes before `segment.bytes` (S-3). */
export function segmentBytes(config: LogConfig): number {
  return config['internal.segment.bytes'] ?? config['segment.bytes']
}

function kept<Configs extends object>(
  cache: WeakMap<BrokerConfigLayers, Configs>,
  layers: BrokerConfigLayers,
  make: () => Configs,
): Configs {
  const known = cache.get(layers)
  if (known !== undefined) return known
  const made = make()
  cache.set(layers, made)
  return made
}

function compile<Configs extends ConfigsOf<ConfigTable>>(
  table: ConfigTable,
  overrides: Overrides,
  otherwise: (name: string, definition: ConfigDefinition) => unknown,
): Configs {
  const configs: Record<string, unknown> = {}
  for (const [name, definition] of Object.entries(table)) {
    const text = overrides.get(name)
    configs[name] = text === undefined ? otherwise(name, definition) : parseConfig(definition, name, text)
  }
  return Object.freeze(configs) as Configs
}

/** Values that come from the broker's keys: the first synonym that has a value, in its unit. */
function fromBroker<Configs extends ConfigsOf<ConfigTable>>(table: ConfigTable, layers: BrokerConfigLayers): Configs {
  const broker: ConfigsOf<ConfigTable> = effectiveBrokerConfig(layers)
  return compile<Configs>(table, noOverrides, (name, definition) => {
    for (const synonym of definition.synonyms) {
      const value = definitionOf(brokerConfigs, synonym.name) === undefined ? null : broker[synonym.name]
      if (value === null || value === undefined) continue
      if (name === 'retention.ms') return (value as number) < 0 ? -1 : (value as number) * synonym.unitMs
      return synonym.unitMs === 1 ? value : (value as number) * synonym.unitMs
    }
    return definition.default
  })
}
