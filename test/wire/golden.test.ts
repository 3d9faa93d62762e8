import { describe, expect, test } from 'vitest'
import { apiOf, apis } from '../../src/apis/registry.ts'
import { type AnyApi, defineApi } from '../../src/wire/api.ts'
import { joined } from '../../src/wire/frame.ts'
import { encodeRequest, encodeResponse, readRequestHeader, readResponseHeader } from '../../src/wire/header.ts'
import type { Message } from '../../src/wire/message.ts'
import { MalformedError, Reader } from '../../src/wire/reader.ts'
import { Records } from '../../src/wire/records.ts'
import { type AnyField, defaultOf, type Fields } from '../../src/wire/schema.ts'
import { Writer } from '../../src/wire/writer.ts'
import { protocol, span } from '../apis/protocol.ts'
import { bytesOf, hexOf, numberOf, vectors } from './vectors.ts'

type Json = Record<string, unknown>

interface Vector {
  readonly name: string
  readonly apiKey: number
  readonly version: number
  readonly variant: 'full' | 'nulls' | 'defaults' | 'unknown-tags'
  readonly headerVersion: number
  readonly hex: string
  readonly json: Json
}

interface Section {
  readonly headers: readonly { headerVersion: number; hex: string; json: Json }[]
  readonly vectors: readonly Vector[]
}

const requests = vectors<Section>('vectors/requests')
const responses = vectors<Section>('vectors/responses')

/** The value that stands for Kafka's JSON, with the default of every field that this version does not have. */
function rowOf(fields: Fields, json: Json): Json {
  const unknown = Object.keys(json).filter(name => !(name in fields))
  if (unknown.length > 0) throw new Error(`undeclared: ${unknown}`)
  const value: Json = {}
  for (const [name, field] of Object.entries(fields)) {
    value[name] = name in json ? fieldOf(field, json[name]) : defaultOf(field)
  }
  return value
}

function fieldOf(field: AnyField, json: unknown): unknown {
  if (json === null) return null
  switch (field.kind) {
    case 'int64':
    case 'uint32':
      return numberOf(json as string)
    case 'bytes':
      return bytesOf(json as string)
    case 'records':
      return new Records([bytesOf(json as string)])
    case 'array':
      return (json as unknown[]).map(item => fieldOf(field.element!, item))
    case 'struct':
      return rowOf(field.fields!, json as Json)
    default:
      return json
  }
}

/** Bytes and records as hex text, so that what is compared are the bytes, not the slices. */
function plain(value: unknown): unknown {
  if (value instanceof Records) return hexOf(joined(value.slices))
  if (value instanceof Uint8Array) return hexOf(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]))
}

/** The int64 values of a vector that lie outside ±2^53, as text. */
function tooFar(fields: Fields, json: Json): string[] {
  const far = (field: AnyField, value: unknown): string[] => {
    if (value === null || value === undefined) return []
    if (field.kind === 'int64') return numberOf(value as string) === undefined ? [value as string] : []
    if (field.kind === 'array') return (value as unknown[]).flatMap(item => far(field.element!, item))
    return field.kind === 'struct' ? tooFar(field.fields!, value as Json) : []
  }
  return Object.entries(fields).flatMap(([name, field]) => far(field, json[name]))
}

const int64Hex = (value: bigint) => BigInt.asUintN(64, value).toString(16).padStart(16, '0')

/** The same vector with every int64 that is too far replaced, in the bytes and in the JSON, by one that is not. */
function brought(vector: Vector, far: readonly string[]): Vector {
  let { hex } = vector
  let json = JSON.stringify(vector.json)
  for (const [index, value] of [...new Set(far)].entries()) {
    const near = 2n ** 40n + BigInt(index)
    const from = int64Hex(BigInt(value))
    let at = hex.indexOf(from)
    while (at % 2 === 1) at = hex.indexOf(from, at + 1)
    if (at < 0) throw new Error(`${value} is not among the bytes`)
    for (; at >= 0; at = hex.indexOf(from, at + 1)) {
      if (at % 2 === 0) hex = hex.slice(0, at) + int64Hex(near) + hex.slice(at + 16)
    }
    json = json.replaceAll(`"${value}"`, `"${near}"`)
  }
  return { ...vector, hex, json: JSON.parse(json) }
}

