import { apiOf } from '../../../../src/apis/registry.ts'
import type { Address, Carrier, Channel, ChannelReceiver, FrameLabel } from '../../../../src/network/channel.ts'
import { addressText, ConnectionError } from '../../../../src/network/channel.ts'
import type { Runtime } from '../../../../src/runtime/runtime.ts'
import type { AnyApi, RequestOf, ResponseInput, ResponseOf } from '../../../../src/wire/api.ts'
import type { Frame } from '../../../../src/wire/frame.ts'
import { encodeResponse, readRequestHeader, readResponse } from '../../../../src/wire/header.ts'
import { Reader } from '../../../../src/wire/reader.ts'

/** What a proxy does with one request. */
export type Handling<A extends AnyApi> =
  /** Handed on, and its answer back. */
  | undefined
  /** Never handed on, never answered. */
  | 'ignore'
  /** Its connection is closed instead. */
  | 'close'
  /** Answered in place of the broker, which hears nothing of it. */
  | { readonly answer: ResponseInput<A>; readonly afterMs?: number; readonly until?: Promise<unknown> }
  /** Handed on; its answer comes later, changed, or never. */
  | {
      readonly edit?: (response: ResponseOf<A>) => ResponseInput<A>
      readonly afterMs?: number
      /** Kept back until then. */
      readonly until?: Promise<unknown>
      /** `'lose'`: dropped, and the connection closed. `'keep'`: never given back. */
      readonly fate?: 'lose' | 'keep'
    }

export type Script<A extends AnyApi> = (
  body: RequestOf<A>,
  asked: { readonly n: number; readonly version: number; readonly to: string },
) => Handling<A>

/** Told of what passes. */
export interface Observer {
  request(api: AnyApi, version: number, body: RequestOf<AnyApi>): void
  response(api: AnyApi, version: number, body: ResponseOf<AnyApi>): void
  connection(what: string): void
}

interface Exchange {
  readonly api: AnyApi
  readonly version: number
  readonly correlationId: number
  readonly handling: Handling<AnyApi>
  /** The answer as it will be delivered, once it may be. */
  frame: Frame | undefined
  isForwarded: boolean
}

/** Stands between a client and its cluster: sees every request when it is sent, and may do with it what it likes. */
export class Intermediary implements Carrier {
  readonly #runtime: Runtime
  readonly #carrier: Carrier
  readonly #observer: Observer
  readonly #scripts = new Map<number, { script: Script<AnyApi>; n: number }>()
  readonly #channels = new Set<IntermediaryChannel>()
  /** Addresses at which nobody listens, and where those that moved are now. */
  readonly dead = new Set<string>()
  /** Addresses at which somebody listens and never answers. */
  readonly silent = new Set<string>()
  readonly moved = new Map<string, Address>()
  /** Attempts to connect, and where to. */
  readonly attempts: { readonly at: number; readonly to: string }[] = []

  constructor(runtime: Runtime, carrier: Carrier, observer: Observer) {
    this.#runtime = runtime
    this.#carrier = carrier
    this.#observer = observer
  }

  /** From now on requests of this API are asked about; `n` counts them from 1. */
  on<A extends AnyApi>(api: A, script: Script<A>): void {
    this.#scripts.set(api.key, { script: script as unknown as Script<AnyApi>, n: 0 })
  }

  off(api: AnyApi): void {
    this.#scripts.delete(api.key)
  }

