import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import type { ClusterImage } from '../metadata/image.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int8, int16, int32, string } from '../wire/schema.ts'
import { allowsCluster, type Guarded } from './authorization.ts'

const request = {
  users: array({
    name: string,
  }).nullable(),
}

const response = {
  throttleTimeMs: int32,
  errorCode: int16,
  errorMessage: string.nullable(),
  results: array({
    user: string,
    errorCode: int16,
    errorMessage: string.nullable(),
    credentialInfos: array({
      mechanism: int8,
      iterations: int32,
    }),
  }),
}

/**
 * Which users can authenticate with SCRAM, by which mechanisms and with how many iterations (KIP-554): some users, or with null
 * or an empty list all. Broker and controller answer, from their images; Kafka's controller fails over it.
 */
export const describeUserScramCredentials: Api<typeof request, typeof response> = defineApi({
  key: 50,
  name: 'DescribeUserScramCredentials',
  versions: '0',
  flexibleFrom: 0,
  request,
  response,
  broker: (broker: Broker, request, context) => described(broker, request, context),
  controller: (controller: Controller, request, context) => described(controller, request, context),
})

interface Node extends Guarded {
  readonly image: ClusterImage
}

function described(
  node: Node,
  { users }: Decoded<typeof request>,
  context: RequestContext,
): Encodable<typeof response> {
  if (!allowsCluster(node, context, 'describe')) {
    const error = { errorCode: errorCodes.CLUSTER_AUTHORIZATION_FAILED, errorMessage: null }
    // Kafka says it of nobody, too.
    return { throttleTimeMs: 0, ...error, results: [{ user: '', ...error, credentialInfos: [] }] }
  }
  const { scramCredentials } = node.image
  const named = users === null || users.length === 0 ? [...scramCredentials.users] : users.map(({ name }) => name)
  const results = [...new Set(named)].map(user => {
    const credentials = scramCredentials.of(user)
    const isRepeated = named.indexOf(user) !== named.lastIndexOf(user)
    const error = isRepeated
      ? new KafkaError(
          'DUPLICATE_RESOURCE',
          `Cannot describe SCRAM credentials for the same user twice in a single request: ${user}`,
        )
      : credentials.size === 0
        ? new KafkaError('RESOURCE_NOT_FOUND', `Attempt to describe a user credential that does not exist: ${user}`)
        : undefined
    if (error !== undefined) return { user, ...errorFields(error), credentialInfos: [] }
    return {
      user,
      errorCode: errorCodes.NONE,
      errorMessage: '',
      credentialInfos: [...credentials]
        .sort(([a], [b]) => a - b)
        .map(([mechanism, { iterations }]) => ({ mechanism, iterations })),
    }
  })
  return { throttleTimeMs: 0, errorCode: errorCodes.NONE, errorMessage: '', results }
}
