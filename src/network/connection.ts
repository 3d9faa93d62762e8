import type { Runtime, Timer } from '../runtime/runtime.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import type { Frame } from '../wire/frame.ts'
import { encodeRequest, readResponse } from '../wire/header.ts'
import { MalformedError, Reader, UncountableError } from '../wire/reader.ts'
import { type Channel, ConnectionError } from './channel.ts'

/** The answer did not come in time: the connection is closed, everything in flight on it is unknown (C-42). */
export class RequestTimeoutError extends ConnectionError {
  override readonly name = 'RequestTimeoutError'
}

/** How one request ends: with its response, or without anybody knowing what became of it. */
export interface Outcome<A extends AnyApi> {
  onResponse(response: ResponseOf<A>): void
  onLost(error: Error): void
}

/** Told of what passes over a connection, in bytes of its frames: for metrics. */
export interface Traffic {
  sent(bytes: number): void
  received(api: AnyApi, bytes: number, latencyMs: number, response: object): void
}

interface InFlight {
  readonly api: AnyApi
  /** What is asked, as people name it. */
  readonly what: string
  readonly version: number
  readonly correlationId: number
  readonly sentAt: number
  deadline: number
  // biome-ignore lint/suspicious/noExplicitAny: the outcome of whatever API
  readonly outcome: Outcome<any>
}

/**
 * A client's end of a connection: encodes, correlates, times out. Responses come in the order of the requests (W-2, W-3).
 * Callbacks, so that what follows at once needs no promise; `request` is the promise for those who want one.
 */
export class Connection {
  readonly channel: Channel
  readonly #runtime: Runtime
  readonly #clientId: string | null
  readonly #inFlight: InFlight[] = []
  readonly #housekeeping: boolean
  readonly #traffic: Traffic | undefined
  #correlationId = 0
  #timer: Timer | undefined
  /** When that timer fires. */
  #timerAt = 0
  #lost: Error | undefined
  readonly #onClose: ((error: Error) => void) | undefined
  readonly #onThrottle: ((ms: number, api: AnyApi, version: number) => void) | undefined
  readonly #unlisten: (() => void) | undefined

