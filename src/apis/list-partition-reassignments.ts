import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { array, int16, int32, string } from '../wire/schema.ts'

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
  controller: (controller: Controller, request) => controller.listPartitionReassignments(request),
})
