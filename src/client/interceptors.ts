import type { ClassValue } from '../metadata/config-definition.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { ConfigError } from '../wire/errors.ts'
import { configure } from './record-serdes.ts'

/** The interceptors of one client, in their order. What one of them throws is noted in the trace, and the next is called. */
export class Interceptors<Interceptor extends object> {
  readonly #interceptors: readonly Interceptor[]
  readonly #runtime: Runtime
  readonly #who: string

  /**
   * @param callbacks what they may have, for the error
   * @param configs what each is configured with, if it wants to be
   * @throws {ConfigError} for something that cannot intercept, or a `configure` that throws
   */
  constructor(values: readonly ClassValue[], callbacks: string, runtime: Runtime, who: string, configs: object) {
    this.#runtime = runtime
    this.#who = who
    this.#interceptors = values.map(value => {
      const made: unknown = typeof value === 'function' ? new (value as new () => Interceptor)() : value
      if (typeof made === 'object' && made !== null) {
        configure('interceptor.classes', made, configs)
        return made as Interceptor
      }
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
