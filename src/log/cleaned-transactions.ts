import { transactionMarkerOf } from '../wire/control-record.ts'
import type { RecordBatch } from '../wire/record-batch.ts'
import type { AbortedEntry } from './aborted-transactions.ts'

/**
 * Follows the transactions of a log while it is gone through from its beginning (S-23; CleanedTransactionMetadata): which
 * data was aborted, and which markers have nothing left to say.
 */
export class CleanedTransactions {
  readonly #waiting: AbortedEntry[]
  readonly #aborted = new Map<number, { readonly entry: AbortedEntry; seen: boolean }>()
  readonly #committed = new Set<number>()
  /** Aborted transactions that still have data, or had it until this cleaning. */
  readonly kept: AbortedEntry[] = []

  constructor(aborted: readonly AbortedEntry[]) {
    this.#waiting = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset)
  }

  /** Data: was it aborted, so that it can go at once? */
  isAborted(batch: RecordBatch): boolean {
    if (!batch.isTransactional) return false
    this.#begin(batch.lastOffset)
    const aborted = this.#aborted.get(batch.producerId)
    if (aborted === undefined) {
      this.#committed.add(batch.producerId)
      return false
    }
    aborted.seen = true
    return true
  }

  /** A marker: has its transaction no data left, so that it may go once its own horizon has passed? */
  isSpent(batch: RecordBatch): boolean {
    this.#begin(batch.lastOffset)
    const marker = transactionMarkerOf(batch)
    if (marker === undefined) return false
    if (marker.type === 'COMMIT') return !this.#committed.delete(batch.producerId)
    const aborted = this.#aborted.get(batch.producerId)
    this.#aborted.delete(batch.producerId)
    if (aborted?.seen !== true) return true
    this.kept.push(aborted.entry)
    return false
  }

  #begin(upToOffset: number): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.firstOffset <= upToOffset) {
      const entry = this.#waiting.shift()!
      this.#aborted.set(entry.producerId, { entry, seen: false })
    }
  }
}
