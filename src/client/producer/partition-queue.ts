import type { ProducerBatch } from './producer-batch.ts'

/** The batches of one partition that are not in a request, oldest first, and where its producer stands (C-34). */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  readonly batches: ProducerBatch[] = []
  /** Batches with a sequence that are not finished, by sequence: in requests, or back in the queue. */
  readonly sequenced: ProducerBatch[] = []
  /** With one request in flight at a time: from drain to completion (C-35). */
  isMuted = false
  producerId = -1
  producerEpoch = -1
  nextSequence = 0
  /** −1: none yet. */
  lastAckedSequence = -1
  lastAckedOffset = -1
  /** A batch was lost without an answer; what follows waits until its fate is clear (C-41). */
  isUnresolved = false

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  get last(): ProducerBatch | undefined {
    return this.batches[this.batches.length - 1]
  }

  /** Nothing that a record could still join. */
  get isFull(): boolean {
    return this.last?.isFull ?? true
  }

  /** Puts batches back, in front of what was never sent; by sequence where there is one (C-35). */
  putBack(batch: ProducerBatch): void {
    let at = 0
    if (batch.hasSequence) {
      const isEarlier = (other: ProducerBatch) => other.hasSequence && other.baseSequence < batch.baseSequence
      while (at < this.batches.length && isEarlier(this.batches[at]!)) at++
    }
    this.batches.splice(at, 0, batch)
  }

  addSequenced(batch: ProducerBatch): void {
    let at = this.sequenced.length
    while (at > 0 && this.sequenced[at - 1]!.baseSequence > batch.baseSequence) at--
    this.sequenced.splice(at, 0, batch)
  }

  removeSequenced(batch: ProducerBatch): void {
    const at = this.sequenced.indexOf(batch)
    if (at >= 0) this.sequenced.splice(at, 1)
  }

  remove(batch: ProducerBatch): void {
    const at = this.batches.indexOf(batch)
    if (at >= 0) this.batches.splice(at, 1)
  }
}
