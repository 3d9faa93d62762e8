/**
 * What one configuration key is, and how a value is read, checked and printed (Kafka's `ConfigDef`; C-1, M-20).
 *
 * Tables of keys are plain objects whose values are made by the functions below, so that one key is one line of data
 * and TypeScript knows the type of every key: `ConfigsOf<typeof topicConfigs>`.
 *
 * Numbers: a Kafka LONG beyond ±2^53 becomes ±Infinity, and Infinity prints as 9223372036854775807 ("for ever").
 * Classes: JavaScript has no class path, so a CLASS is a name, an instance, a class or a function; whoever uses the key
 * resolves it.
 */
import { ConfigError } from '../wire/errors.ts'
import { formatValue, invalidConfig, parseValue } from './config-text.ts'
import type { Validator } from './config-validator.ts'
import { anyEntries, atLeastRule, betweenRule, entriesRule, nonEmptyRule, oneOfRule } from './config-validator.ts'

export type ConfigType = 'BOOLEAN' | 'STRING' | 'INT' | 'SHORT' | 'LONG' | 'DOUBLE' | 'LIST' | 'CLASS' | 'PASSWORD'
export type ConfigImportance = 'HIGH' | 'MEDIUM' | 'LOW'
/** Broker keys: may it be altered while the broker runs, and for one broker or only for all of them? */
export type ConfigUpdate = 'read-only' | 'per-broker' | 'cluster-wide'
/** What a key of type CLASS holds: a Java class name that is known here, an object, a class or a function. */
export type ClassValue = string | object

/** A broker key that supplies a topic's default; `unitMs` converts its unit (1 where the unit is the same). */
export interface ConfigSynonym {
  readonly name: string
  readonly unitMs: number
}

export interface ConfigDefinition<Value = unknown> {
  readonly type: ConfigType
  /** null = no default; of a required key the default never shows. */
  readonly default: Value
  readonly required: boolean
  readonly importance: ConfigImportance
  readonly validator: Validator | undefined
  /** Not documented by Kafka, and described only when set. */
  readonly internal: boolean
  /** Never shown (M-21). */
  readonly sensitive: boolean
  readonly update: ConfigUpdate | undefined
  /** Has no static form: throttled rates. */
  readonly dynamicOnly: boolean
  /** First one that is set wins. */
  readonly synonyms: readonly ConfigSynonym[]
}

export type ConfigTable = Readonly<Record<string, ConfigDefinition>>
/** Parsed values of a whole table, under Kafka's dotted names. */
export type ConfigsOf<Table extends ConfigTable> = { readonly [Name in keyof Table]: Table[Name]['default'] }
/** What a user may write for a key: its value, or the text that Kafka's documents use. */
export type ConfigInput<Value> =
  | Value
  | (Value extends number ? `${number}` : never)
  /** `acks: 1` as well as `acks: '1'`. */
  | (Value extends `${infer Digits extends number}` ? Digits : never)
  | (Value extends boolean ? 'true' | 'false' : never)
  | (Value extends readonly unknown[] ? string : never)
/** What a user may write for a table: any of its keys. */
export type ConfigOptionsOf<Table extends ConfigTable> = {
  readonly [Name in keyof Table]?: ConfigInput<Table[Name]['default']> | undefined
}

/** The default of a key that has none and must be given. */
export const required: unique symbol = Symbol('required')
type Required = typeof required
type Given<Default, Value> = Default extends null ? Value | null : Value
export type Trait = Partial<Omit<ConfigDefinition, 'type' | 'default'>>

export const MAX_INT = 2147483647
/** Long.MAX_VALUE, read "for ever". */
export const MAX_LONG = Number.POSITIVE_INFINITY
export const MAX_LONG_TEXT = '9223372036854775807'

export const high: Trait = { importance: 'HIGH' }
export const medium: Trait = { importance: 'MEDIUM' }
export const low: Trait = { importance: 'LOW' }
export const internal: Trait = { internal: true }
export const readOnly: Trait = { update: 'read-only' }
export const perBroker: Trait = { update: 'per-broker' }
export const clusterWide: Trait = { update: 'cluster-wide' }
export const dynamicOnly: Trait = { dynamicOnly: true }
export const nonEmpty: Trait = { validator: nonEmptyRule }

export function atLeast(min: number): Trait {
  return { validator: atLeastRule(min) }
}

export function between(min: number, max: number, or?: number): Trait {
  return { validator: betweenRule(min, max, or) }
}

/** Whether a list may be empty, or null instead of a list. */
export function entries(legal: { empty: boolean; null?: boolean }): Trait {
  return { validator: entriesRule(legal) }
}

export function checkedBy(validator: Validator): Trait {
  return { validator }
}

/** The broker keys that supply the default of a topic key; with a unit where it differs from the topic key's. */
export function from(...names: readonly (string | readonly [name: string, unitMs: number])[]): Trait {
  return {
    synonyms: names.map(name => (typeof name === 'string' ? { name, unitMs: 1 } : { name: name[0], unitMs: name[1] })),
  }
}

