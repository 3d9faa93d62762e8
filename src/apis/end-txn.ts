import type { Broker } from '../broker/broker.ts'
import type { ProducerIdentity } from '../coordinators/transactions/producer-initialization.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorCodes } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { boolean, int16, int32, int64, string } from '../wire/schema.ts'
import { demand } from './authorization.ts'
import { fencedBefore } from './fenced-producer.ts'

const request = {
  transactionalId: string,
  producerId: int64,
  producerEpoch: int16,
  committed: boolean,
}

const response = {
  throttleTimeMs: int32,
  errorCode: int16,
  producerId: int64.since(5).default(-1).ignorable(),
  producerEpoch: int16.since(5).default(-1).ignorable(),
}

/**
 * Commits or aborts a transaction (T-17). It is answered once the decision is safe; the markers follow. v2 answers
 * PRODUCER_FENCED; v5 raises the producer's epoch and tells it (TV2, T-20). The transaction coordinator.
 */
export const endTxn: Api<typeof request, typeof response> = defineApi({
  key: 26,
  name: 'EndTxn',
  versions: '0-5',
  flexibleFrom: 3,
  request,
  response,
  broker: answer,
})

/** First version whose producers have another epoch in every transaction. */
const RAISES_SINCE = 5

function answer(
  broker: Broker,
  { transactionalId, producerId, producerEpoch, committed: commit }: Decoded<typeof request>,
  context: RequestContext,
): Encodable<typeof response> | Promise<Encodable<typeof response>> {
  const { version } = context
  const failed = (error: unknown) => ({ throttleTimeMs: 0, errorCode: fencedBefore(2, version, error).code })
  const done = (next: ProducerIdentity) => ({ throttleTimeMs: 0, errorCode: errorCodes.NONE, ...next })
  try {
    demand(broker, context, 'write', 'transactionalId', transactionalId)
    const { end } = broker.transactions.shardOf(transactionalId)
    const clientVersion = version >= RAISES_SINCE ? 2 : 0
    const ended = end.end({ transactionalId, producerId, producerEpoch, commit, clientVersion })
    return ended instanceof Promise ? ended.then(done, failed) : done(ended)
  } catch (error) {
    return failed(error)
  }
}
