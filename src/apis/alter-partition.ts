import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { array, int8, int16, int32, int64, uuid } from '../wire/schema.ts'
import { clusterRefusal } from './authorization.ts'

const request = {
  brokerId: int32,
  brokerEpoch: int64.default(-1),
  topics: array({
    topicId: uuid.ignorable(),
    partitions: array({
      partitionIndex: int32,
      leaderEpoch: int32,
      newIsr: array(int32).until(2),
      newIsrWithEpochs: array({
        brokerId: int32,
        brokerEpoch: int64.default(-1),
      }).since(3),
      leaderRecoveryState: int8.default(0),
      partitionEpoch: int32,
    }),
  }),
}

const response = {
  throttleTimeMs: int32,
  errorCode: int16,
  topics: array({
    topicId: uuid.ignorable(),
    partitions: array({
      partitionIndex: int32,
      errorCode: int16,
      leaderId: int32,
      leaderEpoch: int32,
      isr: array(int32),
      leaderRecoveryState: int8.default(0).ignorable(),
      partitionEpoch: int32,
    }),
  }),
}

/**
 * The leader of a partition proposes another in-sync set (KIP-497). From v3 on every replica comes with its broker
 * epoch, so that a restarted one cannot slip in (KIP-903). Only the active controller answers.
 */
export const alterPartition: Api<typeof request, typeof response> = defineApi({
  key: 56,
  name: 'AlterPartition',
  versions: '2-3',
  flexibleFrom: 0,
  request,
  response,
  controller: (controller: Controller, request, context) => {
    const error = clusterRefusal(controller, context, 'clusterAction')
    return error === undefined
      ? controller.alterPartition(request, context)
      : { throttleTimeMs: 0, errorCode: error.code, topics: [] }
  },
})
