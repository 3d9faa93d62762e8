import type { Broker } from '../broker/broker.ts'
import type { CommitWait } from '../broker/commit-waits.ts'
import type { Partition } from '../broker/partition.ts'
import { internalTopics } from '../metadata/topic-names.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int16, int32, int64, string } from '../wire/schema.ts'
import { allows } from './authorization.ts'

const request = {
  topics: array({
    name: string,
    partitions: array({
      partitionIndex: int32,
      offset: int64,
    }),
  }),
  timeoutMs: int32,
}

const response = {
  throttleTimeMs: int32,
  topics: array({
    name: string,
    partitions: array({
      partitionIndex: int32,
      lowWatermark: int64,
      errorCode: int16,
    }),
  }),
}

/**
 * Moves the log start offset of partitions up; −1 means to the high watermark. The leader answers when all live
 * replicas have moved theirs, or the time is up (S-30, S-31). They learn of it with their next fetch.
 */
export const deleteRecords: Api<typeof request, typeof response> = defineApi({
  key: 21,
  name: 'DeleteRecords',
  versions: '0-2',
  flexibleFrom: 2,
  request,
  response,
  broker: answer,
})

type Request = Decoded<typeof request>
type Response = Encodable<typeof response>

/** One partition of the request on its way to its answer. */
interface Asked {
  readonly index: number
  readonly partition: Partition | undefined
  /** What every live replica's log start has to reach. */
  readonly offset: number
  errorCode: number
  lowWatermark: number
}

function answer(broker: Broker, request: Request, context: RequestContext): Response | Promise<Response> {
  const topics = request.topics.map(({ name, partitions }) => ({
    name,
    asked: partitions.map(({ partitionIndex, offset }) => begin(broker, name, partitionIndex, offset, context)),
  }))
  const respond = (): Response => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, asked }) => ({
      name,
      partitions: asked.map(({ index, lowWatermark, errorCode }) => ({
        partitionIndex: index,
        lowWatermark,
        errorCode,
      })),
    })),
  })
  const pending = topics.flatMap(({ asked }) => asked.filter(each => each.lowWatermark < each.offset && isGood(each)))
  if (pending.length === 0) return respond()
  return allReplicas(broker, pending, request.timeoutMs, context).then(respond)
}

function isGood(asked: Asked): boolean {
  return asked.errorCode === errorCodes.NONE
}

function begin(broker: Broker, topic: string, index: number, offset: number, context: RequestContext): Asked {
  try {
    if (!allows(broker, context, 'delete', 'topic', topic)) throw new KafkaError('TOPIC_AUTHORIZATION_FAILED')
    const partition = broker.requirePartition(topic, index)
    if (internalTopics.has(topic)) throw new KafkaError('INVALID_TOPIC_EXCEPTION')
    const required = partition.deletions.deleteBefore(offset)
    return {
      index,
      partition,
      offset: required,
      errorCode: errorCodes.NONE,
      lowWatermark: partition.deletions.lowWatermark,
    }
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return { index, partition: undefined, offset: -1, errorCode: error.code, lowWatermark: -1 }
  }
}

/** Kafka's DelayedDeleteRecords: what is still missing when the time is up is answered with how far it came. */
function allReplicas(broker: Broker, pending: Asked[], timeoutMs: number, context: RequestContext): Promise<void> {
  const { life } = broker
  const done = life.deferred()
  const waits = new Map<Asked, CommitWait>()
  const forget = (): void => {
    timer.cancel()
    for (const [{ partition }, wait] of waits) partition!.deletions.remove(wait)
  }
  const timer = life.after(
    Math.max(0, timeoutMs),
    () => {
      forget()
      for (const asked of waits.keys()) {
        asked.errorCode = errorCodes.REQUEST_TIMED_OUT
        asked.lowWatermark = asked.partition!.deletions.lowWatermark
      }
      done.resolve()
    },
    { housekeeping: true },
  )
  for (const asked of pending) {
    const wait: CommitWait = {
      offset: asked.offset,
      settle: error => {
        waits.delete(asked)
        asked.errorCode = error === undefined ? errorCodes.NONE : errorCodes[error]
        asked.lowWatermark = error === undefined ? asked.partition!.deletions.lowWatermark : -1
        if (waits.size > 0) return
        timer.cancel()
        done.resolve()
      },
    }
    waits.set(asked, wait)
    asked.partition!.deletions.add(wait)
  }
  context.closed.onClose(forget)
  return done.promise
}
