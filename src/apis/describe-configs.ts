import type { Broker } from '../broker/broker.ts'
import {
  type ConfigRow,
  describeBrokerConfigs,
  describeClientMetricsConfigs,
  describeClusterConfigs,
  describeGroupConfigs,
  describeTopicConfigs,
} from '../metadata/config-rows.ts'
import { CLUSTER_DEFAULT, resourceTypes } from '../metadata/image.ts'
import { checkTopicName } from '../metadata/topic-names.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorFields } from '../wire/error-fields.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, boolean, int8, int16, int32, string } from '../wire/schema.ts'
import { configRefusal } from './config-authorization.ts'

const request = {
  resources: array({
    resourceType: int8,
    resourceName: string,
    configurationKeys: array(string).nullable(),
  }),
  includeSynonyms: boolean.default(false),
  includeDocumentation: boolean.since(3).default(false),
}

const response = {
  throttleTimeMs: int32,
  results: array({
    errorCode: int16,
    errorMessage: string.nullable(),
    resourceType: int8,
    resourceName: string,
    configs: array({
      name: string,
      value: string.nullable(),
      readOnly: boolean,
      configSource: int8.default(-1).ignorable(),
      isSensitive: boolean,
      synonyms: array({
        name: string,
        value: string.nullable(),
        source: int8,
      }).ignorable(),
      configType: int8.since(3).default(0).ignorable(),
      documentation: string.nullable().since(3).ignorable(),
    }),
  }),
}

/**
 * The configuration of topics, brokers and groups. v1 has synonyms and the source of each value, v3 type and
 * documentation (W-46). Any broker answers for topics; for a broker, that broker itself (M-21).
 *
 * Simplification: there is no documentation, and a broker has no loggers: that resource is empty.
 */
export const describeConfigs: Api<typeof request, typeof response> = defineApi({
  key: 32,
  name: 'DescribeConfigs',
  versions: '1-4',
  flexibleFrom: 4,
  request,
  response,
  broker: (broker: Broker, request, context) => ({
    throttleTimeMs: 0,
    results: request.resources.map(resource => described(broker, resource, request.includeSynonyms, context)),
  }),
})

type Resource = Decoded<typeof request>['resources'][number]
type Result = Encodable<typeof response>['results'][number]

function described(broker: Broker, resource: Resource, includeSynonyms: boolean, context: RequestContext): Result {
  const { resourceType, resourceName } = resource
  try {
    const forbidden = configRefusal(broker, context, 'describeConfigs', resourceType, resourceName)
    if (forbidden !== undefined) throw forbidden
    return {
      errorCode: errorCodes.NONE,
      // Not null: some clients compare (as Kafka's own answer).
      errorMessage: '',
      resourceType,
      resourceName,
      configs: rowsOf(broker, resource).map(row => ({
        name: row.name,
        value: row.value,
        readOnly: row.readOnly,
        configSource: row.source,
        isSensitive: row.isSensitive,
        synonyms: includeSynonyms ? row.synonyms : [],
        configType: row.type,
        documentation: row.documentation,
      })),
    }
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    const fields = errorFields(error)
    // Of a topic that is not there Kafka has nothing to say.
    const errorMessage = error.errorName === 'UNKNOWN_TOPIC_OR_PARTITION' ? '' : fields.errorMessage
    return { ...fields, errorMessage, resourceType, resourceName, configs: [] }
  }
}

function rowsOf(broker: Broker, { resourceType, resourceName, configurationKeys }: Resource): ConfigRow[] {
  const { image } = broker
  const configLayers = broker.configuration.layers
  const overrides = image.configsOf(resourceType, resourceName)
  switch (resourceType) {
    case resourceTypes.topic:
      checkTopicName(resourceName)
      if (image.topic(resourceName) === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
      return describeTopicConfigs(overrides, configLayers, configurationKeys)
    case resourceTypes.broker:
      if (resourceName === CLUSTER_DEFAULT)
        return describeClusterConfigs(configLayers.dynamicDefault, configurationKeys)
      requireOwnId(broker, resourceName)
      return describeBrokerConfigs(configLayers, configurationKeys)
    case resourceTypes.brokerLogger:
      requireOwnId(broker, resourceName)
      return []
    case resourceTypes.clientMetrics:
      requireName(resourceName)
      return describeClientMetricsConfigs(overrides, configurationKeys)
    case resourceTypes.group:
      requireName(resourceName)
      return describeGroupConfigs(overrides, configLayers, configurationKeys)
    default:
      throw new KafkaError('INVALID_REQUEST', `there are no resources of type ${resourceType}`)
  }
}

function requireOwnId({ id }: Broker, name: string): void {
  if (name === String(id)) return
  throw new KafkaError('INVALID_REQUEST', `This is broker ${id}: '${name}' is not its id`)
}

function requireName(name: string): void {
  if (name === '') throw new KafkaError('INVALID_REQUEST', 'A name is needed')
}
