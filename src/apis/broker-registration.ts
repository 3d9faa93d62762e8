import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { array, boolean, int16, int32, int64, string, uint16, uuid } from '../wire/schema.ts'
import { clusterRefusal } from './authorization.ts'

const request = {
  brokerId: int32,
  clusterId: string,
  incarnationId: uuid,
  listeners: array({
    name: string,
    host: string,
    port: uint16,
    securityProtocol: int16,
  }),
  features: array({
    name: string,
    minSupportedVersion: int16,
    maxSupportedVersion: int16,
  }),
  rack: string.nullable(),
  isMigratingZkBroker: boolean.since(1).default(false),
  logDirs: array(uuid).since(2).ignorable(),
  previousBrokerEpoch: int64.since(3).default(-1).ignorable(),
}

const response = {
  throttleTimeMs: int32,
  errorCode: int16,
  brokerEpoch: int64.default(-1),
}

/**
 * A broker that starts says who it is and gets its broker epoch (KIP-631). v1 carries whether it migrates from
 * ZooKeeper, v2 its log directories (KIP-858), v3 the epoch of its life before (KIP-966); v4 has the same fields. Only
 * the active controller answers.
 */
export const brokerRegistration: Api<typeof request, typeof response> = defineApi({
  key: 62,
  name: 'BrokerRegistration',
  versions: '0-4',
  flexibleFrom: 0,
  request,
  response,
  controller: (controller: Controller, request, context) => {
    const error = clusterRefusal(controller, context, 'clusterAction')
    return error === undefined ? controller.registerBroker(request) : { throttleTimeMs: 0, errorCode: error.code }
  },
})
