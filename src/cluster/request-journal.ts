import { isMeantBy } from '../network/external-name.ts'
import type { ReceivedRequest, RequestWitness } from '../node/intercept.ts'
import type { AnyApi, RequestOf, ResponseInput } from '../wire/api.ts'
import { type ErrorName, errorOf } from '../wire/errors.ts'
import { principalText } from '../wire/principal.ts'
import { apiNamed } from './api-name.ts'
import { type NodeReference, nameOf } from './network-faults.ts'
import { mentions } from './request-scope.ts'
import { withoutSecrets } from './secrets.ts'

/** A request that a node received, and what it answered. */
export interface SeenRequest<A extends AnyApi = AnyApi> {
  /** Counts from 1, over all nodes. */
  readonly number: number
  /** Kafka's name of the API. */
  readonly api: string
  readonly version: number
  readonly clientId: string | null
  /**
   * Who sent it and who received it, as the trace names them: `producer-1`, `broker-2`; a client of another process is its
   * client id and its address, `checkout@127.0.0.1:51234`.
   */
  readonly from: string
  readonly to: string
  /** Sent by a broker, not by a client. */
  readonly fromBroker: boolean
  /** Whom it speaks for, as in `User:alice`. */
  readonly principal: string
  /** Milliseconds since the epoch, on the cluster's time. */
  readonly at: number
  /** Of the frame; of the answer's, 0 while there is none. */
  readonly bytes: number
  readonly answerBytes: number
  /** Without passwords, tokens and the like, as `answer` is. */
  readonly body: RequestOf<A>
  /**
   * `unanswered`: by its nature, as with acks=0. `disconnected`: the connection ended before an answer was sent; what was
   * asked may have happened.
   */
  readonly outcome: 'pending' | 'answered' | 'unanswered' | 'disconnected'
  readonly answer: ResponseInput<A> | undefined
  readonly answeredAt: number | undefined
  /** Names of all error codes in the answer, wherever they stand; empty for a success. */
  readonly errors: readonly ErrorName[]
}

/** Which requests are meant; what is left out does not matter. */
export interface RequestFilter<A extends AnyApi = AnyApi> {
  readonly api?: A | string
  /** A node, a client by its name in the trace, all clients, or all brokers. */
  readonly from?: NodeReference | 'clients' | 'brokers'
  readonly to?: NodeReference
  readonly clientId?: string
  /** Requests whose body names the topic; with `partition`, that partition of it. */
  readonly topic?: string
  readonly partition?: number
  readonly outcome?: SeenRequest['outcome']
}

/** Of clients, and as many again of brokers: their endless fetches push out no client's request. */
const KEPT = 10_000
/** Bodies are references to the batches that were sent, so that a long test must not keep them all. */
const KEPT_BYTES = 64 * 1024 * 1024

interface Entry {
  readonly number: number
  readonly request: ReceivedRequest
  readonly bytes: number
  answerBytes: number
}

/** The newest entries, bounded in number and in bytes. What is pushed out is let go of at once: a body may pin a megabyte. */
class Ring {
  #entries: (Entry | undefined)[] = []
  #first = 0
  #bytes = 0
  #last: Entry | undefined

  push(entry: Entry): void {
    this.#entries.push(entry)
    this.#last = entry
    this.grew(entry.bytes)
  }

  grew(bytes: number): void {
    this.#bytes += bytes
    while (this.#entries.length - this.#first > KEPT || this.#bytes > KEPT_BYTES) {
      const oldest = this.#entries[this.#first]!
      if (oldest === this.#last) return
      this.#bytes -= oldest.bytes + oldest.answerBytes
      this.#entries[this.#first++] = undefined
    }
    if (this.#first < KEPT) return
    this.#entries = this.#entries.slice(this.#first)
    this.#first = 0
  }

  entries(): Entry[] {
    return this.#entries.slice(this.#first) as Entry[]
  }
}

/** What all nodes of a cluster were asked, and what they answered. */
export class RequestJournal implements RequestWitness {
  readonly #ofClients = new Ring()
  readonly #ofBrokers = new Ring()
  readonly #pending = new Map<ReceivedRequest, Entry>()
  #count = 0

  /** How many there ever were. */
  get count(): number {
    return this.#count
  }

  received(request: ReceivedRequest, bytes: number): void {
    const entry = { number: ++this.#count, request, bytes, answerBytes: 0 }
    this.#pending.set(request, entry)
    this.#ringOf(request).push(entry)
  }

  ended(request: ReceivedRequest, bytes: number): void {
    const entry = this.#pending.get(request)
    if (entry === undefined) return
    this.#pending.delete(request)
    entry.answerBytes = bytes
    this.#ringOf(request).grew(bytes)
  }

  /** Those that are still kept and match, oldest first. `topicId` of the filter's topic, for requests that name ids. */
  requests<A extends AnyApi>(filter: RequestFilter<A>, topicId: string | undefined): SeenRequest<A>[] {
    const matches = matcherOf(filter, topicId)
    const rings =
      filter.from === 'clients'
        ? [this.#ofClients]
        : filter.from === 'brokers'
          ? [this.#ofBrokers]
          : [this.#ofClients, this.#ofBrokers]
    return rings
      .flatMap(ring => ring.entries())
      .filter(({ request }) => matches(request))
      .sort((a, b) => a.number - b.number)
      .map(entry => seen<A>(entry))
  }

  #ringOf(request: ReceivedRequest): Ring {
    return request.peer === undefined ? this.#ofClients : this.#ofBrokers
  }
}

function matcherOf(filter: RequestFilter, topicId: string | undefined): (request: ReceivedRequest) => boolean {
  const { from, to, clientId, topic, partition, outcome } = filter
  const api = filter.api === undefined ? undefined : apiNamed(filter.api)
  const sender = from === undefined || from === 'clients' || from === 'brokers' ? undefined : nameOf(from)
  const receiver = to === undefined ? undefined : nameOf(to)
  const scope = topic === undefined ? undefined : { topic, topicId, partition }
  return request =>
    (api === undefined || request.api.key === api.key) &&
    (sender === undefined || isMeantBy(request.from, sender)) &&
    (receiver === undefined || request.to === receiver) &&
    (clientId === undefined || request.clientId === clientId) &&
    (outcome === undefined || request.outcome === outcome) &&
    (scope === undefined || mentions(request.api, request.version, request.body, scope))
}

function seen<A extends AnyApi>({ number, request, bytes, answerBytes }: Entry): SeenRequest<A> {
  const { api, version, clientId, from, to, peer, principal, at, body, outcome, answer, answeredAt } = request
  return {
    number,
    api: api.name,
    version,
    clientId,
    from,
    to,
    fromBroker: peer !== undefined,
    principal: principalText(principal),
    at,
    bytes,
    answerBytes,
    body: withoutSecrets(api, 'request', body, to) as RequestOf<A>,
    outcome,
    answer: withoutSecrets(api, 'response', answer, to) as ResponseInput<A> | undefined,
    answeredAt,
    errors: errorsIn(answer),
  }
}

/** Every error code of an answer, at whatever depth the API has it. */
function errorsIn(answer: unknown): ErrorName[] {
  const found: ErrorName[] = []
  const look = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const each of value) if (typeof each === 'object') look(each)
    } else if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
      for (const [name, inner] of Object.entries(value)) {
        if (name !== 'errorCode') look(inner)
        else if (inner !== 0) found.push(errorOf(inner as number).name)
      }
    }
  }
  look(answer)
  return found
}
