/**
 * IncrementalAlterConfigs and AlterConfigs (M-22) as pure functions: overrides and operations in, new overrides out.
 *
 * One bad operation refuses the whole resource. What a resource may hold is said in `config-rules.ts`.
 */
import { KafkaError } from '../wire/errors.ts'
import { brokerConfigs } from './broker-configs.ts'
import type { ConfigTable } from './config-definition.ts'
import { definitionOf } from './config-definition.ts'
import {
  checkBrokerOverrides,
  checkClientMetricsOverrides,
  checkGroupOverrides,
  checkTopicOverrides,
} from './config-rules.ts'
import { formatValue } from './config-text.ts'
import type { BrokerConfigLayers, Overrides } from './config-values.ts'
import { groupConfigs } from './group-configs.ts'
import { topicConfigs } from './topic-configs.ts'

/** Codes of `config_operation`. */
export const configOperations = { set: 0, delete: 1, append: 2, subtract: 3 } as const

export interface ConfigOperation {
  readonly name: string
  /** One of `configOperations`; any other is answered with UNKNOWN_SERVER_ERROR, as Kafka does. */
  readonly operation: number
  readonly value: string | null
}

/** A key of AlterConfigs, which replaces everything. */
export interface ConfigEntry {
  readonly name: string
  readonly value: string | null
}

const MIN_IN_SYNC = 'min.insync.replicas'

/**
 * New overrides of a topic.
 *
 * @param controller static values of the controller, which supply what the cross-checks need besides the overrides
 * @throws KafkaError INVALID_CONFIG, INVALID_REQUEST, UNKNOWN_SERVER_ERROR
 */
export function alterTopicConfigs(
  current: Overrides,
  operations: readonly ConfigOperation[],
  controller?: BrokerConfigLayers,
): Overrides {
  const altered = applied(current, operations, topicConfigs, cannotSplit)
  checkTopicOverrides(altered, controller)
  return altered
}

/** @throws KafkaError as `alterTopicConfigs` */
export function replaceTopicConfigs(entries: readonly ConfigEntry[], controller?: BrokerConfigLayers): Overrides {
  const replaced = replacement(entries)
  checkTopicOverrides(replaced, controller)
  return replaced
}

/**
 * New dynamic values of one broker, or of all (`scope: 'cluster'`). Keys that Kafka does not know are kept (M-22).
 *
 * @param elrEnabled eligible leader replicas are on, as in every cluster that 4.1 or later makes
 * @throws KafkaError INVALID_REQUEST for what may not be altered or is not legal, INVALID_CONFIG for a list operation on
 *   another type and for `min.insync.replicas`, which with eligible leader replicas belongs to the whole cluster (M-21)
 */
export function alterBrokerConfigs(
  current: Overrides,
  operations: readonly ConfigOperation[],
  scope: 'broker' | 'cluster',
  elrEnabled = true,
): Overrides {
  const altered = applied(current, operations, brokerConfigs, (name, verb) =>
    definitionOf(brokerConfigs, name) === undefined
      ? `Unknown config name: ${name}`
      : `Config value ${verb.toLowerCase()} is not allowed for config key: ${name}`,
  )
  checkBrokerOverrides(altered, scope)
  const touched = operations.some(operation => operation.name === MIN_IN_SYNC)
  if (elrEnabled) checkMinInSync(scope, touched, current, altered)
  return altered
}

/** @throws KafkaError as `alterBrokerConfigs` */
export function replaceBrokerConfigs(
  current: Overrides,
  entries: readonly ConfigEntry[],
  scope: 'broker' | 'cluster',
  elrEnabled = true,
): Overrides {
  const replaced = replacement(entries)
  checkBrokerOverrides(replaced, scope)
  if (elrEnabled) checkMinInSync(scope, replaced.has(MIN_IN_SYNC), current, replaced)
  return replaced
}

/**
 * New overrides of a group.
 *
 * @param layers values of the broker: its `group.*` keys bound what a group may have
 * @throws KafkaError INVALID_CONFIG, INVALID_REQUEST, UNKNOWN_SERVER_ERROR
 */
export function alterGroupConfigs(
  current: Overrides,
  operations: readonly ConfigOperation[],
  layers?: BrokerConfigLayers,
): Overrides {
  const altered = applied(current, operations, groupConfigs, cannotSplit)
  checkGroupOverrides(altered, layers)
  return altered
}

