/** Whether something is as a test says it has to be: plain values, and the asymmetric matchers of any runner. */

import { Records } from '../../wire/records.ts'

/** `expect.any(…)`, `expect.objectContaining(…)` and their like: Jest, Vitest, Jasmine, Sinon, jest-extended. */
interface AsymmetricMatcher {
  asymmetricMatch(actual: unknown): boolean
  /** `expect.not.…`: what is no string at all is then no match of a string either. */
  readonly inverse?: boolean
  toString(): string
  getExpectedType?(): string
  toAsymmetricMatcher?(): string
}

export function isAsymmetric(expected: unknown): expected is AsymmetricMatcher {
  return typeof (expected as AsymmetricMatcher | null)?.asymmetricMatch === 'function'
}

/** As JSON has it: all keys, deep; `partial`: objects may have more. Numbers that are told as text or bigint count too. */
export function isLike(expected: unknown, actual: unknown, partial = false): boolean {
  if (isAsymmetric(expected)) return expected.asymmetricMatch(actual)
  if (typeof expected === 'bigint') return typeof actual === 'number' && BigInt(actual) === expected
  if (Object.is(expected, actual) || expected === actual) return true
  if (typeof expected !== 'object' || typeof actual !== 'object' || expected === null || actual === null) return false
  if (expected instanceof Uint8Array) return actual instanceof Uint8Array && isSameBytes(expected, actual)
  if (Array.isArray(expected) || Array.isArray(actual)) {
    if (!Array.isArray(expected) || !Array.isArray(actual) || expected.length !== actual.length) return false
    return expected.every((each, index) => isLike(each, actual[index], partial))
  }
  const wanted = Object.entries(expected).filter(([, value]) => value !== undefined)
  const there = Object.keys(actual).filter(key => (actual as Record<string, unknown>)[key] !== undefined)
  if (!partial && there.length !== wanted.length) return false
  return wanted.every(
    ([key, value]) => key in actual && isLike(value, (actual as Record<string, unknown>)[key], partial),
  )
}

/** Offsets, timestamps, partitions: a number, or the same as text or bigint. */
export function isLikeNumber(expected: unknown, actual: number): boolean {
  if (isAsymmetric(expected)) return expected.asymmetricMatch(actual)
  if (expected instanceof Date) return expected.getTime() === actual
  return String(expected) === String(actual)
}

/** Bytes of a key, value or header: as text (UTF-8), as bytes, or as the object or number that their JSON says. */
export function isLikeBytes(expected: unknown, actual: Uint8Array | null): boolean {
  if (isAsymmetric(expected)) return fits(expected, actual)
  if (expected === null || actual === null) return expected === actual
  if (expected instanceof Uint8Array) return isSameBytes(expected, actual)
  if (typeof expected === 'string') return isSameBytes(Buffer.from(expected), actual)
  const parsed = jsonOf(actual)
  return parsed !== undefined && isLike(expected, parsed.value)
}

/** A matcher may be about the text, the object, or the bytes: the first that it takes counts. */
function fits(expected: AsymmetricMatcher, actual: Uint8Array | null): boolean {
  if (actual === null) return expected.asymmetricMatch(null)
  const text = textOf(actual)
  const json = jsonOf(actual)
  if (expected.inverse) {
    // What is no string matches every `not.stringContaining`: only the form that the matcher is about may be shown to it.
    const wantsText = /string/i.test(nameOf(expected)) || json === undefined
    return expected.asymmetricMatch(wantsText ? (text ?? actual) : json?.value)
  }
  if (text !== undefined && expected.asymmetricMatch(text)) return true
  if (json !== undefined && expected.asymmetricMatch(json.value)) return true
  return expected.asymmetricMatch(actual)
}

export function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Undefined for bytes that are no UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

function jsonOf(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(strict.decode(bytes)) }
  } catch {
    return undefined
  }
}

// --- as a failure says it ------------------------------------------------------------------------------------------------

const SHOWN = 100

/** One line, for a reader of failures. */
export function show(value: unknown): string {
  if (isAsymmetric(value)) return nameOf(value)
  if (value instanceof Uint8Array) {
    const text = textOf(value)
    return text === undefined ? `<${value.length} bytes ${Buffer.from(value).toString('hex', 0, 24)}>` : quoted(text)
  }
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'object' && value !== null) return cut(jsonText(value))
  return String(value)
}

function jsonText(value: object): string {
  const seen = (_: string, inner: unknown) => {
    if (isAsymmetric(inner)) return nameOf(inner)
    if (inner instanceof Uint8Array) return `<${inner.length} bytes>`
    if (inner instanceof Records) return `<${inner.byteLength} bytes of records>`
    return typeof inner === 'bigint' ? Number(inner) : inner
  }
  return JSON.stringify(value, seen)
}

function quoted(text: string): string {
  return cut(`'${text.replaceAll('\n', '\\n')}'`)
}

function cut(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}… (${text.length} characters)` : text
}

function nameOf(matcher: AsymmetricMatcher): string {
  const { sample } = matcher as { sample?: unknown }
  const name = matcher.toAsymmetricMatcher?.() ?? matcher.toString()
  if (typeof sample !== 'object' && typeof sample !== 'string') return name
  return name.includes(' ') || name.includes('<') ? name : `${name}(${JSON.stringify(sample)})`
}
