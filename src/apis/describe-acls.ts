import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import { type Acl, type AclFilter, isMeantByFilter } from '../metadata/acls.ts'
import type { ClusterImage } from '../metadata/image.ts'
import type { RequestContext } from '../wire/api.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import { errorCodes } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int8, int16, int32, string } from '../wire/schema.ts'
import { aclRefusal, requireCodes } from './acl-refusal.ts'
import type { Guarded } from './authorization.ts'

const request = {
  resourceTypeFilter: int8,
  resourceNameFilter: string.nullable(),
  patternTypeFilter: int8.default(3),
  principalFilter: string.nullable(),
  hostFilter: string.nullable(),
  operation: int8,
  permissionType: int8,
}

const response = {
  throttleTimeMs: int32,
  errorCode: int16,
  errorMessage: string.nullable(),
  resources: array({
    resourceType: int8,
    resourceName: string,
    patternType: int8.default(3),
    acls: array({
      principal: string,
      host: string,
      operation: int8,
      permissionType: int8,
    }),
  }),
}

/**
 * The ACLs that match a filter, to whoever may DESCRIBE the cluster. Without an authorizer there are none to be described:
 * SECURITY_DISABLED (M-73). v2 is the first flexible version, v3 knows the resource type of users (KIP-373).
 */
export const describeAcls: Api<typeof request, typeof response> = defineApi({
  key: 29,
  name: 'DescribeAcls',
  versions: '1-3',
  flexibleFrom: 2,
  request,
  response,
  broker: (broker: Broker, request, context) => describe(broker, request, context),
  controller: (controller: Controller, request, context) => describe(controller, request, context),
})

type Request = Decoded<typeof request>
type Response = Encodable<typeof response>

interface Node extends Guarded {
  readonly image: ClusterImage
}

function describe(node: Node, request: Request, context: RequestContext): Response {
  const { resourceTypeFilter: resourceType, patternTypeFilter: patternType, operation, permissionType } = request
  requireCodes(node, resourceType, patternType, operation, permissionType)
  const error = aclRefusal(node, context, 'describe', ' on the broker')
  if (error !== undefined) return { throttleTimeMs: 0, ...errorFields(error), resources: [] }
  const filter: AclFilter = {
    resourceType,
    resourceName: request.resourceNameFilter,
    patternType,
    principal: request.principalFilter,
    host: request.hostFilter,
    operation,
    permissionType,
  }
  const patterns = new Map<string, Acl[]>()
  for (const [, acl] of node.image.acls.entries()) {
    if (!isMeantByFilter(acl, filter)) continue
    const key = JSON.stringify([acl.resourceType, acl.patternType, acl.resourceName])
    patterns.set(key, [...(patterns.get(key) ?? []), acl])
  }
  const resources = [...patterns.values()].map(acls => ({ ...acls[0]!, acls }))
  return { throttleTimeMs: 0, errorCode: errorCodes.NONE, errorMessage: '', resources }
}
