import type { Broker } from '../broker/broker.ts'
import { checkTopicName } from '../metadata/topic-names.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import type { Encodable } from '../wire/schema.ts'
import { array, int16, int32, int64, string } from '../wire/schema.ts'
import { allows } from './authorization.ts'

const request = {
  topics: array({
    name: string,
    partitionIndexes: array(int32),
  }),
}

const response = {
  throttleTimeMs: int32,
  topics: array({
    name: string,
    partitions: array({
      partitionIndex: int32,
      errorCode: int16,
      errorMessage: string.nullable().default(null),
      activeProducers: array({
        producerId: int64,
        producerEpoch: int32,
        lastSequence: int32.default(-1),
        lastTimestamp: int64.default(-1),
        coordinatorEpoch: int32,
        currentTxnStartOffset: int64.default(-1),
      }),
    }),
  }),
}

/**
 * The producers that a replica knows, with their sequences and open transactions (KIP-664, I-17). Every replica answers,
 * followers too.
 */
export const describeProducers: Api<typeof request, typeof response> = defineApi({
  key: 61,
  name: 'DescribeProducers',
  versions: '0',
  flexibleFrom: 0,
  request,
  response,
  broker: (broker: Broker, request, context) => ({
    throttleTimeMs: 0,
    topics: request.topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map(index => answer(broker, name, index, context)),
    })),
  }),
})

type Answer = Encodable<typeof response>['topics'][number]['partitions'][number]

function answer(broker: Broker, topic: string, partitionIndex: number, context: RequestContext): Answer {
  try {
    if (!allows(broker, context, 'read', 'topic', topic)) throw new KafkaError('TOPIC_AUTHORIZATION_FAILED')
    checkTopicName(topic)
    const { producerStates } = broker.requirePartition(topic, partitionIndex).log
    return {
      partitionIndex,
      errorCode: errorCodes.NONE,
      activeProducers: [...producerStates.all()].map(producer => ({
        producerId: producer.producerId,
        producerEpoch: producer.producerEpoch,
        lastSequence: producer.lastSequence,
        lastTimestamp: producer.lastTimestamp,
        coordinatorEpoch: producer.coordinatorEpoch,
        currentTxnStartOffset: producer.currentTransactionFirstOffset,
      })),
    }
  } catch (error) {
    if (error instanceof KafkaError) return { partitionIndex, ...errorFields(error), activeProducers: [] }
    throw error
  }
}
