import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import { KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int16, int32, string, uuid } from '../wire/schema.ts'
import { zeroUuid } from '../wire/uuid.ts'
import { allows, allowsCluster } from './authorization.ts'
import { forwarded } from './forwarding.ts'

const request = {
  topics: array({
    name: string.nullable().default(null),
    topicId: uuid,
  }).since(6),
  topicNames: array(string).until(5).ignorable(),
  timeoutMs: int32,
}

const response = {
  throttleTimeMs: int32.ignorable(),
  responses: array({
    name: string.nullable(6),
    topicId: uuid.since(6).ignorable(),
    errorCode: int16,
    errorMessage: string.nullable().since(5).default(null).ignorable(),
  }),
}

/**
 * Deletes topics: by name up to v5, by name or id from v6 on (W-46), where exactly one of the two is set. A broker
 * forwards it to the active controller.
 */
export const deleteTopics: Api<typeof request, typeof response> = defineApi({
  key: 20,
  name: 'DeleteTopics',
  versions: '1-6',
  flexibleFrom: 4,
  request,
  response,
  broker: forward,
  controller: deleteAllowed,
})

type Request = Decoded<typeof request>
type Response = Encodable<typeof response>

/** First version that names topics as structures, by name or id. */
const BY_ID_VERSION = 6

function forward(broker: Broker, request: Request, context: RequestContext): Promise<Response> {
  const { version } = context
  const topics =
    version >= BY_ID_VERSION ? request.topics : request.topicNames.map(name => ({ name, topicId: zeroUuid }))
  const refusal = (error: KafkaError): Response => ({
    throttleTimeMs: 0,
    responses: topics.map(topic => ({ ...topic, ...errorFields(error) })),
  })
  return forwarded(broker, deleteTopics, request, context, refusal, version)
}

/**
 * Who may not describe a topic does not learn whether there is one of that name. Of what is asked by id, who may delete it
 * need not be able to describe it (ControllerApis.deleteTopics).
 */
function deleteAllowed(
  controller: Controller,
  request: Request,
  context: RequestContext,
): Response | Promise<Response> {
  if (controller.authorizer === undefined || allowsCluster(controller, context, 'delete')) {
    return controller.deleteTopics(request, context)
  }
  const may = (operation: 'delete' | 'describe', name: string) => allows(controller, context, operation, 'topic', name)
  const error = errorFields(new KafkaError('TOPIC_AUTHORIZATION_FAILED'))
  const forbidden: Response['responses'][number][] = []
  const isAllowed = ({ name, topicId }: { readonly name: string | null; readonly topicId: string }): boolean => {
    const known = name ?? controller.image.topicById(topicId)?.name
    if (known === undefined || (name !== null && topicId !== zeroUuid)) return true
    const isThere = name === null || controller.image.topic(name) !== undefined
    if (name === null ? may('delete', known) : may('describe', known) && (!isThere || may('delete', known))) return true
    forbidden.push({ name: name ?? (may('describe', known) ? known : null), topicId, ...error })
    return false
  }
  const allowed = {
    ...request,
    topics: request.topics.filter(isAllowed),
    topicNames: request.topicNames.filter(name => isAllowed({ name, topicId: zeroUuid })),
  }
  const answered = (deleted: Response): Response => ({ ...deleted, responses: [...deleted.responses, ...forbidden] })
  const deleted = controller.deleteTopics(allowed, context) as Response | Promise<Response>
  return deleted instanceof Promise ? deleted.then(answered) : answered(deleted)
}
