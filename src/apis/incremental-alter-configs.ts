import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { array, boolean, int8, int16, int32, string } from '../wire/schema.ts'
import { alterAllowed, forwardedConfigs } from './config-forwarding.ts'

const request = {
  resources: array({
    resourceType: int8,
    resourceName: string,
    configs: array({
      name: string,
      configOperation: int8,
      value: string.nullable(),
    }),
  }),
  validateOnly: boolean,
}

const response = {
  throttleTimeMs: int32,
  responses: array({
    errorCode: int16,
    errorMessage: string.nullable(),
    resourceType: int8,
    resourceName: string,
  }),
}

/**
 * Sets, deletes, appends to or subtracts from single configuration keys (KIP-339). A broker forwards it to the active
 * controller, all but what names another broker: only the broker itself is asked for its own configuration (M-22).
 */
export const incrementalAlterConfigs: Api<typeof request, typeof response> = defineApi({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: '0-1',
  flexibleFrom: 1,
  request,
  response,
  broker: (broker: Broker, request, context) =>
    forwardedConfigs(broker, incrementalAlterConfigs, request.resources, context, resources => ({
      ...request,
      resources,
    })),
  controller: (controller: Controller, request, context) =>
    alterAllowed(controller, request.resources, context, resources =>
      controller.incrementalAlterConfigs({ ...request, resources: [...resources] }),
    ),
})
