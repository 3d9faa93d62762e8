import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi } from '../wire/api.ts'
import type { Decoded } from '../wire/schema.ts'
import { array, int8, int16, int32, string } from '../wire/schema.ts'
import { aclDeletionsRefused, aclRefusal, requireCodes } from './acl-refusal.ts'
import { forwarded } from './forwarding.ts'

const request = {
  filters: array({
    resourceTypeFilter: int8,
    resourceNameFilter: string.nullable(),
    patternTypeFilter: int8.default(3),
    principalFilter: string.nullable(),
    hostFilter: string.nullable(),
    operation: int8,
    permissionType: int8,
  }),
}

const response = {
  throttleTimeMs: int32,
  filterResults: array({
    errorCode: int16,
    errorMessage: string.nullable(),
    matchingAcls: array({
      errorCode: int16,
      errorMessage: string.nullable(),
      resourceType: int8,
      resourceName: string,
      patternType: int8.default(3),
      principal: string,
      host: string,
      operation: int8,
      permissionType: int8,
    }),
  }),
}

/**
 * Deletes the ACLs that match filters. A broker forwards it to the active controller, which without an authorizer answers
 * SECURITY_DISABLED for each filter (M-73); who asks needs ALTER on the cluster. v2 is the first flexible version, v3 knows the resource type of users (KIP-373).
 */
export const deleteAcls: Api<typeof request, typeof response> = defineApi({
  key: 31,
  name: 'DeleteAcls',
  versions: '1-3',
  flexibleFrom: 2,
  request,
  response,
  broker: (broker: Broker, request, context) =>
    forwarded(broker, deleteAcls, known(broker, request), context, error => aclDeletionsRefused(request, error)),
  controller: (controller: Controller, request, context) => {
    const error = aclRefusal(controller, context, 'alter')
    return error === undefined ? controller.administration.deleteAcls(request) : aclDeletionsRefused(request, error)
  },
})

/** Kafka refuses to read a request with a code that means nothing. */
function known(broker: Broker, acls: Decoded<typeof request>): Decoded<typeof request> {
  for (const filter of acls.filters) {
    requireCodes(broker, filter.resourceTypeFilter, filter.patternTypeFilter, filter.operation, filter.permissionType)
  }
  return acls
}
