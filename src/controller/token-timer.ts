import type { ClusterImage } from '../metadata/image.ts'
import type { Runtime, Timer } from '../runtime/runtime.ts'
import type { Settings } from './configs.ts'
import type { Decision, Situation } from './decision.ts'
import { decideExpiredTokens } from './delegation-tokens.ts'

/**
 * Forgets delegation tokens that have expired (KIP-48), every `delegation.token.expiry.check.interval.ms` since the
 * controller became active; the timer exists only while there are tokens. Until then a token that has expired can still be
 * described, but nobody can come in with it.
 */
export class TokenTimer {
  readonly #runtime: Runtime
  readonly #image: ClusterImage
  readonly #settings: Settings
  readonly #perform: (decide: (situation: Situation) => Decision<undefined>) => void
  #activeSince = 0
  #timer: Timer | undefined

  constructor(
    runtime: Runtime,
    image: ClusterImage,
    settings: Settings,
    perform: (decide: (situation: Situation) => Decision<undefined>) => void,
  ) {
    this.#runtime = runtime
    this.#image = image
    this.#settings = settings
    this.#perform = perform
  }

  begin(): void {
    this.#activeSince = this.#runtime.now()
  }

  follow(): void {
    if (this.#image.delegationTokens.size === 0) {
      this.#timer?.cancel()
      this.#timer = undefined
      return
    }
    if (this.#timer !== undefined) return
    const intervalMs = this.#settings.values['delegation.token.expiry.check.interval.ms']
    const ms = intervalMs - ((this.#runtime.now() - this.#activeSince) % intervalMs)
    const run = () => {
      this.#timer = undefined
      this.#perform(decideExpiredTokens)
      this.follow()
    }
    this.#timer = this.#runtime.after(ms, run, { housekeeping: true })
  }
}
