import { fetch } from '../apis/fetch.ts'
import { didYouMean } from '../metadata/nearest-name.ts'
import { disconnect, type InterceptedAnswer, type InterceptedRequest } from '../node/intercept.ts'
import type { AnyApi, RequestOf } from '../wire/api.ts'
import { ConfigError, type ErrorName, errorCodes } from '../wire/errors.ts'
import { apiNamed } from './api-name.ts'
import type { BrokerHandle } from './broker-handle.ts'
import { refuseUnknown } from './options.ts'
import type { Plant } from './plant.ts'
import { merged, overlaid, type Refusal, splitRequest } from './refusals.ts'
import { levelOf, mentions, type RequestScope, type Struct } from './request-scope.ts'
import type { ScriptedFault } from './scripted-faults.ts'
import { type WaitOptions, waitUntil } from './wait.ts'

export interface FailNextOptions {
  /** What is answered, or `'disconnect'`: the connection ends instead of an answer. */
  readonly error: ErrorName | 'disconnect'
  /** How many requests. Default 1. */
  readonly times?: number
  /**
   * `'before'` (default): refused, nothing happens. `'after'`: it happens, and then its answer is replaced or lost.
   */
  readonly when?: 'before' | 'after'
  /** Only requests that name the topic; the rest of such a request is handled as if there were no fault. */
  readonly topic?: string
  /** Of `topic`. */
  readonly partition?: number
  /** Only requests that this broker receives: its handle or id. */
  readonly broker?: BrokerHandle | number
  /** Only from clients with this `client.id`. */
  readonly clientId?: string
  /** Whose requests. Default `'clients'`. */
  readonly from?: 'clients' | 'brokers' | 'all'
  /** It may stay unused. Default false. */
  readonly optional?: boolean
}

/** A fault on requests that was ordered. Lifted by `dispose()`, by `using`, by `cluster.heal()`, or when it is used up. */
export interface RequestFault extends Disposable {
  /** How many requests have failed by it. */
  readonly hits: number
  /** Lets time run until `n` requests have failed by it (default 1). @throws {WaitTimeoutError} */
  wait(n?: number, options?: WaitOptions): Promise<void>
  dispose(): void
}

/** What faults on requests need to know of the cluster. */
export interface RequestFaultHost {
  readonly plant: Plant
  readonly brokers: readonly BrokerHandle[]
  broker(id: number): BrokerHandle
  /** @throws {RangeError} with the nearest name where there is no such topic. */
  topicId(topic: string): string
}

const OPTION_NAMES: readonly (keyof FailNextOptions)[] = [
  'error',
  'times',
  'when',
  'topic',
  'partition',
  'broker',
  'clientId',
  'from',
  'optional',
]

/** What makes topics that are not there yet: their names cannot be checked. */
const NAMES_THE_NEW: ReadonlySet<string> = new Set(['CreateTopics', 'Metadata'])
/** Answered for the request, not for one of its partitions (F-24). */
const SESSION_ERRORS: ReadonlySet<string> = new Set([
  'FETCH_SESSION_ID_NOT_FOUND',
  'INVALID_FETCH_SESSION_EPOCH',
  'FETCH_SESSION_TOPIC_ID_ERROR',
])
/** Handled for real also when they are to fail: they change nothing, and what they ask for they need not name. */
const LOOKS_ONLY: ReadonlySet<string> = new Set(['Metadata', 'DescribeTopicPartitions'])

type Next = (body?: RequestOf<AnyApi>) => Promise<InterceptedAnswer<AnyApi>>

/** @throws {ConfigError | RangeError} for whatever in the order cannot be meant, with what would be right. */
export function failNext(
  host: RequestFaultHost,
  asked: AnyApi | string,
  options: FailNextOptions,
): RequestFault & ScriptedFault {
  const api = apiNamed(asked)
  return new InstalledFault(host, api, checked(host, api, options))
}

