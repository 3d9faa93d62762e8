import type { Eventually, LogStore } from '../log/log-store.ts'
import { metadataBatch } from '../metadata/metadata-batch.ts'
import type { MetadataRecordInput } from '../metadata/records.ts'
import type { RecordBatch } from '../wire/record-batch.ts'

/** Of the one voter: it was elected once, when the cluster was formatted, and stays the leader over its restarts. */
export const METADATA_LEADER_EPOCH = 1
const READ_BYTES = 1 << 20

export interface Appended {
  /** The batch as it was given out; its offsets are assigned at once. */
  readonly batch: RecordBatch
  /** Undefined when the store has it already. */
  readonly stored: Promise<void> | undefined
}

/**
 * The controller's log: `__cluster_metadata`, partition 0. With a single voter what is stored is committed, and since
 * a quorum flushes before it votes (KIP-595) nothing counts as stored before it is flushed.
 *
 * Simplification: one voter, hence no elections and no truncation of this log; and no snapshots: a metadata log of a
 * test run is replayed as a whole.
 */
export class MetadataLog {
  readonly #store: LogStore
  #assignedEndOffset = 0
  #endOffset = 0
  #failure: Error | undefined
  /** Told whenever the stored end has moved. */
  onStored: (() => void) | undefined
  /** Told once, when the store refuses a record. */
  onFailed: ((error: unknown) => void) | undefined

  constructor(store: LogStore) {
    this.#store = store
  }

  /** What is stored and flushed (exclusive): as far as brokers may read. */
  get endOffset(): number {
    return this.#endOffset
  }

  /** The offset of the next record. */
  get nextOffset(): number {
    return this.#assignedEndOffset
  }

  /** Why the store no longer takes anything. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** All batches that the store has, handed over in order. */
  open(replay: (batch: RecordBatch) => void): Eventually<void> {
    const opened = this.#store.open()
    return opened instanceof Promise
      ? opened.then(bounds => this.#replayed(bounds.endOffset, 0, replay))
      : this.#replayed(opened.endOffset, 0, replay)
  }

  #replayed(endOffset: number, from: number, replay: (batch: RecordBatch) => void): Eventually<void> {
    let next = from
    while (next < endOffset) {
      const read = this.#store.read(next, READ_BYTES)
      if (read instanceof Promise) {
        return read.then(batches => this.#replayed(endOffset, replayAll(batches, next, replay), replay))
      }
      next = replayAll(read, next, replay)
    }
    this.#assignedEndOffset = endOffset
    this.#endOffset = endOffset
  }

  append(records: readonly MetadataRecordInput[], now: number): Appended {
    const baseOffset = this.#assignedEndOffset
    const batch = metadataBatch(records, { baseOffset, leaderEpoch: METADATA_LEADER_EPOCH, timestamp: now })
    this.#assignedEndOffset = batch.nextOffset
    const appended = this.#store.append(baseOffset, batch)
    const flushed =
      appended instanceof Promise
        ? appended.then(() => this.#store.flush(batch.nextOffset))
        : this.#store.flush(batch.nextOffset)
    if (!(flushed instanceof Promise)) {
      this.#isStored(batch.nextOffset)
      return { batch, stored: undefined }
    }
    const stored = flushed.then(
      () => this.#isStored(batch.nextOffset),
      error => {
        if (this.#failure === undefined) {
          this.#failure = error as Error
          this.onFailed?.(error)
        }
        throw error
      },
    )
    return { batch, stored }
  }

  #isStored(endOffset: number): void {
    if (endOffset <= this.#endOffset) return
    this.#endOffset = endOffset
    this.onStored?.()
  }

  /** What is kept beside the log. */
  save(name: string, bytes: Uint8Array): Eventually<void> {
    return this.#store.save(name, bytes)
  }

  /** Whole batches below the stored end. */
  read(from: number, maxBytes: number): Eventually<RecordBatch[]> {
    const read = this.#store.read(from, maxBytes)
    return read instanceof Promise ? read.then(batches => this.#below(batches)) : this.#below(read)
  }

  #below(batches: RecordBatch[]): RecordBatch[] {
    const last = batches.at(-1)
    if (last === undefined || last.nextOffset <= this.#endOffset) return batches
    return batches.filter(batch => batch.nextOffset <= this.#endOffset)
  }

  close(): Eventually<void> {
    return this.#store.close()
  }
}

function replayAll(batches: readonly RecordBatch[], from: number, replay: (batch: RecordBatch) => void): number {
  if (batches.length === 0) throw new Error(`the metadata log has nothing at offset ${from}, which it should`)
  for (const batch of batches) replay(batch)
  return batches.at(-1)!.nextOffset
}
