import type { Broker } from '../broker/broker.ts'
import type { CommitWait } from '../broker/commit-waits.ts'
import type { Partition, RefusalDetails } from '../broker/partition.ts'
import type { PartitionImage } from '../metadata/image.ts'
import { internalTopics } from '../metadata/topic-names.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { type ErrorName, errorCodes, KafkaError } from '../wire/errors.ts'
import type { RecordBatch } from '../wire/record-batch.ts'
import { producedBatch, type Records } from '../wire/records.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int16, int32, int64, records, string, struct, uuid } from '../wire/schema.ts'

const request = {
  transactionalId: string.nullable().default(null),
  acks: int16,
  timeoutMs: int32,
  topicData: array({
    name: string.until(12).ignorable(),
    topicId: uuid.since(13).ignorable(),
    partitionData: array({
      index: int32,
      records: records.nullable(),
    }),
  }),
}

const response = {
  responses: array({
    name: string.until(12).ignorable(),
    topicId: uuid.since(13).ignorable(),
    partitionResponses: array({
      index: int32,
      errorCode: int16,
      baseOffset: int64,
      logAppendTimeMs: int64.default(-1).ignorable(),
      logStartOffset: int64.since(5).default(-1).ignorable(),
      recordErrors: array({
        batchIndex: int32,
        batchIndexErrorMessage: string.nullable().default(null),
      })
        .since(8)
        .ignorable(),
      errorMessage: string.nullable().since(8).default(null).ignorable(),
      currentLeader: struct({
        leaderId: int32.default(-1),
        leaderEpoch: int32.default(-1),
      })
        .since(10)
        .tagged(0),
    }),
  }),
  throttleTimeMs: int32.default(0).ignorable(),
  nodeEndpoints: array({
    nodeId: int32,
    host: string,
    port: int32,
    rack: string.nullable().default(null),
  })
    .since(10)
    .tagged(0),
}

/**
 * Appends record batches, at most one per partition. Topics go by name up to v12 and by id from v13 on; v8 says which
 * records were refused; v10 tells the new leader beside NOT_LEADER_OR_FOLLOWER; v11 may answer TRANSACTION_ABORTABLE;
 * from v12 on a transaction takes in its partitions by itself (W-40). Advertised from v0, though 0 to 2 are refused
 * (W-12). The leader of each partition answers; with acks=0 nobody does.
 */
export const produce: Api<typeof request, typeof response> = defineApi({
  key: 0,
  name: 'Produce',
  versions: '3-13',
  advertisedMin: 0,
  flexibleFrom: 9,
  request,
  response,
  broker: answer,
})

type Request = Decoded<typeof request>
type Topic = Encodable<typeof response>['responses'][number]
type PartitionAnswer = Topic['partitionResponses'][number]

/** One partition of the request on its way to its answer. */
interface Asked {
  readonly name: string
  readonly topicId: string
  readonly index: number
  records: Records | null
  answer: PartitionAnswer | undefined
  /** Where it was appended, for acks=all: committed once the high watermark is there. */
  appended: { readonly partition: Partition; readonly requiredOffset: number } | undefined
  stored: Promise<void> | undefined
}

/** The client id under which Kafka's own tools may write to internal topics (P-4). */
const ADMIN_CLIENT = '__admin_client'

function answer(
  broker: Broker,
  request: Request,
  context: RequestContext,
): Encodable<typeof response> | undefined | Promise<Encodable<typeof response> | undefined> {
  const asked = askedOf(request)
  const batches = new Map<Asked, RecordBatch>()
  for (const each of asked) {
    if (request.acks !== 0 && request.acks !== 1 && request.acks !== -1) {
      each.answer = refused(each, new KafkaError('INVALID_REQUIRED_ACKS'))
    } else {
      prepare(broker, each, context, batches)
    }
  }
  refuseUnreadable(asked)
  refuseTransactions(request, asked, batches)
  for (const each of asked) {
    const batch = batches.get(each)
    if (each.answer === undefined && batch !== undefined) append(broker, each, batch, request.acks)
  }
  const stores = asked.flatMap(each => (each.stored === undefined ? [] : [each.stored]))
  if (stores.length > 0)
    return broker.life.guard(Promise.all(stores)).then(() => conclude(broker, asked, request, context))
  return conclude(broker, asked, request, context)
}