function compare(message: Message<Fields>, given: Vector): void {
  const codec = message.codec(given.version)
  const far = tooFar(message.fields, given.json)
  if (far.length > 0) {
    const refused = () => codec.read(new Reader([bytesOf(given.hex)]))
    expect(refused).toThrow(MalformedError)
    expect(refused).toThrow(/^the int64 -?\d+ lies outside ±2\^53/)
  }
  const { hex, json } = far.length > 0 ? brought(given, far) : given
  const value = rowOf(message.fields, json)

  const reader = new Reader([bytesOf(hex)])
  expect(plain(codec.read(reader))).toEqual(plain(value))
  expect(reader.remaining).toBe(0)

  if (given.variant === 'unknown-tags') return
  const writer = new Writer()
  codec.write(writer, value as never)
  expect(hexOf(joined(writer.finish().slices))).toBe(hex)
}

function goldenOf(api: AnyApi, section: Section): readonly Vector[] {
  return section.vectors.filter(vector => vector.apiKey === api.key)
}

// Every type in every form (W-20, W-24, W-25, W-27, W-29), every version of every API that is here (W-41, W-45).
describe.each(apis.map(api => [api.name, api] as const))('%s', (_, api) => {
  test('requests are read and written byte for byte as by Kafka’s classes', () => {
    for (const vector of goldenOf(api, requests)) inContext(vector, () => compare(api.request, vector))
  })

  test('responses are read and written byte for byte as by Kafka’s classes', () => {
    for (const vector of goldenOf(api, responses)) inContext(vector, () => compare(api.response, vector))
  })

  test('every version is among the golden bytes, of the request and of the response', () => {
    const { min, max } = api.request.versions
    const all = Array.from({ length: max - min + 1 }, (_, index) => min + index)
    expect([...new Set(goldenOf(api, requests).map(vector => vector.version))]).toEqual(all)
    expect([...new Set(goldenOf(api, responses).map(vector => vector.version))]).toEqual(all)
  })

  test('headers have the version that Kafka’s have (W-8, W-9)', () => {
    for (const { version, headerVersion } of goldenOf(api, requests)) {
      const frame = encodeRequest(quiet(api), version, 7, 'c', {})
      const tags = (headerVersion >= 2 ? 1 : 0) + (api.request.isFlexible(version) ? 1 : 0)
      expect(frame.length, `request v${version}`).toBe(2 + 2 + 4 + 3 + tags)
    }
    for (const { version, headerVersion } of goldenOf(api, responses)) {
      const frame = encodeResponse(quiet(api), version, 7, {})
      const tags = headerVersion + (api.response.isFlexible(version) ? 1 : 0)
      expect(frame.length, `response v${version}`).toBe(4 + tags)
    }
  })
})

function inContext(vector: Vector, run: () => void): void {
  try {
    run()
  } catch (error) {
    throw new Error(`${vector.name} v${vector.version} ${vector.variant}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** The same API without a body, so that a frame is a header, and in flexible versions one byte for no tags. */
function quiet({ key, name, flexibleFrom }: Pick<AnyApi, 'key' | 'name' | 'flexibleFrom'>): AnyApi {
  return defineApi({ key, name, versions: '0-99', flexibleFrom, request: {}, response: {} })
}

test('request headers are read and written byte for byte as by Kafka’s classes (W-8)', () => {
  for (const { hex, json, headerVersion } of requests.headers) {
    const key = json.requestApiKey as number
    const version = json.requestApiVersion as number
    const clientId = json.clientId as string | null
    const kafka = protocol.requests.find(message => message.apiKey === key)!
    const api = quiet({ key, name: kafka.name, flexibleFrom: span(kafka.flexibleVersions).min })
    const body = api.request.isFlexible(version) ? '00' : ''
    const frame = encodeRequest(api, version, json.correlationId as number, clientId, {})
    expect(hexOf(joined(frame.slices))).toBe(hex + body)
    expect(headerVersion).toBe(api.request.isFlexible(version) ? 2 : 1)
    const reader = new Reader(frame.slices)
    expect(readRequestHeader(reader, () => api)).toEqual({
      api,
      apiKey: key,
      apiVersion: version,
      correlationId: json.correlationId,
      clientId,
    })
    expect(reader.remaining).toBe(body.length / 2)
  }
})

test('response headers are read and written byte for byte as by Kafka’s classes (W-9)', () => {
  const metadata = quiet(apiOf(3)!)
  for (const { hex, json, headerVersion } of responses.headers) {
    const version = headerVersion === 1 ? 9 : 8
    const body = headerVersion === 1 ? '00' : ''
    const frame = encodeResponse(metadata, version, json.correlationId as number, {})
    expect(hexOf(joined(frame.slices))).toBe(hex + body)
    const reader = new Reader(frame.slices)
    expect(readResponseHeader(reader, metadata, version)).toBe(json.correlationId)
    expect(reader.remaining).toBe(body.length / 2)
  }
})
