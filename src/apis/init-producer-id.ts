import type { Broker } from '../broker/broker.ts'
import type { ProducerIdentity } from '../coordinators/transactions/producer-initialization.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { type ErrorName, errorCodes } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { boolean, int16, int32, int64, string } from '../wire/schema.ts'
import { allowsCluster, allowsSome, refusalOf } from './authorization.ts'
import { fencedBefore } from './fenced-producer.ts'

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
  asked: Decoded<typeof request>,
  context: RequestContext,
): Encodable<typeof response> | Promise<Encodable<typeof response>> {
  const { transactionalId, transactionTimeoutMs: timeoutMs, producerId, producerEpoch } = asked
  const failed = (error: unknown) => refused(fencedBefore(4, context.version, error).code)
  const forbidden = refusal(broker, transactionalId, context)
  if (forbidden !== undefined) return refused(errorCodes[forbidden])
  const isHalf = (producerId === -1) !== (producerEpoch === -1)
  if (transactionalId === '' || isHalf) return refused(errorCodes.INVALID_REQUEST)
  try {
    // A whole id and epoch without a transactional id are ignored: the producer gets new ones (I-15, T-10).
    if (transactionalId === null) return given({ producerId: broker.producerIds.take(), producerEpoch: 0 })
    const { initialization } = broker.transactions.shardOf(transactionalId)
    const expected = producerId === -1 ? undefined : { producerId, producerEpoch }
    const identity = initialization.initialize({ transactionalId, timeoutMs, expected })
    return identity instanceof Promise ? identity.then(given, failed) : given(identity)
  } catch (error) {
    return failed(error)
  }
}

/** T-10. An idempotent producer has to have something that it may write to, or IDEMPOTENT_WRITE (KIP-679). */
function refusal(broker: Broker, transactionalId: string | null, context: RequestContext): ErrorName | undefined {
  if (transactionalId !== null) {
    return refusalOf(broker, context, 'write', 'transactionalId', transactionalId)?.errorName
  }
  if (allowsCluster(broker, context, 'idempotentWrite')) return undefined
  return allowsSome(broker, context, 'write', 'topic') ? undefined : 'CLUSTER_AUTHORIZATION_FAILED'
}

function given(identity: ProducerIdentity): Encodable<typeof response> {
  return { throttleTimeMs: 0, errorCode: errorCodes.NONE, ...identity }
}

function refused(errorCode: number): Encodable<typeof response> {
  return { throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 }
}
