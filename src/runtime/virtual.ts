import { deferred, isPromise } from './deferred.ts'
import { EventQueue, isBefore, QueuedEvent } from './event-queue.ts'
import { Outside } from './outside.ts'
import { Pace } from './pace.ts'
import { patienceError } from './patience.ts'
import { Random } from './random.ts'
import { hop, nextTurn, raise } from './real.ts'
import { Roster } from './roster.ts'
import type { Deferred, Drive, DriveOptions, OutsideOptions, Runtime, Theirs, Timer, TimerOptions } from './runtime.ts'
import { Standstill } from './standstill.ts'
import { Trace } from './trace.ts'

export { PatienceError } from './patience.ts'

export interface VirtualOptions {
  readonly seed: number
  /** Milliseconds since the epoch at which time begins. */
  readonly startTime?: number
  /** How long user code that we await may take, in real milliseconds. Default 4,000. */
  readonly outsideMs?: number
  /** Virtual milliseconds of nothing but housekeeping after which a pending call is given up. Default 300,000. */
  readonly patienceMs?: number
  readonly traceLimit?: number
  /** A hop after every event, needed or not: for the test that shows it makes no difference. */
  readonly hopAlways?: boolean
  readonly warn?: (text: string) => void
}

/** 2026-01-01T00:00:00Z: records of a fresh cluster have a date that a reader believes. */
export const START_TIME = 1_767_225_600_000
const LEAP_AT_LEAST_MS = 5_000
/** So that the world outside gets its turn too. */
const EVENTS_A_TURN = 4_096

interface PendingDrive {
  readonly what: string
  readonly giveUp: (reason: Error) => void
  readonly isPoll: boolean
  /** Has a deadline of its own. */
  readonly isPatient: boolean
  readonly startedAt: number
}

/**
 * Virtual time: an event queue ordered by (time, sequence), run while a call of the test is pending. All promises settle
 * before the next event: one hop (a turn of the event loop) after an event that returned a promise, or made or settled a
 * deferred, none after the others. What an event schedules inherits whether it is housekeeping.
 */
export class VirtualRuntime implements Runtime {
  readonly time = 'virtual'
  readonly trace: Trace
  readonly random: Random
  /** Says whether idle housekeeping would change nothing now; the cluster installs it. */
  calm: () => boolean = () => false
  readonly standstill: Standstill
  readonly #patienceMs: number
  readonly #hopAlways: boolean
  readonly #pace: Pace
  readonly #queue = new EventQueue()
  readonly #idle = new EventQueue()
  readonly #drives = new Roster<PendingDrive>()
  readonly #outside: Outside
  readonly #leapListeners = new Set<(ms: number) => void>()
  readonly #watches = new Map<() => boolean, Deferred<void>>()
  readonly #explanations = new Set<() => readonly string[]>()
  #now: number
  #sequence = 0
  #events = 0
  /** Promises are about to settle: they do so before the next event. */
  #stirred = false
  /** Whether what runs now is housekeeping. */
  #housekeeping = false
  #turning = false
  #busyAt: number
  /** Why no time passes any more: it was closed, or a bug ended it. */
  #ended: Error | undefined
  #closed = false

  constructor(options: VirtualOptions) {
    this.#patienceMs = options.patienceMs ?? 300_000
    this.#hopAlways = options.hopAlways ?? false
    this.#now = options.startTime ?? START_TIME
    this.#busyAt = this.#now
    const warn = options.warn ?? ((text: string) => console.warn(text))
    this.#pace = new Pace(this.#now, warn)
    const startedAt = this.#now
    this.standstill = new Standstill({
      moved: () => this.#events,
      isDriven: () => this.#drives.size > 0 || this.#outside.holdsTime,
      at: () => this.#now - startedAt,
      warn,
    })
    this.random = new Random(options.seed)
    this.trace = new Trace(() => this.#now, options.traceLimit)
    this.#outside = new Outside(
      options.outsideMs ?? 4_000,
      () => this.#turn(),
      () => this.standstill.waiting(),
    )
  }

  now(): number {
    return this.#now
  }

  /** Events that have run: what speed is measured in. */
  get events(): number {
    return this.#events
  }

