/** How far an estimate sinks with a batch that compressed better, and rises at the least with one that did worse. */
const IMPROVING_STEP = 0.005
const DETERIORATING_STEP = 0.05
/** Room for an estimate that is a little too good. */
const CAUTION = 1.05

/** How well the records of a topic compress, learnt from its batches (C-30; Kafka's CompressionRatioEstimator). */
export class CompressionRatio {
  #ratio = 1

  get ratio(): number {
    return this.#ratio
  }

  /** Bytes that `plain` bytes of records will probably take. */
  estimate(plain: number): number {
    return Math.floor(plain * this.#ratio * CAUTION)
  }

  observed(ratio: number): void {
    if (ratio > this.#ratio) this.#ratio = Math.max(this.#ratio + DETERIORATING_STEP, ratio)
    else if (ratio < this.#ratio) this.#ratio = Math.max(this.#ratio - IMPROVING_STEP, ratio)
  }

  /** A batch was too large for the broker: estimates were too good. */
  reset(ratio: number): void {
    this.#ratio = Math.max(1, ratio)
  }
}
