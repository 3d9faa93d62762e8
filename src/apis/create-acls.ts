import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi } from '../wire/api.ts'
import type { Decoded } from '../wire/schema.ts'
import { array, int8, int16, int32, string } from '../wire/schema.ts'
import { aclRefusal, aclsRefused, requireCodes } from './acl-refusal.ts'
import { forwarded } from './forwarding.ts'

const request = {
  creations: array({
    resourceType: int8,
    resourceName: string,
    resourcePatternType: int8.default(3),
    principal: string,
    host: string,
    operation: int8,
    permissionType: int8,
  }),
}

const response = {
  throttleTimeMs: int32,
  results: array({
    errorCode: int16,
    errorMessage: string.nullable(),
  }),
}

/**
 * Creates ACLs. A broker forwards it to the active controller, which without an authorizer answers SECURITY_DISABLED for each
 * (M-73); who asks needs ALTER on the
 * cluster. v2 is the first flexible version, v3 knows the resource type of users (KIP-373).
 */
export const createAcls: Api<typeof request, typeof response> = defineApi({
  key: 30,
  name: 'CreateAcls',
  versions: '1-3',
  flexibleFrom: 2,
  request,
  response,
  broker: (broker: Broker, request, context) =>
    forwarded(broker, createAcls, known(broker, request), context, error => aclsRefused(request, error)),
  controller: (controller: Controller, request, context) => {
    const error = aclRefusal(controller, context, 'alter')
    return error === undefined ? controller.administration.createAcls(request) : aclsRefused(request, error)
  },
})

/** Kafka refuses to read a request with a code that means nothing. */
function known(broker: Broker, acls: Decoded<typeof request>): Decoded<typeof request> {
  for (const acl of acls.creations) {
    requireCodes(broker, acl.resourceType, acl.resourcePatternType, acl.operation, acl.permissionType)
  }
  return acls
}
