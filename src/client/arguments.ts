import { unknownField } from '../metadata/nearest-name.ts'
import { IllegalArgumentError } from '../wire/errors.ts'

/**
 * A misspelt field would silently do nothing: it is refused, and so is what is no object at all.
 *
 * @throws {IllegalArgumentError} with the name that was probably meant, or all that there are
 */
export function refuseUnknown(what: string, given: object, known: readonly string[]): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new IllegalArgumentError(`${what} is an object with ${known.join(', ')}, not ${textOf(given)}`)
  }
  const unknown = unknownField(given, known)
  if (unknown === undefined) return
  const others = unknown.endsWith('?') ? '' : `: there are ${known.join(', ')}`
  throw new IllegalArgumentError(`${what}: unknown field ${unknown}${others}`)
}

/** @throws {IllegalArgumentError} for what is no array, with an example of one */
export function requireArray(what: string, given: readonly unknown[], example: string): void {
  if (Array.isArray(given)) return
  throw new IllegalArgumentError(`${what} takes an array, as in ${example}, not ${textOf(given)}`)
}

/** The `timeoutMs` of a call's options, in milliseconds. @throws {IllegalArgumentError} */
export function timeoutOf(call: string, options: { readonly timeoutMs?: number }, otherwise?: number): number {
  refuseUnknown(`${call}({ timeoutMs })`, options, ['timeoutMs'])
  const timeoutMs = options.timeoutMs ?? otherwise
  if (typeof timeoutMs === 'number' && timeoutMs >= 0) return timeoutMs
  throw new IllegalArgumentError(`${call}({ timeoutMs }) takes milliseconds from 0 on, not ${textOf(timeoutMs)}`)
}

/** A value as an error says it: text in quotes, so that it cannot be taken for a number. */
export function textOf(given: unknown): string {
  if (typeof given === 'string') return `'${given}'`
  if (typeof given === 'number' || typeof given === 'bigint') return String(given)
  return typeof given === 'function' ? 'a function' : (JSON.stringify(given) ?? String(given))
}
