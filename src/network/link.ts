import type { Runtime } from '../runtime/runtime.ts'
import type { Frame } from '../wire/frame.ts'
import {
  type Address,
  addressText,
  type Carrier,
  type Channel,
  type ChannelReceiver,
  type CloseReason,
  ConnectionError,
  type FrameLabel,
} from './channel.ts'
import { type Passage, Rules, type Verdict } from './rules.ts'

/** Largest extra delay of a frame on virtual time, in milliseconds, drawn from the seed. */
const JITTER_MS = 1

/** Something on its way in one direction of a connection. */
interface Travelling {
  readonly frame: Frame | undefined
  readonly label: FrameLabel | undefined
  readonly reason: CloseReason | undefined
}

/**
 * The network of one process: connections between nodes that hand each other frames by reference. A direction is FIFO, as
 * TCP is: loss is a hold or a reset, never a missing frame in the middle. Delays are drawn from the seed.
 */
export class LinkNetwork implements Carrier {
  readonly rules: Rules
  readonly #runtime: Runtime
  readonly #listeners = new Map<string, { name: string; accept: (channel: Channel) => void }>()
  readonly #directions = new Set<Direction>()
  readonly #connecting = new Set<() => void>()

  constructor(runtime: Runtime) {
    this.#runtime = runtime
    this.rules = new Rules(
      () => this.#reconsider(),
      (rule, passage, verdict) => this.#fired(rule, passage, verdict),
    )
  }

