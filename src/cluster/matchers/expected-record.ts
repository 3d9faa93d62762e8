import { didYouMean } from '../../metadata/nearest-name.ts'
import { ConfigError } from '../../wire/errors.ts'
import type { BytesRecord } from '../topic-handle.ts'
import { isAsymmetric, isLike, isLikeBytes, isLikeNumber, show } from './likeness.ts'

/** Something that the runner's asymmetric matchers can stand for. */
// biome-ignore lint/suspicious/noExplicitAny: `expect.any(…)` has this type
export type Matching = any

export type ExpectedNumber = number | string | bigint | Matching
/** Text is compared as UTF-8, a Uint8Array as it is, anything else as JSON. */
export type ExpectedData = string | Uint8Array | null | object | number | boolean | Matching

/** A record as a test expects it: what is left out is not compared. */
export interface ExpectedRecord {
  /** The topic that is asked about: so that what a consumer got can be expected again. */
  readonly topic?: string
  readonly partition?: ExpectedNumber
  readonly offset?: ExpectedNumber
  readonly timestamp?: ExpectedNumber | Date
  readonly key?: ExpectedData
  readonly value?: ExpectedData
  /** All headers: as an object where no key repeats and order does not matter, or as pairs in their order. */
  readonly headers?: Readonly<Record<string, ExpectedData>> | readonly ExpectedHeader[] | Matching
}

export type ExpectedHeader =
  | readonly [key: string, value: ExpectedData]
  | { readonly key: string; readonly value: ExpectedData }

const FIELDS = ['partition', 'offset', 'timestamp', 'key', 'value', 'headers'] as const
export type Field = (typeof FIELDS)[number]

/** @throws {ConfigError} for a field that no record has: it would never be compared. */
export function checkExpected(
  matcher: string,
  topic: string,
  expected: unknown,
): asserts expected is readonly ExpectedRecord[] {
  if (!Array.isArray(expected)) throw new ConfigError(`${matcher} takes a list of records, not ${show(expected)}`)
  for (const record of expected) {
    if (typeof record !== 'object' || record === null) throw new ConfigError(`${show(record)} is no record to expect`)
    for (const name of Object.keys(record)) {
      if (name === 'topic' || (FIELDS as readonly string[]).includes(name)) continue
      throw new ConfigError(`unknown field '${name}' of an expected record${didYouMean(name, FIELDS)}`)
    }
    if (record.topic !== undefined && record.topic !== topic) {
      throw new ConfigError(`a record of '${record.topic}' is never delivered to '${topic}'`)
    }
  }
}

export function matches(expected: ExpectedRecord, actual: BytesRecord): boolean {
  return FIELDS.every(field => isFieldLike(field, expected, actual))
}

/** The fields in which they differ. */
export function differences(expected: ExpectedRecord, actual: BytesRecord): Field[] {
  return FIELDS.filter(field => !isFieldLike(field, expected, actual))
}

function isFieldLike(field: Field, expected: ExpectedRecord, actual: BytesRecord): boolean {
  const wanted = expected[field]
  if (wanted === undefined) return true
  if (field === 'headers') return areHeadersLike(wanted, actual.headers)
  if (field === 'key' || field === 'value') return isLikeBytes(wanted, actual[field])
  return isLikeNumber(wanted, actual[field])
}

function areHeadersLike(expected: NonNullable<ExpectedRecord['headers']>, actual: BytesRecord['headers']): boolean {
  if (isAsymmetric(expected)) return expected.asymmetricMatch(headersAsObject(actual))
  if (!Array.isArray(expected)) {
    const wanted = Object.entries(expected)
    if (wanted.length !== actual.length) return false
    return wanted.every(([key, value]) => {
      const header = actual.find(each => each.key === key)
      return header !== undefined && isLikeBytes(value, header.value)
    })
  }
  if (expected.length !== actual.length) return false
  return expected.every((each: ExpectedHeader, index) => {
    const [key, value] = Array.isArray(each)
      ? each
      : [(each as { key: string }).key, (each as { value: unknown }).value]
    return isLike(key, actual[index]!.key) && isLikeBytes(value, actual[index]!.value)
  })
}

function headersAsObject(headers: BytesRecord['headers']): Record<string, string | null> {
  return Object.fromEntries(headers.map(({ key, value }) => [key, value && Buffer.from(value).toString('utf8')]))
}

/** `offset 3  key 'a'  value 'paid'`; of an expected record only what it says. */
export function showRecord(record: ExpectedRecord | BytesRecord, fields: readonly Field[] = FIELDS): string {
  const parts = fields.flatMap(field => {
    if (field === 'partition' || record[field] === undefined) return []
    return [`${field} ${showField(field, record)}`]
  })
  return parts.length === 0 ? 'any record' : parts.join('  ')
}

export function showField(field: Field, record: ExpectedRecord | BytesRecord): string {
  const value = record[field]
  if (field !== 'headers' || !Array.isArray(value)) return show(value)
  const pairs = value.map(each => (Array.isArray(each) ? each : [each.key, each.value]))
  return `{ ${pairs.map(([key, inner]) => `${key}: ${show(inner)}`).join(', ')} }`
}

/** The fields that any of the expected records says: others help nobody. */
export function fieldsOf(expected: readonly ExpectedRecord[]): Field[] {
  return FIELDS.filter(field => {
    if (field === 'offset' || field === 'key' || field === 'value') return true
    return expected.some(record => record[field] !== undefined)
  })
}
