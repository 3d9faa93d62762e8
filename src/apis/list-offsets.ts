import type { Broker } from '../broker/broker.ts'
import type { Partition } from '../broker/partition.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int8, int16, int32, int64, string } from '../wire/schema.ts'
import { allows } from './authorization.ts'

const request = {
  replicaId: int32,
  isolationLevel: int8.since(2),
  topics: array({
    name: string,
    partitions: array({
      partitionIndex: int32,
      currentLeaderEpoch: int32.since(4).default(-1).ignorable(),
      timestamp: int64,
    }),
  }),
  timeoutMs: int32.since(10).ignorable(),
}

const response = {
  throttleTimeMs: int32.since(2).ignorable(),
  topics: array({
    name: string,
    partitions: array({
      partitionIndex: int32,
      errorCode: int16,
      timestamp: int64.default(-1),
      offset: int64.default(-1),
      leaderEpoch: int32.since(4).default(-1),
    }),
  }),
}

/**
 * The offset for a timestamp: −1 latest, −2 earliest, from v7 −3 the record with the largest timestamp, v8 −4 earliest
 * local, v9 −5 last tiered, v11 −6 earliest that waits for upload. v2 isolation level (latest = last stable offset),
 * v4 leader epochs, v10 a timeout (W-42). The leader answers, and any replica to whom says that it is debugging.
 *
 * Without tiered storage nothing is looked up elsewhere: the timeout has nothing to limit, and −5 and −6 find nothing.
 */
export const listOffsets: Api<typeof request, typeof response> = defineApi({
  key: 2,
  name: 'ListOffsets',
  versions: '1-11',
  flexibleFrom: 6,
  request,
  response,
  broker: answer,
})

type Request = Decoded<typeof request>
type Response = Encodable<typeof response>
type Asked = Request['topics'][number]['partitions'][number]
type PartitionAnswer = Response['topics'][number]['partitions'][number]

interface Found {
  readonly timestamp: number
  readonly offset: number
  readonly leaderEpoch: number
}

const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
const EARLIEST_LOCAL = -4
const LATEST_TIERED = -5
const EARLIEST_PENDING_UPLOAD = -6

/** First version that knows a special timestamp (W-42, F-37). */
const sinceVersion: ReadonlyMap<number, number> = new Map([
  [LATEST, 1],
  [EARLIEST, 1],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
  [EARLIEST_PENDING_UPLOAD, 11],
])

const CONSUMER = -1
const DEBUGGING = -2
/** First version that has OFFSET_NOT_AVAILABLE (F-38). */
const OFFSET_NOT_AVAILABLE_VERSION = 5
/** First version that has leader epochs. */
const LEADER_EPOCH_VERSION = 4
const NOTHING: Found = { timestamp: -1, offset: -1, leaderEpoch: -1 }

/** Undefined where the log has no such offset. */
type Lookup = Found | undefined | Promise<Found | undefined>

function answer(broker: Broker, request: Request, context: RequestContext): Response | Promise<Response> {
  // Kafka answers partition by partition: a topic without one is left out.
  const asked = request.topics.filter(topic => topic.partitions.length > 0)
  const names = [...new Set(asked.map(topic => topic.name))]
  const topics = names.map(name => {
    const wanted = new Map<number, Asked>()
    const doubled = new Set<number>()
    for (const topic of asked) {
      if (topic.name !== name) continue
      for (const each of topic.partitions) {
        if (wanted.has(each.partitionIndex)) doubled.add(each.partitionIndex)
        wanted.set(each.partitionIndex, each)
      }
    }
    if (!allows(broker, context, 'describe', 'topic', name)) {
      return {
        name,
        partitions: [...wanted.values()].map(each => refused(each, errorCodes.TOPIC_AUTHORIZATION_FAILED)),
      }
    }
    const partitions = [...wanted.values()].map(each =>
      doubled.has(each.partitionIndex)
        ? refused(each, errorCodes.INVALID_REQUEST)
        : answerPartition(broker, name, each, request, context.version),
    )
    return { name, partitions }
  })
  if (!topics.some(({ partitions }) => partitions.some(each => each instanceof Promise))) {
    return { throttleTimeMs: 0, topics: topics as Response['topics'] }
  }
  const all = topics.map(async ({ name, partitions }) => ({ name, partitions: await Promise.all(partitions) }))
  return broker.life.guard(Promise.all(all)).then(answered => ({ throttleTimeMs: 0, topics: answered }))
}