function checked(host: RequestFaultHost, api: AnyApi, options: FailNextOptions): FailNextOptions {
  refuseUnknown('option of failNext', options, OPTION_NAMES)
  const { error, times = 1, when = 'before', topic, partition, broker, from = 'clients' } = options
  if (error !== 'disconnect' && (errorCodes[error] === undefined || error === 'NONE')) {
    const names = ['disconnect', ...Object.keys(errorCodes).filter(name => name !== 'NONE')]
    throw new ConfigError(`there is no error '${error}' to answer${didYouMean(String(error), names)}`)
  }
  if (!Number.isInteger(times) || times < 1)
    throw new ConfigError(`times must be a whole number from 1 on, not ${times}`)
  if (when !== 'before' && when !== 'after') throw new ConfigError(`when must be 'before' or 'after', not '${when}'`)
  if (from !== 'clients' && from !== 'brokers' && from !== 'all') {
    throw new ConfigError(`from must be 'clients', 'brokers' or 'all', not '${from}'`)
  }
  if (broker !== undefined) host.broker(typeof broker === 'number' ? broker : broker.id)
  if (partition !== undefined && topic === undefined)
    throw new ConfigError('a partition needs its topic: give topic too')
  if (partition !== undefined && (!Number.isInteger(partition) || partition < 0)) {
    throw new RangeError(`a partition is a whole number from 0 on, not ${partition}`)
  }
  if (topic !== undefined) {
    if (!NAMES_THE_NEW.has(api.name)) host.topicId(topic)
    if (error !== 'disconnect') levelOf(api, api.versions.max, { topic, topicId: undefined, partition })
  }
  return options
}

class InstalledFault implements RequestFault, ScriptedFault {
  readonly what: string
  readonly optional: boolean
  readonly dispose: () => void
  readonly #host: RequestFaultHost
  readonly #api: AnyApi
  readonly #options: FailNextOptions
  #hits = 0

  constructor(host: RequestFaultHost, api: AnyApi, options: FailNextOptions) {
    this.#host = host
    this.#api = api
    this.#options = options
    this.optional = options.optional ?? false
    this.what = describe(api, options)
    this.dispose = host.plant.interceptors.install(api, (request, next) => this.#meet(request, next))
  }

  get hits(): number {
    return this.#hits
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  async wait(n = 1, options: WaitOptions = {}): Promise<void> {
    const { times = 1 } = this.#options
    if (n > times) throw new ConfigError(`${this.what} fires ${times} times at most: there is no waiting for ${n}`)
    const describe = () => `${this.what} fired ${this.#hits} times`
    await waitUntil(this.#host.plant.runtime, `wait(${n})`, () => this.#hits >= n, { describe, ...options })
  }

  #meet(request: InterceptedRequest, next: Next): Promise<InterceptedAnswer<AnyApi>> | InterceptedAnswer<AnyApi> {
    const scope = this.#scope()
    const body = this.#bodyOf(request)
    const { times = 1 } = this.#options
    if (this.#hits >= times || !this.#isMeant(request, body, scope)) return next()
    this.#fire(request)
    return this.#fail(request, body, scope, next)
  }

  #scope(): RequestScope | undefined {
    const { topic, partition } = this.#options
    if (topic === undefined) return undefined
    let topicId: string | undefined
    try {
      topicId = this.#host.topicId(topic)
    } catch {
      // It is not there yet, or not any more: then it can only be named.
    }
    return { topic, topicId, partition }
  }

  #isMeant(request: InterceptedRequest, body: Struct, scope: RequestScope | undefined): boolean {
    const { broker, clientId, from = 'clients' } = this.#options
    if (from !== 'all' && (from === 'brokers') !== (request.peer !== undefined)) return false
    if (broker !== undefined && request.node !== (typeof broker === 'number' ? broker : broker.id)) return false
    if (clientId !== undefined && request.clientId !== clientId) return false
    return scope === undefined || mentions(this.#api, request.version, body, scope)
  }

  #fire({ from, node }: InterceptedRequest): void {
    const { times = 1 } = this.#options
    if (++this.#hits >= times) this.dispose()
    const to = node === this.#host.brokers.find(broker => broker.id === node)?.id ? `broker-${node}` : 'controller'
    this.#host.plant.runtime.trace.add('fault', to, { what: this.what, from, time: this.#hits })
  }

  async #fail(
    request: InterceptedRequest,
    body: Struct,
    scope: RequestScope | undefined,
    next: Next,
  ): Promise<InterceptedAnswer<AnyApi>> {
    const { error, when = 'before' } = this.#options
    const { version } = request
    const api = this.#api
    if (error === 'disconnect') {
      if (when === 'after') await next()
      return disconnect
    }
    const refusal: Refusal = {
      api,
      version,
      code: errorCodes[error],
      level: this.#levelFor(version, error, scope),
      scope,
    }
    if (when === 'after' || LOOKS_ONLY.has(api.name)) {
      const answer = await next()
      // Nobody is told with acks=0, but by the end of the connection (P-3).
      if (answer === undefined) return disconnect
      if (answer === disconnect) return answer
      // An incremental answer does not list what has no news (F-25): an error is news.
      const { refused } = api.key === fetch.key ? splitRequest(refusal, body) : { refused: undefined }
      const replaced = refused === undefined ? overlaid(refusal, answer) : merged(refusal.level.path, answer, refused)
      return replaced as InterceptedAnswer<AnyApi>
    }
    if (api.name === 'Produce' && body.acks === 0) return disconnect
    const { refused, rest } = splitRequest(refusal, body)
    if (refused === undefined) return next()
    if (rest === undefined || refusal.level.path.length === 0) return refused as InterceptedAnswer<AnyApi>
    const answer = await next(rest as RequestOf<AnyApi>)
    if (answer === undefined || answer === disconnect) return disconnect
    return merged(refusal.level.path, answer, refused) as InterceptedAnswer<AnyApi>
  }

  /** What asks for partitions is told by partition, unless the error is one of the whole request. */
  #levelFor(version: number, error: ErrorName, scope: RequestScope | undefined): Refusal['level'] {
    const api = this.#api
    if (api.name === 'Fetch' && SESSION_ERRORS.has(error)) return levelOf(api, version, undefined)
    if (scope !== undefined || !(api.name === 'Fetch' || LOOKS_ONLY.has(api.name))) return levelOf(api, version, scope)
    return levelOf(api, version, { topic: '', topicId: undefined, partition: undefined })
  }

