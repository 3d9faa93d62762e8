import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { array, boolean, int8, int16, int32, string } from '../wire/schema.ts'

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
 * controller.
 */
export const incrementalAlterConfigs: Api<typeof request, typeof response> = defineApi({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: '0-1',
  flexibleFrom: 1,
  request,
  response,
  controller: (controller: Controller, request) => controller.incrementalAlterConfigs(request),
})
