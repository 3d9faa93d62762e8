import type { Runtime, Timer } from '../../runtime/runtime.ts'

/**
 * `max.poll.interval.ms`: an application that does not poll for so long is taken for stuck. What counts is the time between
 * two polls; a poll may wait as long as it likes.
 */
export class PollInterval {
  readonly #runtime: Runtime
  readonly #intervalMs: number
  readonly #expired: () => void
  #isPolling = false
  #isRunning = false
  #polledAt: number | undefined
  #timer: Timer | undefined

  constructor(runtime: Runtime, intervalMs: number, expired: () => void) {
    this.#runtime = runtime
    this.#intervalMs = intervalMs
    this.#expired = expired
  }

  began(): void {
    this.#isPolling = true
  }

  ended(): void {
    this.#isPolling = false
    this.polled()
  }

  get isPolling(): boolean {
    return this.#isPolling
  }

  /** When the last poll ended; undefined before the first. */
  get polledAt(): number | undefined {
    return this.#polledAt
  }

  /** A poll that was over at once. */
  polled(): void {
    this.#polledAt = this.#runtime.now()
    this.#isRunning = true
    if (this.#timer === undefined) this.#arm(this.#intervalMs)
  }

  /** Nobody has to poll, until somebody does. */
  stop(): void {
    this.#isRunning = false
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #arm(ms: number): void {
    this.#timer = this.#runtime.after(ms, () => this.#due(), { housekeeping: true })
  }

  #due(): void {
    this.#timer = undefined
    if (this.#isPolling || !this.#isRunning) return
    const left = (this.#polledAt ?? 0) + this.#intervalMs - this.#runtime.now()
    if (left > 0) {
      this.#arm(left)
      return
    }
    this.#isRunning = false
    this.#expired()
  }
}
