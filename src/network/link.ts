import type { Deferred, Runtime } from '../runtime/runtime.ts'
import type { Frame } from '../wire/frame.ts'
import {
  type Address,
  addressText,
  type Caller,
  type Carrier,
  type Channel,
  type ChannelReceiver,
  type CloseReason,
  ConnectionError,
  type FrameLabel,
} from './channel.ts'
import { type Hold, isHold, type Passage, Rules, type Verdict } from './rules.ts'

/** Largest extra delay of a frame on virtual time, in milliseconds, drawn from the seed. */
const JITTER_MS = 1

/** What may be under way in one direction, as between two kernels, until the channel is full. */
const WINDOW_BYTES = 8 * 1024 * 1024

/** Something on its way in one direction of a connection: a frame, or the end behind the last one. */
interface Travelling {
  readonly frame: Frame | undefined
  readonly label: FrameLabel | undefined
  readonly reason: CloseReason | undefined
}

/** A connection that somebody wants. */
interface Wish {
  readonly from: string
  readonly key: string
  readonly windowBytes: number
  readonly caller: Caller | undefined
  readonly connected: Deferred<Channel>
}

/** A connection that is not made yet, because a rule holds it. */
interface Attempt {
  readonly from: string
  readonly to: string
  readonly hold: Hold
  again(): void
}

/**
 * The network of one process: connections between nodes that hand each other frames by reference. A direction is FIFO, as
 * TCP is: loss is a hold or a reset, never a missing frame in the middle. Delays are drawn from the seed. What was sent and
 * not taken is bounded by a window, if its sender heeds `isFull`.
 */
export class LinkNetwork implements Carrier {
  readonly rules: Rules
  readonly #runtime: Runtime
  readonly #listeners = new Map<string, { name: string; accept: (channel: Channel) => void }>()
  readonly #directions = new Set<Direction>()
  readonly #attempts = new Set<Attempt>()
  #reconsidering = false
  #again = false

