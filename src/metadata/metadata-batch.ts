import { batchOf } from '../wire/batch-builder.ts'
import { recordsOf } from '../wire/record.ts'
import type { RecordBatch } from '../wire/record-batch.ts'
import type { ClusterImage } from './image.ts'
import { decodeMetadataRecord, encodeMetadataRecord, type MetadataRecord, type MetadataRecordInput } from './records.ts'

/** The metadata log as a topic: one partition, with a fixed id, that no Metadata answer lists. */
export const METADATA_TOPIC = '__cluster_metadata'
export const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

export interface MetadataPlace {
  readonly baseOffset: number
  readonly leaderEpoch: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number
}

/** One decision of the controller as one batch: replayed as a whole or not at all. */
export function metadataBatch(records: readonly MetadataRecordInput[], place: MetadataPlace): RecordBatch {
  return batchOf(
    records.map(record => ({ value: encodeMetadataRecord(record) })),
    place,
  )
}

/**
 * The metadata records of a batch, in order; the record at `index` has offset `batch.baseOffset + index`.
 *
 * @throws {MalformedError} for a value that is no metadata record of this release.
 */
export function metadataRecordsOf(batch: RecordBatch): MetadataRecord[] {
  return recordsOf(batch).map(record => decodeMetadataRecord(record.value ?? new Uint8Array(0)))
}

/** Replays what of a batch lies above `image.offset`: a batch may be handed over twice. */
export function applyBatch(image: ClusterImage, batch: RecordBatch): void {
  if (batch.lastOffset <= image.offset) return
  const records = metadataRecordsOf(batch)
  for (let i = 0; i < records.length; i++) {
    const offset = batch.baseOffset + i
    if (offset > image.offset) image.apply(records[i]!, offset, batch.leaderEpoch)
  }
}
