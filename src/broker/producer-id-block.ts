import { allocateProducerIds } from '../apis/allocate-producer-ids.ts'
import type { Life } from '../node/life.ts'
import type { PeerLink } from '../node/peer-link.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'

const REQUEST_TIMEOUT_MS = 30_000

/**
 * Producer ids out of blocks of 1000 that the controller hands out (I-15; Kafka's RPCProducerIdManager). The first call of
 * a life finds no block: it is refused with a retriable error, and the block is on its way.
 */
export class ProducerIdBlock {
  readonly #options: { life: Life; link: PeerLink; brokerId: number; brokerEpoch: () => number; retryMs: number }
  #next = 0
  #end = 0
  #asking = false

  constructor(options: { life: Life; link: PeerLink; brokerId: number; brokerEpoch: () => number; retryMs: number }) {
    this.#options = options
  }

  /** @throws KafkaError COORDINATOR_LOAD_IN_PROGRESS while there is no block. */
  take(): number {
    if (this.#next >= this.#end) {
      this.fill()
      throw new KafkaError('COORDINATOR_LOAD_IN_PROGRESS', 'the broker is waiting for a block of producer ids')
    }
    return this.#next++
  }

  /** Asks for a block if there is none. */
  fill(): void {
    if (this.#asking || this.#next < this.#end) return
    const { life, link, brokerId, brokerEpoch, retryMs } = this.#options
    this.#asking = true
    const again = () => {
      this.#asking = false
      life.after(retryMs, () => this.fill(), { housekeeping: true })
    }
    link.send(allocateProducerIds, { brokerId, brokerEpoch: brokerEpoch() }, REQUEST_TIMEOUT_MS, {
      onResponse: response => {
        if (response.errorCode !== errorCodes.NONE) {
          again()
          return
        }
        this.#asking = false
        this.#next = response.producerIdStart
        this.#end = response.producerIdStart + response.producerIdLen
      },
      onLost: again,
    })
  }
}
