import type { Runtime } from '../runtime/runtime.ts'
import type { RecordBatch } from '../wire/record-batch.ts'
import type { StoreFault } from './faulty-store.ts'

/** Done at once, or later: a store in memory answers without a promise, and virtual time needs no hop for it. */
export type Eventually<T> = T | Promise<T>

export interface StoreBounds {
  readonly startOffset: number
  readonly endOffset: number
}

/**
 * Keeps one replica's batches. Offsets are decided above; a store only remembers. It knows nothing of acks, in-sync
 * sets, idempotence or transactions: those are rebuilt by reading the log, as Kafka does on restart.
 *
 * `crash` of a broker loses nothing that was appended; `powerOff` loses what was not flushed (`lost()` of the memory store).
 */
export interface LogStore {
  open(): Eventually<StoreBounds>
  /** Exactly at the end (the batch's base may lie higher: compaction leaves gaps), or refused. */
  append(expectedEnd: number, batch: RecordBatch): Eventually<void>
  /** Whole batches from the one that contains or follows `from`; at least one where there is one, then while they fit. */
  read(from: number, maxBytes: number): Eventually<RecordBatch[]>
  /** A follower that diverged; whole batches: answers the end that is left. */
  truncateTo(end: number): Eventually<number>
  /** Retention, DeleteRecords: batches that end before `start` may go. */
  trimBefore(start: number): Eventually<void>
  /** Compaction: every batch in [from, to) gives way to `batches`. */
  replace(from: number, to: number, batches: readonly RecordBatch[]): Eventually<void>
  /** A follower whose leader begins later: empty, from `start` on. */
  resetTo(start: number): Eventually<void>
  /** What `powerOff` cannot take: everything below `end`. */
  flush(end: number): Eventually<void>
  /** Checkpoints: high watermark, log start, producer snapshot. Durable at once. */
  save(name: string, bytes: Uint8Array): Eventually<void>
  load(name: string): Eventually<Uint8Array | undefined>
  close(): Eventually<void>
}

/** Where the stores of a cluster come from: one store for each replica, the same again after a restart. */
export interface LogStores {
  /** The store does real I/O, so that virtual time cannot hold it. */
  readonly realIo: boolean
  store(replica: ReplicaName): LogStore
  /** The disk of one broker is emptied (`restart({ disk: 'empty' })`). */
  wipe(broker: number): Eventually<void>
  /** Power loss of one broker: what was not flushed is gone. */
  powerOff(broker: number): Eventually<void>
  /** The replica was deleted (topic deletion, reassignment). */
  remove(replica: ReplicaName): Eventually<void>
  close(): Eventually<void>
  /** The cluster hands over its time before anything is opened; `fired` puts a fault of the store into the trace. */
  bind?(runtime: Runtime, fired: (fault: StoreFault) => void): void
}

export interface ReplicaName {
  readonly broker: number
  readonly topic: string
  readonly topicId: string
  readonly partition: number
}