  /** Ends every connection, as if the broker did. */
  closeAll(): void {
    for (const channel of [...this.#channels]) channel.end('the proxy closed it')
  }

  async connect(from: string, to: Address): Promise<Channel> {
    const key = addressText(to)
    this.attempts.push({ at: this.#runtime.now(), to: key })
    if (this.dead.has(key)) {
      this.#observer.connection('refused')
      throw new ConnectionError(`nobody listens at ${key}`)
    }
    const inner = await this.#carrier.connect(from, this.moved.get(key) ?? to)
    this.#observer.connection('opened')
    const channel = new IntermediaryChannel(inner, this.#runtime, this.#observer, exchange => this.#ask(exchange), key)
    this.#channels.add(channel)
    return channel
  }

  listen(): never {
    throw new Error('a proxy listens to nobody')
  }

  #ask(request: { api: AnyApi; version: number; body: RequestOf<AnyApi>; to: string }): Handling<AnyApi> {
    if (this.silent.has(request.to)) return 'ignore'
    const entry = this.#scripts.get(request.api.key)
    if (entry === undefined) return undefined
    return entry.script(request.body, { n: ++entry.n, version: request.version, to: request.to })
  }
}

class IntermediaryChannel implements Channel {
  readonly peer: string
  readonly #inner: Channel
  readonly #runtime: Runtime
  readonly #observer: Observer
  readonly #ask: (request: { api: AnyApi; version: number; body: RequestOf<AnyApi>; to: string }) => Handling<AnyApi>
  readonly #to: string
  readonly #exchanges: Exchange[] = []
  #receiver: ChannelReceiver | undefined

  constructor(
    inner: Channel,
    runtime: Runtime,
    observer: Observer,
    ask: (request: { api: AnyApi; version: number; body: RequestOf<AnyApi>; to: string }) => Handling<AnyApi>,
    to: string,
  ) {
    this.#inner = inner
    this.peer = inner.peer
    this.#runtime = runtime
    this.#observer = observer
    this.#ask = ask
    this.#to = to
  }

  get isClosed(): boolean {
    return this.#inner.isClosed
  }

  get isFull(): boolean {
    return this.#inner.isFull
  }

  receive(receiver: ChannelReceiver): void {
    this.#receiver = receiver
    this.#inner.receive({
      onFrame: frame => this.#answered(frame),
      onClose: (reason, isReset) => {
        if (this.#receiver === undefined) return
        this.#observer.connection('closed by broker')
        receiver.onClose(reason, isReset)
      },
      onDrain: () => receiver.onDrain?.(),
    })
  }

  send(frame: Frame, label: FrameLabel): void {
    const reader = new Reader(frame.slices)
    const { api, apiVersion: version, correlationId } = readRequestHeader(reader, apiOf)
    const body = api.request.codec(version).read(reader) as RequestOf<AnyApi>
    this.#observer.request(api, version, body)
    const handling = this.#ask({ api, version, body, to: this.#to })
    if (handling === 'close') {
      this.#runtime.after(0, () => this.end('the proxy closed it'))
      return
    }
    const isAnswered = typeof handling === 'object' && 'answer' in handling
    const isForwarded = handling !== 'ignore' && !isAnswered
    // With acks=0 nothing is answered.
    const isExpected = !(api.name === 'Produce' && (body as { acks?: number }).acks === 0)
    const exchange: Exchange = { api, version, correlationId, handling, frame: undefined, isForwarded }
    if (isExpected) this.#exchanges.push(exchange)
    if (isForwarded) this.#inner.send(frame, label)
    else if (isAnswered) this.#ready(exchange, encodeResponse(api, version, correlationId, handling.answer), handling)
  }

  close(reason: string): void {
    this.#receiver = undefined
    if (!this.isClosed) this.#observer.connection('closed by client')
    this.#inner.close(reason)
  }

  pause(): void {
    this.#inner.pause()
  }

  resume(): unknown {
    return this.#inner.resume()
  }

  /** As if the other end closed it. */
  end(reason: string): void {
    const receiver = this.#receiver
    if (receiver === undefined) return
    this.#receiver = undefined
    this.#observer.connection('closed by proxy')
    this.#inner.close(reason)
    receiver.onClose(reason, true)
  }

  /** The broker's answer to the first request that was handed on. */
  #answered(frame: Frame): unknown {
    const exchange = this.#exchanges.find(one => one.isForwarded && one.frame === undefined)
    if (exchange === undefined) throw new Error('the broker answered what nobody asked')
    exchange.isForwarded = false
    const { api, version, correlationId, handling } = exchange
    if (typeof handling !== 'object' || 'answer' in handling) return this.#ready(exchange, frame, {})
    if (handling.fate === 'keep') return undefined
    if (handling.fate === 'lose') return this.end('the proxy lost an answer')
    if (handling.edit === undefined) return this.#ready(exchange, frame, handling)
    const body = readResponse(new Reader(frame.slices), api, version, correlationId)
    return this.#ready(exchange, encodeResponse(api, version, correlationId, handling.edit(body)), handling)
  }

  #ready(
    exchange: Exchange,
    frame: Frame,
    { afterMs = 0, until }: { readonly afterMs?: number; readonly until?: Promise<unknown> },
  ): unknown {
    const deliver = () => {
      exchange.frame = frame
      return this.#deliver()
    }
    if (until !== undefined) return until.then(deliver)
    return this.#runtime.after(afterMs, deliver)
  }

  /** Answers come in the order of the requests. */
  #deliver(): unknown {
    const settling: unknown[] = []
    for (let next = this.#exchanges[0]; next?.frame !== undefined; next = this.#exchanges[0]) {
      this.#exchanges.shift()
      if (this.#receiver === undefined) continue
      const { api, version, correlationId, frame } = next
      this.#observer.response(api, version, readResponse(new Reader(frame.slices), api, version, correlationId))
      settling.push(this.#receiver.onFrame(frame))
    }
    return Promise.all(settling)
  }
}
