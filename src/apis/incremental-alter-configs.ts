import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import { CLUSTER_DEFAULT, resourceTypes } from '../metadata/image.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import { KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, boolean, int8, int16, int32, string } from '../wire/schema.ts'
import { forwarded } from './forwarding.ts'

const request = {
  resources: array({
    resourceType: int8,
    resourceName: string,
    configs: array({
      name: string,
      configOperation: int8,
      value: string.nullable(),
    }),
  }),
  validateOnly: boolean,
}

const response = {
  throttleTimeMs: int32,
  responses: array({
    errorCode: int16,
    errorMessage: string.nullable(),
    resourceType: int8,
    resourceName: string,
  }),
}

/**
 * Sets, deletes, appends to or subtracts from single configuration keys (KIP-339). A broker forwards it to the active
 * controller, all but what names another broker: only the broker itself is asked for its own configuration (M-22).
 */
export const incrementalAlterConfigs: Api<typeof request, typeof response> = defineApi({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: '0-1',
  flexibleFrom: 1,
  request,
  response,
  broker: forward,
  controller: (controller: Controller, request) => controller.incrementalAlterConfigs(request),
})

type Request = Decoded<typeof request>
type Response = Encodable<typeof response>
type Resource = Request['resources'][number]
type ResourceAnswer = Response['responses'][number]

async function forward(broker: Broker, request: Request): Promise<Response> {
  const refusals = new Map<Resource, KafkaError>()
  for (const resource of request.resources) {
    const error = refusalOf(resource, request, broker)
    if (error !== undefined) refusals.set(resource, error)
  }
  const resources = request.resources.filter(resource => !refusals.has(resource))
  const answered: ResourceAnswer[] = []
  if (resources.length > 0) {
    const { responses } = await forwarded(
      broker,
      incrementalAlterConfigs,
      { resources, validateOnly: request.validateOnly },
      error => ({ throttleTimeMs: 0, responses: resources.map(resource => answerOf(resource, error)) }),
    )
    answered.push(...responses)
  }
  // The controller answers in the order of the request.
  const responses = request.resources.map(resource => {
    const refusal = refusals.get(resource)
    return refusal === undefined ? answered.shift()! : answerOf(resource, refusal)
  })
  return { throttleTimeMs: 0, responses }
}

/** What this broker refuses before the controller hears of it. */
function refusalOf(resource: Resource, { resources }: Request, broker: Broker): KafkaError | undefined {
  const { resourceType, resourceName } = resource
  const twins = resources.filter(each => each.resourceType === resourceType && each.resourceName === resourceName)
  if (twins.length > 1) return new KafkaError('INVALID_REQUEST', 'Each resource must appear at most once.')
  if (resourceType !== resourceTypes.broker || resourceName === CLUSTER_DEFAULT) return undefined
  if (!/^-?\d+$/.test(resourceName)) {
    return new KafkaError('INVALID_REQUEST', `'${resourceName}' is no broker id`)
  }
  if (Number(resourceName) === broker.id) return undefined
  return new KafkaError(
    'INVALID_REQUEST',
    `This is broker ${broker.id}: only broker ${resourceName} can be asked for that`,
  )
}

function answerOf({ resourceType, resourceName }: Resource, error: KafkaError): ResourceAnswer {
  return { ...errorFields(error), resourceType, resourceName }
}
