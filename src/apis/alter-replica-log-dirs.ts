import type { Broker } from '../broker/broker.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { type ErrorName, errorCodes } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int16, int32, string } from '../wire/schema.ts'
import { allowsCluster } from './authorization.ts'
import { logDirOf } from './log-dir.ts'

const request = {
  dirs: array({
    path: string,
    topics: array({
      name: string,
      partitions: array(int32),
    }),
  }),
}

const response = {
  throttleTimeMs: int32,
  results: array({
    topicName: string,
    partitions: array({
      partitionIndex: int32,
      errorCode: int16,
    }),
  }),
}

/**
 * Moves replicas of the broker that is asked to another of its log directories (KIP-113). There is one (`describeLogDirs`), so
 * that a replica is where it shall be already, or the directory is none of this broker's: LOG_DIR_NOT_FOUND. A partition that
 * is named twice goes by the last mention. v2 is the first flexible version.
 */
export const alterReplicaLogDirs: Api<typeof request, typeof response> = defineApi({
  key: 34,
  name: 'AlterReplicaLogDirs',
  versions: '1-2',
  flexibleFrom: 2,
  request,
  response,
  broker: alter,
})

function alter(broker: Broker, { dirs }: Decoded<typeof request>, context: RequestContext): Encodable<typeof response> {
  const mayAlter = allowsCluster(broker, context, 'alter')
  const ownPath = logDirOf(broker)
  const errors = new Map<string, Map<number, ErrorName>>()
  for (const { path, topics } of dirs) {
    for (const { name, partitions } of topics) {
      for (const partition of partitions) {
        const error = !mayAlter
          ? 'CLUSTER_AUTHORIZATION_FAILED'
          : path === ownPath
            ? errorOf(broker, name, partition)
            : 'LOG_DIR_NOT_FOUND'
        const here = errors.get(name) ?? new Map<number, ErrorName>()
        errors.set(name, here.set(partition, error))
      }
    }
  }
  return {
    throttleTimeMs: 0,
    results: [...errors].map(([topicName, partitions]) => ({
      topicName,
      partitions: [...partitions].map(([partitionIndex, error]) => ({ partitionIndex, errorCode: errorCodes[error] })),
    })),
  }
}

function errorOf({ image, replicas }: Broker, topic: string, index: number): ErrorName {
  const known = image.partition(topic, index)
  if (known === undefined) return 'UNKNOWN_TOPIC_OR_PARTITION'
  return replicas.get(known.topicId, index) === undefined ? 'REPLICA_NOT_AVAILABLE' : 'NONE'
}
