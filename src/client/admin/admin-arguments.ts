import { IllegalArgumentError } from '../../wire/errors.ts'
import { refuseUnknown, requireArray } from '../arguments.ts'
import { checkPartition } from '../consumer/subscription.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { ConfigAlteration, ConfigResource } from './configs.ts'
import type { NewPartitions, NewTopic, TopicCollection } from './topics.ts'

/*
 * What an admin client is handed, checked before anything is asked. All of these throw IllegalArgumentError, with the name
 * that was probably meant.
 */

const newTopicFields: readonly (keyof NewTopic)[] = [
  'name',
  'partitions',
  'replicationFactor',
  'assignments',
  'configs',
]
const newPartitionsFields: readonly (keyof NewPartitions)[] = ['count', 'assignments']
const resourceFields: readonly (keyof ConfigResource)[] = ['type', 'name']
const alterationFields: readonly (keyof ConfigAlteration)[] = ['resource', 'operations']
const operationFields: readonly (keyof ConfigAlteration['operations'][number])[] = ['name', 'operation', 'value']

export function checkNewTopics(topics: readonly NewTopic[]): void {
  requireArray('createTopics', topics, "[{ name: 'orders', partitions: 3 }]")
  for (const topic of topics) {
    refuseUnknown("a new topic, as in { name: 'orders', partitions: 3 }", topic, newTopicFields)
    const { name, assignments, partitions, replicationFactor } = topic
    if (typeof name !== 'string')
      throw new IllegalArgumentError("a new topic needs a name: { name: 'orders', partitions: 3 }")
    if (assignments !== undefined && (partitions ?? replicationFactor) !== undefined) {
      const rule = 'assignments say partitions and replication factor by themselves'
      throw new IllegalArgumentError(`topic '${name}': ${rule}`)
    }
  }
}

function checkTopicNames(call: string, names: readonly string[]): void {
  requireArray(call, names, "['orders', 'payments']")
  for (const name of names) {
    if (typeof name !== 'string')
      throw new IllegalArgumentError(`${call} takes names, as in ['orders'], not ${JSON.stringify(name)}`)
  }
}

export function checkTopics(call: string, topics: TopicCollection): void {
  if (typeof topics !== 'object' || topics === null || Array.isArray(topics)) {
    checkTopicNames(call, topics as readonly string[])
    return
  }
  refuseUnknown(`${call} takes an array of names, or`, topics, ['topicIds'])
  checkTopicNames(call, (topics as { readonly topicIds: readonly string[] }).topicIds)
}

export function checkNewPartitions(topics: Readonly<Record<string, NewPartitions>>): void {
  if (typeof topics !== 'object' || topics === null || Array.isArray(topics)) {
    throw new IllegalArgumentError('createPartitions takes an object, name to total, as in { orders: { count: 6 } }')
  }
  for (const [name, partitions] of Object.entries(topics)) {
    refuseUnknown(`createPartitions of '${name}', as in { count: 6 }`, partitions, newPartitionsFields)
  }
}

export function checkResources(call: string, resources: readonly ConfigResource[]): void {
  requireArray(call, resources, "[{ type: 'topic', name: 'orders' }]")
  for (const resource of resources) checkResource(resource)
}

function checkResource(resource: ConfigResource): void {
  refuseUnknown("a resource, as in { type: 'topic', name: 'orders' }", resource, resourceFields)
  if (typeof resource.name === 'string') return
  throw new IllegalArgumentError(`the name of a resource is a string, not ${JSON.stringify(resource.name)}`)
}

export function checkAlterations(alterations: readonly ConfigAlteration[]): void {
  const example = "{ resource: { type: 'topic', name: 'orders' }, operations: [{ name: 'retention.ms', value: 1000 }] }"
  requireArray('incrementalAlterConfigs', alterations, `[${example}]`)
  for (const alteration of alterations) {
    refuseUnknown(`an alteration, as in ${example}`, alteration, alterationFields)
    checkResource(alteration.resource)
    requireArray('operations', alteration.operations, "[{ name: 'retention.ms', value: 1000 }]")
    for (const operation of alteration.operations) {
      refuseUnknown("an operation, as in { name: 'retention.ms', value: 1000 }", operation, operationFields)
    }
  }
}

/** Partitions with something to do; whatever else they carry does no harm unless that is missing. */
export function checkItems<P extends TopicPartition>(call: string, items: readonly P[], field: keyof P & string): void {
  requireArray(call, items, `[{ topic: 'orders', partition: 0, ${field}: … }]`)
  for (const item of items) {
    if (item?.topic === undefined || item.partition === undefined || item[field] === undefined) {
      refuseUnknown(call, item, ['topic', 'partition', field])
    }
    checkPartition(item)
    if (item[field] === undefined) throw new IllegalArgumentError(`${call}: ${field} is missing`)
  }
}