/** A partition given twice: its last records count, and there is one answer (P-2). */
function askedOf(request: Request): Asked[] {
  const asked = new Map<string, Asked>()
  for (const { name, topicId, partitionData } of request.topicData) {
    for (const { index, records } of partitionData) {
      const key = `${topicId}/${name}/${index}`
      const known = asked.get(key)
      if (known !== undefined) known.records = records
      else asked.set(key, { name, topicId, index, records, answer: undefined, appended: undefined, stored: undefined })
    }
  }
  return [...asked.values()]
}

/** What needs no log (P-2, P-4, P-6). */
function prepare(broker: Broker, asked: Asked, context: RequestContext, batches: Map<Asked, RecordBatch>): void {
  const byId = context.version >= 13
  const topic = byId ? broker.image.topicById(asked.topicId) : broker.image.topic(asked.name)
  try {
    if (topic === undefined) throw new KafkaError(byId ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION')
    if (topic.partitions[asked.index] === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
    batches.set(asked, producedBatch(asked.records, context.version))
    if (internalTopics.has(topic.name) && context.clientId !== ADMIN_CLIENT)
      throw new KafkaError('INVALID_TOPIC_EXCEPTION')
  } catch (error) {
    asked.answer = refused(asked, error)
  }
}

/**
 * Whether anything is transactional is asked of every batch before anything else, so that records whose length or magic
 * cannot be end the whole request; nothing of it is appended (P-10; KafkaApis, RequestUtils.hasTransactionalRecords).
 */
function refuseUnreadable(asked: readonly Asked[]): void {
  const unreadable = asked.find(({ answer }) => answer?.errorCode === errorCodes.CORRUPT_MESSAGE)?.answer
  if (unreadable === undefined) return
  for (const each of asked) each.answer = { ...unreadable, index: each.index }
}

/**
 * P-1, P-5, P-7. No transaction coordinator is advertised yet, so no partition was ever added to a transaction: such a
 * batch is refused as one to a partition that was not added (T-30).
 */
function refuseTransactions(request: Request, asked: readonly Asked[], batches: ReadonlyMap<Asked, RecordBatch>): void {
  const transactional = [...batches].filter(([, batch]) => batch.isTransactional)
  if (transactional.length === 0) return
  if (request.transactionalId === null) {
    for (const each of asked) each.answer = refused(each, new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED'))
    return
  }
  if (new Set(transactional.map(([, batch]) => batch.producerId)).size > 1) {
    const error = new KafkaError(
      'INVALID_PRODUCER_ID_MAPPING',
      'Transactional records contained more than one producer ID',
    )
    for (const each of asked) each.answer = refused(each, error)
    return
  }
  for (const [each] of transactional) {
    each.answer ??= refused(each, new KafkaError('INVALID_TXN_STATE', 'Partition was not added to the transaction'))
  }
}

/** P-8…P-22, in the partition and its log. */
function append(broker: Broker, asked: Asked, batch: RecordBatch, acks: number): void {
  const topic = broker.image.topic(asked.name) ?? broker.image.topicById(asked.topicId)
  const state = topic?.partitions[asked.index]
  let partition: Partition | undefined
  try {
    if (state === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
    partition = broker.partitionOf(state.topicId, asked.index)
    if (partition === undefined) throw new KafkaError('NOT_LEADER_OR_FOLLOWER')
    const appended = partition.append(batch, acks)
    asked.answer = {
      index: asked.index,
      errorCode: errorCodes.NONE,
      baseOffset: appended.baseOffset,
      logAppendTimeMs: appended.logAppendTime,
      logStartOffset: appended.logStartOffset,
    }
    if (acks === -1) asked.appended = { partition, requiredOffset: appended.lastOffset + 1 }
    if (appended.stored instanceof Promise) {
      asked.stored = appended.stored.catch(error => {
        asked.appended = undefined
        asked.answer = refused(asked, error, partition, state)
      })
    }
  } catch (error) {
    asked.answer = refused(asked, error, partition, state)
  }
}

/** An answer with what the log said; any other exception than KafkaError is a bug and goes on. */
function refused(asked: Asked, error: unknown, partition?: Partition, state?: PartitionImage): PartitionAnswer {
  if (!(error instanceof KafkaError)) throw error
  const { knowsLogStart = false } = (error.details ?? {}) as Partial<RefusalDetails>
  const logStartOffset = partition !== undefined && knowsLogStart ? partition.log.startOffset : -1
  return {
    index: asked.index,
    errorCode: error.code,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset,
    recordErrors: recordErrorsOf(error),
    errorMessage: error.ownMessage,
    ...(error.code === errorCodes.NOT_LEADER_OR_FOLLOWER && state !== undefined
      ? { currentLeader: { leaderId: state.leader, leaderEpoch: state.leaderEpoch } }
      : {}),
  }
}

/** Which records of the batch were refused, and why (P-15). */
function recordErrorsOf(error: KafkaError): NonNullable<PartitionAnswer['recordErrors']> {
  const { recordErrors = [] } = (error.details ?? {}) as Partial<RefusalDetails>
  return recordErrors.map(({ batchIndex, message }) => ({ batchIndex, batchIndexErrorMessage: message }))
}

/** P-3, R-16: acks=0 is silence or the end of the connection; acks=all waits for what was appended. */
function conclude(
  broker: Broker,
  asked: readonly Asked[],
  request: Request,
  context: RequestContext,
): Encodable<typeof response> | undefined | Promise<Encodable<typeof response>> {
  if (request.acks === 0) {
    const bad = asked.find(each => each.answer?.errorCode !== errorCodes.NONE)
    if (bad === undefined) return undefined
    const error = KafkaError.of(bad.answer!.errorCode)
    throw new KafkaError(error.errorName, `acks=0 to ${bad.name || bad.topicId}-${bad.index}: ${error.message}`)
  }
  if (request.acks !== -1) return responseOf(broker, asked, context.version)
  const waiting = asked.filter(each => !isDecided(each))
  if (waiting.length === 0) return responseOf(broker, asked, context.version)
  return commit(broker, asked, waiting, request.timeoutMs, context)
}

/** Answers whether the partition's part is settled, and settles it if it can be. */
function isDecided(asked: Asked): boolean {
  if (asked.appended === undefined) return true
  const outcome = asked.appended.partition.commitOutcome(asked.appended.requiredOffset)
  if (outcome === undefined) return false
  settle(asked, outcome.error)
  return true
}

/** After the append the real base offset stays in the answer, whatever comes of it (P-22). */
function settle(asked: Asked, error: ErrorName | undefined): void {
  if (error === undefined || asked.answer === undefined) return
  const { leader, leaderEpoch } = asked.appended!.partition
  asked.answer = {
    ...asked.answer,
    errorCode: errorCodes[error],
    ...(error === 'NOT_LEADER_OR_FOLLOWER' ? { currentLeader: { leaderId: leader, leaderEpoch } } : {}),
  }
}

/** until all partitions are decided, or the client's time is up. */
function commit(
  broker: Broker,
  asked: readonly Asked[],
  waiting: readonly Asked[],
  timeoutMs: number,
  context: RequestContext,
): Promise<Encodable<typeof response>> {
  const done = broker.life.deferred<Encodable<typeof response>>()
  const waits = new Map<CommitWait, Partition>()
  const forget = () => {
    timer.cancel()
    for (const [wait, partition] of waits) partition.forgetCommit(wait)
    waits.clear()
  }
  const timer = broker.life.after(timeoutMs, () => {
    for (const each of pending) settle(each, 'REQUEST_TIMED_OUT')
    pending.clear()
    forget()
    done.resolve(responseOf(broker, asked, context.version))
  })
  const pending = new Set(waiting)
  for (const each of waiting) {
    const { partition, requiredOffset } = each.appended!
    const wait: CommitWait = {
      offset: requiredOffset,
      settle(error) {
        waits.delete(wait)
        pending.delete(each)
        settle(each, error)
        if (pending.size > 0) return
        forget()
        done.resolve(responseOf(broker, asked, context.version))
      },
    }
    waits.set(wait, partition)
    partition.awaitCommit(wait)
  }
  context.closed.onClose(forget)
  return done.promise
}

/** Before v10 leaders are not named (W-40). */
function withoutLeader(answer: PartitionAnswer): PartitionAnswer {
  if (answer.currentLeader === undefined) return answer
  const { currentLeader: _, ...old } = answer
  return old
}

function responseOf(broker: Broker, asked: readonly Asked[], version: number): Encodable<typeof response> {
  const responses: (Topic & { partitionResponses: PartitionAnswer[] })[] = []
  const leaders = new Set<number>()
  for (const { name, topicId, answer } of asked) {
    if (answer === undefined) continue
    const partition = version < 10 ? withoutLeader(answer) : answer
    if ((partition.currentLeader?.leaderId ?? -1) >= 0) leaders.add(partition.currentLeader!.leaderId!)
    const last = responses[responses.length - 1]
    if (last !== undefined && last.name === name && last.topicId === topicId) last.partitionResponses.push(partition)
    else responses.push({ name, topicId, partitionResponses: [partition] })
  }
  return {
    responses,
    throttleTimeMs: 0,
    ...(leaders.size > 0 ? { nodeEndpoints: broker.endpointsOf(leaders) } : {}),
  }
}
