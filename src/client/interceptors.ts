import type { ClassValue } from '../metadata/config-definition.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { ConfigError } from '../wire/errors.ts'

/** The interceptors of one client, in their order. What one of them throws is noted in the trace, and the next is called. */
export class Interceptors<Interceptor extends object> {
  readonly #interceptors: readonly Interceptor[]
  readonly #runtime: Runtime
  readonly #who: string

  /** `callbacks`: what they may have, for the error. @throws {ConfigError} for something that cannot intercept */
  constructor(values: readonly ClassValue[], callbacks: string, runtime: Runtime, who: string) {
    this.#runtime = runtime
    this.#who = who
    this.#interceptors = values.map(value => {
      const made: unknown = typeof value === 'function' ? new (value as new () => Interceptor)() : value
      if (typeof made === 'object' && made !== null) return made as Interceptor
      throw new ConfigError(`interceptor.classes takes objects with ${callbacks}, or classes of such`)
    })
  }

  get isEmpty(): boolean {
    return this.#interceptors.length === 0
  }

  /** Calls each of them; `what` names the callback. */
  each(what: string, call: (interceptor: Interceptor) => void): void {
    for (const interceptor of this.#interceptors) {
      try {
        call(interceptor)
      } catch (error) {
        this.#runtime.trace.add('client', this.#who, { what: `interceptor ${what} threw ${String(error)}` })
      }
    }
  }
}
