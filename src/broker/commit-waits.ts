import type { ErrorName } from '../wire/errors.ts'

/** Somebody who waits until everything below `offset` is committed (an acks=all request), or gone from every replica. */
export interface CommitWait {
  readonly offset: number
  /** Undefined: it is committed, and on enough replicas; or it is gone. */
  settle(error: ErrorName | undefined): void
}

/**
 * Kafka's purgatory for acks=all, for one partition: settled by the high watermark, or by the loss of leadership. Its
 * purgatory for DeleteRecords is the same with the low watermark.
 */
export class CommitWaits {
  #waits: CommitWait[] = []

  get size(): number {
    return this.#waits.length
  }

  add(wait: CommitWait): void {
    this.#waits.push(wait)
  }

  /** Timed out, or its connection is gone. */
  remove(wait: CommitWait): void {
    const at = this.#waits.indexOf(wait)
    if (at >= 0) this.#waits.splice(at, 1)
  }

  /** Mostly in order of offsets; a duplicate may wait for an earlier one. */
  reached(watermark: number, error: ErrorName | undefined): void {
    if (this.#waits.length === 0) return
    const still: CommitWait[] = []
    const done: CommitWait[] = []
    for (const wait of this.#waits) (wait.offset <= watermark ? done : still).push(wait)
    this.#waits = still
    for (const wait of done) wait.settle(error)
  }

  fail(error: ErrorName): void {
    const waits = this.#waits
    this.#waits = []
    for (const wait of waits) wait.settle(error)
  }
}
