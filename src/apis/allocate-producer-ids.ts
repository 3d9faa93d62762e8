import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { int16, int32, int64 } from '../wire/schema.ts'
import { clusterRefusal } from './authorization.ts'

const request = {
  brokerId: int32,
  brokerEpoch: int64.default(-1),
}

const response = {
  throttleTimeMs: int32,
  errorCode: int16,
  producerIdStart: int64,
  producerIdLen: int32,
}

/**
 * A broker takes a block of producer ids to give away (KIP-730). Only the active controller answers.
 */
export const allocateProducerIds: Api<typeof request, typeof response> = defineApi({
  key: 67,
  name: 'AllocateProducerIds',
  versions: '0',
  flexibleFrom: 0,
  request,
  response,
  controller: (controller: Controller, request, context) => {
    const error = clusterRefusal(controller, context, 'clusterAction')
    return error === undefined
      ? controller.allocateProducerIds(request)
      : { throttleTimeMs: 0, errorCode: error.code, producerIdStart: 0, producerIdLen: 0 }
  },
})
