import type { Broker } from '../broker/broker.ts'
import type { MembershipRequest } from '../coordinators/transactions/transaction-membership.ts'
import { internalTopics } from '../metadata/topic-names.ts'
import { type Api, defineApi, type RequestContext } from '../wire/api.ts'
import { type ErrorName, errorCodes } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { array, boolean, int16, int32, int64, string } from '../wire/schema.ts'
import { allows, allowsCluster } from './authorization.ts'
import { fencedBefore } from './fenced-producer.ts'

const request = {
  transactions: array({
    transactionalId: string,
    producerId: int64,
    producerEpoch: int16,
    verifyOnly: boolean.default(false),
    topics: array({
      name: string,
      partitions: array(int32),
    }),
  }).since(4),
  v3AndBelowTransactionalId: string.until(3),
  v3AndBelowProducerId: int64.until(3),
  v3AndBelowProducerEpoch: int16.until(3),
  v3AndBelowTopics: array({
    name: string,
    partitions: array(int32),
  }).until(3),
}

const response = {
  throttleTimeMs: int32,
  errorCode: int16.since(4).ignorable(),
  resultsByTransaction: array({
    transactionalId: string,
    topicResults: array({
      name: string,
      resultsByPartition: array({
        partitionIndex: int32,
        partitionErrorCode: int16,
      }),
    }),
  }).since(4),
  resultsByTopicV3AndBelow: array({
    name: string,
    resultsByPartition: array({
      partitionIndex: int32,
      partitionErrorCode: int16,
    }),
  }).until(3),
}

/**
 * Tells a transaction that it writes to more partitions, before it does (T-15). v2 answers PRODUCER_FENCED; from v4 on it is
 * asked by brokers alone, for several transactions at once: on behalf of producers that do not ask themselves (TV2, T-31), or,
 * `verifyOnly`, whether others have asked (T-30). The transaction coordinator.
 */
export const addPartitionsToTxn: Api<typeof request, typeof response> = defineApi({
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: '0-5',
  flexibleFrom: 3,
  request,
  response,
  broker: answer,
})

type Topics = readonly { readonly name: string; readonly partitions: readonly number[] }[]
type TransactionResults = NonNullable<Encodable<typeof response>['resultsByTransaction']>[number]
type Results = NonNullable<Encodable<typeof response>['resultsByTopicV3AndBelow']>
type Verdict = (topic: string, partition: number) => ErrorName

/** First version that brokers send. */
const BROKERS_SINCE = 4

function answer(
  broker: Broker,
  asked: Decoded<typeof request>,
  context: RequestContext,
): Encodable<typeof response> | Promise<Encodable<typeof response>> {
  const { version } = context
  if (version < BROKERS_SINCE) {
    const { v3AndBelowTransactionalId: transactionalId, v3AndBelowTopics: topics } = asked
    const producer = { producerId: asked.v3AndBelowProducerId, producerEpoch: asked.v3AndBelowProducerEpoch }
    const results = resultsOf(broker, { transactionalId, ...producer, topics, verifyOnly: false }, context)
    const respond = (resultsByTopicV3AndBelow: Results) => ({ throttleTimeMs: 0, resultsByTopicV3AndBelow })
    return results instanceof Promise ? results.then(respond) : respond(results)
  }
  if (!allowsCluster(broker, context, 'clusterAction')) {
    return { throttleTimeMs: 0, errorCode: errorCodes.CLUSTER_AUTHORIZATION_FAILED, resultsByTransaction: [] }
  }
  const answers = asked.transactions.map((each): TransactionResults | Promise<TransactionResults> => {
    const results = resultsOf(broker, each, context)
    const named = (topicResults: Results) => ({ transactionalId: each.transactionalId, topicResults })
    return results instanceof Promise ? results.then(named) : named(results)
  })
  const respond = (resultsByTransaction: readonly TransactionResults[]) => {
    return { throttleTimeMs: 0, errorCode: errorCodes.NONE, resultsByTransaction }
  }
  const isSettled = (each: TransactionResults | Promise<TransactionResults>) => !(each instanceof Promise)
  return answers.every(isSettled) ? respond(answers as TransactionResults[]) : Promise.all(answers).then(respond)
}

interface Asked {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly topics: Topics
  readonly verifyOnly: boolean
}

/** One that cannot be taken, and none is; the others are told so. */
function resultsOf(broker: Broker, asked: Asked, context: RequestContext): Results | Promise<Results> {
  const { version } = context
  // Of those that brokers hand on, they have asked who may what.
  const isClient = version < BROKERS_SINCE
  if (isClient && !allows(broker, context, 'write', 'transactionalId', asked.transactionalId)) {
    return said(asked.topics, () => 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
  }
  const isForbidden = (topic: string) => internalTopics.has(topic) || !allows(broker, context, 'write', 'topic', topic)
  const refusal = (topic: string, partition: number): ErrorName => {
    if (isClient && isForbidden(topic)) return 'TOPIC_AUTHORIZATION_FAILED'
    return broker.image.partition(topic, partition) === undefined ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'NONE'
  }
  const isRefused = asked.topics.some(({ name, partitions }) => partitions.some(id => refusal(name, id) !== 'NONE'))
  if (isRefused && asked.transactionalId !== '') {
    return said(asked.topics, (topic, partition) => {
      const error = refusal(topic, partition)
      return error === 'NONE' ? 'OPERATION_NOT_ATTEMPTED' : error
    })
  }
  const failed = (error: unknown) => {
    const { errorName } = fencedBefore(2, version, error)
    return said(asked.topics, () => errorName)
  }
  try {
    const verdict = verdictOf(broker, asked, version)
    return verdict instanceof Promise
      ? verdict.then(settled => said(asked.topics, settled), failed)
      : said(asked.topics, verdict)
  } catch (error) {
    return failed(error)
  }
}

function verdictOf(broker: Broker, asked: Asked, version: number): Verdict | Promise<Verdict> {
  const { transactionalId, producerId, producerEpoch, topics, verifyOnly } = asked
  const { membership } = broker.transactions.shardOf(transactionalId)
  const request: MembershipRequest = { transactionalId, producerId, producerEpoch, partitions: gathered(topics) }
  if (verifyOnly) return membership.verify(request)
  const added = version < BROKERS_SINCE ? membership.add(request, 0) : membership.addInTime(request)
  const none: Verdict = () => 'NONE'
  return added instanceof Promise ? added.then(() => none) : none
}

function gathered(topics: Topics): Map<string, Set<number>> {
  const all = new Map<string, Set<number>>()
  for (const { name, partitions } of topics) all.set(name, new Set([...(all.get(name) ?? []), ...partitions]))
  return all
}

function said(topics: Topics, verdict: Verdict): Results {
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map(partitionIndex => ({
      partitionIndex,
      partitionErrorCode: errorCodes[verdict(name, partitionIndex)],
    })),
  }))
}
