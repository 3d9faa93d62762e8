import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import { KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int8, int16, int32, string } from '../wire/schema.ts'
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
 * (M-73). v2 is the first flexible version, v3 knows the resource type of users (KIP-373).
 */
export const createAcls: Api<typeof request, typeof response> = defineApi({
  key: 30,
  name: 'CreateAcls',
  versions: '1-3',
  flexibleFrom: 2,
  request,
  response,
  broker: (broker: Broker, request) => forwarded(broker, createAcls, request, error => refused(request, error)),
  controller: (_: Controller, request) =>
    refused(request, new KafkaError('SECURITY_DISABLED', 'No Authorizer is configured.')),
})

function refused({ creations }: Decoded<typeof request>, error: KafkaError): Encodable<typeof response> {
  return { throttleTimeMs: 0, results: creations.map(() => errorFields(error)) }
}
