/**
 * Compaction (S-20…S-26; Cleaner, LogCleanerManager): of each key the latest record, order and offsets kept. First the
 * latest offset of every key between the last cleaned point and the end of what may be cleaned; then every segment below
 * that end is gone through and written anew, batch by batch.
 *
 * Simplification: keys are compared as they are, where Kafka compares their MD5; there is no limit as of its dedupe
 * buffer, so one cleaning always reaches the end of what may be cleaned.
 */
import { type NewRecord, rebuilt } from '../wire/batch-builder.ts'
import { RecordCursor } from '../wire/record.ts'
import type { RecordBatch } from '../wire/record-batch.ts'
import { CleanedTransactions } from './cleaned-transactions.ts'
import { repeat, thenDo } from './eventually.ts'
import { hasPolicy, segmentBytes } from './log-config.ts'
import type { LogState } from './log-state.ts'
import type { Eventually } from './log-store.ts'
import type { Segment } from './segment.ts'

export interface CompactionResult {
  readonly recordsDropped: number
  readonly bytesDropped: number
  readonly cleanedTo: number
}

/** From the last cleaned point to the first offset that must not be cleaned (S-20). */
function dirtyRange(log: LogState, now: number): { readonly from: number; readonly to: number } {
  const { segments, config } = log
  const from = Math.max(log.cleanedTo, log.startOffset)
  let to = Math.min(log.lastStableOffset, segments.active.baseOffset)
  const lag = config['min.compaction.lag.ms']
  if (lag > 0) {
    const young = segments.all.find(each => each !== segments.active && each.age > now - lag)
    if (young !== undefined) to = Math.min(to, young.baseOffset)
  }
  return { from, to: Math.max(from, to) }
}

/**
 * When a cleaning is due (S-20): `now` when it already is, Infinity while nothing but an append, or a move of the last
 * stable offset, can make it so.
 */
export function nextCompactionAt(log: LogState, now: number): number {
  const { segments, config } = log
  if (!hasPolicy(config, 'compact') || segments.all.length === 1) return Number.POSITIVE_INFINITY
  const { 'max.compaction.lag.ms': maxLag, 'min.compaction.lag.ms': minLag } = config
  const { from, to } = dirtyRange(log, now)
  let clean = 0
  let dirty = 0
  let due = Number.POSITIVE_INFINITY
  for (let at = 0; at < segments.all.length - 1; at++) {
    const segment = segments.all[at]!
    if (segments.endOf(at) <= from) clean += segment.size
    else if (segment.baseOffset < to) {
      dirty += segment.size
      if (segment.firstTimestamp > 0) due = Math.min(due, segment.firstTimestamp + Math.max(maxLag, minLag) + 1)
    } else if (minLag > 0 && segment.age > now - minLag) due = Math.min(due, segment.age + minLag)
  }
  if (dirty > 0 && dirty / (clean + dirty) > config['min.cleanable.dirty.ratio']) return now
  return Math.max(due, now)
}

/** Cleans what may be cleaned, due or not; undefined when there is nothing. */
export function compactLog(log: LogState, now: number): Eventually<CompactionResult | undefined> {
  if (!hasPolicy(log.config, 'compact')) return undefined
  const { from, to } = dirtyRange(log, now)
  if (from >= to) return undefined
  const cleaning = new Cleaning(log, now)
  return thenDo(cleaning.learn(from, to), () => cleaning.run())
}

class Cleaning {
  readonly #log: LogState
  readonly #now: number
  readonly #latest = new Map<string, number>()
  /** Exclusive end of the cleaned range: that of the last batch that was learnt. */
  #end = 0
  readonly #lastOfProducers: ReadonlyMap<number, { readonly lastOffset: number; readonly producerEpoch: number }>
  #transactions: CleanedTransactions
  #recordsDropped = 0
  #bytesDropped = 0
  /** The log was cut meanwhile: what was read is no longer what is there. */
  #cut = false

