import { errorCodes, errorOf } from '../../../wire/errors.ts'
import type { PartitionQueue } from '../partition-queue.ts'
import type { ProducerBatch } from '../producer-batch.ts'
import { ProducerSequences } from '../producer-sequences.ts'

/**
 * Sequences of a transactional producer: its epoch is the coordinator's to raise, so a gap that cannot be closed is the end of
 * the transaction (C-52, C-53).
 */
export class TransactionalSequences extends ProducerSequences {
  readonly #gap: (queue: PartitionQueue) => void

  constructor(gap: (queue: PartitionQueue) => void) {
    super()
    this.#gap = gap
  }

  override requestBump(): void {}

  protected override leftGap(queue: PartitionQueue): void {
    this.#gap(queue)
  }

  override canRetry(batch: ProducerBatch, errorCode: number, logStartOffset: number): boolean {
    const { queue } = batch
    if (errorCode === errorCodes.UNKNOWN_PRODUCER_ID) {
      if (logStartOffset === -1 || batch.wasResequenced) return true
      if (queue.lastAckedOffset >= logStartOffset) return false
      this.restart(queue)
      return true
    }
    if (errorCode === errorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER) {
      return !queue.isUnresolved && !this.isNext(batch)
    }
    return errorOf(errorCode).retriable
  }
}
