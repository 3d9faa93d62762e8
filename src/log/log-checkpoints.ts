/**
 * What a log saves beside its batches, under the names of Kafka's files where there is one (S-41). All of it is found
 * again after a crash; the batches behind `recoveryPoint` are read and checked then.
 */
import type { AbortedEntry } from './aborted-transactions.ts'
import { isLater } from './eventually.ts'
import type { Eventually, LogStore } from './log-store.ts'
import type { FinishedTransaction } from './producer-states.ts'
import { Segment } from './segment.ts'

export const checkpointNames = {
  highWatermark: 'replication-offset-checkpoint',
  startOffset: 'log-start-offset-checkpoint',
  leaderEpochs: 'leader-epoch-checkpoint',
  producers: 'producer-snapshots',
  segments: 'segments',
  clean: 'kafka_cleanshutdown',
} as const

export type CheckpointName = keyof typeof checkpointNames

/** A producer snapshot and the offset up to which it holds. */
export interface SnapshotAt {
  readonly offset: number
  readonly bytes: Uint8Array
}

/** Segments and what else changes with them. */
export interface SegmentsCheckpoint {
  /** Batches that end at or below it need no check after a crash. */
  readonly recoveryPoint: number
  /** Up to here the log was compacted (S-20). */
  readonly cleanedTo: number
  readonly segments: readonly Segment[]
  readonly aborted: readonly AbortedEntry[]
  /** Transactions that ended above the high watermark (F-9). */
  readonly unreplicated: readonly FinishedTransaction[]
}

/**
 * Saves and loads. Saves to an asynchronous store are waited for by `settled`, not by those who caused them: each of them
 * may be lost without harm, for what it says can be had from the batches too.
 */
export class LogCheckpoints {
  readonly #store: LogStore
  #pending: Promise<void> | undefined

  constructor(store: LogStore) {
    this.#store = store
  }

  save(name: CheckpointName, bytes: Uint8Array): void {
    const saved = this.#store.save(checkpointNames[name], bytes)
    if (!isLater(saved)) return
    const before = this.#pending
    const both = before === undefined ? saved : before.then(() => saved)
    this.#pending = both
    // Whoever waits is told; nobody waiting is no reason to end the process.
    both.catch(() => undefined)
  }

  settled(): Eventually<void> {
    const pending = this.#pending
    this.#pending = undefined
    return pending
  }

  load(name: CheckpointName): Eventually<Uint8Array | undefined> {
    return this.#store.load(checkpointNames[name])
  }
}

export function numberBytes(value: number): Uint8Array {
  return numbersBytes([value])
}

export function numberOf(bytes: Uint8Array | undefined): number | undefined {
  return bytes === undefined || bytes.length < 8 ? undefined : numbersOf(bytes)[0]
}

function numbersBytes(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 8)
  const view = new DataView(bytes.buffer)
  for (let at = 0; at < values.length; at++) view.setFloat64(at * 8, values[at]!)
  return bytes
}

function numbersOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const values: number[] = []
  for (let at = 0; at + 8 <= bytes.length; at += 8) values.push(view.getFloat64(at))
  return values
}

export function segmentsBytes(checkpoint: SegmentsCheckpoint): Uint8Array {
  const { recoveryPoint, cleanedTo, segments, aborted, unreplicated } = checkpoint
  const values = [recoveryPoint, cleanedTo, segments.length, unreplicated.length]
  for (const each of unreplicated) values.push(each.producerId, each.firstOffset, each.lastOffset)
  for (const each of segments) {
    values.push(each.baseOffset, each.createdAt, each.modifiedAt, each.size)
    values.push(each.firstTimestamp, each.largestTimestamp, each.largestTimestampOffset)
  }
  for (const each of aborted) values.push(each.producerId, each.firstOffset, each.lastOffset, each.lastStableOffset)
  return numbersBytes(values)
}

export function segmentsOf(bytes: Uint8Array): SegmentsCheckpoint {
  const values = numbersOf(bytes)
  let at = 0
  const next = () => values[at++]!
  const recoveryPoint = next()
  const cleanedTo = next()
  const counts = [next(), next()] as const
  const unreplicated = Array.from({ length: counts[1] }, () => {
    return { producerId: next(), firstOffset: next(), lastOffset: next() }
  })
  const segments: Segment[] = []
  for (let left = counts[0]; left > 0; left--) {
    const segment = new Segment(next(), next())
    segment.modifiedAt = next()
    segment.size = next()
    segment.firstTimestamp = next()
    segment.largestTimestamp = next()
    segment.largestTimestampOffset = next()
    segment.known = false
    segments.push(segment)
  }
  const aborted: AbortedEntry[] = []
  while (at < values.length) {
    aborted.push({ producerId: next(), firstOffset: next(), lastOffset: next(), lastStableOffset: next() })
  }
  return { recoveryPoint, cleanedTo, segments, aborted, unreplicated }
}

export function snapshotsBytes(snapshots: readonly SnapshotAt[]): Uint8Array {
  let length = 0
  for (const { bytes } of snapshots) length += 16 + bytes.length
  const all = new Uint8Array(length)
  const view = new DataView(all.buffer)
  let at = 0
  for (const { offset, bytes } of snapshots) {
    view.setFloat64(at, offset)
    view.setFloat64(at + 8, bytes.length)
    all.set(bytes, at + 16)
    at += 16 + bytes.length
  }
  return all
}

export function snapshotsOf(all: Uint8Array): SnapshotAt[] {
  const view = new DataView(all.buffer, all.byteOffset, all.length)
  const snapshots: SnapshotAt[] = []
  for (let at = 0; at + 16 <= all.length; ) {
    const length = view.getFloat64(at + 8)
    snapshots.push({ offset: view.getFloat64(at), bytes: all.subarray(at + 16, at + 16 + length) })
    at += 16 + length
  }
  return snapshots
}
