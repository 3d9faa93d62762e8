import type { Broker } from '../broker/broker.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorCodes } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, boolean, int16, int32, int64, string } from '../wire/schema.ts'
import { allowsCluster } from './authorization.ts'
import { logDirOf } from './log-dir.ts'

const request = {
  topics: array({
    topic: string,
    partitions: array(int32),
  }).nullable(),
}

const response = {
  throttleTimeMs: int32,
  errorCode: int16.since(3).ignorable(),
  results: array({
    errorCode: int16,
    logDir: string,
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        partitionSize: int64,
        offsetLag: int64,
        isFutureKey: boolean,
      }),
    }),
    totalBytes: int64.since(4).default(-1).ignorable(),
    usableBytes: int64.since(4).default(-1).ignorable(),
    isCordoned: boolean.since(5).default(false).ignorable(),
  }),
}

/**
 * The log directories of the broker that is asked, with the replicas in them: of some partitions, or with null of all (KIP-113).
 * Partitions that are not here are left out. v3 has an error of the whole, v4 the sizes of the volume (KIP-827), v5 says
 * whether a directory is cordoned.
 *
 * Simplification: a broker has one directory, named by the first entry of `log.dirs`; its volume has no size (−1, unknown).
 */
export const describeLogDirs: Api<typeof request, typeof response> = defineApi({
  key: 35,
  name: 'DescribeLogDirs',
  versions: '1-5',
  flexibleFrom: 2,
  request,
  response,
  broker: describe,
})

type Topic = Encodable<typeof response>['results'][number]['topics'][number]

function describe(
  broker: Broker,
  { topics: wanted }: Decoded<typeof request>,
  context: RequestContext,
): Encodable<typeof response> {
  if (!allowsCluster(broker, context, 'describe')) {
    return { throttleTimeMs: 0, errorCode: errorCodes.CLUSTER_AUTHORIZATION_FAILED, results: [] }
  }
  const named = new Map<string, Set<number>>()
  for (const { topic, partitions } of wanted ?? []) {
    named.set(topic, new Set([...(named.get(topic) ?? []), ...partitions]))
  }
  const topics = new Map<string, Topic['partitions'][number][]>()
  for (const { topic, index: partition, log } of broker.replicas) {
    if (wanted !== null && !named.get(topic)?.has(partition)) continue
    const here = topics.get(topic) ?? []
    topics.set(topic, here)
    here.push({
      partitionIndex: partition,
      partitionSize: log.size,
      // By how much the log ends before the high watermark: only a replica that lost something does.
      offsetLag: Math.max(log.highWatermark - log.endOffset, 0),
      isFutureKey: false,
    })
  }
  const results = [
    {
      errorCode: errorCodes.NONE,
      logDir: logDirOf(broker),
      topics: [...topics].map(([name, partitions]) => ({ name, partitions })),
    },
  ]
  return { throttleTimeMs: 0, errorCode: errorCodes.NONE, results }
}
