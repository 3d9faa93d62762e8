import type { Runtime, Timer } from '../../runtime/runtime.ts'
import type { ProducerBatch } from './producer-batch.ts'

export interface ExpiryOptions {
  readonly runtime: Runtime
  readonly deliveryTimeoutMs: number
  /** Batches that are not finished. */
  readonly unfinished: Iterable<ProducerBatch>
  /** Nothing expires now; `settle` is called when that is over. */
  readonly isHeld: () => boolean
  readonly expired: (batch: ProducerBatch) => void
  /** All that are due have expired. */
  readonly done: () => void
}

const active = { housekeeping: false } as const

/**
 * `delivery.timeout.ms`, which counts from the first record of a batch (C-40): one timer, for the batch that is due first.
 * A request that is out of time at the same moment is given up first, as by Kafka's sender, so that its batch is known not
 * to be on its way any more.
 */
export class BatchExpiry {
  readonly #options: ExpiryOptions
  #timer: Timer | undefined
  #isOverdue = false

  constructor(options: ExpiryOptions) {
    this.#options = options
  }

  /** There may be another batch to watch. */
  arm(): void {
    if (this.#timer !== undefined) return
    const { runtime, deliveryTimeoutMs, unfinished } = this.#options
    let earliest = Number.POSITIVE_INFINITY
    for (const { createdAt } of unfinished) if (createdAt < earliest) earliest = createdAt
    if (earliest === Number.POSITIVE_INFINITY) return
    const ms = Math.max(0, earliest + deliveryTimeoutMs - runtime.now())
    this.#timer = runtime.after(
      ms,
      () => {
        this.#timer = runtime.after(
          0,
          () => {
            this.#timer = undefined
            this.#expire()
          },
          active,
        )
      },
      active,
    )
  }

  /** What was held may expire. */
  settle(): void {
    if (this.#isOverdue) this.#expire()
  }

  cancel(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #expire(): void {
    this.#isOverdue = this.#options.isHeld()
    if (this.#isOverdue) return
    const { runtime, deliveryTimeoutMs, unfinished, expired, done } = this.#options
    const latest = runtime.now() - deliveryTimeoutMs
    for (const batch of [...unfinished]) if (batch.createdAt <= latest) expired(batch)
    this.arm()
    done()
  }
}
