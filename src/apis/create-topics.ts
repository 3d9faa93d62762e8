import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import { METADATA_TOPIC } from '../metadata/metadata-batch.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, boolean, int8, int16, int32, string, uuid } from '../wire/schema.ts'
import { allows, allowsCluster } from './authorization.ts'
import { forwarded } from './forwarding.ts'

const request = {
  topics: array({
    name: string,
    numPartitions: int32,
    replicationFactor: int16,
    assignments: array({
      partitionIndex: int32,
      brokerIds: array(int32),
    }),
    configs: array({
      name: string,
      value: string.nullable(),
    }),
  }),
  timeoutMs: int32.default(60000),
  validateOnly: boolean.default(false),
}

const response = {
  throttleTimeMs: int32.ignorable(),
  topics: array({
    name: string,
    topicId: uuid.since(7).ignorable(),
    errorCode: int16,
    errorMessage: string.nullable().ignorable(),
    topicConfigErrorCode: int16.since(5).tagged(0).ignorable(),
    numPartitions: int32.since(5).default(-1).ignorable(),
    replicationFactor: int16.since(5).default(-1).ignorable(),
    configs: array({
      name: string,
      value: string.nullable(),
      readOnly: boolean,
      configSource: int8.default(-1).ignorable(),
      isSensitive: boolean,
    })
      .nullable()
      .since(5)
      .ignorable(),
  }),
}

/**
 * Makes topics. v5 answers with the configuration that the topic got, v7 with its id (W-46). A broker forwards it to
 * the active controller, which decides.
 */
export const createTopics: Api<typeof request, typeof response> = defineApi({
  key: 19,
  name: 'CreateTopics',
  versions: '2-7',
  flexibleFrom: 5,
  request,
  response,
  broker: (broker: Broker, request, context) =>
    forwarded(
      broker,
      createTopics,
      request,
      context,
      error => ({
        throttleTimeMs: 0,
        topics: request.topics.map(({ name }) => ({ name, ...errorFields(error), configs: [] })),
      }),
      context.version,
    ),
  controller: create,
})

type Request = Decoded<typeof request>
type Response = Encodable<typeof response>
type CreatedTopic = Response['topics'][number]

/** What a topic is made with is told to those who may describe configurations. */
function create(controller: Controller, request: Request, context: RequestContext): Response | Promise<Response> {
  if (controller.authorizer === undefined) return controller.createTopics(request, context)
  const mayAll = allowsCluster(controller, context, 'create')
  const names = request.topics.map(({ name }) => name)
  // Kafka refuses the metadata log to everybody, before it looks at who asks.
  const isForbidden = (name: string) =>
    !mayAll &&
    name !== METADATA_TOPIC &&
    names.indexOf(name) === names.lastIndexOf(name) &&
    !allows(controller, context, 'create', 'topic', name)
  const topics = request.topics.filter(({ name }) => !isForbidden(name))
  const forbidden = names
    .filter(isForbidden)
    .map(name => ({ name, ...errorFields(new KafkaError('TOPIC_AUTHORIZATION_FAILED')), configs: [] }))
  const shown = (topic: CreatedTopic): CreatedTopic => {
    const { name, topicId, errorCode, errorMessage } = topic
    if (errorCode !== errorCodes.NONE || allows(controller, context, 'describeConfigs', 'topic', name)) return topic
    const topicConfigErrorCode = errorCodes.TOPIC_AUTHORIZATION_FAILED
    return { name, topicId, errorCode, errorMessage, topicConfigErrorCode, configs: [] }
  }
  const answered = (made: Response): Response => ({ ...made, topics: [...made.topics.map(shown), ...forbidden] })
  const made = controller.createTopics({ ...request, topics }, context) as Response | Promise<Response>
  return made instanceof Promise ? made.then(answered) : answered(made)
}
