import { defineApi } from '../wire/api.ts'
import { boolean, int16, int32, int64, string } from '../wire/schema.ts'

/**
 * Gives a producer its id and epoch, fencing older ones of the same transactional id. v3 carries the id and epoch that
 * the producer has; v4 answers PRODUCER_FENCED, v5 TRANSACTION_ABORTABLE; v6 has the fields of two-phase commit and is
 * unstable, so asking for it closes the connection (W-45, W-15). Any broker without transactional id, else the
 * transaction coordinator.
 */
export const initProducerId = defineApi({
  key: 22,
  name: 'InitProducerId',
  versions: '0-6',
  latestVersionUnstable: true,
  flexibleFrom: 2,
  request: {
    transactionalId: string.nullable(),
    transactionTimeoutMs: int32,
    producerId: int64.since(3).default(-1),
    producerEpoch: int16.since(3).default(-1),
    enable2Pc: boolean.since(6).default(false),
    keepPreparedTxn: boolean.since(6).default(false),
  },
  response: {
    throttleTimeMs: int32.ignorable(),
    errorCode: int16,
    producerId: int64.default(-1),
    producerEpoch: int16,
    ongoingTxnProducerId: int64.since(6).default(-1),
    ongoingTxnProducerEpoch: int16.since(6).default(-1),
  },
})
