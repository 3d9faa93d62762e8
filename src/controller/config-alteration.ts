import type { alterConfigs } from '../apis/alter-configs.ts'
import type { incrementalAlterConfigs } from '../apis/incremental-alter-configs.ts'
import {
  alterBrokerConfigs,
  alterClientMetricsConfigs,
  alterGroupConfigs,
  alterTopicConfigs,
  type ConfigEntry,
  type ConfigOperation,
  configOperations,
  replaceBrokerConfigs,
  replaceClientMetricsConfigs,
  replaceGroupConfigs,
  replaceTopicConfigs,
} from '../metadata/config-operations.ts'
import type { Overrides } from '../metadata/config-values.ts'
import { CLUSTER_DEFAULT, resourceTypes } from '../metadata/image.ts'
import type { MetadataRecordInput } from '../metadata/records.ts'
import { checkTopicName } from '../metadata/topic-names.ts'
import type { RequestOf, ResponseInput } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import { MIN_INSYNC_REPLICAS } from './configs.ts'
import type { Decision, Situation } from './decision.ts'
import { attempt, errorFields } from './refusal.ts'

type Request = RequestOf<typeof incrementalAlterConfigs>
type Response = ResponseInput<typeof incrementalAlterConfigs>
type Resource = Request['resources'][number]
type Replacement = RequestOf<typeof alterConfigs>
/** What both kinds of requests name. */
type Named = Pick<Resource, 'resourceType' | 'resourceName'>

/** M-22: each resource is altered as a whole, or not at all. */
export function decideConfigs(request: Request, situation: Situation): Decision<Response> {
  return decideEach(request.resources, request.validateOnly, resource => alteration(resource, situation))
}

/** AlterConfigs: what is not named is unset. */
export function decideConfigReplacement(
  request: Replacement,
  situation: Situation,
): Decision<ResponseInput<typeof alterConfigs>> {
  return decideEach(request.resources, request.validateOnly, resource => {
    const before = situation.image.configsOf(resource.resourceType, resource.resourceName)
    const after = replaced(resource, before, resource.configs, situation)
    return recordsOf(resource, new Set([...before.keys(), ...after.keys()]), before, after, situation)
  })
}

/** The whole request is refused: each of its resources says why. */
export function configsRefused(resources: readonly Named[], error: KafkaError): Response {
  const responses = resources.map(({ resourceType, resourceName }) => {
    return { ...errorFields(error), resourceType, resourceName }
  })
  return { throttleTimeMs: 0, responses }
}

function decideEach<R extends Named>(
  resources: readonly R[],
  validateOnly: boolean,
  recordsFor: (resource: R) => MetadataRecordInput[],
): Decision<Response> {
  const records: MetadataRecordInput[] = []
  const seen = new Map<string, number>()
  for (const { resourceType, resourceName } of resources) {
    const key = `${resourceType}:${resourceName}`
    seen.set(key, (seen.get(key) ?? 0) + 1)
  }
  const responses = resources.map(resource => {
    const { resourceType, resourceName } = resource
    const error = attempt(() => {
      if (seen.get(`${resourceType}:${resourceName}`)! > 1) {
        throw new KafkaError('INVALID_REQUEST', 'Each resource must appear at most once.')
      }
      records.push(...recordsFor(resource))
    })
    return { ...errorFields(error), resourceType, resourceName }
  })
  return { records: validateOnly ? [] : records, response: { throttleTimeMs: 0, responses } }
}

function alteration(resource: Resource, situation: Situation): MetadataRecordInput[] {
  const operations = resource.configs.map(({ name, configOperation, value }) => {
    if (!isOperation(configOperation)) {
      throw new KafkaError('INVALID_REQUEST', `Unknown operation code ${configOperation} for ${name}.`)
    }
    return { name, operation: configOperation, value }
  })
  const before = situation.image.configsOf(resource.resourceType, resource.resourceName)
  const after = altered(resource, before, operations, situation)
  const names = operations.map(({ name }) => name)
  return recordsOf(resource, names, before, after, situation)
}

/** The records that make `after` of `before`, as far as these keys go. */
function recordsOf(
  { resourceType, resourceName }: Named,
  names: Iterable<string>,
  before: Overrides,
  after: Overrides,
  situation: Situation,
): MetadataRecordInput[] {
  const records: MetadataRecordInput[] = []
  for (const name of names) {
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
  resource: Named,
  before: Overrides,
  operations: readonly ConfigOperation[],
  situation: Situation,
): Overrides {
  checkResource(resource, situation)
  const { settings } = situation
  switch (resource.resourceType) {
    case resourceTypes.topic:
      return alterTopicConfigs(before, operations, settings.layers)
    case resourceTypes.broker:
      return alterBrokerConfigs(before, operations, scopeOf(resource), settings.elrEnabled)
    case resourceTypes.clientMetrics:
      return alterClientMetricsConfigs(before, operations)
    default:
      return alterGroupConfigs(before, operations, settings.layers)
  }
}

function replaced(
  resource: Named,
  before: Overrides,
  entries: readonly ConfigEntry[],
  situation: Situation,
): Overrides {
  checkResource(resource, situation)
  const { settings } = situation
  switch (resource.resourceType) {
    case resourceTypes.topic:
      return replaceTopicConfigs(entries, settings.layers)
    case resourceTypes.broker:
      return replaceBrokerConfigs(before, entries, scopeOf(resource), settings.elrEnabled)
    case resourceTypes.clientMetrics:
      return replaceClientMetricsConfigs(entries)
    default:
      return replaceGroupConfigs(entries, settings.layers)
  }
}

function scopeOf({ resourceName }: Named): 'broker' | 'cluster' {
  return resourceName === CLUSTER_DEFAULT ? 'cluster' : 'broker'
}

/** It is there, and it is something that has configurations. */
function checkResource({ resourceType, resourceName: name }: Named, situation: Situation): void {
  switch (resourceType) {
    case resourceTypes.topic:
      if (name === '') throw new KafkaError('INVALID_REQUEST', 'Default topic resources are not allowed.')
      checkTopicName(name)
      if (situation.image.topic(name) === undefined) {
        throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `The topic '${name}' does not exist.`)
      }
      break
    case resourceTypes.broker:
      if (name !== CLUSTER_DEFAULT) refuseUnknownBroker(name, situation)
      break
    case resourceTypes.clientMetrics:
      if (name === '') throw new KafkaError('INVALID_REQUEST', "Subscription name can't be empty")
      break
    case resourceTypes.group:
      if (name === '') throw new KafkaError('INVALID_REQUEST', 'Default group resources are not allowed.')
      break
    default:
      throw new KafkaError('INVALID_REQUEST', `Unknown resource type ${resourceType}`)
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
