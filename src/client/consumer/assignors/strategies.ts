import type { ClassValue } from '../../../metadata/config-definition.ts'
import { nearestName } from '../../../metadata/nearest-name.ts'
import { ConfigError } from '../../../wire/errors.ts'
import type { Assignor, RebalanceProtocol } from './assignor.ts'
import { CooperativeStickyAssignor } from './cooperative-sticky-assignor.ts'
import { RangeAssignor } from './range-assignor.ts'
import { RoundRobinAssignor } from './round-robin-assignor.ts'
import { StickyAssignor } from './sticky-assignor.ts'

const KEY = 'partition.assignment.strategy'

/** The built-in ones, by the name that goes over the wire. */
export type AssignorName = 'range' | 'roundrobin' | 'sticky' | 'cooperative-sticky'

/** What `partition.assignment.strategy` takes, alone or in a list. Java's names may be written out: `…RangeAssignor`. */
export type AssignorChoice = AssignorName | `${string}Assignor` | Assignor | (new () => Assignor)

const builtIn: Readonly<Record<AssignorName, new () => Assignor>> = {
  range: RangeAssignor,
  roundrobin: RoundRobinAssignor,
  sticky: StickyAssignor,
  'cooperative-sticky': CooperativeStickyAssignor,
}

const javaNames: Readonly<Record<string, AssignorName>> = {
  RangeAssignor: 'range',
  RoundRobinAssignor: 'roundrobin',
  StickyAssignor: 'sticky',
  CooperativeStickyAssignor: 'cooperative-sticky',
}

/**
 * The assignors of one consumer, in order of preference; each consumer has instances of its own, for they remember.
 *
 * @throws {ConfigError} for a name that is not known, something that cannot assign, a name used twice
 */
export function assignorsOf(values: readonly ClassValue[]): Assignor[] {
  const assignors = values.map(assignorOf)
  const names = new Set<string>()
  for (const { name } of assignors) {
    if (names.has(name)) throw new ConfigError(`${KEY}: the name '${name}' is used in more than one assignor`)
    names.add(name)
  }
  return assignors
}

/**
 * Cooperative only if every assignor can: a member may be told to use any of them.
 *
 * @throws {ConfigError} if they have none in common
 */
export function rebalanceProtocolOf(assignors: readonly Assignor[]): RebalanceProtocol {
  const supports = (protocol: RebalanceProtocol) =>
    assignors.every(({ supportedProtocols }) => (supportedProtocols ?? ['eager']).includes(protocol))
  if (assignors.length > 0 && supports('cooperative')) return 'cooperative'
  if (supports('eager')) return 'eager'
  const names = assignors.map(({ name }) => name).join(', ')
  throw new ConfigError(`${KEY}: the assignors ${names} have no rebalance protocol in common`)
}

function assignorOf(value: ClassValue): Assignor {
  if (typeof value === 'string') return new builtIn[assignorName(value)]()
  const made: unknown = typeof value === 'function' ? new (value as new () => unknown)() : value
  if (isAssignor(made)) return made
  throw new ConfigError(`${KEY} takes names, or objects with name and assign, or classes of such: ${known()}`)
}

function isAssignor(made: unknown): made is Assignor {
  if (typeof made !== 'object' || made === null) return false
  const { name, assign } = made as Partial<Assignor>
  return typeof name === 'string' && name !== '' && typeof assign === 'function'
}

function assignorName(text: string): AssignorName {
  const short = text.slice(text.lastIndexOf('.') + 1)
  if (Object.hasOwn(builtIn, short)) return short as AssignorName
  const java = javaNames[short]
  if (java !== undefined) return java
  const nearest = nearestName(short, [...Object.keys(builtIn), ...Object.keys(javaNames)])
  const hint = nearest === undefined ? '' : `; did you mean '${nearest}'?`
  throw new ConfigError(`${KEY} '${text}' is not known: ${known()}${hint}`)
}

function known(): string {
  return `known are ${Object.keys(builtIn).join(', ')}`
}
