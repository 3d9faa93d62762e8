import { incrementSequence, type RecordBatch } from '../wire/record-batch.ts'

/** How many batches of a producer are remembered (I-1; ProducerStateEntry.NUM_BATCHES_TO_RETAIN). */
export const RETAINED_BATCHES = 5

/** One remembered batch (I-1; BatchMetadata). */
export interface BatchFacts {
  readonly lastSequence: number
  readonly lastOffset: number
  readonly offsetDelta: number
  /** The batch's largest timestamp, milliseconds since the epoch. */
  readonly timestamp: number
}

/** What a partition knows of one producer (I-1; ProducerStateEntry). Changed only by `ProducerStates`. */
export class ProducerState {
  readonly producerId: number
  /** −1 while none is known. */
  producerEpoch = -1
  /** Of the last marker; −1 before the first. */
  coordinatorEpoch = -1
  lastTimestamp = -1
  /** Where its open transaction begins here; −1 without one. */
  currentTransactionFirstOffset = -1
  /** Oldest first, at most five. */
  batches: BatchFacts[] = []

  constructor(producerId: number) {
    this.producerId = producerId
  }

  /** −1 when no batch is kept (I-17). */
  get lastSequence(): number {
    return this.batches.at(-1)?.lastSequence ?? -1
  }

  /** −1 when no batch is kept. */
  get lastOffset(): number {
    return this.batches.at(-1)?.lastOffset ?? -1
  }

  get inTransaction(): boolean {
    return this.currentTransactionFirstOffset >= 0
  }

  /** The remembered batch with this one's epoch and exactly its sequences (I-4; findDuplicateBatch). */
  duplicateOf(batch: RecordBatch): BatchFacts | undefined {
    if (batch.producerEpoch !== this.producerEpoch) return undefined
    const { baseSequence, lastSequence } = batch
    return this.batches.find(facts => facts.lastSequence === lastSequence && firstSequenceOf(facts) === baseSequence)
  }

  addBatch(producerEpoch: number, facts: BatchFacts): void {
    this.takeEpoch(producerEpoch)
    if (this.batches.length === RETAINED_BATCHES) this.batches.shift()
    this.batches.push(facts)
    this.lastTimestamp = facts.timestamp
  }

  /** Another epoch than before: its predecessor's batches no longer count (I-2). */
  takeEpoch(producerEpoch: number): void {
    if (producerEpoch === this.producerEpoch) return
    this.producerEpoch = producerEpoch
    this.batches = []
  }

  /** As a restart finds it: snapshots hold one batch per producer (I-14). */
  keepLastBatch(): void {
    if (this.batches.length > 1) this.batches = this.batches.slice(-1)
  }
}

/** With wrap (B-3): the other way round than `incrementSequence`. */
export function firstSequenceOf(facts: BatchFacts): number {
  const first = facts.lastSequence - facts.offsetDelta
  return first < 0 ? first + 0x80000000 : first
}

/** Is `next` the sequence that follows `last` (I-7.4)? */
export function inSequence(last: number, next: number): boolean {
  return next === (last === -1 ? 0 : incrementSequence(last, 1))
}
