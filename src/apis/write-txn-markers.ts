import type { Broker } from '../broker/broker.ts'
import { OFFSETS_TOPIC } from '../metadata/topic-names.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { controlBatch } from '../wire/control-record.ts'
import { type ErrorName, errorCodes, KafkaError } from '../wire/errors.ts'
import type { RecordBatch } from '../wire/record-batch.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, boolean, int8, int16, int32, int64, string } from '../wire/schema.ts'
import { type Appended, whenCommitted } from './append-commits.ts'
import { allowsCluster } from './authorization.ts'

const request = {
  markers: array({
    producerId: int64,
    producerEpoch: int16,
    transactionResult: boolean,
    topics: array({
      name: string,
      partitionIndexes: array(int32),
    }),
    coordinatorEpoch: int32,
    transactionVersion: int8.since(2).default(0).ignorable(),
  }),
}

const response = {
  markers: array({
    producerId: int64,
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
      }),
    }),
  }),
}

/**
 * The transaction coordinator ends a transaction in the partitions that a broker leads: a control batch each, with acks=all
 * (T-22); in `__consumer_offsets` the offsets that waited for it are committed or dropped (T-24). Answered once all are
 * committed. v2 says by which rules the transaction was written (I-21).
 */
export const writeTxnMarkers: Api<typeof request, typeof response> = defineApi({
  key: 27,
  name: 'WriteTxnMarkers',
  versions: '1-2',
  flexibleFrom: 1,
  request,
  response,
  broker: answer,
})

type Request = Decoded<typeof request>
type Marker = Request['markers'][number]
type Answer = Encodable<typeof response>

/** One marker on its way into one partition. */
interface Mark {
  readonly producerId: number
  readonly topic: string
  readonly index: number
  error: ErrorName
  appended: Appended | undefined
  /** Until the store has it; for offsets until it is committed. */
  written: Promise<void> | undefined
}

function answer(broker: Broker, { markers }: Request, context: RequestContext): Answer | Promise<Answer> {
  const mayMark = allowsCluster(broker, context, 'clusterAction') || allowsCluster(broker, context, 'alter')
  const marks = mayMark ? markers.flatMap(marker => marksOf(broker, marker)) : markers.flatMap(forbidden)
  const done = () => answerOf(marks)
  const timeoutMs = broker.config['request.timeout.ms']
  const settle = (mark: Mark, error: ErrorName | undefined) => {
    if (error !== undefined) mark.error = error
  }
  const waits: Promise<void>[] = []
  const stores: Promise<void>[] = []
  for (const { appended, written } of marks) {
    if (written !== undefined) (appended === undefined ? waits : stores).push(written)
  }
  const commit = () => whenCommitted(broker, marks, { timeoutMs, settle, answer: () => undefined }, context)
  const committed = stores.length > 0 ? broker.life.guard(Promise.all(stores)).then(commit) : commit()
  if (committed === undefined && waits.length === 0) return done()
  return Promise.all([committed, ...waits]).then(done)
}

function forbidden({ producerId, topics }: Marker): Mark[] {
  return topics.flatMap(({ name, partitionIndexes }) =>
    partitionIndexes.map(index => ({
      producerId,
      topic: name,
      index,
      error: 'CLUSTER_AUTHORIZATION_FAILED',
      appended: undefined,
      written: undefined,
    })),
  )
}

function marksOf(broker: Broker, marker: Marker): Mark[] {
  const batch = controlBatch({
    type: marker.transactionResult ? 'COMMIT' : 'ABORT',
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    coordinatorEpoch: marker.coordinatorEpoch,
    timestamp: broker.life.now(),
  })
  return marker.topics.flatMap(({ name, partitionIndexes }) =>
    partitionIndexes.map(index => written(broker, marker, batch, name, index)),
  )
}

function written(broker: Broker, marker: Marker, batch: RecordBatch, topic: string, index: number): Mark {
  const { producerId } = marker
  const mark: Mark = { producerId, topic, index, error: 'NONE', appended: undefined, written: undefined }
  const failed = (error: unknown) => {
    mark.appended = undefined
    mark.error = errorOf(error)
  }
  try {
    // No batch can be of such a producer: a real broker fails within itself.
    if (producerId < 0 || marker.producerEpoch < 0 || marker.transactionVersion < 0) {
      throw new KafkaError('INVALID_REQUEST')
    }
    if (topic === OFFSETS_TOPIC) mark.written = endedInGroups(broker, marker, index)?.catch(failed)
    else append(broker, marker, batch, mark, failed)
  } catch (error) {
    failed(error)
  }
  return mark
}

function append(
  broker: Broker,
  { transactionVersion }: Marker,
  batch: RecordBatch,
  mark: Mark,
  failed: (error: unknown) => void,
): void {
  const known = broker.image.partition(mark.topic, mark.index)
  const partition = known === undefined ? undefined : broker.partitionOf(known.topicId, mark.index)
  // Of a partition that lives elsewhere this broker says no more than of one that does not exist.
  if (partition === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
  const { lastOffset, stored } = partition.append(batch, -1, { origin: 'coordinator', transactionVersion })
  mark.appended = { partition, requiredOffset: lastOffset + 1 }
  if (stored instanceof Promise) mark.written = stored.catch(failed)
}

/** T-24: through the coordinator of the groups, which keeps the offsets that wait for this. */
function endedInGroups(broker: Broker, marker: Marker, index: number): Promise<void> | undefined {
  const known = broker.image.partition(OFFSETS_TOPIC, index)
  if (known === undefined || broker.partitionOf(known.topicId, index) === undefined) {
    throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
  }
  const shard = broker.groups.shards.get(index)?.shard
  if (shard === undefined) throw new KafkaError('NOT_LEADER_OR_FOLLOWER')
  const { producerId, producerEpoch, coordinatorEpoch, transactionResult, transactionVersion } = marker
  const type = transactionResult ? 'COMMIT' : 'ABORT'
  const written = { type, producerId, producerEpoch, coordinatorEpoch } as const
  return shard.writeMarker(written, broker.config['request.timeout.ms'], transactionVersion)
}

/** The partition's leader is to be looked for again, in the words of partitions (KafkaApis). */
const coordinatorErrors: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'NOT_COORDINATOR',
])

function errorOf(error: unknown): ErrorName {
  if (!(error instanceof KafkaError)) throw error
  return coordinatorErrors.has(error.errorName) ? 'NOT_LEADER_OR_FOLLOWER' : error.errorName
}

/** One entry a producer, however many of its transactions were to be ended. */
function answerOf(marks: readonly Mark[]): Answer {
  const producers = new Map<number, Map<string, { partitionIndex: number; errorCode: number }[]>>()
  for (const { producerId, topic, index, error } of marks) {
    const topics = producers.get(producerId) ?? new Map<string, { partitionIndex: number; errorCode: number }[]>()
    const partitions = topics.get(topic) ?? []
    partitions.push({ partitionIndex: index, errorCode: errorCodes[error] })
    producers.set(producerId, topics.set(topic, partitions))
  }
  return {
    markers: [...producers].map(([producerId, topics]) => ({
      producerId,
      topics: [...topics].map(([name, partitions]) => ({ name, partitions })),
    })),
  }
}
