import type { Broker } from '../broker/broker.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { boolean, int16, int32, int64, string } from '../wire/schema.ts'

const request = {
  transactionalId: string.nullable(),
  transactionTimeoutMs: int32,
  producerId: int64.since(3).default(-1),
  producerEpoch: int16.since(3).default(-1),
  enable2Pc: boolean.since(6).default(false),
  keepPreparedTxn: boolean.since(6).default(false),
}

const response = {
  throttleTimeMs: int32.ignorable(),
  errorCode: int16,
  producerId: int64.default(-1),
  producerEpoch: int16,
  ongoingTxnProducerId: int64.since(6).default(-1),
  ongoingTxnProducerEpoch: int16.since(6).default(-1),
}

/**
 * Gives a producer its id and epoch, fencing older ones of the same transactional id. v3 carries the id and epoch that
 * the producer has; v4 answers PRODUCER_FENCED, v5 TRANSACTION_ABORTABLE; v6 has the fields of two-phase commit and is
 * unstable, so asking for it closes the connection (W-45, W-15). Any broker without transactional id, else the
 * transaction coordinator.
 *
 * No broker coordinates transactions: with a transactional id the answer is COORDINATOR_NOT_AVAILABLE, which clients
 * take as a coordinator that is still to come.
 */
export const initProducerId: Api<typeof request, typeof response> = defineApi({
  key: 22,
  name: 'InitProducerId',
  versions: '0-6',
  latestVersionUnstable: true,
  flexibleFrom: 2,
  request,
  response,
  broker: answer,
})

function answer(
  broker: Broker,
  { transactionalId, producerId, producerEpoch }: Decoded<typeof request>,
): Encodable<typeof response> {
  const isHalf = (producerId === -1) !== (producerEpoch === -1)
  if (transactionalId === '' || isHalf) return refused(errorCodes.INVALID_REQUEST)
  // A whole id and epoch without a transactional id are ignored: the producer gets new ones (I-15, T-10).
  if (transactionalId === null) return fresh(broker)
  return refused(errorCodes.COORDINATOR_NOT_AVAILABLE)
}

function fresh(broker: Broker): Encodable<typeof response> {
  try {
    const producerId = broker.producerIds.take()
    return { throttleTimeMs: 0, errorCode: errorCodes.NONE, producerId, producerEpoch: 0 }
  } catch (error) {
    if (error instanceof KafkaError) return refused(error.code)
    throw error
  }
}

function refused(errorCode: number): Encodable<typeof response> {
  return { throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 }
}
