import { defaultLogConfig, type LogConfig } from '../../src/log/log-config.ts'
import type { LogStore, LogStores, ReplicaName } from '../../src/log/log-store.ts'
import { MemoryStores } from '../../src/log/memory-store.ts'
import {
  type LeaderAppend,
  type LeaderAppendOptions,
  ReplicaLog,
  type ReplicaLogOptions,
} from '../../src/log/replica-log.ts'
import { type BatchOptions, batchOf, type NewRecord } from '../../src/wire/batch-builder.ts'
import { KafkaError } from '../../src/wire/errors.ts'
import { recordsOf } from '../../src/wire/record.ts'
import type { RecordBatch } from '../../src/wire/record-batch.ts'

/** 2026-01-01T00:00:00Z */
export const NOW = 1_767_225_600_000

export const orders: ReplicaName = { broker: 1, topic: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partition: 0 }

export type Configs = { readonly [key in keyof LogConfig]?: LogConfig[key] }

export const configOf = (configs: Configs = {}): LogConfig => ({ ...defaultLogConfig, ...configs })

/** A log in memory, or in `store`, that a leader of epoch 0 writes to. */
export function openLog(
  configs: Configs = {},
  { store = new MemoryStores().store(orders), ...options }: Partial<ReplicaLogOptions> & { store?: LogStore } = {},
): ReplicaLog {
  const log = ReplicaLog.open({ name: 'orders-0', config: configOf(configs), now: NOW, store, ...options })
  if (log instanceof Promise) throw new Error('this store answers later')
  log.becomeLeader(0)
  return log
}

export interface ProducedOptions extends BatchOptions {
  readonly timestamp?: number
}

/** A batch as a producer sends it: one record per value. */
export function batch(values: readonly (string | NewRecord)[], options: ProducedOptions = {}): RecordBatch {
  const records = values.map(each => (typeof each === 'string' ? { key: 'k', value: each } : each))
  return batchOf(records, { timestamp: NOW, ...options })
}

/** A batch of `count` records of an idempotent producer. */
export function sequenced(
  baseSequence: number,
  count = 1,
  { producerId = 7, producerEpoch = 0, ...options }: ProducedOptions = {},
): RecordBatch {
  const values = Array.from({ length: count }, (_, at) => `s${baseSequence + at}`)
  return batch(values, { producerId, producerEpoch, baseSequence, ...options })
}

export function append(
  log: ReplicaLog,
  produced: RecordBatch,
  options: Partial<LeaderAppendOptions> = {},
): LeaderAppend {
  return log.appendAsLeader(produced, { leaderEpoch: Math.max(0, log.leaderEpochs.latestEpoch), now: NOW, ...options })
}

/** A batch of one record whose whole size is `size` bytes. */
export function batchOfSize(size: number, timestamp = NOW): RecordBatch {
  for (let length = Math.max(0, size - 90); ; length++) {
    const made = batch(['x'.repeat(length)], { timestamp })
    if (made.size === size) return made
    if (made.size > size) throw new Error(`no batch of one record has ${size} bytes`)
  }
}

export function now<T>(value: T | Promise<T>): T {
  if (value instanceof Promise) throw new Error('this should have been answered at once')
  return value
}

export const spans = (batches: readonly { baseOffset: number; lastOffset: number }[]) =>
  batches.map(each => [each.baseOffset, each.lastOffset])

/** [offset, key, value] of all records. */
export function recordsIn(log: ReplicaLog): [number, string | null, string | null][] {
  const all: [number, string | null, string | null][] = []
  const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString())
  for (let at = log.startOffset; at < log.endOffset; ) {
    const batches = now(log.read(at, 1_000_000, log.endOffset, { minOneBatch: true }))
    if (batches.length === 0) break
    for (const each of batches) {
      if (!each.isControl) for (const r of recordsOf(each)) all.push([r.offset, text(r.key), text(r.value)])
    }
    at = batches.at(-1)!.nextOffset
  }
  return all
}

export const values = (log: ReplicaLog) => recordsIn(log).map(([, , value]) => value)

/** The error that `act` throws, which must be a KafkaError. */
export function refusal(act: () => unknown): KafkaError {
  try {
    act()
  } catch (error) {
    if (error instanceof KafkaError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

export const refusalCode = (act: () => unknown) => refusal(act).errorName

/** The log of the same replica after its broker died, or after `stop` (a clean shutdown). */
export function reopen(stores: LogStores, configs: Configs = {}, options: Partial<ReplicaLogOptions> = {}): ReplicaLog {
  const log = ReplicaLog.open({
    name: 'orders-0',
    config: configOf(configs),
    now: NOW,
    store: stores.store(orders),
    ...options,
  })
  return now(log)
}