  constructor(
    channel: Channel,
    options: {
      readonly runtime: Runtime
      readonly clientId: string | null
      readonly housekeeping?: boolean
      readonly traffic?: Traffic | undefined
      readonly onClose?: (error: Error) => void
      /** The node asked for a pause in the answer to this API, in this version. */
      readonly onThrottle?: (ms: number, api: AnyApi, version: number) => void
      /** The node reads again: `isFull` is over. */
      readonly onDrain?: () => void
    },
  ) {
    this.channel = channel
    this.#runtime = options.runtime
    this.#clientId = options.clientId
    this.#housekeeping = options.housekeeping ?? false
    this.#onClose = options.onClose
    this.#onThrottle = options.onThrottle
    this.#traffic = options.traffic
    // Timers of housekeeping are idle: where time leaps, they and what they wait for move along.
    if (this.#housekeeping) this.#unlisten = options.runtime.onLeap(ms => this.#leapt(ms))
    channel.receive({
      onFrame: frame => this.#receive(frame),
      onClose: (reason, _isReset, refusal) =>
        this.#end(refusal ?? new ConnectionError(`the connection to ${channel.peer} was closed: ${reason}`)),
      ...(options.onDrain === undefined ? {} : { onDrain: options.onDrain }),
    })
  }

  /** The node does not read what it is sent: more of it would only wait in memory. */
  get isFull(): boolean {
    return this.channel.isFull
  }

  get isClosed(): boolean {
    return this.#lost !== undefined
  }

  get inFlight(): number {
    return this.#inFlight.length
  }

  /** What is being waited for, for errors. */
  waiting(): string[] {
    return this.#inFlight.map(({ what }) => `${what} to ${this.channel.peer}`)
  }

  /** `what`: how rules and errors name it, where that is not the API's own name. */
  send<A extends AnyApi>(
    api: A,
    version: number,
    body: RequestInput<A>,
    timeoutMs: number,
    outcome: Outcome<A>,
    what: string = api.name,
  ): void {
    if (this.#lost !== undefined) {
      outcome.onLost(this.#lost)
      return
    }
    const correlationId = this.#correlationId
    this.#correlationId = (correlationId + 1) & 0x7fffffff
    const frame = encodeRequest(api, version, correlationId, this.#clientId, body)
    const sentAt = this.#runtime.now()
    const deadline = sentAt + timeoutMs
    this.#inFlight.push({ api, what, version, correlationId, sentAt, deadline, outcome })
    if (this.#timer === undefined || deadline < this.#timerAt) this.#armTimer(deadline)
    this.#traffic?.sent(frame.length)
    this.channel.send(frame, { kind: 'request', api: what })
  }

  /** For requests that are never answered (acks=0). */
  sendOnly<A extends AnyApi>(api: A, version: number, body: RequestInput<A>): void {
    if (this.#lost !== undefined) throw this.#lost
    const correlationId = this.#correlationId
    this.#correlationId = (correlationId + 1) & 0x7fffffff
    const frame = encodeRequest(api, version, correlationId, this.#clientId, body)
    this.#traffic?.sent(frame.length)
    this.channel.send(frame, { kind: 'request', api: api.name })
  }

  request<A extends AnyApi>(api: A, version: number, body: RequestInput<A>, timeoutMs: number): Promise<ResponseOf<A>> {
    const answered = this.#runtime.deferred<ResponseOf<A>>()
    this.send(api, version, body, timeoutMs, {
      onResponse: response => answered.resolve(response),
      onLost: error => answered.reject(error),
    })
    return answered.promise
  }

  close(reason = 'closed by the client'): void {
    this.channel.close(reason)
    this.#end(new ConnectionError(`the connection to ${this.channel.peer} was closed: ${reason}`))
  }

  #receive(frame: Frame): void {
    const next = this.#inFlight.shift()
    if (next === undefined) {
      this.close('a response came that nobody asked for')
      return
    }
    let response: object
    try {
      const reader = new Reader(frame.slices)
      response = readResponse(reader, next.api, next.version, next.correlationId)
    } catch (error) {
      // Asked again, it would be answered so again: whoever asked has to know.
      if (error instanceof UncountableError) next.outcome.onLost(uncountable(next.what, error))
      else this.#inFlight.unshift(next)
      this.close(`a response could not be read: ${(error as Error).message}`)
      if (!(error instanceof MalformedError)) throw error
      return
    }
    this.#traffic?.received(next.api, frame.length, this.#runtime.now() - next.sentAt, response)
    if (this.#inFlight.length === 0) {
      this.#timer?.cancel()
      this.#timer = undefined
    }
    if (this.#onThrottle !== undefined && 'throttleTimeMs' in response && (response.throttleTimeMs as number) > 0) {
      this.#onThrottle(response.throttleTimeMs as number, next.api, next.version)
    }
    next.outcome.onResponse(response as never)
  }

  /** One timer for the connection: for the earliest deadline, and again while there are later ones. */
  #armTimer(deadline: number): void {
    const now = this.#runtime.now()
    this.#timer?.cancel()
    this.#timerAt = deadline
    const options = this.#housekeeping ? { idle: true } : { housekeeping: true }
    this.#timer = this.#runtime.after(Math.max(0, deadline - now), () => this.#timeOut(), options)
  }

  #timeOut(): void {
    this.#timer = undefined
    let earliest: InFlight | undefined
    for (const each of this.#inFlight) if (earliest === undefined || each.deadline < earliest.deadline) earliest = each
    if (earliest === undefined) return
    if (earliest.deadline > this.#runtime.now()) {
      this.#armTimer(earliest.deadline)
      return
    }
    const error = new RequestTimeoutError(`${earliest.what} to ${this.channel.peer} was not answered in time`)
    this.channel.close('a request was not answered in time')
    this.#end(error)
  }

  #leapt(ms: number): void {
    this.#timerAt += ms
    for (const each of this.#inFlight) each.deadline += ms
  }

  #end(error: Error): void {
    if (this.#lost !== undefined) return
    this.#lost = error
    this.#timer?.cancel()
    this.#unlisten?.()
    const lost = this.#inFlight.splice(0)
    for (const { outcome } of lost) outcome.onLost(error)
    this.#onClose?.(error)
  }
}

function uncountable(what: string, { message }: UncountableError): KafkaError {
  return new KafkaError('UNKNOWN_SERVER_ERROR', `the answer to ${what} cannot be taken: ${message}`)
}
