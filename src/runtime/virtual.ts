import { deferred } from './deferred.ts'
import { EventQueue, isBefore, type QueuedEvent } from './event-queue.ts'
import { Outside } from './outside.ts'
import { Random } from './random.ts'
import { hop, realTimer } from './real.ts'
import type { Deferred, Drive, DriveOptions, Runtime, Timer, TimerOptions } from './runtime.ts'
import { Trace } from './trace.ts'

export interface VirtualOptions {
  readonly seed: number
  /** Milliseconds since the epoch at which time begins. */
  readonly startTime?: number
  /** How long user code that we await may take, in real milliseconds. */
  readonly outsideMs?: number
  /** Virtual milliseconds of nothing but housekeeping after which a pending call is given up. */
  readonly patienceMs?: number
  readonly traceLimit?: number
  /** A hop after every event, needed or not: for the test that shows it makes no difference. */
  readonly hopAlways?: boolean
  readonly warn?: (text: string) => void
}

/** 2026-01-01T00:00:00Z: records of a fresh cluster have a date that a reader believes. */
export const START_TIME = 1_767_225_600_000
const PACED_AFTER_MS = 60_000
const LEAP_AT_LEAST_MS = 5_000

/** A call that virtual time cannot bring to an end, with what it was waiting for. */
export class PatienceError extends Error {
  override readonly name = 'PatienceError'
}

interface PendingDrive {
  readonly what: string
  readonly giveUp: (reason: Error) => void
  readonly options: DriveOptions
  readonly startedAt: number
}

/**
 * Virtual time: an event queue ordered by (time, sequence), run while a call of the test is pending. All promises settle
 * before the next event: one macrotask hop after an event whose handler returned a promise or settled a deferred, none
 * after the others. What an event schedules inherits whether it is housekeeping.
 */
export class VirtualRuntime implements Runtime {
  readonly time = 'virtual'
  readonly trace: Trace
  readonly random: Random
  /** Says whether idle housekeeping would change nothing now; the cluster installs it. */
  calm: () => boolean = () => false
  readonly #options: Required<Omit<VirtualOptions, 'traceLimit'>>
  readonly #streams = new Map<string, Random>()
  readonly #queue = new EventQueue()
  readonly #idle = new EventQueue()
  readonly #drives = new Set<PendingDrive>()
  readonly #outside: Outside
  readonly #leapListeners = new Set<(ms: number) => void>()
  readonly #watches = new Map<() => boolean, Deferred<void>>()
  readonly #explanations = new Set<() => readonly string[]>()
  #now: number
  #sequence = 0
  #events = 0
  #settled = false
  #housekeeping = false
  #pumping: Promise<void> | undefined
  #busyAt: number
  #polledEmptySince: number
  #paced = false
  #wakePace: (() => void) | undefined
  #closed: Error | undefined

  constructor(options: VirtualOptions) {
    this.#options = {
      seed: options.seed,
      startTime: options.startTime ?? START_TIME,
      outsideMs: options.outsideMs ?? 4_000,
      patienceMs: options.patienceMs ?? 300_000,
      hopAlways: options.hopAlways ?? false,
      warn: options.warn ?? (text => console.warn(text)),
    }
    this.#now = this.#options.startTime
    this.#busyAt = this.#now
    this.#polledEmptySince = this.#now
    this.random = new Random(options.seed)
    this.trace = new Trace(() => this.#now, options.traceLimit)
    this.#outside = new Outside(this.#options.outsideMs)
  }

  now(): number {
    return this.#now
  }

  /** Events that have run: what speed is measured in. */
  get events(): number {
    return this.#events
  }

