import type { Eventually } from '../log/log-store.ts'
import type { ReplicaLog } from '../log/replica-log.ts'
import { controlTypeOf, type TransactionMarker, transactionMarkerOf } from '../wire/control-record.ts'
import { iterateRecords, type LogRecord } from '../wire/record.ts'
import type { RecordBatch } from '../wire/record-batch.ts'

export type Isolation = 'read_committed' | 'read_uncommitted'

/** Below the high watermark, or the last stable offset. */
export function boundOf(log: ReplicaLog, isolation: Isolation): number {
  return isolation === 'read_committed' ? log.lastStableOffset : log.highWatermark
}

/** A record that a consumer may see; `control`: one that consumers pass over, and what it says. */
export interface VisibleRecord {
  readonly record: LogRecord
  readonly control: string | undefined
  /** What ended a transaction here. */
  readonly marker?: TransactionMarker | undefined
}

const READ_BYTES = 1 << 20

/** All that a consumer of this isolation may read of a log now, with control records; aborted ones are left out (F-9). */
export async function visibleRecords(log: ReplicaLog, isolation: Isolation): Promise<VisibleRecord[]> {
  const bound = boundOf(log, isolation)
  const found: VisibleRecord[] = []
  const aborted = isolation === 'read_committed' ? new Aborted(log, bound) : undefined
  let offset = log.startOffset
  while (offset < bound) {
    const reading = log.read(offset, READ_BYTES, bound, { minOneBatch: true })
    const batches = reading instanceof Promise ? await reading : reading
    if (batches.length === 0) break
    for (const batch of batches) {
      offset = batch.nextOffset
      if (aborted?.hides(batch)) continue
      addRecords(found, batch, log.startOffset)
    }
  }
  return found
}

/**
 * How many records from an offset on a consumer of this isolation may read now: control records, aborted ones and what
 * compaction took are no records. At once where the store answers at once; batches without gaps are not even opened.
 */
export function countVisible(log: ReplicaLog, from: number, isolation: Isolation): Eventually<number> {
  const bound = boundOf(log, isolation)
  const start = Math.max(from, log.startOffset)
  const aborted = isolation === 'read_committed' ? new Aborted(log, bound, start) : undefined
  let count = 0
  let offset = start
  const add = (batches: readonly RecordBatch[]): boolean => {
    for (const batch of batches) {
      offset = batch.nextOffset
      if (aborted?.hides(batch) || batch.isControl) continue
      count += countFrom(batch, start)
    }
    return batches.length > 0
  }
  const step = (): Eventually<number> => {
    while (offset < bound) {
      const reading = log.read(offset, READ_BYTES, bound, { minOneBatch: true })
      if (reading instanceof Promise) return reading.then(batches => (add(batches) ? step() : count))
      if (!add(reading)) break
    }
    return count
  }
  return step()
}

function countFrom(batch: RecordBatch, start: number): number {
  const { baseOffset, lastOffset, count } = batch
  if (start <= baseOffset) return count
  if (count === lastOffset - baseOffset + 1) return lastOffset - start + 1
  let found = 0
  for (const record of iterateRecords(batch)) if (record.offset >= start) found++
  return found
}

function addRecords(found: VisibleRecord[], batch: RecordBatch, startOffset: number): void {
  const marker = transactionMarkerOf(batch)
  for (const record of iterateRecords(batch)) {
    // DeleteRecords may have raised the start into the middle of a batch.
    if (record.offset < startOffset) continue
    found.push({ record, control: batch.isControl ? (controlTypeOf(record) ?? 'UNKNOWN') : undefined, marker })
  }
}

/** Goes along with a reader and knows which batches belong to transactions that were aborted. */
class Aborted {
  readonly #coming: { readonly producerId: number; readonly firstOffset: number }[]
  readonly #producerIds = new Set<number>()

  constructor(log: ReplicaLog, bound: number, from = log.startOffset) {
    const transactions = from < bound ? log.abortedTransactions(from, bound) : []
    this.#coming = [...transactions].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  hides(batch: RecordBatch): boolean {
    while (this.#coming.length > 0 && this.#coming[0]!.firstOffset <= batch.lastOffset) {
      this.#producerIds.add(this.#coming.shift()!.producerId)
    }
    if (batch.isControl) {
      if (transactionMarkerOf(batch)?.type === 'ABORT') this.#producerIds.delete(batch.producerId)
      return false
    }
    return batch.isTransactional && this.#producerIds.has(batch.producerId)
  }
}
