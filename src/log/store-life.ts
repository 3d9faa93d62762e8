import { KafkaError } from '../wire/errors.ts'
import type { RecordBatch } from '../wire/record-batch.ts'
import type { Eventually, LogStore, StoreBounds } from './log-store.ts'

/**
 * A store as one life of a broker holds it. When that life ends, whatever still goes on in it can write no more: the store
 * may already belong to the restarted broker. Reading stays harmless.
 */
export class StoreOfALife implements LogStore {
  readonly #store: LogStore
  #ended = false

  constructor(store: LogStore) {
    this.#store = store
  }

  get ended(): boolean {
    return this.#ended
  }

  end(): void {
    this.#ended = true
  }

  #living(): LogStore {
    if (this.#ended) throw new KafkaError('KAFKA_STORAGE_ERROR', 'the life that held this log has ended')
    return this.#store
  }

  open(): Eventually<StoreBounds> {
    return this.#living().open()
  }

  append(expectedEnd: number, batch: RecordBatch): Eventually<void> {
    return this.#living().append(expectedEnd, batch)
  }

  read(from: number, maxBytes: number): Eventually<RecordBatch[]> {
    return this.#store.read(from, maxBytes)
  }

  truncateTo(end: number): Eventually<number> {
    return this.#living().truncateTo(end)
  }

  trimBefore(start: number): Eventually<void> {
    return this.#living().trimBefore(start)
  }

  replace(from: number, to: number, batches: readonly RecordBatch[]): Eventually<void> {
    return this.#living().replace(from, to, batches)
  }

  resetTo(start: number): Eventually<void> {
    return this.#living().resetTo(start)
  }

  flush(end: number): Eventually<void> {
    return this.#living().flush(end)
  }

  save(name: string, bytes: Uint8Array): Eventually<void> {
    return this.#living().save(name, bytes)
  }

  load(name: string): Eventually<Uint8Array | undefined> {
    return this.#store.load(name)
  }

  close(): Eventually<void> {
    return this.#living().close()
  }
}
