import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorCodes } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, boolean, int8, int16, int32, string } from '../wire/schema.ts'
import { clusterOperations } from './authorization.ts'

const request = {
  includeClusterAuthorizedOperations: boolean,
  endpointType: int8.since(1).default(1),
  includeFencedBrokers: boolean.since(2),
}

const response = {
  throttleTimeMs: int32,
  errorCode: int16,
  errorMessage: string.nullable().default(null),
  endpointType: int8.since(1).default(1),
  clusterId: string,
  controllerId: int32.default(-1),
  brokers: array({
    brokerId: int32,
    host: string,
    port: int32,
    rack: string.nullable().default(null),
    isFenced: boolean.since(2),
  }),
  clusterAuthorizedOperations: int32.default(-2147483648),
}

/**
 * The cluster's id, controller and brokers (KIP-700). v1 asks for brokers or for controllers, each of those that it asks
 * for (KIP-919); v2 includes fenced brokers. Any broker answers, from its image; the controller names itself.
 */
export const describeCluster: Api<typeof request, typeof response> = defineApi({
  key: 60,
  name: 'DescribeCluster',
  versions: '0-2',
  flexibleFrom: 0,
  request,
  response,
  broker: answer,
  controller: answerOfController,
})

const BROKERS = 1
const CONTROLLERS = 2

function answer(
  broker: Broker,
  { endpointType, includeFencedBrokers, includeClusterAuthorizedOperations }: Decoded<typeof request>,
  context: RequestContext,
): Encodable<typeof response> {
  const { image, clusterId, life } = broker
  if (endpointType !== BROKERS) {
    const [errorCode, errorMessage] =
      endpointType === CONTROLLERS
        ? [errorCodes.MISMATCHED_ENDPOINT_TYPE, 'This is a broker, and controllers were asked for.']
        : [errorCodes.UNSUPPORTED_ENDPOINT_TYPE, `There are no endpoints of type ${endpointType}.`]
    return { throttleTimeMs: 0, errorCode, errorMessage, clusterId: '', brokers: [] }
  }
  const registered = [...image.brokers.values()].sort((a, b) => a.brokerId - b.brokerId)
  const alive = registered.filter(broker => !broker.fenced)
  return {
    throttleTimeMs: 0,
    errorCode: errorCodes.NONE,
    errorMessage: null,
    clusterId,
    // As in Metadata (M-1): what is for the controller may be sent to any broker.
    controllerId: alive.length === 0 ? -1 : alive[life.choose('controller id of Metadata', alive.length)]!.brokerId,
    brokers: (includeFencedBrokers ? registered : alive).flatMap(({ brokerId, fenced }) => {
      const isFenced = includeFencedBrokers ? { isFenced: fenced } : {}
      const endpoints = broker.endpointsOf([brokerId], context.listener)
      return endpoints.map(({ nodeId, ...endpoint }) => ({ brokerId: nodeId, ...endpoint, ...isFenced }))
    }),
    ...(includeClusterAuthorizedOperations ? { clusterAuthorizedOperations: clusterOperations(broker, context) } : {}),
  }
}

function answerOfController(
  controller: Controller,
  { endpointType, includeClusterAuthorizedOperations }: Decoded<typeof request>,
  context: RequestContext,
): Encodable<typeof response> {
  const {
    nodeId,
    clusterId,
    address: { host, port },
  } = controller
  if (endpointType !== CONTROLLERS) {
    const [errorCode, errorMessage] =
      endpointType !== BROKERS
        ? [errorCodes.UNSUPPORTED_ENDPOINT_TYPE, `There are no endpoints of type ${endpointType}.`]
        : [
            // Before v1 nobody could ask for anything else, nor be told.
            context.version === 0 ? errorCodes.INVALID_REQUEST : errorCodes.MISMATCHED_ENDPOINT_TYPE,
            'This is a controller, and brokers were asked for.',
          ]
    return { throttleTimeMs: 0, errorCode, errorMessage, clusterId: '', brokers: [] }
  }
  return {
    throttleTimeMs: 0,
    errorCode: errorCodes.NONE,
    errorMessage: null,
    endpointType: CONTROLLERS,
    clusterId,
    controllerId: nodeId,
    brokers: [{ brokerId: nodeId, host, port }],
    ...(includeClusterAuthorizedOperations
      ? { clusterAuthorizedOperations: clusterOperations(controller, context) }
      : {}),
  }
}
