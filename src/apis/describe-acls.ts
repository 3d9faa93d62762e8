import { type Api, defineApi } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import { KafkaError } from '../wire/errors.ts'
import type { Encodable } from '../wire/schema.ts'
import { array, int8, int16, int32, string } from '../wire/schema.ts'

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
 * The ACLs that match a filter. Without an authorizer there are none to be described: SECURITY_DISABLED (M-73). v2 is the
 * first flexible version, v3 knows the resource type of users (KIP-373).
 *
 * Filters are not looked at: Kafka closes the connection for a filter with an unknown (0) type, pattern, operation or permission.
 */
export const describeAcls: Api<typeof request, typeof response> = defineApi({
  key: 29,
  name: 'DescribeAcls',
  versions: '1-3',
  flexibleFrom: 2,
  request,
  response,
  broker: () => disabled,
  controller: () => disabled,
})

const disabled: Encodable<typeof response> = {
  throttleTimeMs: 0,
  ...errorFields(new KafkaError('SECURITY_DISABLED', 'No Authorizer is configured on the broker')),
  resources: [],
}
