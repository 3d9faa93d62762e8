import type { Broker } from '../broker/broker.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int16, int32, int64, string } from '../wire/schema.ts'
import { allowed } from './authorization.ts'

const request = {
  stateFilters: array(string),
  producerIdFilters: array(int64),
  durationFilter: int64.since(1).default(-1),
  transactionalIdPattern: string.nullable().since(2).default(null),
}

const response = {
  throttleTimeMs: int32,
  errorCode: int16,
  unknownStateFilters: array(string),
  transactionStates: array({
    transactionalId: string,
    producerId: int64,
    transactionState: string,
  }),
}

/**
 * The transactional ids that a broker coordinates (T-37, KIP-664): by state, by producer id, v1 by how long ago the last
 * transaction was begun, v2 by a pattern that the whole id must match.
 */
export const listTransactions: Api<typeof request, typeof response> = defineApi({
  key: 66,
  name: 'ListTransactions',
  versions: '0-2',
  flexibleFrom: 0,
  request,
  response,
  broker: answer,
})

function answer(broker: Broker, asked: Decoded<typeof request>, context: RequestContext): Encodable<typeof response> {
  const { stateFilters: states, producerIdFilters, durationFilter: durationMs, transactionalIdPattern: pattern } = asked
  try {
    const listed = broker.transactions.list({ states, producerIds: producerIdFilters, durationMs, pattern })
    const shown = allowed(
      broker,
      context,
      'describe',
      'transactionalId',
      listed.transactions,
      each => each.transactionalId,
    )
    return {
      throttleTimeMs: 0,
      errorCode: errorCodes.NONE,
      unknownStateFilters: listed.unknownStates,
      transactionStates: shown.map(({ transactionalId, producerId, state: transactionState }) => {
        return { transactionalId, producerId, transactionState }
      }),
    }
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return { throttleTimeMs: 0, errorCode: error.code, unknownStateFilters: [], transactionStates: [] }
  }
}
