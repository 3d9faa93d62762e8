import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import { errorCodes } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int16, int32, string, uuid } from '../wire/schema.ts'
import { zeroUuid } from '../wire/uuid.ts'
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
  controller: (controller: Controller, request, context) => controller.deleteTopics(request, context),
})

type Request = Decoded<typeof request>
type Response = Encodable<typeof response>

/** First version that names topics as structures, by name or id. */
const BY_ID_VERSION = 6
/** First version that has TOPIC_DELETION_DISABLED. */
const DISABLED_VERSION = 3

async function forward(broker: Broker, request: Request, { version }: RequestContext): Promise<Response> {
  const { timeoutMs } = request
  const topics =
    version >= BY_ID_VERSION ? request.topics : request.topicNames.map(name => ({ name, topicId: zeroUuid }))
  const answer = await forwarded(broker, deleteTopics, { topics, topicNames: [], timeoutMs }, error => ({
    throttleTimeMs: 0,
    responses: topics.map(topic => ({ ...topic, ...errorFields(error) })),
  }))
  if (version >= DISABLED_VERSION) return answer
  return {
    ...answer,
    responses: answer.responses.map(topic =>
      topic.errorCode === errorCodes.TOPIC_DELETION_DISABLED
        ? { ...topic, errorCode: errorCodes.INVALID_REQUEST }
        : topic,
    ),
  }
}
