import type { Random } from '../runtime/random.ts'
import { Roster } from '../runtime/roster.ts'
import type {
  Deferred,
  Drive,
  DriveOptions,
  OutsideOptions,
  Runtime,
  Theirs,
  Timer,
  TimerOptions,
} from '../runtime/runtime.ts'
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
  readonly #timers = new Roster<LifeTimer>()
  readonly #endings = new Set<() => void>()
  /** While paused, and until what piled up in a pause has happened. */
  #withheld: (() => unknown)[] | undefined
  #paused = false
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
    return this.#paused
  }

  /** Paused, or what piled up in a pause has not all happened yet. */
  get isWithholding(): boolean {
    return this.#withheld !== undefined
  }

  now(): number {
    return this.#runtime.now()
  }

  after(ms: number, run: () => unknown, options?: TimerOptions): Timer {
    if (this.#ended) return { cancel() {} }
    const timer = new LifeTimer(this.#timers, run)
    timer.inner = this.#runtime.after(ms, () => this.enter(timer.fire), options)
    return timer
  }

  /**
   * Runs what comes from outside (a frame, a finished write): now, after the pause, or never. Answers what `run` answered
   * if it ran, for the event of the runtime to pass on.
   */
  enter(run: () => unknown): unknown {
    if (this.#ended) return undefined
    if (this.#withheld === undefined) return run()
    this.#withheld.push(run)
    return undefined
  }

  /** What a store or another world promises, as this life sees it: once the life is over it never settles. */
  guard<T>(promise: Promise<T>): Promise<T> {
    const seen = this.#runtime.deferred<T>()
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
    return new LifeDeferred(this, this.#runtime.deferred<T>())
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

  outside<T>(what: string, theirs: Theirs<T>, options?: OutsideOptions): Promise<T> {
    return this.#runtime.outside(what, theirs, options)
  }

  inside<T>(promise: PromiseLike<T> | T): Promise<T> {
    return this.#runtime.inside(promise)
  }

  progressed(): void {
    this.#runtime.progressed()
  }

  until(condition: () => boolean): { readonly promise: Promise<void>; cancel(): void } {
    const { promise, cancel } = this.#runtime.until(() => !this.#ended && condition())
    return { promise: this.guard(promise), cancel: this.#atEnd(cancel) }
  }

  onLeap(moved: (ms: number) => void): () => void {
    return this.#atEnd(this.#runtime.onLeap(moved))
  }

  explain(reasons: () => readonly string[]): () => void {
    return this.#atEnd(this.#runtime.explain(reasons))
  }

  ride(what: string): () => void {
    return this.#runtime.ride(what)
  }

  /** Run when the life ends, last first: connections close, listeners go. */
  onEnd(run: () => void): void {
    if (this.#ended) run()
    else this.#endings.add(run)
  }

  /** Happens at the end of this life, unless it happened before. */
  #atEnd(run: () => void): () => void {
    this.onEnd(run)
    return () => {
      this.#endings.delete(run)
      run()
    }
  }

  pause(): void {
    if (this.#ended) return
    this.#paused = true
    this.#withheld ??= []
  }

  /** What was withheld happens now, in its order, one event after the other; what comes meanwhile queues up behind it. */
  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#happenNext()
  }

  #happenNext(): void {
    if (this.#withheld === undefined) return
    if (this.#withheld.length === 0) this.#withheld = undefined
    else this.#runtime.after(0, () => this.#happen())
  }

  #happen(): unknown {
    // Ended, or paused again before its turn came: the next resume goes on.
    if (this.#ended || this.#paused) return undefined
    const result = this.#withheld?.shift()?.()
    this.#happenNext()
    return result
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#paused = false
    this.#withheld = undefined
    for (const timer of [...this.#timers]) timer.cancel()
    const endings = [...this.#endings].reverse()
    this.#endings.clear()
    for (const run of endings) run()
  }

  async close(): Promise<void> {
    this.end()
  }
}

/** A deferred of a life: after its end nothing settles it. */
class LifeDeferred<T> implements Deferred<T> {
  readonly promise: Promise<T>
  readonly #life: Life
  readonly #inner: Deferred<T>

  constructor(life: Life, inner: Deferred<T>) {
    this.promise = inner.promise
    this.#life = life
    this.#inner = inner
  }

  get settled(): boolean {
    return this.#inner.settled
  }

  resolve(value: T): void {
    if (!this.#life.isOver) this.#inner.resolve(value)
  }

  reject(error: unknown): void {
    if (!this.#life.isOver) this.#inner.reject(error)
  }
}

/** A timer of a life: whoever ends the life cancels it, also while it is withheld. */
class LifeTimer implements Timer {
  /** The runtime's own. */
  inner: Timer | undefined
  readonly #all: Roster<LifeTimer>
  readonly #run: () => unknown
  #done = false

  constructor(all: Roster<LifeTimer>, run: () => unknown) {
    this.#all = all
    this.#run = run
    all.add(this)
  }

  readonly fire = (): unknown => {
    if (this.#done) return undefined
    this.#done = true
    this.#all.delete(this)
    return this.#run()
  }

  cancel(): void {
    this.#done = true
    this.#all.delete(this)
    this.inner?.cancel()
  }
}
