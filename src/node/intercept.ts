import type { AnyApi, RequestOf, ResponseInput } from '../wire/api.ts'
import type { Principal } from '../wire/principal.ts'

/** A request as an interceptor sees it. */
export interface InterceptedRequest<A extends AnyApi = AnyApi> {
  readonly api: A
  readonly version: number
  readonly body: RequestOf<A>
  readonly clientId: string | null
  /** Who sent it, as the trace names it. */
  readonly from: string
  /** Id of the broker that sent it; undefined for clients. */
  readonly peer: number | undefined
  /** Whom it speaks for, as in `User:alice`. */
  readonly principal: string
  /** Id of the node that received it. */
  readonly node: number
  /** Waits on the cluster's time, so that an answer can be late. */
  sleep(ms: number): Promise<void>
}

/** The connection is closed instead of an answer. A literal, because TypeScript widens a symbol that an async function answers. */
export const disconnect = 'disconnect' as const

/** `undefined`: no answer is sent, as for acks=0. */
export type InterceptedAnswer<A extends AnyApi> = ResponseInput<A> | typeof disconnect | undefined

/**
 * Middleware around a handler. Without `next` nothing happens on the broker; after `await next()` it has happened, and
 * the real answer may be observed, edited, replaced by an error, or lost.
 */
export type Interceptor<A extends AnyApi> = (
  request: InterceptedRequest<A>,
  next: (body?: RequestOf<A>) => Promise<InterceptedAnswer<A>>,
) => Promise<InterceptedAnswer<A>> | InterceptedAnswer<A>

interface Installed {
  readonly key: number
  readonly interceptor: Interceptor<AnyApi>
}

/** A request that a node received, and how it ended. Body and answer are shared: never written to. */
export interface ReceivedRequest {
  readonly api: AnyApi
  readonly version: number
  readonly clientId: string | null
  readonly from: string
  readonly to: string
  /** Broker id of the sender; undefined for clients. */
  readonly peer: number | undefined
  readonly principal: Principal
  readonly body: RequestOf<AnyApi>
  /** Milliseconds since the epoch. */
  readonly at: number
  /** `unanswered`: by its nature (acks=0). `disconnected`: the connection ended first, by whose doing ever. */
  outcome: 'pending' | 'answered' | 'unanswered' | 'disconnected'
  answer: ResponseInput<AnyApi> | undefined
  answeredAt: number | undefined
}

/** Sees every request, and then how it ended. `bytes`: of the frame. */
export interface RequestWitness {
  received(request: ReceivedRequest, bytes: number): void
  ended(request: ReceivedRequest, bytes: number): void
}

/** The interceptors of a cluster, first installed first asked. Shared by all of its nodes. */
export class Interceptors {
  /** One for all nodes; undefined: nobody looks, and nothing is made for it. */
  witness: RequestWitness | undefined
  #installed: Installed[] = []

  /** Answers what removes it. */
  install<A extends AnyApi>(api: A, interceptor: Interceptor<A>): () => void {
    const entry: Installed = { key: api.key, interceptor: interceptor as Interceptor<AnyApi> }
    this.#installed = [...this.#installed, entry]
    return () => {
      this.#installed = this.#installed.filter(other => other !== entry)
    }
  }

  get size(): number {
    return this.#installed.length
  }

  /** The interceptors of one API, or undefined where there is none: the common case costs nothing. */
  of(key: number): readonly Interceptor<AnyApi>[] | undefined {
    if (this.#installed.length === 0) return undefined
    const found = this.#installed.filter(entry => entry.key === key)
    return found.length === 0 ? undefined : found.map(entry => entry.interceptor)
  }
}

/** Runs the chain around `handle`. */
export async function intercepted(
  chain: readonly Interceptor<AnyApi>[],
  request: InterceptedRequest,
  handle: (body: RequestOf<AnyApi>) => Promise<InterceptedAnswer<AnyApi>> | InterceptedAnswer<AnyApi>,
): Promise<InterceptedAnswer<AnyApi>> {
  const step = async (index: number, current: InterceptedRequest): Promise<InterceptedAnswer<AnyApi>> => {
    const interceptor = chain[index]
    if (interceptor === undefined) return handle(current.body)
    return interceptor(current, body => step(index + 1, body === undefined ? current : { ...current, body }))
  }
  return step(0, request)
}
