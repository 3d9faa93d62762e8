import type { Deferred, Runtime, Timer } from '../../runtime/runtime.ts'
import { BufferExhaustedError, IllegalArgumentError } from '../../wire/errors.ts'

interface Waiter {
  readonly bytes: number
  readonly granted: Deferred<void>
  readonly since: number
  timer: Timer | undefined
}

/**
 * `buffer.memory`: what all unfinished batches may take together. Who finds too little waits in line, strictly first come,
 * first served (C-31; Kafka's BufferPool). It counts; the memory itself is the runtime's.
 */
export class BufferPool {
  readonly total: number
  readonly #runtime: Runtime
  readonly #waiters: Waiter[] = []
  readonly #waited: (ms: number, inVain: boolean) => void
  #available: number

  /** `waited` is told how long somebody had to wait, and whether in vain. */
  constructor(runtime: Runtime, total: number, waited: (ms: number, inVain: boolean) => void = () => {}) {
    this.#runtime = runtime
    this.total = total
    this.#available = total
    this.#waited = waited
  }

  get available(): number {
    return this.#available
  }

  /** Somebody waits: every batch is sendable then (C-32). */
  get hasWaiters(): boolean {
    return this.#waiters.length > 0
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiters.length
  }

  /** Takes the bytes if they are there and nobody waits. */
  take(bytes: number): boolean {
    if (bytes > this.#available || this.#waiters.length > 0) return false
    this.#available -= bytes
    return true
  }

  /**
   * Waits in line for the bytes; they are taken when it settles.
   *
   * @throws {BufferExhaustedError} when they have not come within `timeoutMs` (C-24).
   * @throws {IllegalArgumentError} for more than there will ever be.
   */
  wait(bytes: number, timeoutMs: number): Promise<void> {
    if (bytes > this.total) {
      const limit = `there is a hard limit of ${this.total} on memory allocations (buffer.memory)`
      return Promise.reject(new IllegalArgumentError(`Attempt to allocate ${bytes} bytes, but ${limit}.`))
    }
    if (this.take(bytes)) return Promise.resolve()
    if (timeoutMs <= 0) {
      this.#waited(0, true)
      return Promise.reject(this.#exhaustedError(bytes, 0))
    }
    const waiter: Waiter = { bytes, granted: this.#runtime.deferred(), since: this.#runtime.now(), timer: undefined }
    if (timeoutMs < Number.POSITIVE_INFINITY) {
      const giveUp = () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
        this.#waited(timeoutMs, true)
        waiter.granted.reject(this.#exhaustedError(bytes, timeoutMs))
        this.#serve()
      }
      waiter.timer = this.#runtime.after(timeoutMs, giveUp, { housekeeping: false })
    }
    this.#waiters.push(waiter)
    return waiter.granted.promise
  }

  give(bytes: number): void {
    this.#available += bytes
    this.#serve()
  }

  /** Ends every wait. */
  refuse(error: Error): void {
    for (const waiter of this.#waiters.splice(0)) {
      waiter.timer?.cancel()
      this.#waited(this.#runtime.now() - waiter.since, false)
      waiter.granted.reject(error)
    }
  }

  #serve(): void {
    for (let next = this.#waiters[0]; next !== undefined && next.bytes <= this.#available; next = this.#waiters[0]) {
      this.#waiters.shift()
      this.#available -= next.bytes
      next.timer?.cancel()
      this.#waited(this.#runtime.now() - next.since, false)
      next.granted.resolve()
    }
  }

  #exhaustedError(bytes: number, timeoutMs: number): BufferExhaustedError {
    return new BufferExhaustedError(
      `Failed to allocate ${bytes} bytes within the configured max blocking time ${timeoutMs} ms. ` +
        `Total memory: ${this.total} bytes. Available memory: ${this.#available} bytes.`,
    )
  }
}
