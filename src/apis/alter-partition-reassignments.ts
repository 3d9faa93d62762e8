import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import type { KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, boolean, int16, int32, string } from '../wire/schema.ts'
import { clusterRefusal } from './authorization.ts'
import { forwarded } from './forwarding.ts'

const request = {
  timeoutMs: int32.default(60000),
  allowReplicationFactorChange: boolean.since(1).default(true),
  topics: array({
    name: string,
    partitions: array({
      partitionIndex: int32,
      replicas: array(int32).nullable().default(null),
    }),
  }),
}

const response = {
  throttleTimeMs: int32,
  allowReplicationFactorChange: boolean.since(1).default(true).ignorable(),
  errorCode: int16,
  errorMessage: string.nullable(),
  responses: array({
    name: string,
    partitions: array({
      partitionIndex: int32,
      errorCode: int16,
      errorMessage: string.nullable(),
    }),
  }),
}

/**
 * Gives partitions other replicas; null replicas call a reassignment off (KIP-455). v1 may forbid a change of the
 * replication factor (KIP-860). A broker forwards it to the active controller.
 */
export const alterPartitionReassignments: Api<typeof request, typeof response> = defineApi({
  key: 45,
  name: 'AlterPartitionReassignments',
  versions: '0-1',
  flexibleFrom: 0,
  request,
  response,
  broker: (broker: Broker, request, context) =>
    forwarded(broker, alterPartitionReassignments, request, context, error => refused(request, error)),
  controller: (controller: Controller, request, context) => {
    const error = clusterRefusal(controller, context, 'alter')
    return error === undefined ? controller.alterPartitionReassignments(request) : refused(request, error)
  },
})

function refused({ topics }: Decoded<typeof request>, error: KafkaError): Encodable<typeof response> {
  return {
    throttleTimeMs: 0,
    ...errorFields(error),
    responses: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, ...errorFields(error) })),
    })),
  }
}
