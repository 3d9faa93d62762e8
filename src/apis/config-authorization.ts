import { resourceTypes } from '../metadata/image.ts'
import { KafkaError } from '../wire/errors.ts'
import { type Asker, clusterRefusal, type Guarded, refusalOf } from './authorization.ts'

/** Why somebody may not describe or alter the configuration of a resource; undefined where they may. */
export function configRefusal(
  node: Guarded,
  asker: Asker,
  operation: 'describeConfigs' | 'alterConfigs',
  resourceType: number,
  resourceName: string,
): KafkaError | undefined {
  switch (resourceType) {
    case resourceTypes.topic:
      return refusalOf(node, asker, operation, 'topic', resourceName)
    case resourceTypes.group:
      return refusalOf(node, asker, operation, 'group', resourceName)
    case resourceTypes.broker:
    case resourceTypes.brokerLogger:
    case resourceTypes.clientMetrics:
      return clusterRefusal(node, asker, operation)
    default:
      if (node.authorizer === undefined) return undefined
      return new KafkaError('INVALID_REQUEST', `Unexpected resource type ${resourceType}.`)
  }
}
