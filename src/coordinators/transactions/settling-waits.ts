import type { Deferred, Runtime } from '../../runtime/runtime.ts'

/**
 * How long. What a healthy cluster needs to end a transaction, and short: a broker asks for one thing at a time, so the
 * transactions of others wait as well.
 */
const MOST_MS = 10

/**
 * Brokers that ask for a producer whose transaction before is still being ended (T-33). Kafka refuses them at once, and they
 * come again every `add.partitions.to.txn.retry.backoff.ms` (20); here they are answered as soon as that end is written, if it
 * is in a moment. The producer hears the same, earlier.
 */
export class SettlingWaits {
  readonly #runtime: Runtime
  readonly #waiting = new Map<string, Deferred<void>>()

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** How long one may wait who comes now. */
  get deadline(): number {
    return this.#runtime.now() + MOST_MS
  }

  /** Until `look` finds it settled, or the deadline of one of those who wait for it has come; undefined: it has already. */
  until(transactionalId: string, deadline: number): Promise<void> | undefined {
    const known = this.#waiting.get(transactionalId)
    if (known !== undefined) return known.promise
    const leftMs = deadline - this.#runtime.now()
    if (leftMs <= 0) return undefined
    const done = this.#runtime.deferred()
    this.#waiting.set(transactionalId, done)
    const timer = this.#runtime.after(leftMs, () => this.#release(transactionalId))
    return done.promise.then(() => timer.cancel())
  }

  /** Something was committed. */
  look(isSettled: (transactionalId: string) => boolean): void {
    if (this.#waiting.size === 0) return
    for (const transactionalId of [...this.#waiting.keys()]) {
      if (isSettled(transactionalId)) this.#release(transactionalId)
    }
  }

  /** Nothing is settled here any more. */
  close(): void {
    for (const transactionalId of [...this.#waiting.keys()]) this.#release(transactionalId)
  }

  #release(transactionalId: string): void {
    const done = this.#waiting.get(transactionalId)
    this.#waiting.delete(transactionalId)
    done?.resolve()
  }
}