  /**
   * An incremental fetch names only what changed (KIP-227). To refuse some of what it asks for, it is made into one that
   * names everything and has no session: the client learns that its session is gone, and nothing of what was refused has
   * counted, not even a follower's position.
   */
  #bodyOf({ body, version, node }: InterceptedRequest): Struct {
    const { error, when = 'before' } = this.#options
    if (this.#api !== fetch || version < 7 || when === 'after' || error === 'disconnect') {
      return this.#api === fetch ? this.#named(body, node) : body
    }
    return { ...this.#named(body, node), sessionEpoch: -1, maxWaitMs: 0, forgottenTopicsData: [] }
  }

  /** With all partitions of its session. */
  #named(body: Struct, node: number): Struct {
    if (!(body.sessionEpoch > 0)) return body
    const broker = this.#host.brokers.find(each => each.id === node)?.broker
    const asked = broker?.fetches.sessions.askedIn(body.sessionId)
    if (asked === undefined) return body
    const topics: Record<string, { topic: string; topicId: string; partitions: Struct[] }> = {}
    const add = (topic: string, topicId: string, partition: Struct) => {
      const named = topics[`${topicId}/${topic}`] ?? { topic, topicId, partitions: [] }
      topics[`${topicId}/${topic}`] = named
      named.partitions = [...named.partitions.filter(each => each.partition !== partition.partition), partition]
    }
    for (const { topic, topicId, params } of asked) add(topic, topicId, params)
    for (const { topic, topicId, partitions } of body.topics) for (const each of partitions) add(topic, topicId, each)
    for (const { topic, topicId, partitions } of body.forgottenTopicsData) {
      const named = topics[`${topicId}/${topic}`]
      if (named !== undefined) named.partitions = named.partitions.filter(each => !partitions.includes(each.partition))
    }
    return { ...body, topics: Object.values(topics) }
  }
}

/** `failNext(Produce, { error: 'NOT_LEADER_OR_FOLLOWER', times: 2 })`. */
function describe(api: AnyApi, { broker, ...options }: FailNextOptions): string {
  const given = Object.entries({ ...options, broker: typeof broker === 'object' ? broker.id : broker })
  const said = given.flatMap(([name, value]) => {
    if (value === undefined) return []
    return [`${name}: ${typeof value === 'string' ? `'${value}'` : value}`]
  })
  return `failNext(${api.name}, { ${said.join(', ')} })`
}