  after(ms: number, run: () => unknown, options?: TimerOptions): Timer {
    const idle = options?.idle ?? false
    const housekeeping = idle || (options?.housekeeping ?? this.#housekeeping)
    const at = this.#now + (ms > 0 ? Math.ceil(ms) : 0)
    const event: QueuedEvent = { at, sequence: this.#sequence++, run, housekeeping, idle, place: -1 }
    const queue = idle ? this.#idle : this.#queue
    if (this.#closed === undefined) queue.push(event)
    return { cancel: () => queue.remove(event) }
  }

  sleep(ms: number, options?: TimerOptions): Promise<void> {
    const woken = this.deferred()
    this.after(ms, () => woken.resolve(), options)
    return woken.promise
  }

  deferred<T = void>(): Deferred<T> {
    return deferred<T>(() => {
      this.#settled = true
    })
  }

  choose(name: string, n: number): number {
    let stream = this.#streams.get(name)
    if (stream === undefined) {
      stream = this.random.fork(name)
      this.#streams.set(name, stream)
    }
    return stream.below(n)
  }

  begin(what: string, giveUp: (reason: Error) => void, options: DriveOptions = {}): Drive {
    if (this.#closed !== undefined) throw this.#closed
    const drive: PendingDrive = { what, giveUp, options, startedAt: this.#now }
    this.#drives.add(drive)
    this.#outside.driven(drive)
    if (!options.poll) this.progressed()
    this.#wakePace?.()
    this.#pumping ??= this.#pump()
    return {
      end: () => {
        this.#drives.delete(drive)
        this.#outside.settled(drive)
      },
    }
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

  /** A poll that found something, or a call that is no poll: polls are not idling. */
  progressed(): void {
    this.#polledEmptySince = this.#now
    this.#paced = false
  }

  outside<T>(what: string, promise: PromiseLike<T> | T): Promise<T> {
    return this.#outside.wait(what, promise)
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

  async close(reason: Error): Promise<void> {
    this.#closed ??= reason
    this.#queue.clear()
    this.#idle.clear()
    this.#outside.close()
    this.#wakePace?.()
    this.#giveUp(() => true, reason)
    await this.#pumping
  }

  async #pump(): Promise<void> {
    await hop()
    try {
      while (this.#drives.size > 0 && this.#closed === undefined) {
        if (this.#outside.holdsTime) {
          await this.#outside.released()
          await hop()
          continue
        }
        const event = this.#next()
        if (event === undefined || this.#isHopeless(event)) {
          this.#giveUp(drive => event === undefined || !drive.options.patient, this.#hopelessness())
          await hop()
          continue
        }
        if (this.#mustPace(event)) {
          await this.#pace(event)
          continue
        }
        this.#run(event)
        if (this.#settled || this.#options.hopAlways) {
          this.#settled = false
          await hop()
        }
        for (const [watch, held] of this.#watches) this.#check(watch, held)
        if (this.#settled) {
          this.#settled = false
          await hop()
        }
      }
    } catch (error) {
      this.trace.add('bug', 'runtime', { what: String(error) })
      this.#giveUp(() => true, error as Error)
    } finally {
      this.#pumping = undefined
    }
    if (this.#drives.size > 0 && this.#closed === undefined) this.#pumping = this.#pump()
  }

  #run(event: QueuedEvent): void {
    ;(event.idle ? this.#idle : this.#queue).remove(event)
    this.#now = event.at
    this.#events++
    this.#housekeeping = event.housekeeping
    if (!event.housekeeping) this.#busyAt = event.at
    const result = event.run()
    if (result instanceof Promise) {
      this.#settled = true
      result.catch(error => this.#fail(error))
    }
  }

  /** A bug of ours ends the run loudly. */
  #fail(error: unknown): void {
    this.trace.add('bug', 'runtime', { what: String(error) })
    if (this.#drives.size === 0) throw error
    this.#giveUp(() => true, error as Error)
  }

  /** The next event; where nothing but idle housekeeping would come for long and the world is calm, time leaps over it. */
  #next(): QueuedEvent | undefined {
    const idle = this.#idle.peek()
    const other = this.#queue.peek()
    if (idle === undefined) return other
    if (other !== undefined && !isBefore(idle, other)) return other
    const horizon = Math.min(other?.at ?? Number.POSITIVE_INFINITY, this.#patienceEnds())
    const room = Math.floor((horizon - this.#now) / 1000) * 1000
    if (room >= LEAP_AT_LEAST_MS && room < Number.POSITIVE_INFINITY && this.calm()) {
      this.#idle.shift(room)
      this.#now += room
      for (const moved of this.#leapListeners) moved(room)
      return this.#next()
    }
    return idle
  }

  #patienceEnds(): number {
    let ends = Number.POSITIVE_INFINITY
    for (const drive of this.#drives) {
      if (drive.options.patient) continue
      ends = Math.min(ends, Math.max(this.#busyAt, drive.startedAt) + this.#options.patienceMs + 1000)
    }
    return ends
  }

  #isHopeless(event: QueuedEvent): boolean {
    return event.housekeeping && event.at > this.#patienceEnds() - 1000
  }

  #hopelessness(): PatienceError {
    const waiting = [...this.#drives].filter(drive => !drive.options.patient).map(drive => drive.what)
    const on = [...this.#explanations].flatMap(reasons => reasons())
    const seconds = this.#options.patienceMs / 1000
    return new PatienceError(
      [
        `nothing but housekeeping has happened for ${seconds} s of virtual time, and still waiting:`,
        ...waiting.map(what => `  ${what}`),
        ...(on.length > 0 ? ['on:', ...on.map(what => `  ${what}`)] : []),
        'If it waits for real I/O of the test, hand that promise to cluster.outside(), or use time: "real".',
      ].join('\n'),
    )
  }

  #giveUp(which: (drive: PendingDrive) => boolean, reason: Error): void {
    for (const drive of [...this.#drives]) {
      if (!which(drive)) continue
      this.#drives.delete(drive)
      drive.giveUp(reason)
    }
  }

  /** A background loop of empty polls must not race through hours while the test awaits the real world. */
  #mustPace(event: QueuedEvent): boolean {
    if (event.at - this.#polledEmptySince <= PACED_AFTER_MS || event.at <= this.#now) return false
    for (const drive of this.#drives) if (!drive.options.poll) return false
    return true
  }

  async #pace(event: QueuedEvent): Promise<void> {
    if (!this.#paced) {
      this.#paced = true
      this.#options.warn(
        `mini-kafka: for ${PACED_AFTER_MS / 1000} s of virtual time there was nothing but empty polls, so time now runs ` +
          "at the pace of the real clock. A service that polls in the background wants time: 'real'.",
      )
    }
    const wait = realTimer(event.at - this.#now)
    this.#wakePace = wait.cancel
    const drives = this.#drives.size
    await wait.promise
    this.#wakePace = undefined
    if (this.#drives.size === drives && event.place >= 0 && this.#mustPace(event)) this.#run(event)
    this.#settled = false
    await hop()
  }
}