function define<Default, Value>(
  type: ConfigType,
  fallback: Default | Required,
  traits: readonly Trait[],
): ConfigDefinition<Value> {
  const definition: ConfigDefinition = {
    type,
    default: fallback === required ? null : fallback,
    required: fallback === required,
    importance: 'MEDIUM',
    validator: undefined,
    internal: false,
    sensitive: type === 'PASSWORD',
    update: undefined,
    dynamicOnly: false,
    synonyms: [],
  }
  return Object.assign(definition, ...traits) as ConfigDefinition<Value>
}

export function boolean(fallback: boolean, ...traits: readonly Trait[]): ConfigDefinition<boolean> {
  return define('BOOLEAN', fallback, traits)
}

export function int<D extends number | null | Required>(
  fallback: D,
  ...traits: readonly Trait[]
): ConfigDefinition<Given<D, number>> {
  return define('INT', fallback, traits)
}

export function short(fallback: number, ...traits: readonly Trait[]): ConfigDefinition<number> {
  return define('SHORT', fallback, traits)
}

export function long<D extends number | null>(
  fallback: D,
  ...traits: readonly Trait[]
): ConfigDefinition<Given<D, number>> {
  return define('LONG', fallback, traits)
}

export function double(fallback: number, ...traits: readonly Trait[]): ConfigDefinition<number> {
  return define('DOUBLE', fallback, traits)
}

export function string<D extends string | null>(
  fallback: D,
  ...traits: readonly Trait[]
): ConfigDefinition<Given<D, string>> {
  return define('STRING', fallback, traits)
}

/** A string of a known form, which its validator checks. */
export function stringOf<Form extends string>(fallback: Form, ...traits: readonly Trait[]): ConfigDefinition<Form> {
  return define('STRING', fallback, traits)
}

/** A string out of a few, exactly as written. */
export function oneOf<const Value extends string, Fallback extends Value>(
  values: readonly Value[],
  fallback: Fallback,
  ...traits: readonly Trait[]
): ConfigDefinition<Value> {
  return define('STRING', fallback, [...traits, { validator: oneOfRule(values, false) }])
}

/** A word in the spellings that editors offer; written another way it is taken all the same. */
type AnyCase<Word extends string> = Word | Lowercase<Word> | Uppercase<Word> | Capitalize<Lowercase<Word>>

/** A string out of a few, in any case (the value keeps the case it was given in, as Kafka's does). */
export function oneOfAnyCase<const Value extends string, Fallback extends AnyCase<Value>>(
  values: readonly Value[],
  fallback: Fallback,
  ...traits: readonly Trait[]
): ConfigDefinition<AnyCase<Value>> {
  return define('STRING', fallback, [...traits, { validator: oneOfRule(values, true) }])
}

/** Entries separated by commas; repeated ones are dropped (C-1). */
export function list<D extends readonly string[] | null | Required>(
  fallback: D,
  ...traits: readonly Trait[]
): ConfigDefinition<Given<D, readonly string[]>> {
  return define('LIST', fallback, [{ validator: anyEntries }, ...traits])
}

/** A list with entries out of a few. */
export function listOf<const Entry extends string, Fallback extends Entry>(
  values: readonly Entry[],
  fallback: readonly Fallback[] | Required,
  legal: { empty: boolean },
  ...traits: readonly Trait[]
): ConfigDefinition<readonly Entry[]> {
  return define('LIST', fallback, [...traits, { validator: entriesRule({ ...legal, of: values }) }])
}

/** A list of class names or objects. */
export function classes(
  fallback: readonly ClassValue[],
  ...traits: readonly Trait[]
): ConfigDefinition<readonly ClassValue[]> {
  return define('LIST', fallback, [{ validator: anyEntries }, ...traits])
}

export function password(fallback: null, ...traits: readonly Trait[]): ConfigDefinition<string | null> {
  return define('PASSWORD', fallback, traits)
}

export function className<D extends string | null | Required>(
  fallback: D,
  ...traits: readonly Trait[]
): ConfigDefinition<Given<D, ClassValue>> {
  return define('CLASS', fallback, traits)
}

/** The definition of a key, if the table has it (`constructor` is no key). */
export function definitionOf(table: ConfigTable, name: string): ConfigDefinition | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}

/**
 * Reads and checks one value. `undefined` stands for an absent key and gives the default.
 *
 * @throws ConfigError when the key is required and absent, does not parse, or is out of its legal range
 */
export function parseConfig(definition: ConfigDefinition, name: string, value: unknown): unknown {
  if (value === undefined) {
    if (!definition.required) return definition.default
    throw new ConfigError(`Missing required configuration "${name}" which has no default value.`)
  }
  const parsed = value === null ? null : parseValue(definition.type, name, value)
  if (definition.validator !== undefined) return definition.validator.check(name, parsed)
  if (parsed === null && (definition.required || definition.default !== null))
    throw invalidConfig(name, null, 'null is not allowed')
  return parsed
}

/** A parsed value as DescribeConfigs shows it: null for none, and for what is sensitive (M-21). */
export function formatConfig(definition: ConfigDefinition, value: unknown): string | null {
  return definition.sensitive ? null : formatValue(definition.type, value)
}
