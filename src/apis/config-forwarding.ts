import type { Broker } from '../broker/broker.ts'
import { CLUSTER_DEFAULT, resourceTypes } from '../metadata/image.ts'
import type { AnyApi, RequestContext, RequestInput, ResponseInput } from '../wire/api.ts'
import { type ErrorFields, errorFields } from '../wire/error-fields.ts'
import { KafkaError } from '../wire/errors.ts'
import type { Guarded } from './authorization.ts'
import { configRefusal } from './config-authorization.ts'
import { forwarded } from './forwarding.ts'

interface Resource {
  readonly resourceType: number
  readonly resourceName: string
}

type ResourceAnswer = ErrorFields & Resource

/** What both of these APIs answer. */
interface Response {
  readonly throttleTimeMs: number
  readonly responses: readonly ResourceAnswer[]
}

/**
 * IncrementalAlterConfigs and AlterConfigs on their way to the controller, without what this broker refuses itself: only
 * the broker itself is asked for its own configuration (M-22). `bodyOf` makes a request of the resources that go on.
 */
export async function forwardedConfigs<A extends AnyApi, R extends Resource>(
  broker: Broker,
  api: A,
  resources: readonly R[],
  context: RequestContext,
  bodyOf: (resources: readonly R[]) => RequestInput<A>,
): Promise<Response> {
  const refusals = new Map<R, KafkaError>()
  for (const resource of resources) {
    const error = refusalOf(resource, resources, broker)
    if (error !== undefined) refusals.set(resource, error)
  }
  const sent = resources.filter(resource => !refusals.has(resource))
  const answered: ResourceAnswer[] = []
  if (sent.length > 0) {
    const refused = (error: KafkaError): Response => ({
      throttleTimeMs: 0,
      responses: sent.map(resource => answerOf(resource, error)),
    })
    const response = await forwarded(
      broker,
      api,
      bodyOf(sent),
      context,
      error => refused(error) as object as ResponseInput<A>,
    )
    answered.push(...(response as object as Response).responses)
  }
  // The controller answers in the order of the request.
  const responses = resources.map(resource => {
    const refusal = refusals.get(resource)
    return refusal === undefined ? answered.shift()! : answerOf(resource, refusal)
  })
  return { throttleTimeMs: 0, responses }
}

/** What this broker refuses before the controller hears of it. */
function refusalOf(resource: Resource, resources: readonly Resource[], broker: Broker): KafkaError | undefined {
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

/** The controller's part: what the asker may alter is altered, the rest refused. */
export function alterAllowed<R extends Resource>(
  controller: Guarded,
  resources: readonly R[],
  context: RequestContext,
  alter: (resources: readonly R[]) => object,
): Response | Promise<Response> {
  if (controller.authorizer === undefined) return alter(resources) as Response | Promise<Response>
  const forbidden: ResourceAnswer[] = []
  const isAllowed = (resource: R): boolean => {
    const error = configRefusal(controller, context, 'alterConfigs', resource.resourceType, resource.resourceName)
    if (error !== undefined) forbidden.push(answerOf(resource, error))
    return error === undefined
  }
  const allowed = resources.filter(isAllowed)
  const answered = (altered: Response): Response => {
    const [done, refused] = [[...altered.responses], [...forbidden]]
    // In the order of the request.
    const responses = resources.map(each => (allowed.includes(each) ? done.shift()! : refused.shift()!))
    return { ...altered, responses }
  }
  const altered = alter(allowed) as Response | Promise<Response>
  return altered instanceof Promise ? altered.then(answered) : answered(altered)
}
