/**
 * Reading one replica's log (F-5…F-10) and finding places in it by time (F-32, F-36, S-40).
 *
 * Simplification: Kafka cuts the last batch in the middle at the byte limit, and clients must ignore the piece (F-7); a
 * read here ends with the last whole batch that fits.
 */
import { KafkaError } from '../wire/errors.ts'
import { RecordCursor } from '../wire/record.ts'
import type { RecordBatch } from '../wire/record-batch.ts'
import { thenDo } from './eventually.ts'
import type { LogState } from './log-state.ts'
import type { Eventually } from './log-store.ts'
import type { Segment } from './segment.ts'

export interface TimestampOffset {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

/** F-10. */
export function checkReadable(log: LogState, fromOffset: number): void {
  if (fromOffset < log.startOffset || fromOffset > log.endOffset) {
    const bounds = `from ${log.startOffset} to ${log.endOffset}`
    throw new KafkaError('OFFSET_OUT_OF_RANGE', `${log.name} was read at ${fromOffset}, it goes ${bounds}`)
  }
}

/**
 * Whole batches from the one that contains or follows `fromOffset`, up to `upperBoundOffset`, within one segment.
 * `minOneBatch` returns the first one even when it is larger than `maxBytes` (F-6).
 *
 * @throws {KafkaError} OFFSET_OUT_OF_RANGE below the log start or above the end
 */
export function readLog(
  log: LogState,
  fromOffset: number,
  maxBytes: number,
  upperBoundOffset: number,
  minOneBatch: boolean,
): Eventually<RecordBatch[]> {
  checkReadable(log, fromOffset)
  const upperBound = Math.min(upperBoundOffset, log.endOffset)
  if (fromOffset >= upperBound || (maxBytes <= 0 && !minOneBatch)) return []
  const segment = log.segments.all[log.segments.indexOf(fromOffset)]!
  const { baseOffsets } = segment
  return thenDo(log.store.read(fromOffset, maxBytes), batches => {
    // Counted anew meanwhile: the log was cut or compacted.
    if (segment.knows(fromOffset) && segment.baseOffsets === baseOffsets)
      checkComplete(log, segment, fromOffset, batches)
    const first = batches[0]
    if (first === undefined || (first.size > maxBytes && !minOneBatch)) return []
    const end = Math.min(upperBound, log.segments.endOf(log.segments.indexOf(first.baseOffset)))
    let count = 0
    while (count < batches.length && batches[count]!.nextOffset <= end) count++
    return count < batches.length ? batches.slice(0, count) : batches
  })
}

/**
 * A store may have lost batches to somebody else (a key that was deleted, an entry): a reader that goes on behind them would
 * never know.
 */
function checkComplete(log: LogState, segment: Segment, fromOffset: number, batches: readonly RecordBatch[]): void {
  const { baseOffsets } = segment
  const from = segment.indexOf(fromOffset)
  const count = Math.min(Math.max(1, batches.length), baseOffsets.length - from)
  for (let at = 0; at < count; at++) {
    const [expected, found] = [baseOffsets[from + at]!, batches[at]?.baseOffset]
    if (found === expected || fromOffset >= log.endOffset || expected >= log.endOffset) continue
    const what = found === undefined ? 'nothing is stored' : `the next batch is at ${found}`
    throw new KafkaError('KAFKA_STORAGE_ERROR', `${log.name} has lost its batch at ${expected}: ${what}`)
  }
}

/** Bytes of the batches that a read from `fromOffset` to `upperBoundOffset` could return in the end (F-2). */
export function bytesBetween(log: LogState, fromOffset: number, upperBoundOffset: number): number {
  const { segments } = log
  const upperBound = Math.min(upperBoundOffset, log.assignedEnd)
  if (fromOffset >= upperBound) return 0
  let bytes = 0
  for (let at = segments.indexOf(fromOffset); at < segments.all.length; at++) {
    const segment = segments.all[at]!
    if (segment.baseOffset >= upperBound) break
    // What a segment has of an earlier life is counted as a whole until it has been looked at.
    const from = segment.knows(fromOffset) ? segment.positionOf(fromOffset) : 0
    const to =
      segment.knows(upperBound) && segments.endOf(at) > upperBound ? segment.positionOf(upperBound) : segment.size
    bytes += Math.max(0, to - from)
  }
  return bytes
}

/** The first record at or after the log start with timestamp ≥ `timestamp`, by offset (F-36, S-40). */
export function offsetForTimestamp(log: LogState, timestamp: number): Eventually<TimestampOffset | undefined> {
  const segments = log.segments.all
  for (let at = log.segments.indexOf(log.startOffset); at < segments.length; at++) {
    const segment = segments[at]!
    if (segment.largestTimestamp < timestamp) continue
    return thenDo(log.know(at), () => {
      const from = Math.max(segment.indexOf(log.startOffset), firstAtLeast(segment.timestamps, timestamp))
      const baseOffset = segment.baseOffsets[from] ?? log.endOffset
      const end = Math.min(log.segments.endOf(at), log.endOffset)
      return thenDo(searchBatches(log, baseOffset, end, timestamp), found => found ?? laterSegments(log, at, timestamp))
    })
  }
  return undefined
}

/** Records below the log start hid the match: it lies in a later segment, if anywhere. */
function laterSegments(log: LogState, index: number, timestamp: number): Eventually<TimestampOffset | undefined> {
  const from = log.segments.endOf(index)
  return from >= log.endOffset ? undefined : searchBatches(log, from, log.endOffset, timestamp)
}

function firstAtLeast(timestamps: readonly number[], timestamp: number): number {
  const at = timestamps.findIndex(each => each >= timestamp)
  return at < 0 ? timestamps.length : at
}

function searchBatches(
  log: LogState,
  from: number,
  to: number,
  timestamp: number,
): Eventually<TimestampOffset | undefined> {
  let found: TimestampOffset | undefined
  const searched = log.forEachBatch(from, to, batch => {
    if (batch.maxTimestamp >= timestamp) found = firstRecord(batch, timestamp, log.startOffset)
    return found === undefined
  })
  return thenDo(searched, () => found)
}

function firstRecord(batch: RecordBatch, timestamp: number, startOffset: number): TimestampOffset | undefined {
  const cursor = new RecordCursor(batch)
  while (cursor.next()) {
    if (cursor.timestamp >= timestamp && cursor.offset >= startOffset) {
      return { offset: cursor.offset, timestamp: cursor.timestamp, leaderEpoch: batch.leaderEpoch }
    }
  }
  return undefined
}

/** The first record that has the largest timestamp of the log (F-32); undefined where no record has one. */
export function maxTimestamp(log: LogState): Eventually<TimestampOffset | undefined> {
  let largest = log.segments.first
  for (const segment of log.segments.all) if (segment.largestTimestamp > largest.largestTimestamp) largest = segment
  const { largestTimestamp: timestamp, largestTimestampOffset } = largest
  if (largest.isEmpty || timestamp < 0) return undefined
  return thenDo(log.store.read(largestTimestampOffset, 1), batches => {
    const batch = batches[0]
    return batch === undefined ? undefined : firstRecord(batch, timestamp, 0)
  })
}
