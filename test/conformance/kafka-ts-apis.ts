/**
 * Every version of every API that kafka-ts 1.5.0 and we both have. kafka-ts writes requests from, and reads responses
 * into, plain objects with Kafka's names; `theirs` makes such an object of a value of ours.
 */
import { API } from 'kafka-ts'
import { Decoder } from 'kafka-ts/dist/utils/decoder.js'
import { Encoder } from 'kafka-ts/dist/utils/encoder.js'
import { apis } from '../../src/apis/registry.ts'
import type { AnyApi } from '../../src/wire/api.ts'
import { joined } from '../../src/wire/frame.ts'
import { Message } from '../../src/wire/message.ts'
import { type AnyField, Field, type Fields, isDefault } from '../../src/wire/schema.ts'
import { uuidFromText } from '../../src/wire/uuid.ts'
import { Writer } from '../../src/wire/writer.ts'

// biome-ignore lint/suspicious/noExplicitAny: of whatever API
export type Row = Record<string, any>

/** As kafka-ts declares it; `fallback` is the version before. */
export interface KafkaTsApi {
  readonly apiKey: number
  readonly apiVersion: number
  readonly requestHeaderVersion: 1 | 2
  readonly responseHeaderVersion: 0 | 1
  readonly fallback?: KafkaTsApi
  request(encoder: Encoder, data: Row): Encoder
  /** Throws for error codes, with what it read as `response`. */
  response(decoder: Decoder): Promise<Row> | Row
}

/** Everything of kafka-ts, each version of it, by its own name. */
export const kafkaTsApis: readonly (readonly [name: string, api: KafkaTsApi])[] = Object.entries(API).flatMap(
  ([name, latest]) => versionsOf(latest as unknown as KafkaTsApi).map(api => [name, api] as const),
)

function versionsOf(api: KafkaTsApi): KafkaTsApi[] {
  return [...(api.fallback === undefined ? [] : versionsOf(api.fallback)), api]
}

export interface Pair {
  readonly version: number
  readonly ours: AnyApi
  readonly their: KafkaTsApi
}

/** What both have, by name and version, in the order of keys. One that is declared but not answered (W-15) is among them. */
export const pairs: readonly (readonly [name: string, pair: Pair])[] = apis.flatMap(ours =>
  kafkaTsApis
    .filter(([, { apiKey }]) => apiKey === ours.key)
    .filter(([, { apiVersion: at }]) => at >= ours.request.versions.min && at <= ours.request.versions.max)
    .map(([, their]) => [`${ours.name} v${their.apiVersion}`, { version: their.apiVersion, ours, their }] as const),
)

/** What kafka-ts has in place of a field of type `records`. */
export type TheirRecords = (value: unknown) => unknown

/** As kafka-ts wants and gives it: 64 bits as bigint, uuids in hexadecimal digits, what is tagged as bytes by tag. */
export function theirs(message: Message<Fields>, value: Row, version: number, theirRecords: TheirRecords): Row {
  const flexible = message.isFlexible(version)
  return rowOf(message.fields, value)

  function rowOf(fields: Fields, value: Row): Row {
    const row: Row = {}
    const tags: Record<number, Buffer> = {}
    for (const [name, field] of fieldsOf(fields, version)) {
      const { tag } = field.spans
      if (tag === undefined || !flexible) row[name] = theirValue(field, value[name])
      else if (!isDefault(field, value[name])) tags[tag] = taggedBytes(field, value[name], version)
    }
    return Object.keys(tags).length === 0 ? row : { ...row, tags }
  }

  function theirValue(field: AnyField, value: unknown): unknown {
    if (field.kind === 'records') return theirRecords(value)
    if (value === null) return null
    switch (field.kind) {
      case 'int64':
        return longOf(value as number)
      case 'uuid':
        return Buffer.from(uuidFromText(value as string)).toString('hex')
      case 'bytes':
        return Buffer.from(value as Uint8Array)
      case 'array':
        return (value as unknown[]).map(element => theirValue(field.element!, element))
      case 'struct':
        return rowOf(field.fields!, value as Row)
      default:
        return value
    }
  }
}

function fieldsOf(fields: Fields, version: number): [string, AnyField][] {
  return Object.entries(fields).filter(([, { spans }]) => version >= spans.since && version <= spans.until)
}

/** Long.MAX and Long.MIN are infinite to us. */
export function longOf(value: number): bigint {
  if (value === Number.POSITIVE_INFINITY) return 2n ** 63n - 1n
  return value === Number.NEGATIVE_INFINITY ? -(2n ** 63n) : BigInt(value)
}

/** What stands under a tag. */
function taggedBytes(field: AnyField, value: unknown, version: number): Buffer {
  const inline = new Field(field.kind, field, { ...field.spans, tag: undefined })
  const message = new Message('Tag', { inline }, { min: version, max: version }, version)
  // At its end stands its own section of tags, which is empty.
  return encoded(message, { inline: value }, version).subarray(0, -1)
}

export function encoded(message: Message<Fields>, value: Row, version: number): Buffer {
  const writer = new Writer()
  message.codec(version).write(writer, value)
  return Buffer.from(joined(writer.finish().slices))
}

export function encodedByThem(their: KafkaTsApi, data: Row): Buffer {
  return their.request(new Encoder(), data).value()
}

/** What kafka-ts reads, error codes or not, and how many bytes it left. */
export async function decodedByThem(their: KafkaTsApi, bytes: Buffer): Promise<{ response: Row; left: number }> {
  const decoder = new Decoder(bytes)
  let response: Row
  try {
    response = await their.response(decoder)
  } catch (error) {
    if (!(error instanceof Error && 'response' in error)) throw error
    response = error.response as Row
  }
  return { response, left: decoder.getBufferLength() - decoder.getOffset() }
}

/**
 * kafka-ts fills in what a version lacks, and writes down empty sections of tags. Both go: what `fields` know, by their
 * `names` in kafka-ts, but the expected value has not, and tags where there are none.
 */
export function withoutFillers(
  read: unknown,
  expected: unknown,
  fields: Fields,
  names: Readonly<Record<string, string>> = {},
): unknown {
  if (Array.isArray(read)) {
    return read.map((row, i) => withoutFillers(row, Array.isArray(expected) ? expected[i] : undefined, fields, names))
  }
  if (!isRow(read)) return read
  const known = new Map(Object.entries(fields).map(([name, field]) => [names[name] ?? name, field]))
  const row: Row = {}
  for (const [name, value] of Object.entries(read)) {
    const isExpected = isRow(expected) && name in expected
    if (!isExpected && (known.has(name) || (name === 'tags' && Object.keys(value).length === 0))) continue
    const field = known.get(name)
    const within = field === undefined ? fields : inside(field)
    row[name] = withoutFillers(value, isExpected ? expected[name] : undefined, within, names)
  }
  return row
}

function inside(field: AnyField): Fields {
  return field.fields ?? (field.element === undefined ? {} : inside(field.element))
}

export function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}

/** `change` on every object within. */
export function everywhere(value: unknown, change: (row: Row) => Row): unknown {
  if (Array.isArray(value)) return value.map(element => everywhere(element, change))
  if (!isRow(value)) return value
  return change(Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, everywhere(inner, change)])))
}
