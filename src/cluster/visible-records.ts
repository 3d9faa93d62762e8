import type { ReplicaLog } from '../log/replica-log.ts'
import { controlTypeOf, transactionMarkerOf } from '../wire/control-record.ts'
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

function addRecords(found: VisibleRecord[], batch: RecordBatch, startOffset: number): void {
  for (const record of iterateRecords(batch)) {
    // DeleteRecords may have raised the start into the middle of a batch.
    if (record.offset < startOffset) continue
    found.push({ record, control: batch.isControl ? (controlTypeOf(record) ?? 'UNKNOWN') : undefined })
  }
}

/** Goes along with a reader and knows which batches belong to transactions that were aborted. */
class Aborted {
  readonly #coming: { readonly producerId: number; readonly firstOffset: number }[]
  readonly #producerIds = new Set<number>()

  constructor(log: ReplicaLog, bound: number) {
    const transactions = log.startOffset < bound ? log.abortedTransactions(log.startOffset, bound) : []
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
