import type { incrementalAlterConfigs } from '../apis/incremental-alter-configs.ts'
import {
  alterBrokerConfigs,
  alterClientMetricsConfigs,
  alterGroupConfigs,
  alterTopicConfigs,
  type ConfigOperation,
  configOperations,
} from '../metadata/config-operations.ts'
import type { Overrides } from '../metadata/config-values.ts'
import { CLUSTER_DEFAULT, resourceTypes } from '../metadata/image.ts'
import type { MetadataRecordInput } from '../metadata/records.ts'
import type { RequestOf, ResponseInput } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import { MIN_INSYNC_REPLICAS } from './configs.ts'
import type { Decision, Situation } from './decision.ts'
import { attempt, errorFields } from './refusal.ts'

type Request = RequestOf<typeof incrementalAlterConfigs>
type Response = ResponseInput<typeof incrementalAlterConfigs>
type Resource = Request['resources'][number]

/** M-22: each resource is altered as a whole, or not at all. */
export function decideConfigs(request: Request, situation: Situation): Decision<Response> {
  const records: MetadataRecordInput[] = []
  const seen = new Map<string, number>()
  for (const { resourceType, resourceName } of request.resources) {
    const key = `${resourceType}:${resourceName}`
    seen.set(key, (seen.get(key) ?? 0) + 1)
  }
  const responses = request.resources.map(resource => {
    const { resourceType, resourceName } = resource
    const error = attempt(() => {
      if (seen.get(`${resourceType}:${resourceName}`)! > 1) {
        throw new KafkaError('INVALID_REQUEST', 'Each resource must appear at most once.')
      }
      records.push(...alteration(resource, situation))
    })
    return { ...errorFields(error), resourceType, resourceName }
  })
  return { records: request.validateOnly ? [] : records, response: { throttleTimeMs: 0, responses } }
}

function alteration(resource: Resource, situation: Situation): MetadataRecordInput[] {
  const { resourceType, resourceName } = resource
  const operations = resource.configs.map(({ name, configOperation, value }) => {
    if (!isOperation(configOperation)) {
      throw new KafkaError('INVALID_REQUEST', `Unknown operation code ${configOperation} for ${name}.`)
    }
    return { name, operation: configOperation, value }
  })
  const before = situation.image.configsOf(resourceType, resourceName)
  const after = altered(resourceType, resourceName, before, operations, situation)
  const records: MetadataRecordInput[] = []
  for (const { name } of operations) {
    const value = after.get(name) ?? null
    const isSame = value === (before.get(name) ?? null)
    // A broker reads again what did not change, such as a file of keys behind a name: its records are always written.
    if (isSame && (resourceType !== resourceTypes.broker || value === null)) continue
    records.push({ type: 'ConfigRecord', resourceType, resourceName, name, value })
    if (name === MIN_INSYNC_REPLICAS && situation.settings.elrEnabled) {
      // What was eligible below another minimum need not be below this one.
      const topicName = resourceType === resourceTypes.topic ? resourceName : ''
      records.push({ type: 'ClearElrRecord', topicName })
    }
  }
  return records
}

function isOperation(code: number): boolean {
  return code >= configOperations.set && code <= configOperations.subtract
}

function altered(
  resourceType: number,
  name: string,
  before: Overrides,
  operations: readonly ConfigOperation[],
  situation: Situation,
): Overrides {
  const { image, settings } = situation
  switch (resourceType) {
    case resourceTypes.topic:
      if (name === '') throw new KafkaError('INVALID_REQUEST', 'Default topic resources are not allowed.')
      if (image.topic(name) === undefined) {
        throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `The topic '${name}' does not exist.`)
      }
      return alterTopicConfigs(before, operations, settings.layers)
    case resourceTypes.broker: {
      if (name !== CLUSTER_DEFAULT) refuseUnknownBroker(name, situation)
      const scope = name === CLUSTER_DEFAULT ? 'cluster' : 'broker'
      return alterBrokerConfigs(before, operations, scope, settings.elrEnabled)
    }
    case resourceTypes.clientMetrics:
      if (name === '') throw new KafkaError('INVALID_REQUEST', 'Subscription name must not be empty.')
      return alterClientMetricsConfigs(before, operations)
    case resourceTypes.group:
      if (name === '') throw new KafkaError('INVALID_REQUEST', 'Default group resources are not allowed.')
      return alterGroupConfigs(before, operations, settings.layers)
    default:
      throw new KafkaError('INVALID_REQUEST', `Unsupported resource type ${resourceType}.`)
  }
}

function refuseUnknownBroker(name: string, situation: Situation): void {
  const brokerId = Number(name)
  if (!/^-?\d+$/.test(name)) {
    throw new KafkaError('INVALID_REQUEST', `Invalid broker name '${name}': it is no broker id.`)
  }
  if (situation.image.broker(brokerId) === undefined) {
    throw new KafkaError('BROKER_ID_NOT_REGISTERED', `No broker with id ${brokerId} found.`)
  }
}
