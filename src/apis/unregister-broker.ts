import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import { int16, int32, string } from '../wire/schema.ts'
import { clusterRefusal } from './authorization.ts'
import { forwarded } from './forwarding.ts'

const request = {
  brokerId: int32,
}

const response = {
  throttleTimeMs: int32,
  errorCode: int16,
  errorMessage: string.nullable(),
}

/**
 * Forgets a broker that will not come back (KIP-631). A broker forwards it to the active controller.
 */
export const unregisterBroker: Api<typeof request, typeof response> = defineApi({
  key: 64,
  name: 'UnregisterBroker',
  versions: '0',
  flexibleFrom: 0,
  request,
  response,
  broker: (broker: Broker, request, context) =>
    forwarded(broker, unregisterBroker, request, context, error => ({ throttleTimeMs: 0, ...errorFields(error) })),
  controller: (controller: Controller, request, context) => {
    const error = clusterRefusal(controller, context, 'alter')
    return error === undefined
      ? controller.administration.unregisterBroker(request)
      : { throttleTimeMs: 0, ...errorFields(error) }
  },
})
