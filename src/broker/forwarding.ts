import type { Life } from '../node/life.ts'
import type { PeerLink } from '../node/peer-link.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'

/** Half of what clients wait by default (`request.timeout.ms`), so that they hear of it. */
const CONTROLLER_TIMEOUT_MS = 15_000

/** Hands what clients ask of the cluster to the controller (KIP-590). */
export class Forwarding {
  readonly #life: Life
  readonly #link: PeerLink

  constructor(life: Life, link: PeerLink) {
    this.#life = life
    this.#link = link
  }

  /** Rejects with NOT_CONTROLLER when the controller is lost, or does not answer in time. */
  forward<A extends AnyApi>(api: A, body: RequestInput<A>): Promise<ResponseOf<A>> {
    const answered = this.#life.deferred<ResponseOf<A>>()
    const lost = (why: string) => answered.reject(new KafkaError('NOT_CONTROLLER', `the controller is away: ${why}`))
    // Connecting has no end of its own while the network holds it back; what waits for it is given up, not sent later.
    const giveUp = () => {
      this.#link.close('the controller did not answer in time')
      lost('it did not answer in time')
    }
    const timer = this.#life.after(CONTROLLER_TIMEOUT_MS, giveUp, { housekeeping: true })
    const settled = (run: () => void) => {
      timer.cancel()
      run()
    }
    this.#link.send(api, body, CONTROLLER_TIMEOUT_MS, {
      onResponse: response => settled(() => answered.resolve(response)),
      onLost: error => settled(() => lost(error.message)),
    })
    return answered.promise
  }
}
