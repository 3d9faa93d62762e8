import { BatchBuilder } from './batch-builder.ts'
import { KafkaError } from './errors.ts'
import { type LogRecord, recordsOf } from './record.ts'
import type { RecordBatch } from './record-batch.ts'

/** Kinds of control records, by the number in their key (B-10; ControlRecordType). */
export const controlTypes = {
  ABORT: 0,
  COMMIT: 1,
  LEADER_CHANGE: 2,
  SNAPSHOT_HEADER: 3,
  SNAPSHOT_FOOTER: 4,
  KRAFT_VERSION: 5,
  KRAFT_VOTERS: 6,
} as const

export type ControlType = keyof typeof controlTypes

const namesByNumber = Object.keys(controlTypes) as ControlType[]

/** The end of a transaction, as a partition's log keeps it (B-11; EndTransactionMarker). */
export interface TransactionMarker {
  readonly type: 'ABORT' | 'COMMIT'
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly timestamp: number
  /** 0 unless said: the leader places it. */
  readonly baseOffset?: number
  /** −1 unless said. */
  readonly leaderEpoch?: number
}

/** The batch that ends a transaction in a partition: one record, transactional, no sequence, never compressed. */
export function controlBatch(marker: TransactionMarker): RecordBatch {
  const value = new Uint8Array(6)
  new DataView(value.buffer).setInt32(2, marker.coordinatorEpoch)
  const builder = new BatchBuilder({ capacity: 32 })
  builder.append(marker.timestamp, controlKey(marker.type), value)
  const { baseOffset = 0, leaderEpoch = -1, producerId, producerEpoch } = marker
  return builder.build({ baseOffset, leaderEpoch, producerId, producerEpoch, transactional: true, control: true })
}

/** The key of a control record: version 0 and the type. */
export function controlKey(type: ControlType): Uint8Array {
  return Uint8Array.of(0, 0, 0, controlTypes[type])
}

/**
 * What a control record is, by its key; undefined for a type of later days, which readers pass over. A longer key is
 * read as far as it is known.
 *
 * @throws {KafkaError} INVALID_RECORD for a key that is too short or of a negative version.
 */
export function controlTypeOf(record: Pick<LogRecord, 'key'>): ControlType | undefined {
  const key = record.key
  if (key === null || key.length < 4) throw new KafkaError('INVALID_RECORD', 'the key of a control record is too short')
  if (key[0]! >= 0x80) throw new KafkaError('INVALID_RECORD', 'the key of a control record has a negative version')
  return namesByNumber[(key[2]! << 8) | key[3]!]
}

/**
 * The marker in a control batch; undefined for control batches of other kinds, and for one that compaction emptied.
 *
 * @throws {KafkaError} INVALID_RECORD if the marker cannot be read.
 */
export function transactionMarkerOf(batch: RecordBatch): TransactionMarker | undefined {
  if (!batch.isControl || batch.count === 0) return undefined
  const record = recordsOf(batch)[0]!
  const type = controlTypeOf(record)
  if (type !== 'ABORT' && type !== 'COMMIT') return undefined
  const { value } = record
  if (value === null || value.length < 6) throw new KafkaError('INVALID_RECORD', 'a transaction marker is too short')
  const view = new DataView(value.buffer, value.byteOffset, value.length)
  if (view.getInt16(0) < 0) throw new KafkaError('INVALID_RECORD', 'a transaction marker has a negative version')
  const { producerId, producerEpoch, baseOffset, leaderEpoch } = batch
  const coordinatorEpoch = view.getInt32(2)
  return { type, producerId, producerEpoch, coordinatorEpoch, timestamp: record.timestamp, baseOffset, leaderEpoch }
}
