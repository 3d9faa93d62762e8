import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import { array, boolean, int16, int32, string } from '../wire/schema.ts'
import { forwarded } from './forwarding.ts'

const request = {
  topics: array({
    name: string,
    count: int32,
    assignments: array({
      brokerIds: array(int32),
    }).nullable(),
  }),
  timeoutMs: int32,
  validateOnly: boolean,
}

const response = {
  throttleTimeMs: int32,
  results: array({
    name: string,
    errorCode: int16,
    errorMessage: string.nullable().default(null),
  }),
}

/**
 * Adds partitions to topics; `count` is the new total, never less than before. A broker forwards it to the active
 * controller.
 */
export const createPartitions: Api<typeof request, typeof response> = defineApi({
  key: 37,
  name: 'CreatePartitions',
  versions: '0-3',
  flexibleFrom: 2,
  request,
  response,
  broker: (broker: Broker, request) =>
    forwarded(broker, createPartitions, request, error => ({
      throttleTimeMs: 0,
      results: request.topics.map(({ name }) => ({ name, ...errorFields(error) })),
    })),
  controller: (controller: Controller, request) => controller.createPartitions(request),
})