  listen(name: string, at: Address, accept: (channel: Channel) => void): { close(): void } {
    const key = addressText(at)
    if (this.#listeners.has(key)) throw new ConnectionError(`${key} is in use`)
    const listener = { name, accept }
    this.#listeners.set(key, listener)
    return {
      close: () => {
        if (this.#listeners.get(key) === listener) this.#listeners.delete(key)
      },
    }
  }

  connect(from: string, to: Address): Promise<Channel> {
    const key = addressText(to)
    const connected = this.#runtime.deferred<Channel>()
    const arrive = () => {
      const listener = this.#listeners.get(key)
      if (listener === undefined) {
        connected.reject(new ConnectionError(`${from} found nobody listening at ${key}`))
        return
      }
      const [near, far] = this.#pair(from, listener.name)
      listener.accept(far)
      connected.resolve(near)
    }
    const attempt = () => {
      const name = this.#listeners.get(key)?.name ?? key
      const passage: Passage = { from, to: name, what: 'connect', label: undefined, bytes: 0 }
      const verdict = this.rules.size === 0 ? 'pass' : this.rules.judge(passage)
      if (verdict === 'hold') this.#connecting.add(attempt)
      else if (verdict === 'reset') connected.reject(new ConnectionError(`${from} was refused by ${name}`))
      else this.#runtime.after(this.#delay(verdict), arrive)
    }
    attempt()
    return connected.promise
  }

  /** Whether anything is kept back: a world with held frames is not calm. */
  get isHolding(): boolean {
    if (this.#connecting.size > 0) return true
    for (const direction of this.#directions) if (direction.isHolding) return true
    return false
  }

  #pair(from: string, to: string): [Channel, Channel] {
    const there = new Direction(from, to, this.#runtime, this)
    const back = new Direction(to, from, this.#runtime, this)
    const near = new LinkChannel(to, there, back, this.#directions)
    const far = new LinkChannel(from, back, there, this.#directions)
    there.end = far
    back.end = near
    this.#directions.add(there)
    this.#directions.add(back)
    return [near, far]
  }

  delayOf(from: string, to: string, what: Travelling): number | 'hold' | 'reset' {
    if (this.rules.size === 0) return this.#delay('pass')
    const kind = what.frame === undefined ? 'close' : 'frame'
    const verdict = this.rules.judge({ from, to, what: kind, label: what.label, bytes: what.frame?.length ?? 0 })
    if (verdict === 'hold') return verdict
    if (verdict === 'reset') return what.frame === undefined ? this.#delay('pass') : verdict
    return this.#delay(verdict)
  }

  #delay(verdict: Verdict): number {
    const jitter = this.#runtime.time === 'virtual' ? this.#runtime.choose('network.delay', JITTER_MS + 1) : 0
    return typeof verdict === 'object' ? verdict.afterMs + jitter : jitter
  }

  #fired(rule: string, passage: Passage, verdict: Verdict): void {
    const what = typeof verdict === 'object' ? `delay ${verdict.afterMs} ms` : verdict
    const { from, to, label } = passage
    this.#runtime.trace.add('fault', 'network', {
      what,
      rule,
      from,
      to,
      on: label ? `${label.api} ${label.kind}` : passage.what,
    })
  }

  #reconsider(): void {
    for (const direction of [...this.#directions]) direction.reconsider()
    const attempts = [...this.#connecting]
    this.#connecting.clear()
    for (const attempt of attempts) attempt()
  }
}

/** One way of a connection: a queue whose head may be held, and what is in the air behind nobody. */
class Direction {
  end!: LinkChannel
  readonly from: string
  readonly to: string
  readonly #runtime: Runtime
  readonly #network: LinkNetwork
  #held: Travelling[] = []
  #lastArrival = 0

  constructor(from: string, to: string, runtime: Runtime, network: LinkNetwork) {
    this.from = from
    this.to = to
    this.#runtime = runtime
    this.#network = network
  }

  get isHolding(): boolean {
    return this.#held.length > 0
  }

  send(what: Travelling): void {
    if (this.#held.length > 0 || !this.#depart(what)) this.#held.push(what)
  }

  reconsider(): void {
    while (this.#held.length > 0 && this.#depart(this.#held[0]!)) this.#held.shift()
  }

  forget(): void {
    this.#held = []
  }

  /** False: it is held. */
  #depart(what: Travelling): boolean {
    const delay = this.#network.delayOf(this.from, this.to, what)
    if (delay === 'hold') return false
    if (delay === 'reset') {
      this.end.reset(`connection reset between ${this.from} and ${this.to}`)
      return true
    }
    const now = this.#runtime.now()
    const arrival = Math.max(now + delay, this.#lastArrival)
    this.#lastArrival = arrival
    this.#runtime.after(arrival - now, () => this.end.arrive(what.frame, what.reason))
    return true
  }
}

class LinkChannel implements Channel {
  readonly peer: string
  readonly #out: Direction
  readonly #in: Direction
  readonly #directions: Set<Direction>
  #receiver: ChannelReceiver | undefined
  #closed = false

  constructor(peer: string, out: Direction, inward: Direction, directions: Set<Direction>) {
    this.peer = peer
    this.#out = out
    this.#in = inward
    this.#directions = directions
  }

  get isClosed(): boolean {
    return this.#closed
  }

  receive(receiver: ChannelReceiver): void {
    this.#receiver = receiver
  }

  send(frame: Frame, label: FrameLabel): void {
    if (!this.#closed) this.#out.send({ frame, label, reason: undefined })
  }

  close(reason: CloseReason): void {
    if (this.#closed) return
    this.#shut()
    this.#out.send({ frame: undefined, label: undefined, reason })
  }

  arrive(frame: Frame | undefined, reason: CloseReason | undefined): void {
    if (this.#closed) return
    if (frame !== undefined) {
      this.#receiver?.onFrame(frame)
      return
    }
    this.#shut()
    this.#receiver?.onClose(reason ?? 'closed')
  }

  /** The network breaks the connection: both ends learn of it now. */
  reset(reason: CloseReason): void {
    for (const end of [this, this.#out.end]) {
      if (end.#closed) continue
      end.#shut()
      end.#receiver?.onClose(reason)
    }
  }

  /** What is still on its way to this end is lost; what this end has sent travels on. */
  #shut(): void {
    this.#closed = true
    this.#in.forget()
    this.#directions.delete(this.#in)
  }
}
