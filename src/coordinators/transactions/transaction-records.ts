import { array, int8, int16, int32, int64, string } from '../../wire/schema.ts'
import {
  CoordinatorCodec,
  type CoordinatorRecord,
  type CoordinatorRecordInput,
  defineCoordinatorRecord,
} from '../coordinator-records.ts'

/** The records of `__transaction_state` (T-6), in Kafka's own schema. */
export const transactionRecords = {
  /** All that a coordinator keeps of a transactional id; a tombstone removes it. */
  Transaction: defineCoordinatorRecord({
    type: 0,
    name: 'TransactionLog',
    version: 1,
    flexibleFrom: 1,
    // Every record of v1 tells a previous producer id; without it, the cluster is not finalized for v1.
    write: ({ previousProducerId = -1 }) => (previousProducerId === -1 ? 0 : 1),
    key: {
      transactionalId: string,
    },
    value: {
      producerId: int64,
      previousProducerId: int64.since(1).default(-1).tagged(0),
      nextProducerId: int64.since(1).default(-1).tagged(1),
      producerEpoch: int16,
      nextProducerEpoch: int16.since(1).default(-1).tagged(3),
      transactionTimeoutMs: int32,
      transactionStatus: int8,
      transactionPartitions: array({
        topic: string,
        partitionIds: array(int32),
      }).nullable(),
      transactionLastUpdateTimestampMs: int64,
      transactionStartTimestampMs: int64,
      clientTransactionVersion: int16.since(1).default(0).tagged(2),
    },
  }),
}

export type TransactionRecord = CoordinatorRecord<typeof transactionRecords>
export type TransactionRecordInput = CoordinatorRecordInput<typeof transactionRecords>
export const transactionCodec: CoordinatorCodec<typeof transactionRecords> = new CoordinatorCodec(transactionRecords)
