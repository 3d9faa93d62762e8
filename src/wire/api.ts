import { Message, type Versions } from './message.ts'
import type { Principal, SecurityProtocol } from './principal.ts'
import type { Decoded, Encodable, Fields } from './schema.ts'

/** What is said of a SASL token, as SaslAuthenticate answers it. */
export interface SaslAnswer {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly authBytes: Uint8Array
  readonly sessionLifetimeMs: number
}

/** Where a connection has to authenticate, or may: undefined answers mean that it is not the time for it. */
export interface SaslDialogue {
  handshake(
    mechanism: string,
    version: number,
  ): { readonly errorCode: number; readonly mechanisms: readonly string[] } | undefined
  authenticate(token: Uint8Array): SaslAnswer | Promise<SaslAnswer> | undefined
}

/** What a handler knows of the request besides its body. */
export interface RequestContext {
  readonly version: number
  readonly clientId: string | null
  readonly correlationId: number
  /** Who sent it, as the trace names it: `producer-1`, `broker-2`, `127.0.0.1:51234`. */
  readonly from: string
  /** Broker id of a peer in the cluster, undefined for clients. */
  readonly peer: number | undefined
  /** Who it is, as the connection's certificate or SASL said; `User:ANONYMOUS` where nobody asked (M-65). */
  readonly principal: Principal
  /** It authenticated by a delegation token (KIP-48), as its owner. */
  readonly byToken: boolean
  /** Address of the client's host: `127.0.0.1` of those in this process. */
  readonly host: string
  /** The listener that the connection came by, and what is spoken there. */
  readonly listener: string
  readonly securityProtocol: SecurityProtocol
  /** Undefined: there is nothing to authenticate. */
  readonly sasl?: SaslDialogue | undefined
  /** The connection that the request came on: fires once, when it is closed. */
  readonly closed: { readonly isClosed: boolean; onClose(run: () => void): () => void }
  /** What the request costs its sender; only while there are quotas. */
  readonly toll?: RequestToll | undefined
}

/** A request's price (KIP-124, KIP-219), for the handlers whose answer depends on it. */
export interface RequestToll {
  /** More bytes than that are never fetched at once (F-4). */
  readonly mostFetched: number
  /** For how many milliseconds the sender is throttled instead of getting these bytes (F-13); 0: it gets them. */
  fetch(bytes: number): number
}

/** `undefined`: no response is sent (acks=0). */
export type Answer<R extends Fields> = Encodable<R> | undefined | Promise<Encodable<R> | undefined>

// biome-ignore lint/suspicious/noExplicitAny: a broker or a controller, which this room does not know
export type Handler<Q extends Fields, R extends Fields, Node = any> = (
  node: Node,
  request: Decoded<Q>,
  context: RequestContext,
) => Answer<R>

/** One thing that Kafka can be asked: key, versions, request, response, and who answers it. */
export interface Api<Q extends Fields = Fields, R extends Fields = Fields> {
  readonly key: number
  readonly name: string
  readonly versions: Versions
  /** The range in the ApiVersions answer, where it differs (W-12, W-15); undefined: `versions` without the unstable one. */
  readonly advertised: Versions
  readonly flexibleFrom: number
  readonly request: Message<Q>
  readonly response: Message<R>
  readonly broker: Handler<Q, R> | undefined
  readonly controller: Handler<Q, R> | undefined
}

export interface ApiDeclaration<Q extends Fields, R extends Fields, B, C> {
  readonly key: number
  readonly name: string
  /** First and last version, as in `'3-13'`. */
  readonly versions: string
  /** The newest version is unstable in this release: known, but closed on like an unknown one (W-15). */
  readonly latestVersionUnstable?: boolean
  /** First version to advertise, where Kafka advertises more than it takes (W-12). */
  readonly advertisedMin?: number
  /** First version with compact types and tagged sections; left out: none. */
  readonly flexibleFrom?: number
  readonly request: Q
  readonly response: R
  readonly broker?: (broker: B, request: Decoded<Q>, context: RequestContext) => Answer<R>
  readonly controller?: (controller: C, request: Decoded<Q>, context: RequestContext) => Answer<R>
}

export function defineApi<const Q extends Fields, const R extends Fields, B = never, C = never>(
  declaration: ApiDeclaration<Q, R, B, C>,
): Api<Q, R> {
  const { key, name, flexibleFrom = Number.POSITIVE_INFINITY, latestVersionUnstable = false } = declaration
  const declared = span(declaration.versions)
  const versions = latestVersionUnstable ? { min: declared.min, max: declared.max - 1 } : declared
  return {
    key,
    name,
    versions,
    advertised: { min: declaration.advertisedMin ?? versions.min, max: versions.max },
    flexibleFrom,
    request: new Message(`${name}Request`, declaration.request, declared, flexibleFrom),
    response: new Message(`${name}Response`, declaration.response, declared, flexibleFrom),
    broker: declaration.broker as Handler<Q, R> | undefined,
    controller: declaration.controller as Handler<Q, R> | undefined,
  }
}

function span(text: string): Versions {
  const [min, max = min] = text.split('-').map(Number)
  if (min === undefined || max === undefined || !(min <= max)) throw new RangeError(`'${text}' is no span of versions`)
  return { min, max }
}

// biome-ignore lint/suspicious/noExplicitAny: any api
export type AnyApi = Api<any, any>
export type RequestOf<A extends AnyApi> = A extends Api<infer Q, Fields> ? Decoded<Q> : never
export type RequestInput<A extends AnyApi> = A extends Api<infer Q, Fields> ? Encodable<Q> : never
// biome-ignore lint/suspicious/noExplicitAny: the request does not matter here
export type ResponseOf<A extends AnyApi> = A extends Api<any, infer R> ? Decoded<R> : never
// biome-ignore lint/suspicious/noExplicitAny: the request does not matter here
export type ResponseInput<A extends AnyApi> = A extends Api<any, infer R> ? Encodable<R> : never
