import type { Channel } from '../network/channel.ts'
import { isPromise } from '../runtime/deferred.ts'
import type { AnyApi, RequestContext, RequestOf, ResponseInput } from '../wire/api.ts'
import { IllegalArgumentError, KafkaError } from '../wire/errors.ts'
import type { Frame } from '../wire/frame.ts'
import { encodeResponse, type RequestHeader, readRequestHeader } from '../wire/header.ts'
import { MalformedError, Reader } from '../wire/reader.ts'
import {
  disconnect,
  type InterceptedAnswer,
  type Interceptors,
  intercepted,
  type ReceivedRequest,
  type RequestWitness,
} from './intercept.ts'
import type { Life } from './life.ts'

/** What receives requests: a broker or the controller. */
export interface ReceiverOptions<Node> {
  readonly life: Life
  /** Name in the trace. */
  readonly name: string
  readonly nodeId: number
  readonly node: Node
  /** Which of an API's two handlers is ours. */
  readonly side: 'broker' | 'controller'
  /** The APIs that this node takes, by key. */
  readonly apis: ReadonlyMap<number, AnyApi>
  /** What it takes from clients, where that is less (`kafkaVersion`). */
  readonly clientApis?: ReadonlyMap<number, AnyApi>
  readonly interceptors: Interceptors
  /** Broker id of a peer of this name; undefined for clients. */
  readonly peerId: (name: string) => number | undefined
  /** Answer to an ApiVersions request of a version that nobody knows (W-11). */
  readonly unknownApiVersions: ResponseInput<AnyApi>
}

/** The key whose unsupported versions are answered in version 0 instead of closing the connection (W-11). */
const API_VERSIONS = 18

/**
 * Takes connections; on each it handles one request at a time (W-4), in order: the connection is paused until the answer
 * is on its way, and for as long as the client does not read it. What a client sends meanwhile fills the way to this node.
 */
export class Receiver<Node> {
  readonly #options: ReceiverOptions<Node>
  readonly #connections = new Set<ServerConnection<Node>>()

  constructor(options: ReceiverOptions<Node>) {
    this.#options = options
    options.life.onEnd(() => this.close(`${options.name} is gone`))
  }

