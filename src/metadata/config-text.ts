/**
 * Values of configuration keys from text and back to it, as Kafka's `ConfigDef.parseType` and `convertToString` do (C-1).
 */
import { ConfigError } from '../wire/errors.ts'
import type { ConfigType } from './config-definition.ts'

const LONG_MAX = 9223372036854775807n
const INTEGER_TYPES = {
  SHORT: { max: 32767n, words: 'a 16-bit integer (short)' },
  INT: { max: 2147483647n, words: 'a 32-bit integer' },
  LONG: { max: LONG_MAX, words: 'a 64-bit integer (long)' },
} as const
/** What stands for a password, as in DescribeConfigs. */
const HIDDEN = '[hidden]'
const DOUBLE_FORM = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[dDfF]?|Infinity|NaN)$/

/** In Kafka's words: `Invalid value -1 for configuration linger.ms: Value must be at least 0`. */
export function invalidConfig(name: string, value: unknown, reason: string): ConfigError {
  return new ConfigError(`Invalid value ${inWords(value)} for configuration ${name}: ${reason}`)
}

function inWords(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inWords).join(', ')}]`
  return typeof value === 'object' && value !== null ? `of class ${nameOf(value)}` : String(value)
}

/** A value of the type, from text or from a JavaScript value that fits. @throws ConfigError naming what was expected */
export function parseValue(type: ConfigType, name: string, value: NonNullable<unknown>): unknown {
  const given = typeof value === 'string' ? value.trim() : value
  switch (type) {
    case 'BOOLEAN':
      return parseBoolean(name, given)
    case 'SHORT':
    case 'INT':
    case 'LONG':
      return parseInteger(type, name, given)
    case 'DOUBLE':
      return parseDouble(name, given)
    case 'LIST':
      if (Array.isArray(given)) return given
      if (typeof given === 'string') return given === '' ? [] : given.split(/\s*,\s*/)
      throw invalidConfig(name, value, 'Expected a comma separated list.')
    case 'CLASS':
      if (given === '') throw invalidConfig(name, given, 'Class  could not be found.')
      if (typeof given === 'string' || typeof given === 'function' || typeof given === 'object') return given
      throw invalidConfig(name, value, 'Expected a Class instance or class name.')
    default:
      if (typeof given === 'string') return given
      // `acks: 1` is what anybody would write.
      if (typeof given === 'number') return String(given)
      throw invalidConfig(
        name,
        type === 'PASSWORD' ? HIDDEN : value,
        `Expected value to be a string, but it was a ${typeof value}`,
      )
  }
}

function parseBoolean(name: string, given: unknown): boolean {
  if (typeof given === 'boolean') return given
  const text = typeof given === 'string' ? given.toLowerCase() : ''
  if (text === 'true' || text === 'false') return text === 'true'
  throw invalidConfig(name, given, 'Expected value to be either true or false')
}

function parseInteger(type: keyof typeof INTEGER_TYPES, name: string, given: unknown): number {
  const { max, words } = INTEGER_TYPES[type]
  if (typeof given === 'number' || typeof given === 'bigint') {
    if (type === 'LONG' && (given === Number.POSITIVE_INFINITY || given === Number.NEGATIVE_INFINITY)) return given
    if (typeof given === 'bigint' || Number.isInteger(given)) {
      const exact = BigInt(given)
      if (exact <= max && exact >= -max - 1n) return toNumber(exact)
    }
    throw invalidConfig(name, given, `Expected value to be ${words}`)
  }
  if (typeof given === 'string') {
    if (/^[+-]?\d+$/.test(given)) {
      const exact = BigInt(given.replace('+', ''))
      if (exact <= max && exact >= -max - 1n) return toNumber(exact)
    }
    throw invalidConfig(name, given, `Not a number of type ${type}`)
  }
  throw invalidConfig(name, given, `Expected value to be ${words}, but it was a ${typeof given}`)
}

/** A long that a number cannot hold exactly is as good as for ever. */
function toNumber(exact: bigint): number {
  if (exact > Number.MAX_SAFE_INTEGER) return Number.POSITIVE_INFINITY
  return exact < Number.MIN_SAFE_INTEGER ? Number.NEGATIVE_INFINITY : Number(exact)
}

function parseDouble(name: string, given: unknown): number {
  if (typeof given === 'number') return given
  if (typeof given === 'string') {
    if (DOUBLE_FORM.test(given)) return Number(given.replace(/[dDfF]$/, ''))
    throw invalidConfig(name, given, 'Not a number of type DOUBLE')
  }
  throw invalidConfig(name, given, `Expected value to be a double, but it was a ${typeof given}`)
}

/** A parsed value as Kafka prints it in DescribeConfigs; a password is hidden, null stays null. */
export function formatValue(type: ConfigType, value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (type === 'PASSWORD') return HIDDEN
  if (type === 'DOUBLE') return formatDouble(value as number)
  if (type === 'LONG' && value === Number.POSITIVE_INFINITY) return String(LONG_MAX)
  if (type === 'LONG' && value === Number.NEGATIVE_INFINITY) return String(-LONG_MAX - 1n)
  if (Array.isArray(value)) return value.map(nameOf).join(',')
  return nameOf(value)
}

function nameOf(value: unknown): string {
  if (typeof value === 'function') return value.name
  return typeof value === 'object' && value !== null ? (value.constructor?.name ?? 'Object') : String(value)
}

/** Java's `Double.toString`: always a fraction, an exponent below 10^-3 and from 10^7. */
function formatDouble(value: number): string {
  const size = Math.abs(value)
  if (value === 0 || !Number.isFinite(value)) return Object.is(value, 0) ? '0.0' : value === 0 ? '-0.0' : String(value)
  if (size >= 1e-3 && size < 1e7) return Number.isInteger(value) ? `${value}.0` : String(value)
  const [digits, exponent] = value.toExponential().split('e') as [string, string]
  return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`
}

/** Text as it was stored, in the form that Kafka shows: trimmed, and a long exact where a number would not be. */
export function shownText(type: ConfigType, name: string, text: string): string | null {
  if (type === 'LONG' || type === 'INT' || type === 'SHORT') return String(BigInt(text.trim().replace('+', '')))
  return formatValue(type, parseValue(type, name, text))
}
