import { IllegalArgumentError } from '../../wire/errors.ts'
import { noHeaders, type RecordHeader } from '../../wire/record.ts'
import type { HeadersInput, HeaderValue } from './producer-record.ts'

/**
 * Headers as records carry them, from an object, pairs, or `{ key, value }`s.
 *
 * @throws {IllegalArgumentError} for a key that is no string, or a value that is neither text, bytes nor null.
 */
export function headersOf(input: HeadersInput | undefined): readonly RecordHeader[] {
  if (input === undefined || input === null) return noHeaders
  if (!Array.isArray(input)) return Object.entries(input).map(([key, value]) => header(key, value))
  return input.map(entry => (Array.isArray(entry) ? header(entry[0], entry[1]) : header(entry.key, entry.value)))
}

function header(key: string, value: HeaderValue | undefined): RecordHeader {
  if (typeof key !== 'string') throw new IllegalArgumentError(`the key of a header must be a string, not ${typeof key}`)
  if (value === null || value === undefined) return { key, value: null }
  if (typeof value === 'string') return { key, value: Buffer.from(value) }
  if (value instanceof Uint8Array) return { key, value }
  throw new IllegalArgumentError(`the value of header '${key}' must be a string, a Uint8Array or null`)
}