  constructor(runtime: Runtime) {
    this.#runtime = runtime
    this.rules = new Rules(
      () => this.#reconsider(),
      (rule, passage, verdict) => this.#fired(rule, passage, verdict),
    )
    runtime.explain(() => this.#held())
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

  isListening(at: Address): boolean {
    return this.#listeners.has(addressText(at))
  }

  /** `caller`: what the other end gets to know of whoever connects. */
  connect(from: string, to: Address, windowBytes = WINDOW_BYTES, caller?: Caller): Promise<Channel> {
    const connected = this.#runtime.deferred<Channel>()
    this.#connect({ from, key: addressText(to), windowBytes, caller, connected })
    return connected.promise
  }

  /** A handshake goes both ways: what cuts either of them keeps the connection from being made. */
  #connect(wish: Wish): void {
    const { from, key, connected } = wish
    const to = this.#listeners.get(key)?.name ?? key
    let ms = 0
    for (const [a, b] of [
      [from, to],
      [to, from],
    ] as const) {
      const verdict = this.judge({ from: a, to: b, what: 'connect', label: undefined, bytes: 0 })
      if (verdict === 'reset') {
        connected.reject(new ConnectionError(`${from} was refused by ${to}`))
        return
      }
      if (isHold(verdict)) {
        const again = () => this.#connect(wish)
        this.#attempts.add({ from, to, hold: verdict, again })
        return
      }
      if (typeof verdict === 'object') ms += verdict.afterMs
    }
    this.#runtime.after(ms + this.jitter(), () => {
      const listener = this.#listeners.get(key)
      if (listener === undefined) {
        connected.reject(new ConnectionError(`${from} found nobody listening at ${key}`))
        return
      }
      const [near, far] = this.#pair(from, listener.name, wish)
      listener.accept(far)
      connected.resolve(near)
    })
  }

  /** Whether anything is kept back: a world with held frames is not calm. */
  get isHolding(): boolean {
    if (this.#attempts.size > 0) return true
    for (const direction of this.#directions) if (direction.hold !== undefined) return true
    return false
  }

  #held(): string[] {
    const held = [...this.#attempts].map(({ from, to, hold }) => `a connection of ${from} to ${to}: '${hold.name}'`)
    for (const { from, to, hold } of this.#directions) {
      if (hold !== undefined) held.push(`what ${from} sent to ${to}: '${hold.name}'`)
    }
    return held.map(what => `${what} holds it back`)
  }

  #pair(from: string, to: string, { windowBytes, caller }: Wish): [Channel, Channel] {
    const there = new Direction(from, to, windowBytes, this.#runtime, this)
    const back = new Direction(to, from, windowBytes, this.#runtime, this)
    const near = new LinkChannel(to, there, back, this.#runtime, this.#directions)
    const far = new LinkChannel(from, back, there, this.#runtime, this.#directions)
    far.caller = caller
    there.end = far
    there.start = near
    back.end = near
    back.start = far
    this.#directions.add(there)
    this.#directions.add(back)
    return [near, far]
  }

  judge(passage: Passage): Exclude<Verdict, 'hold'> | Hold {
    return this.rules.size === 0 ? 'pass' : this.rules.judge(passage)
  }

  jitter(): number {
    return this.#runtime.time === 'virtual' ? this.#runtime.choose('network.delay', JITTER_MS + 1) : 0
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

  /** A rule was lifted, perhaps by itself while it judged: what it held goes on, in its order. */
  #reconsider(): void {
    this.#again = true
    if (this.#reconsidering) return
    this.#reconsidering = true
    try {
      while (this.#again) {
        this.#again = false
        for (const direction of [...this.#directions]) direction.reconsider()
        for (const attempt of [...this.#attempts]) {
          if (!attempt.hold.lifted) continue
          this.#attempts.delete(attempt)
          attempt.again()
        }
      }
    } finally {
      this.#reconsidering = false
    }
  }
}

/** One way of a connection: what is in the air, and behind it what is held. */
class Direction {
  start!: LinkChannel
  end!: LinkChannel
  readonly from: string
  readonly to: string
  /** Keeps the first of those that are held back. */
  hold: Hold | undefined
  readonly #runtime: Runtime
  readonly #network: LinkNetwork
  #held: Travelling[] = []
  /** In the order in which they were sent, whatever a clock of the real world does to their timers. */
  readonly #inTheAir: Travelling[] = []
  #lastArrival = 0
  readonly #windowBytes: number
  /** Sent and not taken. */
  #bytes = 0

  constructor(from: string, to: string, windowBytes: number, runtime: Runtime, network: LinkNetwork) {
    this.from = from
    this.to = to
    this.#windowBytes = windowBytes
    this.#runtime = runtime
    this.#network = network
  }

  get isFull(): boolean {
    return this.#bytes >= this.#windowBytes
  }

  /** The other end took a frame. That there is room again is news of its own event. */
  taken(bytes: number): void {
    const wasFull = this.isFull
    this.#bytes -= bytes
    if (wasFull && !this.isFull && this.start.wantsDrain) this.#runtime.after(0, () => this.start.drained())
  }

  send(what: Travelling): void {
    this.#bytes += what.frame?.length ?? 0
    if (this.#held.length > 0 || !this.#depart(what)) this.#held.push(what)
  }

  reconsider(): void {
    while (this.#held.length > 0 && this.hold?.lifted !== false) {
      this.hold = undefined
      if (!this.#depart(this.#held[0]!)) return
      this.#held.shift()
    }
  }

  forget(): void {
    this.#held = []
    this.hold = undefined
  }

  /** False: it is held. */
  #depart(what: Travelling): boolean {
    const { frame, label } = what
    const verdict = this.#network.judge({
      from: this.from,
      to: this.to,
      what: frame === undefined ? 'close' : 'frame',
      label,
      bytes: frame?.length ?? 0,
    })
    if (isHold(verdict)) {
      this.hold = verdict
      return false
    }
    if (verdict === 'reset' && frame !== undefined) {
      this.end.reset(`connection reset between ${this.from} and ${this.to}`)
      return true
    }
    const ms = (typeof verdict === 'object' ? verdict.afterMs : 0) + this.#network.jitter()
    const now = this.#runtime.now()
    const arrival = Math.max(now + ms, this.#lastArrival)
    this.#lastArrival = arrival
    this.#inTheAir.push(what)
    this.#runtime.after(arrival - now, () => this.end.arrive(this.#inTheAir.shift()!))
    return true
  }
}

class LinkChannel implements Channel {
  readonly peer: string
  caller: Caller | undefined
  readonly #out: Direction
  readonly #in: Direction
  readonly #runtime: Runtime
  readonly #directions: Set<Direction>
  #receiver: ChannelReceiver | undefined
  /** What arrived while this end was paused, or before anybody received: whoever connected may have been paused meanwhile. */
  #untaken: Travelling[] = []
  #paused = false
  #closed = false
  /** The network broke it; this end learns of it in the next event. */
  #broken = false

  constructor(peer: string, out: Direction, inward: Direction, runtime: Runtime, directions: Set<Direction>) {
    this.peer = peer
    this.#out = out
    this.#in = inward
    this.#runtime = runtime
    this.#directions = directions
  }

  get isClosed(): boolean {
    return this.#closed
  }

  get isFull(): boolean {
    return this.#out.isFull
  }

  get wantsDrain(): boolean {
    return this.#receiver?.onDrain !== undefined
  }

  drained(): unknown {
    return this.#closed || this.isFull ? undefined : this.#receiver?.onDrain?.()
  }

  receive(receiver: ChannelReceiver): void {
    this.#receiver = receiver
    if (this.#untaken.length > 0) this.#runtime.after(0, () => this.#takeUntaken())
  }

  pause(): void {
    this.#paused = true
  }

  resume(): unknown {
    if (!this.#paused) return undefined
    this.#paused = false
    return this.#takeUntaken()
  }

  send(frame: Frame, label: FrameLabel): void {
    if (!this.#closed && !this.#broken) this.#out.send({ frame, label, reason: undefined })
  }

  close(reason: CloseReason): void {
    if (this.#closed) return
    this.#shut()
    if (!this.#broken) this.#out.send({ frame: undefined, label: undefined, reason })
  }

  arrive(what: Travelling): unknown {
    return this.#broken ? undefined : this.#arrive(what)
  }

  /** The network breaks the connection: what is on its way is lost, both ends learn of it. */
  reset(reason: CloseReason): void {
    if (this.#broken) return
    for (const end of [this, this.#out.end]) {
      end.#broken = true
      end.#untaken = []
      this.#runtime.after(0, () => end.#arrive({ frame: undefined, label: undefined, reason }))
    }
  }

  /** An end that lies behind nothing arrives even while this end is paused, so that whoever answers learns of it. */
  #arrive(what: Travelling): unknown {
    if (this.#closed) return undefined
    const isTaken = this.#untaken.length === 0 && (!this.#paused || what.frame === undefined)
    if (this.#receiver !== undefined && isTaken) return this.#take(what)
    this.#untaken.push(what)
    return undefined
  }

  #takeUntaken(): unknown {
    const results: unknown[] = []
    while (this.#untaken.length > 0 && !this.#closed) {
      if (this.#paused && this.#untaken[0]!.frame !== undefined) break
      const result = this.#take(this.#untaken.shift()!)
      if (result !== undefined) results.push(result)
    }
    return results.length > 1 ? Promise.all(results) : results[0]
  }

  #take({ frame, reason }: Travelling): unknown {
    if (this.#closed) return undefined
    if (frame !== undefined) {
      this.#in.taken(frame.length)
      return this.#receiver!.onFrame(frame)
    }
    this.#shut()
    this.#receiver!.onClose(reason ?? 'closed', this.#broken)
    return undefined
  }

  /** What is still on its way to this end is lost; what this end has sent travels on. */
  #shut(): void {
    this.#closed = true
    this.#untaken = []
    this.#in.forget()
    this.#directions.delete(this.#in)
  }
}
