import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { array, boolean, int16, int32, int64, uuid } from '../wire/schema.ts'
import { clusterRefusal } from './authorization.ts'

const request = {
  brokerId: int32,
  brokerEpoch: int64.default(-1),
  currentMetadataOffset: int64,
  wantFence: boolean,
  wantShutDown: boolean,
  offlineLogDirs: array(uuid).since(1).tagged(0),
  cordonedLogDirs: array(uuid).nullable().since(2).default(null).tagged(1),
}

const response = {
  throttleTimeMs: int32,
  errorCode: int16,
  isCaughtUp: boolean.default(false),
  isFenced: boolean.default(true),
  shouldShutDown: boolean,
}

/**
 * A broker says that it is alive, how far it has read the metadata log, and whether it wants to leave; the answer
 * fences or unfences it, or lets it go (KIP-631). v1 names failed log directories (KIP-858), v2 cordoned ones. Only
 * the active controller answers.
 */
export const brokerHeartbeat: Api<typeof request, typeof response> = defineApi({
  key: 63,
  name: 'BrokerHeartbeat',
  versions: '0-2',
  flexibleFrom: 0,
  request,
  response,
  controller: (controller: Controller, request, context) => {
    const error = clusterRefusal(controller, context, 'clusterAction')
    return error === undefined
      ? controller.heartbeat(request)
      : { throttleTimeMs: 0, errorCode: error.code, shouldShutDown: false }
  },
})