  accept(channel: Channel): void {
    const connection = new ServerConnection(channel, this.#options, () => this.#connections.delete(connection))
    this.#connections.add(connection)
  }

  close(reason: string): void {
    for (const connection of [...this.#connections]) connection.close(reason)
  }
}

class ServerConnection<Node> {
  readonly #channel: Channel
  readonly #options: ReceiverOptions<Node>
  /** Of the request in hand: there is one at a time. */
  #onClosed: (() => void) | undefined
  /** The request in hand, where there is a witness who wants to know how it ends. */
  #witnessed: ReceivedRequest | undefined
  readonly #gone: () => void
  /** The connection as handlers know it. */
  readonly #closing: RequestContext['closed']
  readonly #peer: number | undefined
  readonly #apis: ReadonlyMap<number, AnyApi>
  /** The client has not read what it was answered: nothing more is taken from it. */
  #isDraining = false
  #isClosed = false

  constructor(channel: Channel, options: ReceiverOptions<Node>, gone: () => void) {
    this.#channel = channel
    this.#options = options
    this.#gone = gone
    this.#peer = options.peerId(channel.peer)
    this.#apis = (this.#peer === undefined ? options.clientApis : undefined) ?? options.apis
    const isClosed = () => this.#isClosed
    this.#closing = {
      get isClosed() {
        return isClosed()
      },
      onClose: run => {
        this.#onClosed = run
        return () => {
          if (this.#onClosed === run) this.#onClosed = undefined
        }
      },
    }
    channel.receive({
      onFrame: frame => (this.#isClosed ? undefined : this.#handle(frame)),
      onClose: () => this.#closed(),
      onDrain: () => this.#drained(),
    })
  }

  close(reason: string): void {
    if (this.#isClosed) return
    this.#channel.close(reason)
    this.#closed()
  }

  /** W-5: what cannot be understood is not answered. */
  #refuse(reason: string): void {
    const { life, name } = this.#options
    life.trace.add('connection', name, { what: 'closed', peer: this.#channel.peer, reason })
    this.close(reason)
  }

  #closed(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#gone()
    // Of a dead node nothing happens any more.
    if (!this.#options.life.isOver) this.#onClosed?.()
    this.#end(disconnect, 0)
  }

  #end(answer: InterceptedAnswer<AnyApi>, bytes: number): void {
    const request = this.#witnessed
    if (request === undefined) return
    const { interceptors, life } = this.#options
    this.#witnessed = undefined
    request.outcome = answer === disconnect ? 'disconnected' : answer === undefined ? 'unanswered' : 'answered'
    request.answer = answer === disconnect ? undefined : answer
    request.answeredAt = life.now()
    interceptors.witness?.ended(request, bytes)
  }

  #drained(): unknown {
    if (!this.#isDraining) return undefined
    this.#isDraining = false
    return this.#channel.resume()
  }

  /** An answer is on its way: the next request may come, if there is room for its answer. */
  #next(): unknown {
    return this.#isClosed || this.#isDraining ? undefined : this.#channel.resume()
  }

  /** Answers a promise while a request is in hand. */
  #handle(frame: Frame): Promise<unknown> | undefined {
    const { side } = this.#options
    const apis = this.#apis
    let header: RequestHeader
    let body: RequestOf<AnyApi>
    try {
      const reader = new Reader(frame.slices)
      header = readRequestHeader(reader, key => apis.get(key))
      const { api, apiVersion } = header
      if (api[side] === undefined) {
        this.#refuse(`${api.name} is not for this node`)
        return undefined
      }
      if (!(apiVersion >= api.versions.min && apiVersion <= api.versions.max)) {
        this.#unsupported(api, header)
        return undefined
      }
      body = api.request.codec(apiVersion).read(reader)
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error
      this.#refuse(`malformed request: ${error.message}`)
      return undefined
    }
    return this.#answer(header.api, header, body, frame.length)
  }

  #unsupported(api: AnyApi, header: RequestHeader): void {
    if (api.key !== API_VERSIONS) {
      const { min, max } = api.versions
      this.#refuse(`${api.name} v${header.apiVersion} is not supported, ${min} to ${max} are`)
      return
    }
    this.#traceRequest(api, header)
    this.#traceResponse(api, header)
    this.#send(encodeResponse(api, 0, header.correlationId, this.#options.unknownApiVersions), api)
  }

  #answer(api: AnyApi, header: RequestHeader, body: RequestOf<AnyApi>, bytes: number): Promise<unknown> | undefined {
    const { life, name, node, nodeId, side, interceptors } = this.#options
    this.#onClosed = undefined
    const context: RequestContext = {
      version: header.apiVersion,
      clientId: header.clientId,
      correlationId: header.correlationId,
      from: this.#channel.peer,
      peer: this.#peer,
      closed: this.#closing,
    }
    this.#traceRequest(api, header)
    if (interceptors.witness !== undefined) this.#witness(interceptors.witness, api, context, body, bytes)
    const handler = api[side]!
    const chain = interceptors.of(api.key)
    let answer: InterceptedAnswer<AnyApi> | Promise<InterceptedAnswer<AnyApi>>
    if (chain === undefined) {
      try {
        answer = handler(node, body, context)
      } catch (error) {
        this.#failed(api, error)
        return undefined
      }
    } else {
      const { from, peer, clientId, version } = context
      // An interceptor is the test's own code: time stands still for it, unless it waits for us.
      const sleep = (ms: number) => life.inside(life.sleep(ms))
      const request = { api, version, body, clientId, from, peer, node: nodeId, sleep }
      const handle = (changed: RequestOf<AnyApi>) => life.inside(handler(node, changed, context))
      answer = life.outside(`an interceptor of ${api.name} on ${name}`, () => intercepted(chain, request, handle))
    }
    if (!isPromise(answer)) {
      this.#respond(api, header, answer)
      return undefined
    }
    this.#channel.pause()
    return life.guard(answer).then(
      settled => {
        this.#respond(api, header, settled)
        return this.#next()
      },
      error => this.#failed(api, error),
    )
  }

  #witness(
    witness: RequestWitness,
    api: AnyApi,
    context: RequestContext,
    body: RequestOf<AnyApi>,
    bytes: number,
  ): void {
    const { version, clientId, from, peer } = context
    const { life, name: to } = this.#options
    const ending = { outcome: 'pending' as const, answer: undefined, answeredAt: undefined }
    this.#witnessed = { api, version, clientId, from, to, peer, body, at: life.now(), ...ending }
    witness.received(this.#witnessed, bytes)
  }

  #respond(api: AnyApi, header: RequestHeader, answer: InterceptedAnswer<AnyApi>): void {
    if (this.#isClosed) return
    if (answer === undefined) {
      this.#end(undefined, 0)
      return
    }
    if (answer === disconnect) {
      this.#refuse(`${api.name} was answered by closing the connection`)
      return
    }
    const frame = this.#encode(api, header, answer)
    if (frame === undefined) return
    this.#traceResponse(api, header)
    this.#end(answer, frame.length)
    this.#send(frame, api)
  }

  #send(frame: Frame, api: AnyApi): void {
    this.#channel.send(frame, { kind: 'response', api: api.name })
    if (!this.#channel.isFull) return
    this.#isDraining = true
    this.#channel.pause()
  }

  /** What a client says may be short enough to ask with and too long to be answered: then the connection ends. */
  #encode(api: AnyApi, header: RequestHeader, answer: ResponseInput<AnyApi>): Frame | undefined {
    try {
      return encodeResponse(api, header.apiVersion, header.correlationId, answer)
    } catch (error) {
      if (this.#options.interceptors.of(api.key) === undefined) {
        this.#failed(api, error)
        return undefined
      }
      const what = `an interceptor of ${api.name} answered what is no ${api.name} response in version ${header.apiVersion}`
      throw new IllegalArgumentError(`${what}: ${(error as Error).message}`)
    }
  }

  #traceRequest(api: AnyApi, { apiVersion: version, correlationId: correlation }: RequestHeader): void {
    const { life, name: to } = this.#options
    life.trace.add('request', this.#channel.peer, { to, api: api.name, version, correlation })
  }

  #traceResponse(api: AnyApi, { correlationId: correlation }: RequestHeader): void {
    const { life, name } = this.#options
    life.trace.add('response', name, { to: this.#channel.peer, api: api.name, correlation })
  }

  /** A handler must answer with codes. What it throws instead is a refusal to go on (KafkaError) or a bug of ours. */
  #failed(api: AnyApi, error: unknown): void {
    this.#refuse(`${api.name} failed: ${(error as Error).message}`)
    if (!(error instanceof KafkaError)) throw error
  }
}
