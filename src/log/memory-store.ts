import { ConfigError, KafkaError } from '../wire/errors.ts'
import type { RecordBatch } from '../wire/record-batch.ts'
import type { LogStore, LogStores, ReplicaName, StoreBounds, StoresBeginning } from './log-store.ts'

/**
 * Logs in memory, the default: batches are kept by reference, every call answers at once. A store outlives the broker
 * that writes to it, as a disk does, so a crash loses nothing; `powerOff` takes what was not flushed (S-42). Cutting and
 * dropping (truncation, trimming, replacing, resetting) and checkpoints are durable at once.
 *
 * A replica that keeps nothing costs one small object: its list and its checkpoints are made when first needed.
 */
export class MemoryStores implements LogStores {
  readonly realIo = false
  readonly #brokers = new Map<number, Map<string, MemoryStore>>()
  readonly #outliveClusters: boolean
  #inUse = false

  /** With `outliveClusters`, the next cluster continues the one before. */
  constructor({ outliveClusters = true }: { readonly outliveClusters?: boolean } = {}) {
    this.#outliveClusters = outliveClusters
  }

  /** @throws {ConfigError} while a cluster has them */
  begin(): StoresBeginning | undefined {
    if (this.#inUse) throw new ConfigError('logs: these are in use by a cluster that is open: close it first')
    this.#inUse = true
    return undefined
  }

  store(replica: ReplicaName): MemoryStore {
    let stores = this.#brokers.get(replica.broker)
    if (stores === undefined) {
      stores = new Map()
      this.#brokers.set(replica.broker, stores)
    }
    const key = keyOf(replica)
    let store = stores.get(key)
    if (store === undefined) {
      store = new MemoryStore()
      stores.set(key, store)
    }
    return store
  }

  wipe(broker: number): void {
    this.#brokers.delete(broker)
  }

  powerOff(broker: number): void {
    for (const store of this.#brokers.get(broker)?.values() ?? []) store.lost()
  }

  remove(replica: ReplicaName): void {
    this.#brokers.get(replica.broker)?.delete(keyOf(replica))
  }

  close(): void {
    this.#inUse = false
    if (!this.#outliveClusters) this.#brokers.clear()
  }
}

function keyOf(replica: ReplicaName): string {
  return `${replica.topicId}/${replica.topic}/${replica.partition}`
}

export class MemoryStore implements LogStore {
  /** In order of offset. */
  #batches: RecordBatch[] | undefined
  #startOffset = 0
  #endOffset = 0
  /** Batches that begin below it are safe from a power loss. */
  #flushedEnd = 0
  #saved: Map<string, Uint8Array> | undefined

  open(): StoreBounds {
    return { startOffset: this.#startOffset, endOffset: this.#endOffset }
  }

  append(expectedEnd: number, batch: RecordBatch): void {
    if (expectedEnd !== this.#endOffset || batch.baseOffset < expectedEnd) {
      throw new KafkaError(
        'KAFKA_STORAGE_ERROR',
        `a batch at ${batch.baseOffset}, for a log that ends at ${expectedEnd}, met a store that ends at ${this.#endOffset}`,
      )
    }
    if (this.#batches === undefined) this.#batches = []
    this.#batches.push(batch)
    this.#endOffset = batch.nextOffset
  }

  read(from: number, maxBytes: number): RecordBatch[] {
    const batches = this.#batches
    const found: RecordBatch[] = []
    if (batches === undefined) return found
    let size = 0
    for (let at = this.#indexOf(from); at < batches.length; at++) {
      const batch = batches[at]!
      size += batch.size
      if (size > maxBytes && found.length > 0) break
      found.push(batch)
    }
    return found
  }

  truncateTo(end: number): number {
    if (end >= this.#endOffset) return this.#endOffset
    const batches = this.#batches
    if (batches !== undefined) {
      let length = batches.length
      while (length > 0 && batches[length - 1]!.nextOffset > end) length--
      batches.length = length
    }
    this.#endsWithItsBatches()
    return this.#endOffset
  }

  trimBefore(start: number): void {
    const batches = this.#batches
    if (start <= this.#startOffset || batches === undefined) return
    const kept = this.#indexOf(start)
    batches.splice(0, kept)
    this.#startOffset = batches[0]?.baseOffset ?? this.#endOffset
  }

  replace(from: number, to: number, replacement: readonly RecordBatch[]): void {
    const batches = this.#batches
    if (batches === undefined) return
    let first = 0
    while (first < batches.length && batches[first]!.baseOffset < from) first++
    let last = first
    while (last < batches.length && batches[last]!.nextOffset <= to) last++
    this.#batches = batches.slice(0, first).concat(replacement, batches.slice(last))
    if (this.#flushedEnd >= from) this.#flushedEnd = Math.max(this.#flushedEnd, Math.min(to, this.#endOffset))
  }

  resetTo(start: number): void {
    this.#batches = undefined
    this.#startOffset = start
    this.#endOffset = start
    this.#flushedEnd = start
  }

  flush(end: number): void {
    this.#flushedEnd = Math.max(this.#flushedEnd, Math.min(end, this.#endOffset))
  }

  save(name: string, bytes: Uint8Array): void {
    if (this.#saved === undefined) this.#saved = new Map()
    this.#saved.set(name, bytes)
  }

  load(name: string): Uint8Array | undefined {
    return this.#saved?.get(name)
  }

  close(): void {}

  /** The power went: what was not flushed is gone. */
  lost(): void {
    const batches = this.#batches
    if (batches === undefined || this.#flushedEnd >= this.#endOffset) return
    let length = batches.length
    while (length > 0 && batches[length - 1]!.baseOffset >= this.#flushedEnd) length--
    batches.length = length
    this.#endsWithItsBatches()
  }

  #endsWithItsBatches(): void {
    this.#endOffset = this.#batches?.at(-1)?.nextOffset ?? this.#startOffset
    this.#flushedEnd = Math.min(this.#flushedEnd, this.#endOffset)
  }

  /** Index of the first batch that ends behind `offset`. */
  #indexOf(offset: number): number {
    const batches = this.#batches!
    let low = 0
    let high = batches.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (batches[middle]!.nextOffset > offset) high = middle
      else low = middle + 1
    }
    return low
  }
}

/**
 * Logs in memory, as every cluster has them by default: to put a store of faults around, or to hand to one cluster after the
 * other, each of which continues the one before.
 */
export function memoryLogs(): MemoryStores {
  return new MemoryStores()
}
