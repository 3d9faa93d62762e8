import type { Deferred, Runtime } from '../../../runtime/runtime.ts'
import { IllegalStateError, KafkaError } from '../../../wire/errors.ts'

export type CallName = 'initTransactions' | 'commitTransaction' | 'abortTransaction'

export interface CallOptions {
  readonly runtime: Runtime
  /** Of the producer, in errors. */
  readonly clientName: string
  readonly maxBlockMs: number
}

interface Call {
  readonly name: CallName
  readonly done: Deferred<void>
}

/**
 * The call whose end its user has not seen (C-58). One that took longer than `max.block.ms` is waited for by the same call
 * again; until then there is no other.
 */
export class PendingCall {
  readonly #options: CallOptions
  #call: Call | undefined

  constructor(options: CallOptions) {
    this.#options = options
  }

  get isPending(): boolean {
    return this.#call !== undefined
  }

  /** @throws {IllegalStateError} */
  requireNone(name: string): void {
    if (this.#call === undefined) return
    const before = this.#call.name
    throw new IllegalStateError(
      `Cannot attempt operation \`${name}\` because the previous call to \`${before}\` timed out and must be retried`,
    )
  }

  /** `start`: unless it was called before. @throws {KafkaError} REQUEST_TIMED_OUT, and what ends the call */
  async make(name: CallName, what: string, start: (begun: () => void) => void): Promise<void> {
    if (this.#call?.name !== name) this.requireNone(name)
    if (this.#call === undefined) {
      start(() => {
        this.#call = { name, done: this.#options.runtime.deferred() }
        this.#call.done.promise.catch(() => {})
      })
    }
    const { done } = this.#call!
    await this.within(done.promise, name, what)
  }

  resolve(): void {
    this.#call?.done.resolve()
  }

  reject(error: Error): void {
    this.#call?.done.reject(error)
  }

  /** Waits at most `max.block.ms`. */
  async within(promise: Promise<void>, name: string, what: string): Promise<void> {
    const { runtime, maxBlockMs, clientName } = this.#options
    const wait = async () => {
      const late = runtime.deferred<never>()
      const text = `Timeout expired after ${maxBlockMs}ms while awaiting ${what}`
      const timer = runtime.after(maxBlockMs, () => late.reject(new KafkaError('REQUEST_TIMED_OUT', text)))
      try {
        await Promise.race([promise, late.promise])
      } finally {
        timer.cancel()
        if (this.#call?.done.settled) this.#call = undefined
      }
    }
    await runtime.drive(`producer.${name} of ${clientName}`, wait, { patient: true })
  }
}
