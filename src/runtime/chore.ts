import type { Runtime, Timer } from './runtime.ts'

/**
 * Work that Kafka does at every tick of an interval. Here the tick is only armed when there will be something to do, so
 * that idle days cost nothing; what is done still falls on Kafka's ticks, counted from the start of the broker.
 */
export class Chore {
  readonly #runtime: Runtime
  readonly #firstAt: number
  readonly #intervalMs: () => number
  readonly #dueAt: (now: number) => number
  readonly #run: (now: number) => void
  #timer: Timer | undefined
  #armedAt = Number.POSITIVE_INFINITY

  constructor(options: {
    readonly runtime: Runtime
    /** Of the first tick, from now. */
    readonly initialDelayMs: number
    readonly intervalMs: () => number
    /** When something will be there to do: any time up to now for at once, Infinity for never as things are. */
    readonly dueAt: (now: number) => number
    readonly run: (now: number) => void
  }) {
    this.#runtime = options.runtime
    this.#firstAt = options.runtime.now() + options.initialDelayMs
    this.#intervalMs = options.intervalMs
    this.#dueAt = options.dueAt
    this.#run = options.run
  }

  /** Something changed that may bring work: the next tick looks. */
  touch(): void {
    const now = this.#runtime.now()
    if (this.#armedAt <= now + this.#intervalMs()) return
    this.#arm(now)
  }

  /** No tick comes any more. */
  stop(): void {
    this.#timer?.cancel()
    this.#armedAt = Number.NEGATIVE_INFINITY
  }

  #arm(due: number): void {
    const now = this.#runtime.now()
    const interval = Math.max(1, this.#intervalMs())
    const earliest = Math.max(due, now + 1)
    const at =
      earliest <= this.#firstAt
        ? this.#firstAt
        : this.#firstAt + Math.ceil((earliest - this.#firstAt) / interval) * interval
    if (at >= this.#armedAt) return
    this.#timer?.cancel()
    this.#armedAt = at
    this.#timer = this.#runtime.after(at - now, () => this.#tick(), { housekeeping: true })
  }

  #tick(): void {
    this.#timer = undefined
    this.#armedAt = Number.POSITIVE_INFINITY
    const now = this.#runtime.now()
    if (this.#dueAt(now) <= now) this.#run(now)
    const next = this.#dueAt(now)
    if (next < Number.POSITIVE_INFINITY) this.#arm(next)
  }
}