function answerPartition(
  broker: Broker,
  topic: string,
  asked: Asked,
  request: Request,
  version: number,
): PartitionAnswer | Promise<PartitionAnswer> {
  const refusal = (error: unknown): PartitionAnswer => {
    if (!(error instanceof KafkaError)) throw error
    const isTooNew = error.errorName === 'OFFSET_NOT_AVAILABLE' && version < OFFSET_NOT_AVAILABLE_VERSION
    return refused(asked, isTooNew ? errorCodes.LEADER_NOT_AVAILABLE : error.code)
  }
  const answered = ({ timestamp, offset, leaderEpoch }: Found = NOTHING): PartitionAnswer => ({
    partitionIndex: asked.partitionIndex,
    errorCode: errorCodes.NONE,
    timestamp,
    offset,
    ...(version >= LEADER_EPOCH_VERSION ? { leaderEpoch } : {}),
  })
  try {
    if (asked.timestamp < 0 && version < (sinceVersion.get(asked.timestamp) ?? Number.POSITIVE_INFINITY)) {
      throw new KafkaError('UNSUPPORTED_VERSION')
    }
    if (request.isolationLevel !== 0 && request.isolationLevel !== 1) throw new KafkaError('INVALID_REQUEST')
    const partition = broker.requirePartition(topic, asked.partitionIndex)
    partition.checkLeaderEpoch(asked.currentLeaderEpoch)
    if (request.replicaId !== DEBUGGING) partition.requireLeader()
    const found = find(partition, asked.timestamp, request)
    return found instanceof Promise ? found.then(answered, refusal) : answered(found)
  } catch (error) {
    return refusal(error)
  }
}

function find(
  { log, isLeader, leaderEpoch, leaderEpochStart }: Partition,
  timestamp: number,
  request: Request,
): Lookup {
  if (timestamp === LATEST_TIERED || timestamp === EARLIEST_PENDING_UPLOAD) return undefined
  if (timestamp === EARLIEST || timestamp === EARLIEST_LOCAL) {
    const offset = log.startOffset
    return { timestamp: -1, offset, leaderEpoch: log.leaderEpochs.epochOf(offset) }
  }
  const isConsumer = request.replicaId === CONSUMER
  const consumerBound = request.isolationLevel === 1 ? log.lastStableOffset : log.highWatermark
  const bound = isConsumer ? consumerBound : log.endOffset
  // F-38: what was committed under the leader before may not be known here yet.
  const isLagging = isConsumer && isLeader && log.highWatermark < leaderEpochStart
  if (timestamp === LATEST) {
    if (isLagging) throw new KafkaError('OFFSET_NOT_AVAILABLE')
    return { timestamp: -1, offset: bound, leaderEpoch }
  }
  const belowBound = (found: Found | undefined): Found | undefined => {
    if (found !== undefined && found.offset < bound) return found
    if (isLagging) throw new KafkaError('OFFSET_NOT_AVAILABLE')
    return undefined
  }
  const found = timestamp === MAX_TIMESTAMP ? log.maxTimestamp() : log.offsetForTimestamp(timestamp)
  return found instanceof Promise ? found.then(belowBound) : belowBound(found)
}

function refused({ partitionIndex }: Asked, errorCode: number): PartitionAnswer {
  return { partitionIndex, errorCode, timestamp: -1, offset: -1 }
}
