/**
 * The flags of a command: a table says which there are, and whatever does not fit is one line that says what would.
 */
import { parseArgs } from 'node:util'
import { nearestName } from '../metadata/nearest-name.ts'

/** What was typed is wrong: the message is one line that says what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export interface Flag {
  /** What stands behind it, as `--help` names it; left out: it is a switch. */
  readonly value?: string
  /** It may be said more than once. */
  readonly repeats?: true
  /** What it does, in the words of `--help`. */
  readonly help: string
}

export type FlagTable = Readonly<Record<string, Flag>>

/** Flags that every command has. */
export const commonFlags = {
  help: { help: 'this text' },
  version: { help: 'which version this is' },
} satisfies FlagTable

/** As other Kafka tools call them. */
const names: Readonly<Record<string, string>> = {
  'bootstrap-servers': 'bootstrap-server',
  'broker-list': 'bootstrap-server',
  'command-property': 'config',
  'compression-codec': 'compression',
  'compression-type': 'compression',
  'client-config': 'command-config',
  'consumer.config': 'command-config',
  'consumer-property': 'config',
  'formatter-property': 'format',
  'group-id': 'group',
  'max-messages': 'max-records',
  'producer.config': 'command-config',
  'producer-property': 'config',
  property: 'config',
  'replication-factor': 'topic',
  'request-required-acks': 'acks',
  topics: 'topic',
}

/** What was given to a command, and read as what it should be. */
export class Flags<Name extends string> {
  readonly #given: ReadonlyMap<string, readonly string[]>

  constructor(given: ReadonlyMap<string, readonly string[]>) {
    this.#given = given
  }

  has(name: Name): boolean {
    return this.#given.has(name)
  }

  text(name: Name): string | undefined {
    return this.#given.get(name)?.[0]
  }

  /** @throws {UsageError} where it is missing or empty */
  required(name: Name, example: string): string {
    const text = this.text(name)
    if (text === undefined || text === '') throw new UsageError(`--${name} is needed, as in --${name} ${example}`)
    return text
  }

  list(name: Name): readonly string[] {
    return this.#given.get(name) ?? []
  }

  /** A whole number. @throws {UsageError} */
  number(name: Name, least: number, most: number = Number.MAX_SAFE_INTEGER): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (number >= least && number <= most) return number
    const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} on` : `from ${least} to ${most}`
    throw new UsageError(`--${name} takes a whole number ${range}, not '${text}'`)
  }

  /** `key=value`, the last one of a key. @throws {UsageError} */
  pairs(name: Name, example: string): [key: string, value: string][] {
    return this.list(name).map(text => {
      const at = text.indexOf('=')
      if (at > 0) return [text.slice(0, at).trim(), text.slice(at + 1)]
      throw new UsageError(`--${name} takes key=value, as in --${name} ${example}, not '${withoutRest(text)}'`)
    })
  }

  /** One of a few words. @throws {UsageError} */
  choice<Word extends string>(name: Name, words: readonly Word[]): Word | undefined {
    const text = this.text(name)
    if (text === undefined || words.includes(text as Word)) return text as Word | undefined
    throw new UsageError(`--${name} is one of ${words.join(', ')}, not '${text}'`)
  }

  /** @throws {UsageError} where both are given, and only one of them can be meant */
  refuseBoth(one: Name, other: Name): void {
    if (this.has(one) && this.has(other))
      throw new UsageError(`--${one} and --${other} do not go together: leave one out`)
  }
}

/**
 * Reads the arguments of one command.
 *
 * @throws {UsageError} for a flag that is not in the table, a value that is missing or too much, and for anything that is no flag
 */
export function readFlags<Table extends FlagTable>(
  command: string,
  table: Table,
  args: readonly string[],
): Flags<keyof Table & string> {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, { value }]) => [
      name,
      { type: value === undefined ? 'boolean' : 'string', ...(name === 'help' ? { short: 'h' } : {}) } as const,
    ]),
  )
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true })
  const given = new Map<string, string[]>()
  for (const token of tokens) {
    if (token.kind === 'positional') throw new UsageError(strayAdvice(command, token.value))
    if (token.kind !== 'option') continue
    const { name, rawName, value, inlineValue } = token
    const flag = Object.hasOwn(table, name) ? table[name] : undefined
    if (flag === undefined) throw new UsageError(`unknown flag ${rawName}: ${adviceOn(command, table, name)}`)
    if (flag.value === undefined && value !== undefined) {
      throw new UsageError(`${rawName} takes no value: leave '=${value}' out`)
    }
    if (flag.value !== undefined && (value === undefined || (!inlineValue && /^-\D/.test(value)))) {
      throw new UsageError(`${rawName} takes a value: ${rawName} ${flag.value}`)
    }
    const before = given.get(name)
    if (before !== undefined && flag.value !== undefined && flag.repeats === undefined) {
      throw new UsageError(`${rawName} is given twice: leave one out`)
    }
    given.set(name, [...(before ?? []), value ?? ''])
  }
  return new Flags(given)
}

function adviceOn(command: string, table: FlagTable, name: string): string {
  const meant = names[name] ?? name
  const nearest = Object.hasOwn(table, meant) ? meant : nearestName(name, Object.keys(table))
  return nearest === undefined ? `'${command} --help' lists those that there are` : `did you mean --${nearest}?`
}

/** What was typed at the wrong place may have a password in it, as `alice:secret` has: only its first word is repeated. */
export function withoutRest(text: string): string {
  const first = /^[^\s:=]*/.exec(text)![0]
  return first === text ? text : `${first}…`
}

function strayAdvice(command: string, text: string): string {
  if (command === 'mini-kafka' && (text === 'produce' || text === 'consume')) {
    return `the command comes first: mini-kafka ${text}, and then its flags`
  }
  return `'${withoutRest(text)}' belongs to no flag: '${command} --help' lists those that there are`
}
