import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import { array, boolean, int8, int16, int32, string, uuid } from '../wire/schema.ts'
import { forwarded } from './forwarding.ts'

const request = {
  topics: array({
    name: string,
    numPartitions: int32,
    replicationFactor: int16,
    assignments: array({
      partitionIndex: int32,
      brokerIds: array(int32),
    }),
    configs: array({
      name: string,
      value: string.nullable(),
    }),
  }),
  timeoutMs: int32.default(60000),
  validateOnly: boolean.default(false),
}

const response = {
  throttleTimeMs: int32.ignorable(),
  topics: array({
    name: string,
    topicId: uuid.since(7).ignorable(),
    errorCode: int16,
    errorMessage: string.nullable().ignorable(),
    topicConfigErrorCode: int16.since(5).tagged(0).ignorable(),
    numPartitions: int32.since(5).default(-1).ignorable(),
    replicationFactor: int16.since(5).default(-1).ignorable(),
    configs: array({
      name: string,
      value: string.nullable(),
      readOnly: boolean,
      configSource: int8.default(-1).ignorable(),
      isSensitive: boolean,
    })
      .nullable()
      .since(5)
      .ignorable(),
  }),
}

/**
 * Makes topics. v5 answers with the configuration that the topic got, v7 with its id (W-46). A broker forwards it to
 * the active controller, which decides.
 */
export const createTopics: Api<typeof request, typeof response> = defineApi({
  key: 19,
  name: 'CreateTopics',
  versions: '2-7',
  flexibleFrom: 5,
  request,
  response,
  broker: (broker: Broker, request) =>
    forwarded(broker, createTopics, request, error => ({
      throttleTimeMs: 0,
      topics: request.topics.map(({ name }) => ({ name, ...errorFields(error), configs: [] })),
    })),
  controller: (controller: Controller, request) => controller.createTopics(request),
})
