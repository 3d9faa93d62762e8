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
 * Replaces the whole configuration of resources: what is not named is unset (M-22). IncrementalAlterConfigs is the newer way
 * (KIP-339), though old clients know only this one. v2 is the first flexible version. A broker forwards it to the active
 * controller, all but what names another broker.
 */
export const alterConfigs: Api<typeof request, typeof response> = defineApi({
  key: 33,
  name: 'AlterConfigs',
  versions: '0-2',
  flexibleFrom: 2,
  request,
  response,
  broker: (broker: Broker, request, context) =>
    forwardedConfigs(broker, alterConfigs, request.resources, context, resources => ({ ...request, resources })),
  controller: (controller: Controller, request, context) =>
    alterAllowed(controller, request.resources, context, resources =>
      controller.administration.alterConfigs({ ...request, resources: [...resources] }),
    ),
})
