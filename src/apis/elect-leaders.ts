import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int8, int16, int32, string } from '../wire/schema.ts'
import { clusterRefusal } from './authorization.ts'
import { forwarded } from './forwarding.ts'

const request = {
  electionType: int8.since(1),
  topicPartitions: array({
    topic: string,
    partitions: array(int32),
  }).nullable(),
  timeoutMs: int32.default(60000),
}

const response = {
  throttleTimeMs: int32,
  errorCode: int16.since(1),
  replicaElectionResults: array({
    topic: string,
    partitionResult: array({
      partitionId: int32,
      errorCode: int16,
      errorMessage: string.nullable(),
    }),
  }),
}

/**
 * Elects leaders: the preferred ones, or from v1 on unclean ones where nobody in sync lives (KIP-460). Null means
 * every partition. A broker forwards it to the active controller.
 */
export const electLeaders: Api<typeof request, typeof response> = defineApi({
  key: 43,
  name: 'ElectLeaders',
  versions: '0-2',
  flexibleFrom: 2,
  request,
  response,
  broker: forward,
  controller: (controller: Controller, request, context) => {
    const error = clusterRefusal(controller, context, 'alter')
    return error === undefined ? controller.electLeaders(request, context) : refused(request, error)
  },
})

type Request = Decoded<typeof request>
type Response = Encodable<typeof response>

async function forward(broker: Broker, request: Request, context: RequestContext): Promise<Response> {
  const { version } = context
  const answer = await forwarded(broker, electLeaders, request, context, error => refused(request, error))
  const { errorCode = errorCodes.NONE, ...rest } = answer
  if (version > 0 || errorCode === errorCodes.NONE) return version > 0 ? answer : rest
  // v0 has no error of the whole: each partition tells it.
  const { errorCode: _, ...parts } = refused(request, KafkaError.of(errorCode))
  return parts
}

function refused(request: Request, error: KafkaError): Response {
  return {
    throttleTimeMs: 0,
    errorCode: error.code,
    replicaElectionResults: (request.topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map(partitionId => ({ partitionId, ...errorFields(error) })),
    })),
  }
}