  after(ms: number, run: () => unknown, options?: TimerOptions): Timer {
    // Only the world outside gets here while the real clock is awaited.
    this.#wake()
    const idle = options?.idle ?? false
    const housekeeping = idle || (options?.housekeeping ?? this.#housekeeping)
    const at = this.#now + (ms > 0 ? Math.ceil(ms) : 0)
    const event = new QueuedEvent(at, this.#sequence++, run, housekeeping, idle)
    if (this.#closed || at === Number.POSITIVE_INFINITY) return event
    if (idle) this.#idle.push(event)
    else this.#queue.push(event)
    return event
  }

  sleep(ms: number, options?: TimerOptions): Promise<void> {
    const woken = this.deferred()
    this.after(ms, () => woken.resolve(), options)
    return woken.promise
  }

  deferred<T = void>(): Deferred<T> {
    this.#stirred = true
    return deferred<T>(this.#stir)
  }

  readonly #stir = (): void => {
    this.#stirred = true
  }

  choose(name: string, n: number): number {
    return this.random.choose(name, n)
  }

  // --- calls of the test, and code of the test -----------------------------------------------------------------------

  begin(what: string, giveUp: (reason: Error) => void, options: DriveOptions = {}): Drive {
    if (this.#ended !== undefined) throw this.#ended
    this.#wake()
    const { poll: isPoll = false, patient: isPatient = false } = options
    const drive = { what, giveUp, isPoll, isPatient, startedAt: this.#now }
    this.#drives.add(drive)
    this.#outside.called(drive)
    // What the test asks for is no housekeeping, whatever event went before; that a poll looks again is.
    this.#housekeeping = isPoll
    if (!isPoll) this.progressed()
    this.#turn()
    return { end: () => this.#end(drive) }
  }

  #end(drive: PendingDrive): void {
    if (!this.#drives.delete(drive)) return
    this.#outside.settled(drive)
    if (drive.isPoll) this.#pace.polled(this.#now)
    else this.progressed()
    if (this.#drives.size > 0) return
    this.#wake()
    this.#pace.stoodStill()
  }

  async drive<T>(what: string, call: () => Promise<T> | T, options?: DriveOptions): Promise<T> {
    const stopped = deferred<never>()
    const drive = this.begin(what, reason => stopped.reject(reason), options)
    try {
      return await Promise.race([call(), stopped.promise])
    } finally {
      drive.end()
    }
  }

  outside<T>(what: string, theirs: Theirs<T>, options?: OutsideOptions): Promise<T> {
    this.#wake()
    return this.#outside.wait(what, theirs, options)
  }

  async inside<T>(promise: PromiseLike<T> | T): Promise<T> {
    const call = {}
    this.#outside.called(call)
    try {
      return await promise
    } finally {
      this.#outside.settled(call)
    }
  }

  /**
   * No call is pending but polls and waits, and nothing of the test's own doing is due within `ms`: housekeeping goes on
   * forever.
   */
  isQuiet(ms: number): boolean {
    for (const { isPatient, isPoll } of this.#drives) if (!isPatient && !isPoll) return false
    return !this.#queue.some(event => !event.housekeeping && event.at <= this.#now + ms)
  }

  progressed(): void {
    this.#pace.progressed(this.#now)
  }

  until(condition: () => boolean): { readonly promise: Promise<void>; cancel(): void } {
    const held = this.deferred()
    // A function of its own, so that one condition can be waited for twice.
    const watch = () => condition()
    this.#watches.set(watch, held)
    this.#check(watch, held)
    return { promise: held.promise, cancel: () => this.#watches.delete(watch) }
  }

  #check(watch: () => boolean, held: Deferred<void>): void {
    try {
      if (!watch()) return
      held.resolve()
    } catch (error) {
      held.reject(error)
    }
    this.#watches.delete(watch)
  }

  onLeap(moved: (ms: number) => void): () => void {
    this.#leapListeners.add(moved)
    return () => this.#leapListeners.delete(moved)
  }

  explain(reasons: () => readonly string[]): () => void {
    this.#explanations.add(reasons)
    return () => this.#explanations.delete(reasons)
  }

  ride(what: string): () => void {
    return this.standstill.ride(what)
  }

  async close(reason: Error): Promise<void> {
    this.#closed = true
    this.standstill.close()
    this.#ended ??= reason
    this.#queue.clear()
    this.#idle.clear()
    this.#watches.clear()
    this.#wake()
    this.#outside.close(reason)
    this.#giveUp(() => true, reason)
    await hop()
  }

  // --- the loop ------------------------------------------------------------------------------------------------------

  /** Time goes on in the next turn of the event loop, when all promises have settled. */
  #turn(): void {
    if (this.#turning) return
    this.#turning = true
    nextTurn(this.#turned)
  }

  readonly #turned = (): void => {
    this.#turning = false
    try {
      this.#runEvents()
    } catch (error) {
      this.#fail(error)
    }
  }

  #runEvents(): void {
    this.#stirred = false
    for (let left = EVENTS_A_TURN; ; left--) {
      if (this.#ended !== undefined) return
      for (const [watch, held] of this.#watches) this.#check(watch, held)
      if (this.#stirred || left === 0) break
      if (this.#drives.size === 0) {
        this.#housekeeping = false
        return
      }
      if (this.#outside.holdsTime) {
        this.#pace.stoodStill()
        return
      }
      const event = this.#next()
      if (event === undefined || this.#isHopeless(event)) {
        this.#giveUpHope(event)
        break
      }
      if (this.#isPaced() && this.#pace.wait(this.#now, event.at, () => this.#wake())) return
      this.#run(event)
      if (this.#stirred || this.#hopAlways) break
    }
    this.#turn()
  }

  #run(event: QueuedEvent): void {
    event.cancel()
    this.#now = event.at
    this.#events++
    this.#housekeeping = event.housekeeping
    if (!event.housekeeping) this.#busyAt = event.at
    const result = event.run()
    if (isPromise(result)) {
      this.#stirred = true
      result.then(undefined, error => this.#fail(error))
    }
  }

  /** A bug ends the run loudly: whatever is pending rejects with it, and so does what is called later. */
  #fail(error: unknown): void {
    if (this.#closed) return
    this.trace.add('bug', 'runtime', { what: String(error) })
    this.#ended ??= error as Error
    if (this.#drives.size === 0) raise(error)
    else this.#giveUp(() => true, error as Error)
  }

  /**
   * The next event. Where nothing but idle housekeeping would come for long and the world is calm, time leaps over it:
   * never past any other event, and the idle timers move along.
   */
  #next(): QueuedEvent | undefined {
    const idle = this.#idle.peek()
    const other = this.#queue.peek()
    if (idle === undefined) return other
    if (other !== undefined && isBefore(other, idle)) return other
    const horizon = Math.min(other?.at ?? Number.POSITIVE_INFINITY, this.#patienceEnds())
    const room = Math.floor((horizon - this.#now) / 1000) * 1000
    if (room < LEAP_AT_LEAST_MS || room === Number.POSITIVE_INFINITY || this.#isPaced() || !this.calm()) return idle
    this.#idle.shift(room)
    this.#now += room
    for (const moved of this.#leapListeners) moved(room)
    return other !== undefined && isBefore(other, this.#idle.peek()!) ? other : this.#idle.peek()
  }

  // --- patience ------------------------------------------------------------------------------------------------------

  /** When a call is given up, if nothing but housekeeping happens until then. */
  #patienceEndsFor(drive: PendingDrive): number {
    if (drive.isPatient) return Number.POSITIVE_INFINITY
    return Math.max(this.#busyAt, drive.startedAt) + this.#patienceMs
  }

  /** A wait of the test that has a deadline of its own goes on until then, with whatever else is pending. */
  #patienceEnds(): number {
    let ends = Number.POSITIVE_INFINITY
    for (const drive of this.#drives) {
      if (drive.isPatient && !drive.isPoll) return Number.POSITIVE_INFINITY
      ends = Math.min(ends, this.#patienceEndsFor(drive))
    }
    return ends
  }

  #isHopeless(event: QueuedEvent): boolean {
    if (!event.housekeeping || event.at <= this.#busyAt + this.#patienceMs) return false
    return event.at > this.#patienceEnds()
  }

  #giveUpHope(event: QueuedEvent | undefined): void {
    const waiting = [...this.#drives].filter(drive => event === undefined || !drive.isPatient)
    const on = [...this.#explanations].flatMap(reasons => reasons())
    const idleMs = event === undefined ? undefined : this.#patienceMs
    const calls = waiting.map(({ what }) => what)
    const error = patienceError(idleMs, calls, [...on, ...this.standstill.waiting()])
    this.#giveUp(drive => event === undefined || this.#patienceEndsFor(drive) < event.at, error)
  }

  #giveUp(which: (drive: PendingDrive) => boolean, reason: Error): void {
    for (const drive of [...this.#drives]) {
      if (!which(drive)) continue
      this.#end(drive)
      drive.giveUp(reason)
    }
  }

  // --- pace ----------------------------------------------------------------------------------------------------------

  #isPaced(): boolean {
    if (!this.#pace.isDue) return false
    for (const drive of this.#drives) if (!drive.isPoll) return false
    return true
  }

  /** Ends a wait for the real clock: it is time, something happened, or there is nobody left to wait for. */
  #wake(): void {
    if (!this.#pace.isWaiting) return
    this.#now = this.#pace.interrupt(this.#now)
    this.#turn()
  }
}
