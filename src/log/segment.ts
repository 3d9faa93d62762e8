import type { RecordBatch } from '../wire/record-batch.ts'

/** What a segment counts of a batch. */
export type BatchNumbers = Pick<RecordBatch, 'baseOffset' | 'lastOffset' | 'maxTimestamp' | 'size'>

/**
 * One segment of a log: facts above the store, which knows no segments (S-1, S-40). Of each batch four numbers are kept,
 * from which the sparse indexes follow; a segment of an earlier life knows its sums only, until somebody needs more.
 */
export class Segment {
  readonly baseOffset: number
  /** Wall clock, milliseconds: what roll and retention fall back on where records have no timestamps (S-1, S-13). */
  readonly createdAt: number
  modifiedAt: number
  /** Bytes of all batches. */
  size = 0
  /** Largest timestamp of the first batch; −1 for none. Rolling counts from it (S-1). */
  firstTimestamp = -1
  largestTimestamp = -1
  /** Last offset of the first batch with the largest timestamp. */
  largestTimestampOffset = -1
  /** Are the numbers of each batch here? Of a segment of an earlier life only those are that came since, until `complete`. */
  known = true
  /** Of each batch: base offset, last offset, position in bytes, largest timestamp. */
  baseOffsets: number[] = none
  lastOffsets: number[] = none
  positions: number[] = none
  timestamps: number[] = none
  /** Entries that the sparse indexes would have (S-1: a full index rolls). */
  offsetEntries = 0
  timeEntries = 0
  #sinceEntry = 0
  #indexedTimestamp = -1

  constructor(baseOffset: number, now: number) {
    this.baseOffset = baseOffset
    this.createdAt = now
    this.modifiedAt = now
  }

  get isEmpty(): boolean {
    return this.size === 0
  }

  /** Largest record timestamp, or the time of the last write where no record has one (S-13). */
  get age(): number {
    return this.largestTimestamp >= 0 ? this.largestTimestamp : this.modifiedAt
  }

  add(batch: BatchNumbers, indexIntervalBytes: number, now: number): void {
    if (this.baseOffsets === none) this.forgetBatches(this.known)
    if (this.size === 0) this.firstTimestamp = batch.maxTimestamp
    if (batch.maxTimestamp > this.largestTimestamp) {
      this.largestTimestamp = batch.maxTimestamp
      this.largestTimestampOffset = batch.lastOffset
    }
    if (this.#sinceEntry > indexIntervalBytes) this.#entry()
    this.#sinceEntry += batch.size
    this.baseOffsets.push(batch.baseOffset)
    this.lastOffsets.push(batch.lastOffset)
    this.positions.push(this.size)
    this.timestamps.push(batch.maxTimestamp)
    this.size += batch.size
    this.modifiedAt = now
  }

  #entry(): void {
    this.offsetEntries++
    if (this.largestTimestamp > this.#indexedTimestamp) {
      this.timeEntries++
      this.#indexedTimestamp = this.largestTimestamp
    }
    this.#sinceEntry = 0
  }

  /** Drops what is counted of batches, to be counted again (`known`), or on demand. */
  forgetBatches(known: boolean): void {
    this.known = known
    this.baseOffsets = []
    this.lastOffsets = []
    this.positions = []
    this.timestamps = []
    this.offsetEntries = 0
    this.timeEntries = 0
    this.#sinceEntry = 0
    this.#indexedTimestamp = -1
  }

  /** Counted again from its batches: after truncation, compaction, a restart. */
  rebuild(batches: readonly BatchNumbers[], indexIntervalBytes: number): void {
    const { modifiedAt } = this
    this.forgetBatches(true)
    this.size = 0
    this.firstTimestamp = -1
    this.largestTimestamp = -1
    this.largestTimestampOffset = -1
    for (const batch of batches) this.add(batch, indexIntervalBytes, modifiedAt)
    this.modifiedAt = modifiedAt
  }

  /** What was not known of it: batches of earlier lives, before those that came since. */
  complete(earlier: readonly BatchNumbers[], indexIntervalBytes: number): void {
    const since = this.baseOffsets[0] ?? Number.POSITIVE_INFINITY
    const before = earlier.filter(batch => batch.baseOffset < since)
    this.rebuild([...before, ...this.#batches()], indexIntervalBytes)
  }

  /** Whole batches that end behind `endOffset` are gone. Only for a segment whose batches are known. */
  truncateTo(endOffset: number, indexIntervalBytes: number): void {
    const kept = this.#batches().filter(batch => batch.lastOffset < endOffset)
    if (kept.length < this.lastOffsets.length) this.rebuild(kept, indexIntervalBytes)
  }

  #batches(): BatchNumbers[] {
    const { baseOffsets, lastOffsets, positions, timestamps, size } = this
    return baseOffsets.map((baseOffset, at) => ({
      baseOffset,
      lastOffset: lastOffsets[at]!,
      maxTimestamp: timestamps[at]!,
      size: (positions[at + 1] ?? size) - positions[at]!,
    }))
  }

  /** Are the numbers here of the batch that contains or follows `offset`? */
  knows(offset: number): boolean {
    return this.known || offset >= (this.baseOffsets[0] ?? Number.POSITIVE_INFINITY)
  }

  /** Bytes before the first batch that ends behind `offset`, which has to be known; the size where there is none. */
  positionOf(offset: number): number {
    return this.positions[this.indexOf(offset)] ?? this.size
  }

  /** Index of the first batch that ends behind `offset`. */
  indexOf(offset: number): number {
    const { lastOffsets } = this
    let low = 0
    let high = lastOffsets.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (lastOffsets[middle]! >= offset) high = middle
      else low = middle + 1
    }
    return low
  }

  /** The sparse indexes as Kafka would have written them; a closed segment ends its time index with its largest (S-40). */
  indexes(indexIntervalBytes: number, closed: boolean): SegmentIndexes {
    const offsetIndex: { offset: number; position: number }[] = []
    const timeIndex: { timestamp: number; offset: number }[] = []
    let largest = { timestamp: -1, offset: -1 }
    let indexed = -1
    let sinceEntry = 0
    const entry = () => {
      if (largest.timestamp > indexed) timeIndex.push(largest)
      indexed = Math.max(indexed, largest.timestamp)
    }
    for (let at = 0; at < this.positions.length; at++) {
      const timestamp = this.timestamps[at]!
      if (timestamp > largest.timestamp) largest = { timestamp, offset: this.lastOffsets[at]! }
      if (sinceEntry > indexIntervalBytes) {
        offsetIndex.push({ offset: this.lastOffsets[at]!, position: this.positions[at]! })
        entry()
        sinceEntry = 0
      }
      sinceEntry += (this.positions[at + 1] ?? this.size) - this.positions[at]!
    }
    if (closed) entry()
    return { offsetIndex, timeIndex }
  }
}

/** Shared by all segments without a batch: an idle replica costs no lists. Never written to. */
const none: number[] = []

export interface SegmentIndexes {
  readonly offsetIndex: readonly { offset: number; position: number }[]
  readonly timeIndex: readonly { timestamp: number; offset: number }[]
}
