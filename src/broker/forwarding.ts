import { envelope } from '../apis/envelope.ts'
import { disclosed, enclosed, type Requester } from '../node/envelopes.ts'
import type { Life } from '../node/life.ts'
import type { PeerLink } from '../node/peer-link.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'

/** Half of what clients wait by default (`request.timeout.ms`), so that they hear of it. */
const CONTROLLER_TIMEOUT_MS = 15_000

/**
 * Hands what clients ask of the cluster to the controller (KIP-590), in an envelope that says for whom; what the broker
 * wants for itself goes as it is. There is one way, whoever asks: an envelope around CreateTopics takes some 5 µs.
 */
export class Forwarding {
  readonly #life: Life
  readonly #link: PeerLink

  constructor(life: Life, link: PeerLink) {
    this.#life = life
    this.#link = link
  }

  /**
   * `requester`: the client's request; undefined: on the broker's own behalf. `version`: of the request in the envelope, where
   * the controller has to know it. Rejects with NOT_CONTROLLER when the controller is lost, or does not answer in time.
   */
  forward<A extends AnyApi>(
    api: A,
    body: RequestInput<A>,
    requester: Requester | undefined,
    version = api.versions.max,
  ): Promise<ResponseOf<A>> {
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
    const onLost = (error: Error) => settled(() => lost(error.message))
    if (requester === undefined) {
      const onResponse = (response: ResponseOf<A>) => settled(() => answered.resolve(response))
      this.#link.send(api, body, CONTROLLER_TIMEOUT_MS, { onResponse, onLost })
      return answered.promise
    }
    const onResponse = (response: ResponseOf<typeof envelope>) =>
      settled(() => {
        try {
          answered.resolve(disclosed(api, response, requester, version))
        } catch (error) {
          answered.reject(error)
        }
      })
    const letter = enclosed(api, body, requester, version)
    this.#link.send(envelope, letter, CONTROLLER_TIMEOUT_MS, { onResponse, onLost }, api.name)
    return answered.promise
  }
}
