import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import type { KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, bytes, int8, int16, int32, string } from '../wire/schema.ts'
import { clusterRefusal } from './authorization.ts'
import { forwarded } from './forwarding.ts'

const request = {
  deletions: array({
    name: string,
    mechanism: int8,
  }),
  upsertions: array({
    name: string,
    mechanism: int8,
    iterations: int32,
    salt: bytes,
    saltedPassword: bytes,
  }),
}

const response = {
  throttleTimeMs: int32,
  results: array({
    user: string,
    errorCode: int16,
    errorMessage: string.nullable(),
  }),
}

/**
 * Gives users SCRAM credentials, by a password that was salted by the client, and takes them away (KIP-554). A broker forwards
 * it to the active controller.
 */
export const alterUserScramCredentials: Api<typeof request, typeof response> = defineApi({
  key: 51,
  name: 'AlterUserScramCredentials',
  versions: '0',
  flexibleFrom: 0,
  request,
  response,
  broker: (broker: Broker, request, context) =>
    forwarded(broker, alterUserScramCredentials, request, context, error => refused(request, error)),
  controller: (controller: Controller, request, context) => {
    const error = clusterRefusal(controller, context, 'alter')
    return error === undefined ? controller.administration.alterUserScramCredentials(request) : refused(request, error)
  },
})

function refused({ deletions, upsertions }: Decoded<typeof request>, error: KafkaError): Encodable<typeof response> {
  const users = new Set([...deletions, ...upsertions].map(({ name }) => name))
  return { throttleTimeMs: 0, results: [...users].map(user => ({ user, ...errorFields(error) })) }
}
