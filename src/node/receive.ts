import { envelope } from '../apis/envelope.ts'
import type { Channel } from '../network/channel.ts'
import { isPromise } from '../runtime/deferred.ts'
import type { Timer } from '../runtime/runtime.ts'
import type { AnyApi, RequestContext, RequestOf, ResponseInput } from '../wire/api.ts'
import { errorCodes, IllegalArgumentError, KafkaError } from '../wire/errors.ts'
import type { Frame } from '../wire/frame.ts'
import { encodeResponse, type RequestHeader, readRequestHeader } from '../wire/header.ts'
import { ANONYMOUS, principalText } from '../wire/principal.ts'
import { MalformedError, Reader } from '../wire/reader.ts'
import { answered, type Opened, opened } from './envelopes.ts'
import { type Gate, takeToken, type Verdict } from './gate.ts'
import { disconnect, type InterceptedAnswer, intercepted } from './intercept.ts'
import { type ListenerFacts, plainListener, type ReceiverOptions } from './receiver-options.ts'
import type { Toll } from './tolls.ts'
import { Witnessed } from './witnessed.ts'

const OWN_HOST = '127.0.0.1'

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

  accept(channel: Channel, listener: ListenerFacts = plainListener): void {
    const connection = new ServerConnection(channel, listener, this.#options, () =>
      this.#connections.delete(connection),
    )
    this.#connections.add(connection)
  }

  close(reason: string): void {
    for (const connection of [...this.#connections]) connection.close(reason)
  }
}

class ServerConnection<Node> {
  readonly #channel: Channel
  readonly #options: ReceiverOptions<Node>
  readonly #listener: ListenerFacts
  readonly #gate: Gate | undefined
  /** Of the request in hand: there is one at a time. */
  #onClosed: (() => void) | undefined
  readonly #witnessed: Witnessed
  /** The request in hand, where a broker sent it for a client. */
  #opened: Opened | undefined
  readonly #gone: () => void
  /** The connection as handlers know it. */
  readonly #closing: RequestContext['closed']
  readonly #peer: number | undefined
  readonly #apis: ReadonlyMap<number, AnyApi>
  /** Of the request in hand, where there are quotas. */
  #toll: Toll | undefined
  /** While it is throttled: nothing is taken from it (KIP-219). */
  #muted: Timer | undefined
  /** The client has not read what it was answered: nothing more is taken from it. */
  #isDraining = false
  #isClosed = false
  /** Authentication has failed, and the end comes late: nothing is taken any more. */
  #isTurnedAway = false

  constructor(channel: Channel, listener: ListenerFacts, options: ReceiverOptions<Node>, gone: () => void) {
    this.#channel = channel
    this.#listener = listener
    this.#options = options
    this.#witnessed = new Witnessed(options.life, options.name)
    this.#gone = gone
    this.#peer = options.peerId(channel.peer)
    if (this.#peer === undefined) this.#gate = options.gate?.(channel, listener)
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
    this.#muted?.cancel()
    this.#gone()
    // Of a dead node nothing happens any more.
    if (!this.#options.life.isOver) this.#onClosed?.()
    this.#witnessed.end(disconnect, 0)
  }

  #drained(): unknown {
    if (!this.#isDraining) return undefined
    this.#isDraining = false
    return this.#next()
  }

  /** An answer is on its way: the next request may come, if there is room for its answer. */
  #next(): unknown {
    const waits = this.#isClosed || this.#isDraining || this.#isTurnedAway || this.#muted !== undefined
    return waits ? undefined : this.#channel.resume()
  }

  /** W-4: what it sends meanwhile waits, while it has its answer. */
  #mute(ms: number): void {
    const { life, name } = this.#options
    life.trace.add('connection', name, { what: 'throttled', peer: this.#channel.peer, ms })
    this.#channel.pause()
    this.#muted = life.after(ms, () => {
      this.#muted = undefined
      return this.#next()
    })
  }

  /** Answers a promise while a request is in hand. */
  #handle(frame: Frame): Promise<unknown> | undefined {
    const { side } = this.#options
    const apis = this.#apis
    const gate = this.#gate
    let header: RequestHeader
    let body: RequestOf<AnyApi>
    let verdict: Verdict = 'pass'
    if (gate?.takesTokens) return this.#takeToken(gate, frame)
    try {
      const reader = new Reader(frame.slices)
      header = readRequestHeader(reader, key => apis.get(key))
      const { api, apiVersion } = header
      if (gate !== undefined) verdict = gate.judge(api, frame.length)
      if (verdict !== 'pass' && verdict.answers !== true) return this.#turnAway(verdict.close)
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
    this.#opened = undefined
    if (verdict !== 'pass') return this.#refuseUnauthenticated(header, body, verdict.close)
    if (header.api === envelope && this.#opens()) return this.#open(header, body, frame.length)
    return this.#answer(header.api, header, body, frame.length)
  }

  #opens(): boolean {
    const { principal = ANONYMOUS, host = OWN_HOST } = this.#channel.caller ?? {}
    return this.#peer !== undefined || this.#options.opens?.({ principal, host, peer: undefined }) === true
  }

  /** KIP-590: who looks at requests sees the one in the envelope, sent by the broker, with the broker's correlation id. */
  #open(outer: RequestHeader, body: RequestOf<AnyApi>, bytes: number): Promise<unknown> | undefined {
    const found = opened(body)
    if (found instanceof KafkaError) {
      this.#traceRequest(outer.api, outer)
      this.#respond(outer.api, outer, { errorCode: found.code })
      return undefined
    }
    const { apiVersion, clientId, api } = found.header
    this.#opened = found
    return this.#answer(api, { ...outer, apiVersion, clientId }, found.body, bytes)
  }

  /** M-60: after the handshake of SASL, whoever asks for something else is told so before the end. */
  #refuseUnauthenticated(header: RequestHeader, body: RequestOf<AnyApi>, reason: string): undefined {
    const { api, apiVersion } = header
    this.#traceRequest(api, header)
    const answer = this.#options.refusal?.(api, apiVersion, body, errorCodes.ILLEGAL_SASL_STATE)
    if (answer === undefined) this.#turnAway(reason)
    else this.#respond(api, header, answer)
  }

  /** M-60: after a handshake of version 0. */
  #takeToken(gate: Gate, frame: Frame): Promise<unknown> | undefined {
    const taken = takeToken(gate, frame, this.#channel, reason => this.#turnAway(reason))
    if (taken === undefined) return undefined
    this.#channel.pause()
    return this.#options.life.guard(taken).then(() => this.#next())
  }

  /** Who has failed to authenticate is closed on, and not at once, so that guessing takes its time. */
  #turnAway(reason: string, last: () => void = () => {}): undefined {
    const afterMs = this.#gate?.failure?.afterMs ?? 0
    const end = () => {
      if (this.#isClosed) return
      last()
      this.#refuse(reason)
    }
    this.#isTurnedAway = true
    this.#channel.pause()
    if (afterMs === 0) end()
    else this.#options.life.after(afterMs, end)
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
    const { life, name, node, nodeId, side, interceptors, tolls } = this.#options
    this.#onClosed = undefined
    const client = this.#opened
    const principal = client?.principal ?? this.#gate?.principal ?? this.#channel.caller?.principal ?? ANONYMOUS
    const toll = this.#peer === undefined ? tolls?.of(api, principal, header.clientId, bytes) : undefined
    this.#toll = toll
    const context: RequestContext = {
      version: header.apiVersion,
      clientId: header.clientId,
      correlationId: header.correlationId,
      from: this.#channel.peer,
      // What a broker hands on is a client's.
      peer: client === undefined ? this.#peer : undefined,
      principal,
      byToken: client?.principal.tokenAuthenticated ?? this.#gate?.byToken ?? false,
      host: client?.host ?? this.#channel.caller?.host ?? OWN_HOST,
      listener: this.#listener.name,
      securityProtocol: this.#listener.securityProtocol,
      sasl: this.#gate,
      closed: this.#closing,
      toll,
    }
    this.#traceRequest(api, header)
    const { witness } = interceptors
    if (witness !== undefined) this.#witnessed.begin(witness, api, context, this.#peer, body, bytes)
    const handler = api[side]!
    const chain = interceptors.of(api.key)
    let answer: InterceptedAnswer<AnyApi> | Promise<InterceptedAnswer<AnyApi>>
    if (chain === undefined) {
      try {
        const handled = handler(node, body, context)
        answer = toll === undefined ? handled : toll.charge(handled)
      } catch (error) {
        this.#failed(api, error)
        return undefined
      }
    } else {
      const { from, clientId, version } = context
      const peer = this.#peer
      // An interceptor is the test's own code: time stands still for it, unless it waits for us.
      const sleep = (ms: number) => life.inside(life.sleep(ms))
      const request = {
        api,
        version,
        body,
        clientId,
        from,
        peer,
        principal: principalText(principal),
        node: nodeId,
        sleep,
      }
      const handle = (changed: RequestOf<AnyApi>) => {
        const handled = handler(node, changed, context)
        return life.inside(toll === undefined ? handled : toll.charge(handled))
      }
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

  #respond(api: AnyApi, header: RequestHeader, answer: InterceptedAnswer<AnyApi>): void {
    if (this.#isClosed) return
    const throttleMs = this.#toll?.throttleMs ?? 0
    if (throttleMs > 0) this.#mute(throttleMs)
    if (answer === undefined) {
      this.#witnessed.end(undefined, 0)
      return
    }
    if (answer === disconnect) {
      this.#refuse(`${api.name} was answered by closing the connection`)
      return
    }
    const frame = this.#encode(api, header, answer)
    if (frame === undefined) return
    const send = () => {
      this.#traceResponse(api, header)
      this.#witnessed.end(answer, frame.length)
      this.#send(frame, api)
    }
    this.#gate?.answered(api, answer)
    const failure = this.#gate?.failure
    if (failure === undefined) send()
    else this.#turnAway(failure.reason, send)
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
      const inner = this.#opened
      if (inner === undefined) return encodeResponse(api, header.apiVersion, header.correlationId, answer)
      const response = encodeResponse(api, header.apiVersion, inner.header.correlationId, answer)
      return encodeResponse(envelope, envelope.versions.max, header.correlationId, answered(response))
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