/** @throws KafkaError as `alterGroupConfigs` */
export function replaceGroupConfigs(entries: readonly ConfigEntry[], layers?: BrokerConfigLayers): Overrides {
  const replaced = replacement(entries)
  checkGroupOverrides(replaced, layers)
  return replaced
}

/** @throws KafkaError INVALID_REQUEST for keys and intervals, INVALID_CONFIG for patterns */
export function alterClientMetricsConfigs(current: Overrides, operations: readonly ConfigOperation[]): Overrides {
  // Kafka's controller does not know that two of these keys are lists: APPEND is refused for all of them.
  const altered = applied(current, operations, {}, cannotSplit)
  checkClientMetricsOverrides(altered)
  return altered
}

/** @throws KafkaError as `alterClientMetricsConfigs` */
export function replaceClientMetricsConfigs(entries: readonly ConfigEntry[]): Overrides {
  const replaced = replacement(entries)
  checkClientMetricsOverrides(replaced)
  return replaced
}

function cannotSplit(name: string, verb: 'APPEND' | 'SUBTRACT'): string {
  return `Can't ${verb} to key ${name} because its type is not LIST.`
}

function applied(
  current: Overrides,
  operations: readonly ConfigOperation[],
  table: ConfigTable,
  refusal: (name: string, verb: 'APPEND' | 'SUBTRACT') => string,
): Overrides {
  refuseRepeated(operations)
  refuseNull(operations.filter(operation => operation.operation !== configOperations.delete))
  const altered = new Map(current)
  for (const { name, operation, value } of operations) {
    switch (operation) {
      case configOperations.set:
        altered.set(name, value!)
        break
      case configOperations.delete:
        altered.delete(name)
        break
      case configOperations.append:
      case configOperations.subtract: {
        const append = operation === configOperations.append
        const definition = definitionOf(table, name)
        if (definition?.type !== 'LIST') {
          throw new KafkaError('INVALID_CONFIG', refusal(name, append ? 'APPEND' : 'SUBTRACT'))
        }
        const before = current.get(name) ?? formatValue('LIST', definition.default) ?? ''
        altered.set(name, append ? appended(before, value!) : subtracted(before, value!))
        break
      }
      default:
        throw new KafkaError('UNKNOWN_SERVER_ERROR')
    }
  }
  return altered
}

function appended(before: string, value: string): string {
  const entries = entriesOf(before)
  for (const entry of value.split(',')) if (!entries.includes(entry)) entries.push(entry)
  return entries.join(',')
}

/** Takes each entry away once, if it is there. */
function subtracted(before: string, value: string): string {
  const entries = entriesOf(before)
  for (const entry of value.split(',')) {
    const index = entries.indexOf(entry)
    if (index !== -1) entries.splice(index, 1)
  }
  return entries.join(',')
}

function entriesOf(text: string): string[] {
  return text.split(',').filter(entry => entry !== '')
}

function replacement(entries: readonly ConfigEntry[]): Overrides {
  refuseRepeated(entries)
  refuseNull(entries)
  return new Map(entries.map(entry => [entry.name, entry.value!]))
}

function refuseRepeated(entries: readonly ConfigEntry[]): void {
  if (new Set(entries.map(entry => entry.name)).size < entries.length) {
    throw new KafkaError('INVALID_REQUEST', 'Error due to duplicate config keys')
  }
}

function refuseNull(entries: readonly ConfigEntry[]): void {
  const names = entries.filter(entry => entry.value === null).map(entry => entry.name)
  if (names.length > 0) throw new KafkaError('INVALID_REQUEST', `Null value not supported for : ${names.join(', ')}`)
}

/** Eligible leader replicas are on, as in every cluster that 4.1 or later makes. */
function checkMinInSync(scope: 'broker' | 'cluster', touched: boolean, before: Overrides, after: Overrides): void {
  if (scope === 'broker' && touched) {
    const message = `Broker-level ${MIN_IN_SYNC} cannot be altered while ELR is enabled.`
    throw new KafkaError('INVALID_CONFIG', message)
  }
  if (scope === 'cluster' && before.has(MIN_IN_SYNC) && !after.has(MIN_IN_SYNC)) {
    throw new KafkaError('INVALID_CONFIG', `Cluster-level ${MIN_IN_SYNC} cannot be removed while ELR is enabled.`)
  }
}
