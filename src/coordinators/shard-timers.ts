import type { Runtime, Timer, TimerOptions } from '../runtime/runtime.ts'

/** Timers of one shard, each under a key: a new one takes the place of the old (Kafka's CoordinatorTimer). */
export class ShardTimers {
  readonly #runtime: Runtime
  readonly #timers = new Map<string, Timer>()

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  schedule(key: string, ms: number, run: () => void, options?: TimerOptions): void {
    this.cancel(key)
    const timer = this.#runtime.after(
      ms,
      () => {
        if (this.#timers.get(key) === timer) this.#timers.delete(key)
        run()
      },
      options,
    )
    this.#timers.set(key, timer)
  }

  has(key: string): boolean {
    return this.#timers.has(key)
  }

  cancel(key: string): void {
    this.#timers.get(key)?.cancel()
    this.#timers.delete(key)
  }

  cancelAll(): void {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }
}
