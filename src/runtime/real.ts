import { performance } from 'node:perf_hooks'
import { clearImmediate, clearTimeout, setImmediate, setTimeout } from 'node:timers'
import { deferred, isPromise } from './deferred.ts'
import { Random } from './random.ts'
import { Roster } from './roster.ts'
import type { Deferred, Drive, DriveOptions, Runtime, Theirs, Timer, TimerOptions } from './runtime.ts'
import { Trace } from './trace.ts'

/**
 * The only file that touches the machine's clock and timers. They come from `node:timers` and `globalThis` is never
 * asked at call time, so that a test's fake timers do not freeze a cluster.
 */
const clock = Date.now.bind(Date)
const stopwatch = performance.now.bind(performance)
const later = setTimeout
const forgetLater = clearTimeout
const soon = setImmediate
const forgetSoon = clearImmediate

/** The longest that one timer of Node's waits. */
const LONGEST_MS = 0x7fffffff

/** How often a condition that somebody waits for is looked at. */
const WATCH_MS = 5

/** Calls `run` when every promise that can settle by itself has settled: one turn of the event loop. */
export function nextTurn(run: () => void): void {
  soon(run)
}

export function hop(): Promise<void> {
  return new Promise(resolve => soon(resolve))
}

/** A timer of real time, for virtual time that must wait for the world outside. */
export function realTimer(ms: number, run: () => void, { unref = false } = {}): Timer {
  const timer = later(run, Math.min(ms, LONGEST_MS))
  // Nobody waits for it: the process may end before.
  if (unref) timer.unref()
  return { cancel: () => forgetLater(timer) }
}

/** Real milliseconds since whenever: it never goes back. */
export function elapsed(): number {
  return stopwatch()
}

/** For chance that nobody needs to repeat: a client of its own, in a process of its own. */
export function freshSeed(): number {
  return Math.floor(Math.random() * 2 ** 32)
}

/** A bug that no call can report ends the run loudly. */
export function raise(error: unknown): void {
  soon(() => {
    throw error
  })
}

/** Real time: waits for real. Chance still comes from the seed. */
export class RealRuntime implements Runtime {
  readonly time = 'real'
  readonly trace: Trace
  readonly random: Random
  readonly #timers = new Roster<Timer>()
  readonly #drives = new Roster<(reason: Error) => void>()
  /** Why no time passes any more: it was closed, or a bug ended it. */
  #ended: Error | undefined
  #closed = false

  constructor(options: { seed: number; traceLimit?: number }) {
    this.random = new Random(options.seed)
    this.trace = new Trace(clock, options.traceLimit)
  }

  now(): number {
    return clock()
  }

  after(ms: number, run: () => unknown, _options?: TimerOptions): Timer {
    if (this.#closed || ms === Number.POSITIVE_INFINITY) return { cancel() {} }
    let forget: () => void
    const fire = () => {
      this.#timers.delete(timer)
      try {
        const result = run()
        if (isPromise(result)) result.then(undefined, error => this.#fail(error))
      } catch (error) {
        this.#fail(error)
      }
    }
    const wait = (left: number) => {
      const handle = left > LONGEST_MS ? later(() => wait(left - LONGEST_MS), LONGEST_MS) : later(fire, left)
      forget = () => forgetLater(handle)
    }
    if (ms > 0) wait(ms)
    else {
      const handle = soon(fire)
      forget = () => forgetSoon(handle)
    }
    const timer = {
      cancel: () => {
        this.#timers.delete(timer)
        forget()
      },
    }
    this.#timers.add(timer)
    return timer
  }

  sleep(ms: number): Promise<void> {
    const woken = deferred<void>()
    this.after(ms, () => woken.resolve())
    return woken.promise
  }

  deferred<T = void>(): Deferred<T> {
    return deferred<T>()
  }

  choose(name: string, n: number): number {
    return this.random.choose(name, n)
  }

  begin(_what: string, giveUp: (reason: Error) => void, _options?: DriveOptions): Drive {
    if (this.#ended !== undefined) throw this.#ended
    // A function of its own, so that one may be handed in twice.
    const drive = (reason: Error) => giveUp(reason)
    this.#drives.add(drive)
    return { end: () => this.#drives.delete(drive) }
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

  async outside<T>(_what: string, theirs: Theirs<T>): Promise<T> {
    return typeof theirs === 'function' ? (theirs as () => PromiseLike<T> | T)() : theirs
  }

  async inside<T>(promise: PromiseLike<T> | T): Promise<T> {
    return promise
  }

  progressed(): void {}

  until(condition: () => boolean): { readonly promise: Promise<void>; cancel(): void } {
    const held = deferred<void>()
    let timer: Timer | undefined
    const check = () => {
      try {
        if (condition()) held.resolve()
        else timer = this.after(WATCH_MS, check)
      } catch (error) {
        held.reject(error)
      }
    }
    check()
    return { promise: held.promise, cancel: () => timer?.cancel() }
  }

  onLeap(): () => void {
    return () => {}
  }

  explain(): () => void {
    return () => {}
  }

  ride(): () => void {
    return () => {}
  }

  async close(reason: Error): Promise<void> {
    this.#closed = true
    this.#ended ??= reason
    for (const timer of [...this.#timers]) timer.cancel()
    this.#giveUp(reason)
  }

  /** A bug ends the run loudly, instead of hanging it. */
  #fail(error: unknown): void {
    if (this.#closed) return
    this.trace.add('bug', 'runtime', { what: String(error) })
    this.#ended ??= error as Error
    if (this.#drives.size === 0) raise(error)
    else this.#giveUp(error as Error)
  }

  #giveUp(reason: Error): void {
    const drives = [...this.#drives]
    this.#drives.clear()
    for (const drive of drives) drive(reason)
  }
}
