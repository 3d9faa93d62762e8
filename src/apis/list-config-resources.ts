import type { Broker } from '../broker/broker.ts'
import { resourceTypes } from '../metadata/image.ts'
import type { RequestContext } from '../wire/api.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { errorCodes } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int8, int16, int32, string } from '../wire/schema.ts'
import { allowsCluster } from './authorization.ts'

const request = {
  resourceTypes: array(int8).since(1),
}

const response = {
  throttleTimeMs: int32,
  errorCode: int16,
  configResources: array({
    resourceName: string,
    resourceType: int8.since(1).default(16).ignorable(),
  }),
}

/**
 * The resources that have a configuration, of some types or with an empty list of all: topics and brokers, groups and client
 * metrics subscriptions on which something was set (KIP-1142). v0 is ListClientMetricsResources (KIP-1000), which knows
 * subscriptions alone. An unknown type is UNSUPPORTED_VERSION. Any broker answers, from its image.
 */
export const listConfigResources: Api<typeof request, typeof response> = defineApi({
  key: 74,
  name: 'ListConfigResources',
  versions: '0-1',
  flexibleFrom: 0,
  request,
  response,
  broker: list,
})

const SUBSCRIPTIONS_ONLY_VERSION = 0
const { topic, broker: brokers, brokerLogger, clientMetrics, group } = resourceTypes
/** In the order of Kafka's answer. */
const known = [group, clientMetrics, brokerLogger, brokers, topic] as const

function list(
  broker: Broker,
  { resourceTypes: asked }: Decoded<typeof request>,
  context: RequestContext,
): Encodable<typeof response> {
  const { image } = broker
  if (!allowsCluster(broker, context, 'describeConfigs')) {
    return { throttleTimeMs: 0, errorCode: errorCodes.CLUSTER_AUTHORIZATION_FAILED, configResources: [] }
  }
  const wanted = context.version === SUBSCRIPTIONS_ONLY_VERSION ? [clientMetrics] : asked.length === 0 ? known : asked
  if (wanted.some(type => !(known as readonly number[]).includes(type))) {
    return { throttleTimeMs: 0, errorCode: errorCodes.UNSUPPORTED_VERSION, configResources: [] }
  }
  const configResources = known
    .filter(type => wanted.includes(type))
    .flatMap(resourceType => namesOf(image, resourceType).map(resourceName => ({ resourceName, resourceType })))
  return { throttleTimeMs: 0, errorCode: errorCodes.NONE, configResources }
}

function namesOf(image: Broker['image'], type: (typeof known)[number]): string[] {
  switch (type) {
    case topic:
      return [...image.topics.keys()]
    case brokers:
    case brokerLogger:
      return [...image.brokers.keys()]
        .filter(id => image.isUnfenced(id))
        .sort((a, b) => a - b)
        .map(String)
    default:
      return image.configuredNames(type)
  }
}
