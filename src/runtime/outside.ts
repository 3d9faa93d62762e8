import { deferred } from './deferred.ts'
import { realTimer } from './real.ts'
import type { Deferred } from './runtime.ts'

/** User code that we awaited, and that took longer than it may. */
export class OutsideError extends Error {
  override readonly name = 'OutsideError'
}

/**
 * What our code awaits of the user's: a serializer, a listener, a record handed to the body of an iteration. Time stands
 * still until it settles, unless the user's code calls us meanwhile: a call that began later has to be able to finish.
 */
export class Outside {
  readonly #limitMs: number
  readonly #waits = new Set<{ readonly what: string; readonly calls: Set<object> }>()
  #released: Deferred<void> | undefined

  constructor(limitMs: number) {
    this.#limitMs = limitMs
  }

  get holdsTime(): boolean {
    for (const wait of this.#waits) if (wait.calls.size === 0) return true
    return false
  }

  /** Settles as soon as time may run again. */
  released(): Promise<void> {
    this.#released ??= deferred<void>()
    return this.#released.promise
  }

  async wait<T>(what: string, promise: PromiseLike<T> | T): Promise<T> {
    const wait = { what, calls: new Set<object>() }
    this.#waits.add(wait)
    const limit = realTimer(this.#limitMs)
    const late = limit.promise.then(() => {
      throw new OutsideError(
        `${what} has not settled for ${this.#limitMs} ms of real time, while virtual time stood still for it. ` +
          'Allow it more with outsideMs, or use time: "real".',
      )
    })
    late.catch(() => {})
    try {
      return await Promise.race([promise, late])
    } finally {
      this.#waits.delete(wait)
      limit.cancel()
      this.#check()
    }
  }

  /** A call of the test began: it may be the user's code calling back, so time has to run until it settles. */
  driven(call: object): void {
    for (const wait of this.#waits) wait.calls.add(call)
    this.#check()
  }

  settled(call: object): void {
    for (const wait of this.#waits) wait.calls.delete(call)
  }

  close(): void {
    this.#waits.clear()
    this.#check()
  }

  #check(): void {
    if (this.holdsTime || this.#released === undefined) return
    const released = this.#released
    this.#released = undefined
    released.resolve()
  }
}
