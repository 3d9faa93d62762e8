import type { ErrorName } from '../../wire/errors.ts'
import { errorCodes, errorOf } from '../../wire/errors.ts'
import { incrementSequence } from '../../wire/record-batch.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProducerBatch } from './producer-batch.ts'

const LAST_EPOCH = 0x7fff

/** Errors after which a producer with a producer id can do nothing more (C-54). */
const fatalErrors: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'CLUSTER_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'PRODUCER_FENCED',
  'UNSUPPORTED_VERSION',
  'INVALID_PRODUCER_ID_MAPPING',
])

/**
 * What makes a producer idempotent (Kafka's TransactionManager, without transactions): its id and epoch, and for each
 * partition the sequence of the next batch. A gap that cannot be closed is left behind by raising the epoch, where
 * sequences begin at 0 again (KIP-360).
 */
export class ProducerSequences {
  /** −1 until the cluster has given one. */
  producerId = -1
  producerEpoch = -1
  readonly #toRestart = new Set<PartitionQueue>()
  readonly #unresolved = new Set<PartitionQueue>()
  #mustBump = false

  get hasId(): boolean {
    return this.producerId >= 0
  }

  isFatal(error: ErrorName): boolean {
    return fatalErrors.has(error)
  }

  get identity(): { readonly producerId: number; readonly producerEpoch: number } {
    return { producerId: this.producerId, producerEpoch: this.producerEpoch }
  }

  /** Another epoch leaves behind what nobody knows of the last. */
  given(producerId: number, producerEpoch: number): void {
    this.producerId = producerId
    this.producerEpoch = producerEpoch
    for (const queue of this.#unresolved) queue.isUnresolved = false
    this.#unresolved.clear()
  }

  /** Called before anything is drained: settles what lost batches left open, and raises the epoch where need be. */
  refresh(): void {
    for (const queue of this.#unresolved) {
      if (queue.sequenced.length > 0) continue
      this.#unresolved.delete(queue)
      queue.isUnresolved = false
      // All that followed was taken, so what was lost must have been appended.
      if (queue.nextSequence !== following(queue.lastAckedSequence)) this.leftGap(queue)
    }
    if (!this.#mustBump) return
    this.#mustBump = false
    if (this.producerEpoch === LAST_EPOCH) this.producerId = -1
    else this.producerEpoch++
    for (const queue of this.#toRestart) {
      this.restart(queue)
      this.#unresolved.delete(queue)
      queue.isUnresolved = false
    }
    this.#toRestart.clear()
  }

  protected leftGap(queue: PartitionQueue): void {
    this.requestBump(queue)
  }

  requestBump(queue: PartitionQueue): void {
    this.#mustBump = true
    this.#toRestart.add(queue)
  }

  /** Whether the head of a queue may be drained (C-34). */
  mayDrain(queue: PartitionQueue, head: ProducerBatch): boolean {
    if (!this.hasId) return false
    const first = queue.sequenced[0]
    if (head.hasSequence) return first === undefined || first === head
    if (queue.isUnresolved) return false
    return first === undefined || !this.#isStale(queue)
  }

  /** Gives a batch its place, when it is drained for the first time. */
  stamp(queue: PartitionQueue, batch: ProducerBatch): void {
    if (batch.hasSequence) return
    if (this.#isStale(queue) && queue.sequenced.length === 0) this.restart(queue)
    batch.producerId = this.producerId
    batch.producerEpoch = this.producerEpoch
    batch.baseSequence = queue.nextSequence
    queue.nextSequence = incrementSequence(queue.nextSequence, batch.count)
    queue.addSequenced(batch)
  }

  /** The parts of a batch keep its sequences (C-44). */
  inherit(batch: ProducerBatch, parts: readonly ProducerBatch[]): void {
    const { queue } = batch
    queue.removeSequenced(batch)
    let sequence = batch.baseSequence
    for (const part of parts) {
      part.producerId = batch.producerId
      part.producerEpoch = batch.producerEpoch
      part.baseSequence = sequence
      sequence = incrementSequence(sequence, part.count)
      queue.addSequenced(part)
    }
  }

  completed(batch: ProducerBatch, baseOffset: number): void {
    const { queue } = batch
    queue.removeSequenced(batch)
    if (batch.producerEpoch !== queue.producerEpoch || batch.producerId !== queue.producerId) return
    const { lastSequence } = batch
    if (lastSequence > queue.lastAckedSequence || queue.lastAckedSequence - lastSequence > 0x40000000) {
      queue.lastAckedSequence = lastSequence
    }
    if (baseOffset >= 0) queue.lastAckedOffset = Math.max(queue.lastAckedOffset, baseOffset + batch.count - 1)
  }

  /** `mayHaveGap`: it failed before its retries were used up, so its sequence is known not to be taken (C-41). */
  failed(batch: ProducerBatch, error: ErrorName | undefined, mayHaveGap: boolean): void {
    if (!batch.hasSequence) return
    const { queue } = batch
    queue.removeSequenced(batch)
    if (error !== undefined && this.isFatal(error)) return
    if (error === 'UNKNOWN_PRODUCER_ID') this.restart(queue)
    else if (error === 'OUT_OF_ORDER_SEQUENCE_NUMBER' || mayHaveGap) this.requestBump(queue)
  }

  /** For tests of checkers: the batch will have another sequence, as if it had never been sent. */
  forget(batch: ProducerBatch): void {
    batch.queue.removeSequenced(batch)
    batch.baseSequence = -1
  }

  /** It timed out after a re-send: nobody knows whether its sequence is taken (C-41). */
  leftOpen(batch: ProducerBatch): void {
    if (!batch.hasSequence || this.#toRestart.has(batch.queue)) return
    batch.queue.isUnresolved = true
    this.#unresolved.add(batch.queue)
  }

  /** Whether another attempt may help (C-52, C-53); raises the epoch where only that does. */
  canRetry(batch: ProducerBatch, errorCode: number, logStartOffset: number): boolean {
    const { queue } = batch
    if (errorCode === errorCodes.UNKNOWN_PRODUCER_ID) {
      if (logStartOffset !== -1 && !batch.wasResequenced) this.requestBump(queue)
      return true
    }
    if (errorCode === errorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER) {
      if (queue.isUnresolved || (!batch.wasResequenced && this.isNext(batch))) this.requestBump(queue)
      return true
    }
    return errorOf(errorCode).retriable
  }

  /** All before it was taken. */
  protected isNext({ baseSequence, queue }: ProducerBatch): boolean {
    return baseSequence === following(queue.lastAckedSequence)
  }

  #isStale(queue: PartitionQueue): boolean {
    return queue.producerId !== this.producerId || queue.producerEpoch !== this.producerEpoch
  }

  /** Sequences from 0 on, under the producer's present epoch: also for what is on its way already. */
  protected restart(queue: PartitionQueue): void {
    let sequence = 0
    for (const batch of queue.sequenced) {
      batch.producerId = this.producerId
      batch.producerEpoch = this.producerEpoch
      batch.baseSequence = sequence
      batch.wasResequenced = true
      sequence = incrementSequence(sequence, batch.count)
    }
    queue.producerId = this.producerId
    queue.producerEpoch = this.producerEpoch
    queue.nextSequence = sequence
    queue.lastAckedSequence = -1
  }
}

function following(sequence: number): number {
  return sequence < 0 ? 0 : incrementSequence(sequence, 1)
}
