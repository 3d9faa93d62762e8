import type { Cluster } from '../../../src/index.ts'
import { transactionMarkerOf } from '../../../src/wire/control-record.ts'
import { recordsOf } from '../../../src/wire/record.ts'

/** A batch as it lies in a leader's log. */
export interface LoggedBatch {
  readonly baseOffset: number
  readonly producerId: number
  readonly producerEpoch: number
  /** When its leader took it, in milliseconds since the epoch. */
  readonly appendedAt: number
  /** Undefined: records. */
  readonly marker: 'COMMIT' | 'ABORT' | undefined
  readonly values: readonly string[]
}

export async function loggedBatches(cluster: Cluster, topic: string, partition: number): Promise<LoggedBatch[]> {
  const { log } = cluster.leaderOf(topic, partition).broker!.requirePartition(topic, partition)
  const found: LoggedBatch[] = []
  let next = log.startOffset
  while (next < log.endOffset) {
    const batches = await log.read(next, 1 << 20, log.endOffset, { minOneBatch: true })
    if (batches.length === 0) break
    for (const batch of batches) {
      const { baseOffset, producerId, producerEpoch, maxTimestamp: appendedAt } = batch
      const marker = batch.isControl ? transactionMarkerOf(batch)?.type : undefined
      const values = batch.isControl ? [] : recordsOf(batch).map(({ value }) => Buffer.from(value!).toString())
      found.push({ baseOffset, producerId, producerEpoch, appendedAt, marker, values })
      next = batch.nextOffset
    }
  }
  return found
}
