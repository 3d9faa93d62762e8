import type { Random } from '../runtime/random.ts'
import type { Deferred, Drive, DriveOptions, Runtime, Timer, TimerOptions } from '../runtime/runtime.ts'
import type { Trace } from '../runtime/trace.ts'

/**
 * One life of a node, from a start to a crash or stop: the runtime as that process knows it. Timers, endpoints and
 * promises are made through it. After its end nothing of it fires, settles or arrives any more, so that a continuation of
 * the dead never reaches the restarted broker's log. While it is paused, all that would happen is withheld, in order.
 */
export class Life implements Runtime {
  readonly time: 'virtual' | 'real'
  readonly trace: Trace
  readonly random: Random
  readonly #runtime: Runtime
  readonly #timers = new Set<Timer>()
  readonly #endings: (() => void)[] = []
  #withheld: (() => void)[] | undefined
  #ended = false

  constructor(runtime: Runtime) {
    this.#runtime = runtime
    this.time = runtime.time
    this.trace = runtime.trace
    this.random = runtime.random
  }

  get isOver(): boolean {
    return this.#ended
  }

  get isPaused(): boolean {
    return this.#withheld !== undefined
  }

  now(): number {
    return this.#runtime.now()
  }

  after(ms: number, run: () => unknown, options?: TimerOptions): Timer {
    if (this.#ended) return { cancel() {} }
    let cancelled = false
    const timer = this.#runtime.after(
      ms,
      () => {
        this.#timers.delete(handle)
        if (this.#withheld === undefined) return run()
        this.#withheld.push(() => {
          if (!cancelled) run()
        })
        return undefined
      },
      options,
    )
    const handle: Timer = {
      cancel: () => {
        cancelled = true
        this.#timers.delete(handle)
        timer.cancel()
      },
    }
    this.#timers.add(handle)
    return handle
  }

  /** Runs what comes from outside (a frame, a finished write): now, after the pause, or never. */
  enter(run: () => void): void {
    if (this.#ended) return
    if (this.#withheld === undefined) run()
    else this.#withheld.push(run)
  }

  /** What a store or another world promises, as this life sees it: once the life is over it never settles. */
  guard<T>(promise: Promise<T>): Promise<T> {
    const seen = this.deferred<T>()
    promise.then(
      value => this.enter(() => seen.resolve(value)),
      error => this.enter(() => seen.reject(error)),
    )
    return seen.promise
  }

  sleep(ms: number, options?: TimerOptions): Promise<void> {
    const woken = this.deferred()
    this.after(ms, () => woken.resolve(), options)
    return woken.promise
  }

  deferred<T = void>(): Deferred<T> {
    const inner = this.#runtime.deferred<T>()
    return {
      promise: inner.promise,
      get settled() {
        return inner.settled
      },
      resolve: value => {
        if (!this.#ended) inner.resolve(value)
      },
      reject: error => {
        if (!this.#ended) inner.reject(error)
      },
    }
  }

  choose(name: string, n: number): number {
    return this.#runtime.choose(name, n)
  }

  drive<T>(what: string, call: () => Promise<T> | T, options?: DriveOptions): Promise<T> {
    return this.#runtime.drive(what, call, options)
  }

  begin(what: string, giveUp: (reason: Error) => void, options?: DriveOptions): Drive {
    return this.#runtime.begin(what, giveUp, options)
  }

  outside<T>(what: string, promise: PromiseLike<T> | T): Promise<T> {
    return this.#runtime.outside(what, promise)
  }

  until(condition: () => boolean): { readonly promise: Promise<void>; cancel(): void } {
    return this.#runtime.until(condition)
  }

  onLeap(moved: (ms: number) => void): () => void {
    const end = this.#runtime.onLeap(moved)
    this.onEnd(end)
    return end
  }

  explain(reasons: () => readonly string[]): () => void {
    const end = this.#runtime.explain(reasons)
    this.onEnd(end)
    return end
  }

  /** Run when the life ends, last first: connections close, listeners go. */
  onEnd(run: () => void): void {
    if (this.#ended) run()
    else this.#endings.push(run)
  }

  pause(): void {
    this.#withheld ??= []
  }

  resume(): void {
    const withheld = this.#withheld
    this.#withheld = undefined
    for (const run of withheld ?? []) {
      if (this.#ended) return
      run()
    }
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#withheld = undefined
    for (const timer of [...this.#timers]) timer.cancel()
    this.#timers.clear()
    for (const run of this.#endings.splice(0).reverse()) run()
  }

  async close(): Promise<void> {
    this.end()
  }
}
