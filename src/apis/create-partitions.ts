import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import { errorCodes } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, boolean, int16, int32, string } from '../wire/schema.ts'
import { allows } from './authorization.ts'
import { forwarded } from './forwarding.ts'

const request = {
  topics: array({
    name: string,
    count: int32,
    assignments: array({
      brokerIds: array(int32),
    }).nullable(),
  }),
  timeoutMs: int32,
  validateOnly: boolean,
}

const response = {
  throttleTimeMs: int32,
  results: array({
    name: string,
    errorCode: int16,
    errorMessage: string.nullable().default(null),
  }),
}

/**
 * Adds partitions to topics; `count` is the new total, never less than before. A broker forwards it to the active
 * controller.
 */
export const createPartitions: Api<typeof request, typeof response> = defineApi({
  key: 37,
  name: 'CreatePartitions',
  versions: '0-3',
  flexibleFrom: 2,
  request,
  response,
  broker: (broker: Broker, request, context) =>
    forwarded(
      broker,
      createPartitions,
      request,
      context,
      error => ({
        throttleTimeMs: 0,
        results: request.topics.map(({ name }) => ({ name, ...errorFields(error) })),
      }),
      context.version,
    ),
  controller: create,
})

type Request = Decoded<typeof request>
type Response = Encodable<typeof response>

function create(controller: Controller, request: Request, context: RequestContext): Response | Promise<Response> {
  if (controller.authorizer === undefined) return controller.createPartitions(request, context)
  const names = request.topics.map(({ name }) => name)
  const isForbidden = (name: string) =>
    names.indexOf(name) === names.lastIndexOf(name) && !allows(controller, context, 'alter', 'topic', name)
  const error = { errorCode: errorCodes.TOPIC_AUTHORIZATION_FAILED, errorMessage: null }
  const forbidden = names.filter(isForbidden).map(name => ({ name, ...error }))
  const answered = (made: Response): Response => ({ ...made, results: [...made.results, ...forbidden] })
  const topics = request.topics.filter(({ name }) => !isForbidden(name))
  const made = controller.createPartitions({ ...request, topics }, context) as Response | Promise<Response>
  return made instanceof Promise ? made.then(answered) : answered(made)
}