  constructor(log: LogState, now: number) {
    this.#log = log
    this.#now = now
    const producers = [...log.producers.all()]
    this.#lastOfProducers = new Map(
      producers.map(({ producerId, lastOffset, producerEpoch }) => [producerId, { lastOffset, producerEpoch }]),
    )
    this.#transactions = new CleanedTransactions([])
  }

  /** The latest offset of each key in [from, to), aborted data apart. */
  learn(from: number, to: number): Eventually<void> {
    const { aborted } = this.#log.producers
    const transactions = new CleanedTransactions(aborted.entries.filter(entry => entry.lastOffset >= from))
    this.#end = from
    return this.#log.forEachBatch(from, to, batch => {
      if (batch.nextOffset > to) return false
      this.#end = batch.nextOffset
      if (batch.isControl) transactions.isSpent(batch)
      else if (!transactions.isAborted(batch)) this.#learnKeys(batch, from)
      return true
    })
  }

  #learnKeys(batch: RecordBatch, from: number): void {
    const cursor = new RecordCursor(batch)
    while (cursor.next()) {
      const key = cursor.key()
      if (key !== null && cursor.offset >= from) this.#latest.set(keyText(key), cursor.offset)
    }
  }

  run(): Eventually<CompactionResult | undefined> {
    const log = this.#log
    if (this.#end <= log.cleanedTo) return undefined
    const { aborted } = log.producers
    this.#transactions = new CleanedTransactions(aborted.entries)
    const groups = this.#groups()
    const cleaned = repeat(() => {
      const group = groups.shift()
      return group === undefined ? true : thenDo(this.#cleanGroup(group), () => this.#cut)
    })
    return thenDo(cleaned, () => {
      if (this.#cut) return undefined
      log.cleanedTo = this.#end
      const above = aborted.entries.filter(entry => entry.lastOffset >= this.#end)
      const kept = this.#transactions.kept.filter(entry => entry.lastOffset < this.#end)
      aborted.entries = [...kept, ...above].sort((a, b) => a.lastOffset - b.lastOffset)
      log.saveSegments()
      const { cleanedTo } = log
      return { recordsDropped: this.#recordsDropped, bytesDropped: this.#bytesDropped, cleanedTo }
    })
  }

  /** Neighbours that fit into one segment together become one (S-25). */
  #groups(): Segment[][] {
    const { segments, config } = this.#log
    const groups: Segment[][] = []
    let size = 0
    for (const segment of segments.all) {
      if (segment.baseOffset >= this.#end || segment === segments.active) break
      const group = groups.at(-1)
      size += segment.size
      if (group !== undefined && size <= segmentBytes(config)) group.push(segment)
      else {
        groups.push([segment])
        size = segment.size
      }
    }
    return groups
  }

  #cleanGroup(group: readonly Segment[]): Eventually<void> {
    const log = this.#log
    const first = this.#placeOf(group)
    if (first < 0) return undefined
    const from = group[0]!.baseOffset
    const to = log.segments.endOf(first + group.length - 1)
    const before: RecordBatch[] = []
    const after: RecordBatch[] = []
    const read = log.forEachBatch(from, to, batch => {
      const cleaned = this.#clean(batch)
      before.push(batch)
      if (cleaned !== undefined) after.push(cleaned)
      return true
    })
    return thenDo(read, () => {
      const changed =
        group.length > 1 || after.length !== before.length || after.some((each, at) => each !== before[at])
      if (!changed || this.#placeOf(group) < 0) return undefined
      return thenDo(log.store.replace(from, to, after), () => {
        const place = this.#placeOf(group)
        if (place < 0) return
        this.#count(before, after)
        log.segments.merge(place, group.length, after, log.config['index.interval.bytes'])
      })
    })
  }

  /** Index of the group's first segment, while all of it is still there. */
  #placeOf(group: readonly Segment[]): number {
    const { all } = this.#log.segments
    const first = all.indexOf(group[0]!)
    const stands = first + group.length < all.length && group.every((each, at) => all[first + at] === each)
    if (first < 0 || !stands) this.#cut = true
    return this.#cut ? -1 : first
  }

  #count(before: readonly RecordBatch[], after: readonly RecordBatch[]): void {
    for (const batch of before) {
      this.#recordsDropped += batch.count
      this.#bytesDropped += batch.size
    }
    for (const batch of after) {
      this.#recordsDropped -= batch.count
      this.#bytesDropped -= batch.size
    }
  }

  /** What is left of a batch; undefined for nothing (MemoryRecords.filterTo, Cleaner.cleanInto). */
  #clean(batch: RecordBatch): RecordBatch | undefined {
    if (batch.baseOffset >= this.#end) return batch
    const horizon = batch.deleteHorizonMs
    const spent = batch.isControl && this.#transactions.isSpent(batch)
    const passed = horizon !== undefined && horizon <= this.#now
    const goes = batch.isControl ? spent && passed : this.#transactions.isAborted(batch)
    const keepsHead = this.#isLastOfProducer(batch) || batch.nextOffset === this.#end
    if (goes && !keepsHead) return undefined
    const { kept, tombstones } = goes ? nothing : this.#keep(batch, passed)
    if (kept.length === 0) return keepsHead ? emptied(batch) : undefined
    const setsHorizon = horizon === undefined && (tombstones || spent)
    if (kept.length === batch.count && !setsHorizon) return batch
    const deleteHorizonMs = setsHorizon ? this.#now + this.#log.config['delete.retention.ms'] : horizon
    return rebuilt(batch, kept, deleteHorizonMs === undefined ? {} : { deleteHorizonMs })
  }

  /** S-21, S-22: the latest of its key, and a tombstone only until its horizon. */
  #keep(batch: RecordBatch, horizonPassed: boolean): Kept {
    const kept: NewRecord[] = []
    let tombstones = false
    const cursor = new RecordCursor(batch)
    while (cursor.next()) {
      if (!batch.isControl && cursor.offset < this.#end) {
        const key = cursor.key()
        if (key === null) continue
        if (cursor.offset < (this.#latest.get(keyText(key)) ?? -1)) continue
        if (cursor.valueLength < 0 && horizonPassed) continue
      }
      if (cursor.valueLength < 0) tombstones = true
      const { key, value, headers, timestamp, offset } = cursor.record()
      kept.push({ key, value, headers, timestamp, offset })
    }
    return { kept, tombstones }
  }

  /** It says where its producer is: kept even when it is empty (S-24). */
  #isLastOfProducer(batch: RecordBatch): boolean {
    const last = batch.hasProducer ? this.#lastOfProducers.get(batch.producerId) : undefined
    if (last === undefined) return false
    return last.lastOffset >= 0
      ? batch.lastOffset === last.lastOffset
      : batch.isControl && batch.producerEpoch === last.producerEpoch
  }
}

interface Kept {
  readonly kept: readonly NewRecord[]
  readonly tombstones: boolean
}

const nothing: Kept = { kept: [], tombstones: false }

function emptied(batch: RecordBatch): RecordBatch {
  return batch.count === 0 ? batch : rebuilt(batch, [])
}

/** One character per byte: equal texts are equal keys. */
function keyText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')
}
