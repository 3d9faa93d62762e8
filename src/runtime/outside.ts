import { deferred, isPromise } from './deferred.ts'
import { realTimer } from './real.ts'
import type { Deferred, OutsideOptions, Theirs, Timer } from './runtime.ts'

/** User code that we awaited, and that took longer than it may. */
export class OutsideError extends Error {
  override readonly name = 'OutsideError'
}

interface Wait {
  readonly what: string
  readonly callsBack: boolean
  /** What the user's code may be waiting for: while there is any, time runs. */
  readonly calls: Set<object>
  readonly givenUp: Deferred<never>
  /** Runs while this wait holds time. */
  limit: Timer | undefined
}

/**
 * What our code awaits of the user's: a serializer, a listener, a record handed to the body of an iteration. Time stands
 * still until it settles, unless the user's code calls us meanwhile: a call that began later has to be able to finish.
 */
export class Outside {
  readonly #limitMs: number
  readonly #waits = new Set<Wait>()
  readonly #released: () => void
  readonly #riders: () => readonly string[]

  /** `released` is told whenever time may run again; `riders` says who waits for others to drive it. */
  constructor(limitMs: number, released: () => void, riders: () => readonly string[]) {
    this.#limitMs = limitMs
    this.#released = released
    this.#riders = riders
  }

  get holdsTime(): boolean {
    if (this.#waits.size === 0) return false
    for (const wait of this.#waits) if (wait.calls.size === 0) return true
    return false
  }

  async wait<T>(what: string, theirs: Theirs<T>, { callsBack = true }: OutsideOptions = {}): Promise<T> {
    if (typeof theirs !== 'function' && !isPromise(theirs)) return theirs as T
    const wait: Wait = { what, callsBack, calls: new Set(), givenUp: deferred<never>(), limit: undefined }
    this.#waits.add(wait)
    this.#arm(wait)
    try {
      const promise = typeof theirs === 'function' ? (theirs as () => PromiseLike<T> | T)() : theirs
      return await Promise.race([promise, wait.givenUp.promise])
    } finally {
      wait.limit?.cancel()
      this.#waits.delete(wait)
      if (!this.holdsTime) this.#released()
    }
  }

  /** A call began: it may be the user's code calling back, so time has to run until it settles. */
  called(call: object): void {
    if (this.#waits.size === 0) return
    for (const wait of this.#waits) {
      if (!wait.callsBack) continue
      wait.calls.add(call)
      wait.limit?.cancel()
    }
    this.#released()
  }

  settled(call: object): void {
    for (const wait of this.#waits) if (wait.calls.delete(call) && wait.calls.size === 0) this.#arm(wait)
  }

  close(reason: Error): void {
    for (const wait of this.#waits) {
      wait.limit?.cancel()
      wait.givenUp.reject(reason)
    }
    this.#waits.clear()
  }

  /** What is no I/O of the test's own, but waits for the cluster, waits in vain. */
  #advice({ what }: Wait): string {
    if (!what.startsWith('cluster.outside')) return ''
    const riders = this.#riders()
    const meanwhile = riders.length === 0 ? '' : `Meanwhile ${riders.join('; ')}. `
    return `${meanwhile}What waits for the cluster itself is for cluster.run(), which drives time. `
  }

  #arm(wait: Wait): void {
    wait.limit = realTimer(this.#limitMs, () => {
      wait.givenUp.reject(
        new OutsideError(
          `${wait.what} has not settled for ${this.#limitMs} ms of real time, while virtual time stood still for it. ` +
            `${this.#advice(wait)}Allow it more with outsideMs, or use time: 'real'.`,
        ),
      )
    })
  }
}
