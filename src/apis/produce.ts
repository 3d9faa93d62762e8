import type { Broker } from '../broker/broker.ts'
import type { Partition, RefusalDetails } from '../broker/partition.ts'
import type { Verified } from '../broker/transaction-verification.ts'
import type { PartitionImage } from '../metadata/image.ts'
import { internalTopics } from '../metadata/topic-names.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { type ErrorName, errorCodes, KafkaError } from '../wire/errors.ts'
import type { RecordBatch } from '../wire/record-batch.ts'
import { producedBatch, type Records } from '../wire/records.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, int16, int32, int64, records, string, struct, uuid } from '../wire/schema.ts'
import { type Appended, whenCommitted } from './append-commits.ts'
import { allows } from './authorization.ts'

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
  batch: RecordBatch | undefined
  answer: PartitionAnswer | undefined
  /** For acks=all. */
  appended: Appended | undefined
  stored: Promise<void> | undefined
}

/** The client id under which Kafka's own tools may write to internal topics (P-4). */
const ADMIN_CLIENT = '__admin_client'

type Answer = Encodable<typeof response> | undefined

function answer(broker: Broker, request: Request, context: RequestContext): Answer | Promise<Answer> {
  const asked = askedOf(request)
  let isTransactional = false
  for (const each of asked) {
    if (request.acks !== 0 && request.acks !== 1 && request.acks !== -1) {
      each.answer = refused(each, new KafkaError('INVALID_REQUIRED_ACKS'))
    } else {
      prepare(broker, each, context)
      if (each.batch?.isTransactional) isTransactional = true
    }
  }
  refuseUnreadable(asked)
  const guards = isTransactional ? verify(broker, asked, request, context) : undefined
  if (guards instanceof Promise) return guards.then(known => appendAll(broker, asked, request, context, known))
  return appendAll(broker, asked, request, context, guards)
}

function appendAll(
  broker: Broker,
  asked: readonly Asked[],
  request: Request,
  context: RequestContext,
  guards: Guards | undefined,
): Answer | Promise<Answer> {
  for (const each of asked) {
    if (each.answer === undefined && each.batch !== undefined) {
      append(broker, each, each.batch, request.acks, guards?.get(each))
    }
  }
  const stores = asked.flatMap(each => (each.stored === undefined ? [] : [each.stored]))
  if (stores.length > 0)
    return broker.life.guard(Promise.all(stores)).then(() => conclude(broker, asked, request, context))
  return conclude(broker, asked, request, context)
}

function askedFor(name: string, topicId: string, index: number, records: Records | null): Asked {
  const nothing = undefined
  return { name, topicId, index, records, batch: nothing, answer: nothing, appended: nothing, stored: nothing }
}

/** A partition given twice: its last records count, and there is one answer (P-2). */
function askedOf(request: Request): Asked[] {
  const asked = new Map<string, Asked>()
  for (const { name, topicId, partitionData } of request.topicData) {
    for (const { index, records } of partitionData) {
      const key = `${topicId}/${name}/${index}`
      const known = asked.get(key)
      if (known !== undefined) known.records = records
      else asked.set(key, askedFor(name, topicId, index, records))
    }
  }
  return [...asked.values()]
}

