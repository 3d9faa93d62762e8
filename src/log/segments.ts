import type { RecordBatch } from '../wire/record-batch.ts'
import { type LogConfig, segmentBytes } from './log-config.ts'
import { type BatchNumbers, Segment } from './segment.ts'

/** Entries of Kafka's two index files, in bytes: what `segment.index.bytes` is divided by (S-1). */
const OFFSET_ENTRY_BYTES = 8
const TIME_ENTRY_BYTES = 12
const MAX_RELATIVE_OFFSET = 0x7fffffff

/** The segments of one log, in order, never empty: the last one is active (S-1, S-2; LocalLog, LogSegment). */
export class Segments {
  #segments: Segment[]
  /** Bytes of all batches. */
  size = 0
  /** Of the active segment, drawn when it began (S-1). */
  #jitterMs = 0
  #jitter = () => 0

  constructor(startOffset: number, now: number) {
    this.#segments = [new Segment(startOffset, now)]
  }

  /** Where each segment's part of `segment.jitter.ms` comes from; the first is drawn at once. */
  drawJitter(jitter: () => number): void {
    this.#jitter = jitter
    this.#jitterMs = jitter()
  }

  get all(): readonly Segment[] {
    return this.#segments
  }

  get active(): Segment {
    return this.#segments[this.#segments.length - 1]!
  }

  get first(): Segment {
    return this.#segments[0]!
  }

  /** Index of the segment whose range holds `offset`; 0 for what lies before. */
  indexOf(offset: number): number {
    let low = 0
    let high = this.#segments.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#segments[middle]!.baseOffset <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  /** Where the segment of this index ends; Infinity for the active one. */
  endOf(index: number): number {
    return this.#segments[index + 1]?.baseOffset ?? Number.POSITIVE_INFINITY
  }

  /** Must a new segment begin before this batch (S-1)? Strictly: at exactly the limit it need not. */
  mustRoll(batch: BatchNumbers, config: LogConfig, now: number): boolean {
    const { active } = this
    if (active.isEmpty) return false
    if (active.size + batch.size > segmentBytes(config)) return true
    const since = active.firstTimestamp >= 0 ? batch.maxTimestamp - active.firstTimestamp : now - active.createdAt
    if (since > config['segment.ms'] - this.#jitterMs) return true
    const indexBytes = config['segment.index.bytes']
    return (
      active.offsetEntries >= Math.floor(indexBytes / OFFSET_ENTRY_BYTES) ||
      active.timeEntries >= Math.floor(indexBytes / TIME_ENTRY_BYTES) - 1 ||
      batch.lastOffset - active.baseOffset > MAX_RELATIVE_OFFSET
    )
  }

  /** A new active segment, from the log's end on (S-2). */
  roll(endOffset: number, now: number): void {
    if (this.active.isEmpty && this.active.baseOffset === endOffset) this.#segments.pop()
    this.#segments.push(new Segment(endOffset, now))
    this.#jitterMs = this.#jitter()
  }

  add(batch: BatchNumbers, config: LogConfig, now: number): void {
    this.active.add(batch, config['index.interval.bytes'], now)
    this.size += batch.size
  }

  /** Whole segments from `endOffset` on are gone; the one that held it must be counted anew by the caller. */
  dropFrom(endOffset: number): void {
    while (this.#segments.length > 1 && this.active.baseOffset > endOffset) this.#segments.pop()
    this.recount()
  }

  /** Empty, from `startOffset` on. */
  reset(startOffset: number, now: number): void {
    this.#segments = [new Segment(startOffset, now)]
    this.size = 0
    this.#jitterMs = this.#jitter()
  }

  /** The oldest `count` segments are gone. Answers their bytes. */
  dropFirst(count: number): number {
    const before = this.size
    this.#segments.splice(0, count)
    this.recount()
    return before - this.size
  }

  /** These give way to one, after compaction (S-25). */
  merge(first: number, count: number, batches: readonly RecordBatch[], indexIntervalBytes: number): void {
    const merged = new Segment(this.#segments[first]!.baseOffset, this.#segments[first]!.createdAt)
    merged.modifiedAt = this.#segments[first + count - 1]!.modifiedAt
    merged.rebuild(batches, indexIntervalBytes)
    this.#segments.splice(first, count, merged)
    this.recount()
  }

  recount(): void {
    this.size = 0
    for (const segment of this.#segments) this.size += segment.size
  }

  /** Takes over what a checkpoint knew. */
  restore(segments: readonly Segment[]): void {
    if (segments.length === 0) return
    this.#segments = [...segments]
    this.recount()
  }
}
