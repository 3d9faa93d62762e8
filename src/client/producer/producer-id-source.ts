import { initProducerId } from '../../apis/init-producer-id.ts'
import type { Runtime, Timer } from '../../runtime/runtime.ts'
import type { RequestInput } from '../../wire/api.ts'
import { errorCodes, KafkaError } from '../../wire/errors.ts'
import type { Connections } from '../connections.ts'
import type { ClientMetadata } from '../metadata.ts'

export interface ProducerIdOptions {
  readonly runtime: Runtime
  readonly connections: Connections
  readonly metadata: ClientMetadata
  /** `retry.backoff.ms`: between attempts, always the same (C-61). */
  readonly retryBackoffMs: number
  /** Somebody still waits for it. */
  readonly isNeeded: () => boolean
  readonly given: (producerId: number, producerEpoch: number) => void
  /** Not allowed: who waits is told, and may be allowed the next time (C-61). */
  readonly denied: (error: KafkaError) => void
  /** There will be none. */
  readonly failed: (error: KafkaError) => void
  /** An attempt is over, well or not. */
  readonly ended: () => void
  /** It is time for another attempt. */
  readonly again: () => void
}

const body: RequestInput<typeof initProducerId> = { transactionalId: null, transactionTimeoutMs: 0x7fffffff }

/** Where an idempotent producer gets its id: from any broker, one request at a time (C-61). */
export class ProducerIdSource {
  readonly #options: ProducerIdOptions
  #isAsking = false
  #retry: Timer | undefined
  #closed = false

  constructor(options: ProducerIdOptions) {
    this.#options = options
  }

  /** A request is under way. */
  get isAsking(): boolean {
    return this.#isAsking
  }

  /** Asks, unless it has asked, or has to wait before it asks again. */
  ask(): void {
    if (this.#isAsking || this.#retry !== undefined || this.#closed) return
    const { connections, metadata } = this.#options
    const node = metadata.leastLoaded()
    if (node === undefined) {
      this.#askLater()
      return
    }
    this.#isAsking = true
    connections
      .request(node, initProducerId, () => body)
      .then(
        ({ errorCode, producerId, producerEpoch }) => {
          if (errorCode === errorCodes.NONE) this.#got(producerId, producerEpoch)
          else this.#gotNone(KafkaError.of(errorCode))
        },
        error => this.#gotNone(error),
      )
  }

  close(): void {
    this.#closed = true
    this.#retry?.cancel()
  }

  #got(producerId: number, producerEpoch: number): void {
    this.#isAsking = false
    this.#options.given(producerId, producerEpoch)
    this.#options.ended()
  }

  #gotNone(error: unknown): void {
    this.#isAsking = false
    if (this.#closed) return
    const { denied, ended, failed } = this.#options
    ended()
    if (!(error instanceof KafkaError)) failed(new KafkaError('UNKNOWN_SERVER_ERROR', String(error)))
    else if (error.errorName === 'CLUSTER_AUTHORIZATION_FAILED') {
      denied(error)
      this.#askLater()
    } else if (error.retriable) this.#askLater()
    else failed(error)
  }

  #askLater(): void {
    const { runtime, retryBackoffMs, isNeeded, again } = this.#options
    if (!isNeeded()) return
    const ask = () => {
      this.#retry = undefined
      again()
    }
    this.#retry = runtime.after(retryBackoffMs, ask, { housekeeping: false })
  }
}
