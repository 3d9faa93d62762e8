import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import type { KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int16, int32, string } from '../wire/schema.ts'
import { clusterRefusal } from './authorization.ts'
import { forwarded } from './forwarding.ts'

const request = {
  timeoutMs: int32.default(60000),
  topics: array({
    name: string,
    partitionIndexes: array(int32),
  })
    .nullable()
    .default(null),
}

const response = {
  throttleTimeMs: int32,
  errorCode: int16,
  errorMessage: string.nullable(),
  topics: array({
    name: string,
    partitions: array({
      partitionIndex: int32,
      replicas: array(int32),
      addingReplicas: array(int32),
      removingReplicas: array(int32),
    }),
  }),
}

/**
 * The reassignments that are under way (KIP-455); null topics mean all. A broker forwards it to the active controller.
 */
export const listPartitionReassignments: Api<typeof request, typeof response> = defineApi({
  key: 46,
  name: 'ListPartitionReassignments',
  versions: '0',
  flexibleFrom: 0,
  request,
  response,
  broker: (broker: Broker, request, context) =>
    forwarded(broker, listPartitionReassignments, request, context, error => ({
      throttleTimeMs: 0,
      ...errorFields(error),
      topics: [],
    })),
  controller: (controller: Controller, request, context) => {
    const error = clusterRefusal(controller, context, 'describe')
    return error === undefined ? controller.listPartitionReassignments(request) : forbidden(request, error)
  },
})

/** Kafka names every partition that was asked for then, as if it moved from nowhere to nowhere. */
function forbidden({ topics }: Decoded<typeof request>, error: KafkaError): Encodable<typeof response> {
  return {
    throttleTimeMs: 0,
    ...errorFields(error),
    topics: (topics ?? []).map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map(partitionIndex => ({
        partitionIndex,
        replicas: [],
        addingReplicas: [],
        removingReplicas: [],
      })),
    })),
  }
}
