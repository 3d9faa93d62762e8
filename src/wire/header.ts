import type { AnyApi, RequestInput, ResponseInput, ResponseOf } from './api.ts'
import type { Frame } from './frame.ts'
import { MalformedError, Reader } from './reader.ts'
import { Writer } from './writer.ts'

/**
 * What stands before every body (W-8, W-9). Requests have header v2, v1 before the API became flexible; the client id keeps
 * the old int16 length even in v2. Responses have header v1, v0 before, and ApiVersions always v0, so that a client that
 * asked for a version nobody knows can read the answer. No tag is known in either; those that come are skipped.
 */
export interface RequestHeader {
  readonly api: AnyApi
  readonly apiKey: number
  /** As asked: it may be one that the API does not have. */
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
}

/** The only API that is answered in whatever version (W-11), and in the old response header (W-9). */
const API_VERSIONS = 18

/** Follows from the first flexible version alone, so that unknown and negative versions have a header too (W-11). */
export function requestHeaderVersion(api: AnyApi, version: number): 1 | 2 {
  return version >= api.flexibleFrom ? 2 : 1
}

export function responseHeaderVersion(api: AnyApi, version: number): 0 | 1 {
  return version >= api.flexibleFrom && api.key !== API_VERSIONS ? 1 : 0
}

/** @throws {UnsupportedFieldError} for a value that this version cannot carry (W-33). */
export function encodeRequest<A extends AnyApi>(
  api: A,
  version: number,
  correlationId: number,
  clientId: string | null,
  body: RequestInput<A>,
): Frame {
  const writer = new Writer()
  writer.int16(api.key)
  writer.int16(version)
  writer.int32(correlationId)
  if (clientId === null) writer.int16(-1)
  else writer.text(clientId, writeShort)
  if (requestHeaderVersion(api, version) === 2) writer.uvarint(0)
  api.request.codec(version).write(writer, body)
  return writer.finish()
}

/**
 * The reader is left at the body. Whether the version exists is for the caller to judge.
 *
 * @throws {MalformedError} for a key that `apiOf` does not know, and for bytes that are no header (W-5).
 */
export function readRequestHeader(reader: Reader, apiOf: (key: number) => AnyApi | undefined): RequestHeader {
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  const api = apiOf(apiKey)
  if (api === undefined) throw new MalformedError(`no API has the key ${apiKey}`)
  const correlationId = reader.int32()
  const length = reader.int16()
  if (length > reader.remaining) throw new MalformedError(`the client id claims ${length} bytes`)
  const clientId = length < 0 ? null : reader.text(length)
  if (requestHeaderVersion(api, apiVersion) === 2) skipTags(reader)
  return { api, apiKey, apiVersion, correlationId, clientId }
}

/** @throws {UnsupportedFieldError} for a value that this version cannot carry (W-33). */
export function encodeResponse<A extends AnyApi>(
  api: A,
  version: number,
  correlationId: number,
  body: ResponseInput<A>,
): Frame {
  const writer = new Writer()
  writer.int32(correlationId)
  if (responseHeaderVersion(api, version) === 1) writer.uvarint(0)
  api.response.codec(version).write(writer, body)
  return writer.finish()
}

/** The correlation id; the reader is left at the body. */
export function readResponseHeader(reader: Reader, api: AnyApi, version: number): number {
  const correlationId = reader.int32()
  if (responseHeaderVersion(api, version) === 1) skipTags(reader)
  return correlationId
}

/** @throws {MalformedError} for another correlation id than expected (W-3), and for bytes that are no such response. */
export function readResponse<A extends AnyApi>(
  reader: Reader,
  api: A,
  version: number,
  correlationId: number,
): ResponseOf<A> {
  const received = readResponseHeader(reader, api, version)
  if (received !== correlationId) {
    throw new MalformedError(`${api.name} was answered with correlation id ${received}, not ${correlationId}`)
  }
  if (api.key === API_VERSIONS && version > 0) return readApiVersions(reader, api, version)
  return api.response.codec(version).read(reader) as ResponseOf<A>
}

/** A node that does not have the asked version answers in v0, with error 35 (W-11; ApiVersionsResponse.parse). */
function readApiVersions<A extends AnyApi>(reader: Reader, api: A, version: number): ResponseOf<A> {
  const body = reader.slices(reader.remaining)
  try {
    return api.response.codec(version).read(new Reader(body)) as ResponseOf<A>
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    return api.response.codec(0).read(new Reader(body)) as ResponseOf<A>
  }
}

function skipTags(reader: Reader): void {
  const count = reader.uvarint()
  for (let i = 0; i < count; i++) {
    reader.uvarint()
    reader.skip(reader.uvarint())
  }
}

function writeShort(writer: Writer, length: number): void {
  if (length > 0x7fff) throw new RangeError(`a client id has ${length} bytes, at most 32767 can be sent`)
  writer.int16(length)
}
