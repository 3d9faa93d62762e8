import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { array, int8, int16, int32, string } from '../wire/schema.ts'

const request = {
  electionType: int8.since(1),
  topicPartitions: array({
    topic: string,
    partitions: array(int32),
  }).nullable(),
  timeoutMs: int32.default(60000),
}

const response = {
  throttleTimeMs: int32,
  errorCode: int16.since(1),
  replicaElectionResults: array({
    topic: string,
    partitionResult: array({
      partitionId: int32,
      errorCode: int16,
      errorMessage: string.nullable(),
    }),
  }),
}

/**
 * Elects leaders: the preferred ones, or from v1 on unclean ones where nobody in sync lives (KIP-460). Null means
 * every partition. A broker forwards it to the active controller.
 */
export const electLeaders: Api<typeof request, typeof response> = defineApi({
  key: 43,
  name: 'ElectLeaders',
  versions: '0-2',
  flexibleFrom: 2,
  request,
  response,
  controller: (controller: Controller, request, context) => controller.electLeaders(request, context),
})
