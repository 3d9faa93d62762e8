/**
 * Which values of its type a key may have (C-1, M-20): the validators that Kafka's `ConfigDef` knows, and the words in
 * which it refuses.
 */
import { ConfigError } from '../wire/errors.ts'
import { invalidConfig } from './config-text.ts'
import { durationMs } from './iso-duration.ts'

export interface Validator {
  /** The legal values as Kafka's documentation prints them: `[0,...]`, `[none, gzip, …]`. */
  readonly text: string | undefined
  /** The value to keep: the one given, or its list without repeated entries. Throws ConfigError. */
  check(name: string, value: unknown): unknown
}

function rule(text: string | undefined, refusal: (value: unknown) => string | undefined): Validator {
  return {
    text,
    check(name, value) {
      const reason = refusal(value)
      if (reason !== undefined) throw invalidConfig(name, value, reason)
      return value
    },
  }
}

export function atLeastRule(min: number): Validator {
  return rule(`[${min},...]`, value => outOf(min, Number.POSITIVE_INFINITY, value))
}

export function betweenRule(min: number, max: number, or?: number): Validator {
  if (or === undefined) return rule(`[${min},...,${max}]`, value => outOf(min, max, value))
  return rule(`[${min},...,${max}] or ${or}`, value =>
    value === or || outOf(min, max, value) === undefined
      ? undefined
      : `Value must be between ${min} and ${max} or equal to ${or}`,
  )
}

function outOf(min: number, max: number, value: unknown): string | undefined {
  if (value === null) return 'Value must be non-null'
  if ((value as number) < min) return `Value must be at least ${min}`
  return (value as number) > max ? `Value must be no more than ${max}` : undefined
}

export function oneOfRule(values: readonly string[], anyCase: boolean): Validator {
  const note = anyCase ? ' (case insensitive)' : ''
  const legal = new Set(anyCase ? values.map(value => value.toUpperCase()) : values)
  return rule(`${anyCase ? '(case insensitive) ' : ''}[${values.join(', ')}]`, value => {
    const given = typeof value === 'string' && anyCase ? value.toUpperCase() : value
    return legal.has(given as string) ? undefined : `String must be one of${note}: ${values.join(', ')}`
  })
}

export const nonEmptyRule = rule('non-empty string', value => (value === '' ? 'String must be non-empty' : undefined))

export const nonNullRule = rule('non-null string', value => (value === null ? 'String must be non-null' : undefined))

/** `share.acquire.mode`: printed as if case mattered, but taken in any case (its default is BATCH_OPTIMIZED). */
export const acquireModeRule: Validator = {
  ...oneOfRule(['batch_optimized', 'record_limit'], true),
  text: '[batch_optimized, record_limit]',
}

/** Kafka's text for quorum addresses; the empty list, which is their default, passes all the same. */
export const quorumAddressesRule = rule('non-empty list', value => (value === null ? 'null is not allowed' : undefined))

/** The literal `*`, or pairs of partition and broker. */
export const throttledReplicasRule: Validator = {
  text: '[partitionId]:[brokerId],[partitionId]:[brokerId],...',
  check(name, value) {
    const entries = value as readonly string[] | null
    if (entries !== null && ((entries.length === 1 && entries[0] === '*') || entries.every(e => /^\d+:\d+$/.test(e)))) {
      return value
    }
    const form = "the literal '*' or a list of replicas in the following format: "
    throw invalidConfig(name, value, `${name} must be ${form}${this.text}`)
  },
}

/** Where a consumer begins: a name, or so long before now (KIP-1106). */
export function offsetResetRule(names: readonly string[]): Validator {
  const form = 'by_duration:PnDTnHnMn.nS'
  return rule(`[${[...names, form].join(', ')}]`, value => {
    if (typeof value === 'string') {
      if (names.includes(value)) return undefined
      if (value.startsWith('by_duration:') && durationMs(value.slice('by_duration:'.length)) !== undefined)
        return undefined
    }
    return `The value must be ${names.map(name => `'${name}'`).join(', ')} or of the format '${form}'.`
  })
}

/** What a list may hold. Repeated entries are dropped (Kafka warns of them), empty ones refused (C-1). */
export function entriesRule(legal: { empty?: boolean; null?: boolean; of?: readonly string[] }): Validator {
  const { empty = true, null: nullable = false, of } = legal
  const valid = of === undefined ? 'any non-empty value' : `[${of.join(', ')}]`
  return {
    text: of === undefined ? undefined : `[${of.join(', ')}]`,
    check(name, value) {
      if (value === null) {
        if (nullable) return null
        throw new ConfigError(`Configuration '${name}' values must not be null.`)
      }
      const entries = value as readonly unknown[]
      if (entries.length === 0 && !empty)
        throw new ConfigError(`Configuration '${name}' must not be empty. Valid values include: ${valid}`)
      for (const entry of entries) {
        if (entry === '') throw new ConfigError(`Configuration '${name}' values must not be empty.`)
        if (of !== undefined && !of.includes(entry as string)) {
          throw invalidConfig(name, entry, `String must be one of: ${of.join(', ')}`)
        }
      }
      return new Set(entries).size === entries.length ? entries : [...new Set(entries)]
    },
  }
}

export const anyEntries = entriesRule({})
