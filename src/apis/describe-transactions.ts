import type { Broker } from '../broker/broker.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int16, int32, int64, string } from '../wire/schema.ts'
import { allows, demand } from './authorization.ts'

const request = {
  transactionalIds: array(string),
}

const response = {
  throttleTimeMs: int32,
  transactionStates: array({
    errorCode: int16,
    transactionalId: string,
    transactionState: string,
    transactionTimeoutMs: int32,
    transactionStartTimeMs: int64,
    producerId: int64,
    producerEpoch: int16,
    topics: array({
      topic: string,
      partitions: array(int32),
    }),
  }),
}

/**
 * Transactional ids as they are: state, producer, partitions (T-37, KIP-664). Their transaction coordinator, from what is
 * committed.
 */
export const describeTransactions: Api<typeof request, typeof response> = defineApi({
  key: 65,
  name: 'DescribeTransactions',
  versions: '0',
  flexibleFrom: 0,
  request,
  response,
  broker: answer,
})

type Described = Encodable<typeof response>['transactionStates'][number]

function answer(
  broker: Broker,
  { transactionalIds }: Decoded<typeof request>,
  context: RequestContext,
): Encodable<typeof response> {
  return { throttleTimeMs: 0, transactionStates: transactionalIds.map(id => described(broker, id, context)) }
}

function described(broker: Broker, transactionalId: string, context: RequestContext): Described {
  try {
    demand(broker, context, 'describe', 'transactionalId', transactionalId)
    const known = broker.transactions.shardOf(transactionalId).directory.describe(transactionalId)
    return {
      errorCode: errorCodes.NONE,
      transactionalId,
      transactionState: known.state,
      transactionTimeoutMs: known.timeoutMs,
      transactionStartTimeMs: known.startedAt,
      producerId: known.producerId,
      producerEpoch: known.producerEpoch,
      topics: [...known.partitions]
        .filter(([topic]) => allows(broker, context, 'describe', 'topic', topic))
        .map(([topic, partitions]) => ({ topic, partitions: [...partitions] })),
    }
  } catch (error) {
    if (error instanceof KafkaError) return { ...nothing, errorCode: error.code, transactionalId }
    throw error
  }
}

const nothing: Omit<Described, 'errorCode' | 'transactionalId'> = {
  transactionState: '',
  transactionTimeoutMs: 0,
  transactionStartTimeMs: 0,
  producerId: 0,
  producerEpoch: 0,
  topics: [],
}
