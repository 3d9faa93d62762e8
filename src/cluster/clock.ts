import type { Runtime } from '../runtime/runtime.ts'
import { ConfigError } from '../wire/errors.ts'

/** Time as a test holds it. */
export class Clock {
  readonly #runtime: Runtime

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** Whether time is the test's own, or that of the world. */
  get kind(): 'virtual' | 'real' {
    return this.#runtime.time
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#runtime.now()
  }

  /** Lets `ms` milliseconds pass, with all that happens in them. On real time it waits. */
  async advance(ms: number): Promise<void> {
    if (typeof ms !== 'number' || !(ms >= 0)) {
      throw new ConfigError(`clock.advance() takes milliseconds, 0 or more, not ${JSON.stringify(ms)}`)
    }
    await this.#runtime.drive(`clock.advance(${ms})`, () => this.#runtime.sleep(ms, { housekeeping: false }), {
      patient: true,
    })
  }
}