/** What needs no log (P-2, P-4, P-6). */
function prepare(broker: Broker, asked: Asked, context: RequestContext): void {
  let unusable: unknown
  try {
    asked.batch = producedBatch(asked.records, context.version)
  } catch (error) {
    unusable = error
  }
  const byId = context.version >= 13
  const topic = byId ? broker.image.topicById(asked.topicId) : broker.image.topic(asked.name)
  const name = byId ? topic?.name : asked.name
  if (unusable instanceof KafkaError && unusable.errorName === 'CORRUPT_MESSAGE') {
    asked.answer = refused(asked, unusable)
  } else if (name !== undefined && !allows(broker, context, 'write', 'topic', name)) {
    asked.answer = refused(asked, new KafkaError('TOPIC_AUTHORIZATION_FAILED'))
  } else if (topic?.partitions[asked.index] === undefined) {
    const isUnknownId = byId && topic === undefined
    asked.answer = refused(asked, new KafkaError(isUnknownId ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION'))
  } else if (unusable !== undefined) asked.answer = refused(asked, unusable)
  else if (internalTopics.has(topic.name) && context.clientId !== ADMIN_CLIENT) {
    asked.answer = refused(asked, new KafkaError('INVALID_TOPIC_EXCEPTION'))
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

/** For the first batches of a transaction in their partitions. */
type Guards = ReadonlyMap<Asked, Guard>
type Guard = NonNullable<Verified['guard']>

/**
 * P-1, P-5, P-7: what a transaction brings is appended after its coordinator was asked, where that is necessary. Nothing of
 * the request is appended before.
 */
function verify(
  broker: Broker,
  asked: readonly Asked[],
  { transactionalId }: Request,
  context: RequestContext,
): Guards | undefined | Promise<Guards> {
  const refuseAll = (error: KafkaError) => {
    for (const each of asked) each.answer = refused(each, error)
    return undefined
  }
  if (transactionalId === null || !allows(broker, context, 'write', 'transactionalId', transactionalId)) {
    return refuseAll(new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED'))
  }
  const transactional = asked.filter(({ batch, answer }) => answer === undefined && batch?.isTransactional)
  if (transactional.length === 0) return undefined
  const { producerId, producerEpoch } = transactional[0]!.batch!
  if (transactional.some(({ batch }) => batch!.producerId !== producerId || batch!.producerEpoch !== producerEpoch)) {
    const what = 'Transactional records contained more than one producer ID'
    return refuseAll(new KafkaError('INVALID_PRODUCER_ID_MAPPING', what))
  }
  const { version } = context
  const adds = version >= 12
  const places = transactional.flatMap(each => {
    const partition = partitionOf(broker, each)
    return partition === undefined ? [] : [{ asked: each, partition, baseSequence: each.batch!.baseSequence }]
  })
  const guardsOf = (verified: readonly Verified[]) => {
    const guards = new Map<Asked, Guard>()
    for (const [index, { guard, error }] of verified.entries()) {
      const { asked, partition } = places[index]!
      if (error !== undefined) asked.answer = refused(asked, unverified(error, adds), partition, partition.state)
      else if (guard !== undefined) guards.set(asked, guard)
    }
    return guards
  }
  const write = { transactionalId, producerId, producerEpoch, adds, knowsAbortable: version >= 11 }
  const { verification } = broker
  const verified = verification.verify(write, places, { retryForMs: verification.retryForMs })
  return verified instanceof Promise ? verified.then(guardsOf) : guardsOf(verified)
}

/** What older clients may not know as something to try again (T-32). */
const unreachable: ReadonlySet<ErrorName> = new Set([
  'NETWORK_EXCEPTION',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
])

/** NOT_ENOUGH_REPLICAS is tried again by every client, and by none with new metadata first (T-32). */
function unverified(error: ErrorName, adds: boolean): KafkaError {
  if (error === 'INVALID_TXN_STATE') return new KafkaError(error, 'Partition was not added to the transaction')
  if (!unreachable.has(error) && (adds || error !== 'CONCURRENT_TRANSACTIONS')) return new KafkaError(error)
  const what = 'Unable to verify the partition has been added to the transaction. Underlying error: '
  return new KafkaError('NOT_ENOUGH_REPLICAS', what + error)
}

function stateOf(broker: Broker, { name, topicId, index }: Asked): PartitionImage | undefined {
  return (broker.image.topic(name) ?? broker.image.topicById(topicId))?.partitions[index]
}

function partitionOf(broker: Broker, asked: Asked): Partition | undefined {
  const state = stateOf(broker, asked)
  return state === undefined ? undefined : broker.partitionOf(state.topicId, asked.index)
}

/** P-8…P-22, in the partition and its log. */
function append(broker: Broker, asked: Asked, batch: RecordBatch, acks: number, guard?: Guard): void {
  const state = stateOf(broker, asked)
  let partition: Partition | undefined
  try {
    if (state === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
    partition = broker.partitionOf(state.topicId, asked.index)
    if (partition === undefined) throw new KafkaError('NOT_LEADER_OR_FOLLOWER')
    const appended = partition.append(batch, acks, guard === undefined ? undefined : { verificationGuard: guard })
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
): Answer | Promise<Answer> {
  if (request.acks === 0) {
    const bad = asked.find(each => each.answer?.errorCode !== errorCodes.NONE)
    if (bad === undefined) return undefined
    const error = KafkaError.of(bad.answer!.errorCode)
    throw new KafkaError(error.errorName, `acks=0 to ${bad.name || bad.topicId}-${bad.index}: ${error.message}`)
  }
  const answer = () => responseOf(broker, asked, context)
  if (request.acks !== -1) return answer()
  return whenCommitted(broker, asked, { timeoutMs: request.timeoutMs, settle, answer }, context)
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

/** Before v10 leaders are not named (W-40). */
function withoutLeader(answer: PartitionAnswer): PartitionAnswer {
  if (answer.currentLeader === undefined) return answer
  const { currentLeader: _, ...old } = answer
  return old
}

function responseOf(
  broker: Broker,
  asked: readonly Asked[],
  { version, listener }: RequestContext,
): Encodable<typeof response> {
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
    ...(leaders.size > 0 ? { nodeEndpoints: broker.endpointsOf(leaders, listener) } : {}),
  }
}
