import type { InstalledRule } from '../network/rules.ts'
import type { Interceptor } from '../node/intercept.ts'
import type { AnyApi } from '../wire/api.ts'
import { apiNamed } from './api-name.ts'
import { refuseUnknown } from './options.ts'
import { type FailNextOptions, failNext, type RequestFault, type RequestFaultHost } from './request-faults.ts'
import { ScriptedFaults } from './scripted-faults.ts'

export interface FaultOptions {
  /** It may stay unused: `assertFaultsFired()` says nothing of it. Default false. */
  readonly optional?: boolean
}

/** An interceptor that was installed. */
export interface InstalledInterceptor extends Disposable {
  /** How many requests it has seen. */
  readonly hits: number
  dispose(): void
}

/** All that a test broke on purpose: what is in force, and whether each of it ever came about. */
export class Faults {
  readonly #host: RequestFaultHost
  readonly #scripted = new ScriptedFaults()
  readonly #inForce = new Set<() => void>()

  constructor(host: RequestFaultHost) {
    this.#host = host
  }

  rule(rule: InstalledRule, { optional = false }: FaultOptions): void {
    this.#inForce.add(() => rule.dispose())
    this.#scripted.add({
      what: `network.rule(${rule.name})`,
      get hits() {
        return rule.hits
      },
      optional,
    })
  }

  intercept<A extends AnyApi>(
    api: A | string,
    interceptor: Interceptor<A>,
    options: FaultOptions,
  ): InstalledInterceptor {
    refuseUnknown('option of intercept', options, ['optional'])
    const named = apiNamed(api)
    const { name } = named
    let hits = 0
    const dispose = this.#host.plant.interceptors.install<A>(named as A, (request, next) => {
      hits++
      return interceptor(request, next)
    })
    this.#inForce.add(dispose)
    const installed: InstalledInterceptor = {
      get hits() {
        return hits
      },
      dispose,
      [Symbol.dispose]: dispose,
    }
    this.#scripted.add({
      what: `intercept(${name})`,
      get hits() {
        return hits
      },
      optional: options.optional ?? false,
    })
    return installed
  }

  failNext(api: AnyApi | string, options: FailNextOptions): RequestFault {
    const fault = failNext(this.#host, api, options)
    this.#inForce.add(fault.dispose)
    this.#scripted.add(fault)
    return fault
  }

  lift(): void {
    for (const lift of this.#inForce) lift()
    this.#inForce.clear()
  }

  neverFired(): string[] {
    return this.#scripted.neverFired()
  }

  assertFired(): void {
    this.#scripted.assertFired()
  }
}
