import { clearImmediate, clearTimeout, setImmediate, setTimeout } from 'node:timers'
import { deferred } from './deferred.ts'
import { Random } from './random.ts'
import type { Deferred, Drive, DriveOptions, Runtime, Timer, TimerOptions } from './runtime.ts'
import { Trace } from './trace.ts'

/**
 * The only file that touches the machine's clock and timers. They come from `node:timers` and `globalThis` is never
 * asked at call time, so that a test's fake timers do not freeze a cluster.
 */
const clock = Date.now.bind(Date)
const later = setTimeout
const forgetLater = clearTimeout
const soon = setImmediate
const forgetSoon = clearImmediate

/** Resolves when every promise that can settle by itself has settled: one turn of the event loop. */
export function hop(): Promise<void> {
  return new Promise(resolve => soon(resolve))
}

/** Real milliseconds, for virtual time that must wait for the world outside; `cancel` ends it early. */
export function realTimer(ms: number): { promise: Promise<void>; cancel(): void } {
  let finish = () => {}
  const promise = new Promise<void>(resolve => {
    finish = resolve
  })
  const timer = later(finish, ms)
  return {
    promise,
    cancel() {
      forgetLater(timer)
      finish()
    },
  }
}

export function realNow(): number {
  return clock()
}

/** How often a condition that somebody waits for is looked at. */
const WATCH_MS = 5

/** Real time: waits for real. Chance still comes from the seed. */
export class RealRuntime implements Runtime {
  readonly time = 'real'
  readonly trace: Trace
  readonly random: Random
  readonly #streams = new Map<string, Random>()
  readonly #timers = new Set<Timer>()
  readonly #drives = new Set<(reason: Error) => void>()
  #closed: Error | undefined

  constructor(options: { seed: number; traceLimit?: number }) {
    this.random = new Random(options.seed)
    this.trace = new Trace(clock, options.traceLimit)
  }

  now(): number {
    return clock()
  }

  after(ms: number, run: () => unknown, _options?: TimerOptions): Timer {
    if (this.#closed !== undefined) return { cancel() {} }
    const fire = () => {
      this.#timers.delete(timer)
      const result = run()
      if (result instanceof Promise) result.catch(raise)
    }
    let timer: Timer
    if (ms <= 0) {
      const handle = soon(fire)
      timer = { cancel: () => this.#forget(timer, () => forgetSoon(handle)) }
    } else {
      const handle = later(fire, Math.min(ms, 0x7fffffff))
      timer = { cancel: () => this.#forget(timer, () => forgetLater(handle)) }
    }
    this.#timers.add(timer)
    return timer
  }

  #forget(timer: Timer, clear: () => void): void {
    this.#timers.delete(timer)
    clear()
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
    let stream = this.#streams.get(name)
    if (stream === undefined) {
      stream = this.random.fork(name)
      this.#streams.set(name, stream)
    }
    return stream.below(n)
  }

  begin(_what: string, giveUp: (reason: Error) => void, _options?: DriveOptions): Drive {
    if (this.#closed !== undefined) throw this.#closed
    this.#drives.add(giveUp)
    return { end: () => this.#drives.delete(giveUp) }
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

  outside<T>(_what: string, promise: PromiseLike<T> | T): Promise<T> {
    return Promise.resolve(promise)
  }

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

  async close(reason: Error): Promise<void> {
    this.#closed ??= reason
    for (const timer of [...this.#timers]) timer.cancel()
    for (const giveUp of [...this.#drives]) giveUp(reason)
    this.#drives.clear()
  }
}

/** A bug of ours ends the run loudly instead of hanging it. */
function raise(error: unknown): void {
  soon(() => {
    throw error
  })
}
