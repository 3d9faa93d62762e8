import type { envelope } from '../apis/envelope.ts'
import { decodePrincipal, encodePrincipal, type PrincipalData } from '../apis/principal-data.ts'
import { apiOf } from '../apis/registry.ts'
import type { AnyApi, RequestContext, RequestInput, RequestOf, ResponseInput, ResponseOf } from '../wire/api.ts'
import { errorOf, KafkaError } from '../wire/errors.ts'
import { type Frame, joined } from '../wire/frame.ts'
import { encodeRequest, type RequestHeader, readRequestHeader, readResponse } from '../wire/header.ts'
import { addressBytes, javaAddress } from '../wire/ip-address.ts'
import { MalformedError, Reader } from '../wire/reader.ts'

/** For whom something is forwarded. */
export type Requester = Pick<RequestContext, 'principal' | 'byToken' | 'host' | 'clientId' | 'correlationId'>

/** What was in an envelope. */
export interface Opened {
  readonly header: RequestHeader
  readonly body: RequestOf<AnyApi>
  readonly principal: PrincipalData
  /** Address of the client's host. */
  readonly host: string
}

/**
 * Puts a request into an envelope, as Kafka's ForwardingManager does: under the client's own id and correlation id, so
 * that the controller knows whom it answers. Mostly in the newest version, since all nodes of a cluster have it; what the
 * client asked with, and is answered in, is its broker's business.
 */
export function enclosed<A extends AnyApi>(
  api: A,
  body: RequestInput<A>,
  { principal, byToken, host, clientId, correlationId }: Requester,
  version = api.versions.max,
): RequestInput<typeof envelope> {
  return {
    requestData: joined(encodeRequest(api, version, correlationId, clientId, body).slices),
    requestPrincipal: encodePrincipal({ ...principal, tokenAuthenticated: byToken }),
    clientHostAddress: addressBytes(host),
  }
}

/**
 * What the controller answered.
 *
 * @throws {KafkaError} where it could not open the envelope.
 * @throws {MalformedError} for what is no answer to this request.
 */
export function disclosed<A extends AnyApi>(
  api: A,
  { errorCode, responseData }: ResponseOf<typeof envelope>,
  { correlationId }: Requester,
  version = api.versions.max,
): ResponseOf<A> {
  if (errorCode !== 0) throw new KafkaError(errorOf(errorCode).name, 'the controller did not open the envelope')
  if (responseData === null) throw new MalformedError('an envelope came back empty')
  return readResponse(new Reader([responseData]), api, version, correlationId)
}

/** Takes a request out of its envelope, or says what is wrong with it (Kafka's EnvelopeUtils). */
export function opened({
  requestData,
  requestPrincipal,
  clientHostAddress,
}: RequestOf<typeof envelope>): Opened | KafkaError {
  let principal: PrincipalData
  try {
    principal = decodePrincipal(requestPrincipal ?? new Uint8Array(0))
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    return new KafkaError('PRINCIPAL_DESERIALIZATION_FAILURE', error.message)
  }
  const reader = new Reader([requestData])
  try {
    const host = javaAddress(clientHostAddress)
    const header = headerIn(reader)
    if (header === undefined) return new KafkaError('UNSUPPORTED_VERSION', 'the envelope holds no request')
    const { api, apiVersion } = header
    // Kafka has a list of what can be forwarded: here it is what brokers take too.
    if (api.broker === undefined || api.controller === undefined) {
      return new KafkaError('INVALID_REQUEST', `${api.name} is not forwarded`)
    }
    if (apiVersion < api.versions.min || apiVersion > api.versions.max) {
      return new KafkaError('UNSUPPORTED_VERSION', `${api.name} v${apiVersion} is not supported`)
    }
    return { header, body: api.request.codec(apiVersion).read(reader), principal, host }
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    return new KafkaError('INVALID_REQUEST', error.message)
  }
}

/** Undefined: nobody can read it, or knows the API. */
function headerIn(reader: Reader): RequestHeader | undefined {
  try {
    return readRequestHeader(reader, apiOf)
  } catch (error) {
    if (error instanceof MalformedError) return undefined
    throw error
  }
}

/** The answer goes back the way the request came. */
export function answered(response: Frame): ResponseInput<typeof envelope> {
  return { errorCode: 0, responseData: joined(response.slices) }
}
