import { addOffsetsToTxn } from '../../src/apis/add-offsets-to-txn.ts'
import { addPartitionsToTxn } from '../../src/apis/add-partitions-to-txn.ts'
import { describeTransactions } from '../../src/apis/describe-transactions.ts'
import { endTxn } from '../../src/apis/end-txn.ts'
import { initProducerId } from '../../src/apis/init-producer-id.ts'
import { produce } from '../../src/apis/produce.ts'
import { txnOffsetCommit } from '../../src/apis/txn-offset-commit.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { partitionFor } from '../../src/coordinators/partition-for.ts'
import { batchOf } from '../../src/wire/batch-builder.ts'
import { type ErrorName, errorCodes } from '../../src/wire/errors.ts'
import { Records } from '../../src/wire/records.ts'
import { ask, nameOf, plantOf } from './asking.ts'
import { coordinatorOf } from './committing.ts'

export const TRANSACTIONS_TOPIC = '__transaction_state'

/** One partition of `__transaction_state` on these brokers, the coordinator first: every transactional id is kept there. */
export function transactionsOn(...brokers: number[]) {
  return {
    [TRANSACTIONS_TOPIC]: {
      assignments: [brokers],
      configs: { 'cleanup.policy': 'compact', 'min.insync.replicas': Math.min(2, brokers.length) },
    },
  }
}

/** Whoever leads the id's partition, as the controller has it. */
export function transactionCoordinatorOf(cluster: Cluster, transactionalId: string): number {
  const partitions = cluster.topic(TRANSACTIONS_TOPIC).partitionCount
  return cluster.leaderOf(TRANSACTIONS_TOPIC, partitionFor(transactionalId, partitions)).id
}

/** A transactional producer, by raw requests. */
export interface Transactor {
  readonly cluster: Cluster
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
}

type Producer = Pick<Transactor, 'producerId' | 'producerEpoch'>

export async function initialize(
  { cluster, transactionalId }: Pick<Transactor, 'cluster' | 'transactionalId'>,
  options: Partial<Producer> & { readonly version?: number; readonly timeoutMs?: number; readonly to?: number } = {},
): Promise<{ readonly error: string } & Producer> {
  const { version = 5, timeoutMs = 60_000, producerId, producerEpoch } = options
  const { to = transactionCoordinatorOf(cluster, transactionalId) } = options
  const known = producerId === undefined ? {} : { producerId, producerEpoch: producerEpoch! }
  const body = { transactionalId, transactionTimeoutMs: timeoutMs, ...known }
  const answer = await ask(cluster, to, initProducerId, body, version)
  return { error: nameOf(answer.errorCode), producerId: answer.producerId, producerEpoch: answer.producerEpoch }
}

/** @throws if it is refused */
export async function begin(
  cluster: Cluster,
  transactionalId: string,
  options: { readonly timeoutMs?: number } = {},
): Promise<Transactor> {
  for (;;) {
    const { error, producerId, producerEpoch } = await initialize({ cluster, transactionalId }, options)
    if (error === 'NONE') return { cluster, transactionalId, producerId, producerEpoch }
    if (error !== 'COORDINATOR_LOAD_IN_PROGRESS') throw new Error(error)
    await cluster.clock.advance(50)
  }
}

/** The error of each partition, in the order asked. */
export async function addPartitions(
  { cluster, transactionalId, producerId, producerEpoch }: Transactor,
  partitions: readonly (readonly [topic: string, partition: number])[],
  version = 3,
): Promise<string[]> {
  const topics = [...new Set(partitions.map(([topic]) => topic))].map(name => ({
    name,
    partitions: partitions.filter(([topic]) => topic === name).map(([, partition]) => partition),
  }))
  const body =
    version < 4
      ? {
          v3AndBelowTransactionalId: transactionalId,
          v3AndBelowProducerId: producerId,
          v3AndBelowProducerEpoch: producerEpoch,
          v3AndBelowTopics: topics,
        }
      : { transactions: [{ transactionalId, producerId, producerEpoch, topics }] }
  const to = transactionCoordinatorOf(cluster, transactionalId)
  const answer = await ask(cluster, to, addPartitionsToTxn, body, version)
  const results = version < 4 ? answer.resultsByTopicV3AndBelow : answer.resultsByTransaction[0]!.topicResults
  return results.flatMap(({ resultsByPartition }) => resultsByPartition.map(each => nameOf(each.partitionErrorCode)))
}

export async function addOffsets(
  { cluster, transactionalId, producerId, producerEpoch }: Transactor,
  groupId: string,
  version = 4,
): Promise<string> {
  const to = transactionCoordinatorOf(cluster, transactionalId)
  const body = { transactionalId, producerId, producerEpoch, groupId }
  return nameOf((await ask(cluster, to, addOffsetsToTxn, body, version)).errorCode)
}

export async function end(
  { cluster, transactionalId, producerId, producerEpoch }: Transactor,
  committed: boolean,
  version = 5,
): Promise<{ readonly error: string } & Producer> {
  const to = transactionCoordinatorOf(cluster, transactionalId)
  const answer = await ask(cluster, to, endTxn, { transactionalId, producerId, producerEpoch, committed }, version)
  const { errorCode, producerId: nextId, producerEpoch: nextEpoch } = answer
  return { error: nameOf(errorCode), producerId: nextId, producerEpoch: nextEpoch }
}

/** One record of the transaction, acks=all. */
export async function write(
  { cluster, transactionalId, producerId, producerEpoch }: Transactor,
  [topic, partition]: readonly [string, number],
  options: {
    readonly sequence?: number
    readonly version?: number
    readonly transactional?: boolean
    readonly key?: string
    readonly value?: string
  } = {},
): Promise<{ readonly error: string; readonly message: string | null; readonly offset: number }> {
  const { sequence = 0, version = 12, transactional = true, key = null, value = 'x' } = options
  const records = [{ timestamp: plantOf(cluster).runtime.now(), key, value }]
  const batch = batchOf(records, { producerId, producerEpoch, baseSequence: sequence, transactional })
  const partitionData = [{ index: partition, records: Records.of([batch]) }]
  const answer = await ask(
    cluster,
    cluster.leaderOf(topic, partition).id,
    produce,
    {
      ...(transactional ? { transactionalId } : {}),
      acks: -1,
      timeoutMs: 30_000,
      topicData: [
        version < 13 ? { name: topic, partitionData } : { topicId: cluster.topic(topic).topicId, partitionData },
      ],
    },
    version,
  )
  const { errorCode, errorMessage, baseOffset } = answer.responses[0]!.partitionResponses[0]!
  return { error: nameOf(errorCode), message: errorMessage ?? null, offset: baseOffset }
}

/** Commits an offset of t-0 in the transaction, unless of another one; answers its error. */
export async function commitOffset(
  { cluster, transactionalId, producerId, producerEpoch }: Transactor,
  groupId: string,
  offset: number,
  options: {
    readonly version?: number
    readonly topic?: string
    readonly partition?: number
    readonly metadata?: string
    /** Who commits, where that is said at all. */
    readonly memberId?: string
    readonly generation?: number
    readonly instanceId?: string
    /** The group's coordinator unless said. */
    readonly to?: number
  } = {},
): Promise<string> {
  const { version = 5, topic = 't', partition = 0, metadata = '', memberId, generation, instanceId } = options
  const { to = coordinatorOf(cluster, groupId) } = options
  const partitions = [{ partitionIndex: partition, committedOffset: offset, committedMetadata: metadata }]
  const body = {
    transactionalId,
    groupId,
    producerId,
    producerEpoch,
    topics: [{ name: topic, partitions }],
    ...(memberId === undefined ? {} : { memberId }),
    ...(generation === undefined ? {} : { generationId: generation }),
    ...(instanceId === undefined ? {} : { groupInstanceId: instanceId }),
  }
  const answer = await ask(cluster, to, txnOffsetCommit, body, version)
  return nameOf(answer.topics[0]!.partitions[0]!.errorCode)
}

/** The id as its coordinator describes it; its name for an error. */
export async function describeTransaction(cluster: Cluster, transactionalId: string) {
  const to = transactionCoordinatorOf(cluster, transactionalId)
  const { transactionStates } = await ask(cluster, to, describeTransactions, { transactionalIds: [transactionalId] })
  const { errorCode, transactionState: state, ...described } = transactionStates[0]!
  return { error: nameOf(errorCode), state, ...described }
}

/** Until the id is in one of these states. */
export async function settledIn(cluster: Cluster, transactionalId: string, ...states: string[]): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const { state } = await describeTransaction(cluster, transactionalId)
    if (states.includes(state)) return
    await cluster.clock.advance(50)
  }
  throw new Error(`${transactionalId} is not in ${states.join(' or ')} after 10 s`)
}

/** Leaders that verify a transaction are told this of every partition, or nothing at all; nothing else happens. */
export function verifyingWith(cluster: Cluster, error: ErrorName | 'disconnect') {
  return cluster.intercept(addPartitionsToTxn, ({ body }) => {
    if (error === 'disconnect') return error
    const partitionErrorCode = errorCodes[error]
    const resultsByTransaction = (body.transactions ?? []).map(({ transactionalId, topics }) => ({
      transactionalId,
      topicResults: topics.map(({ name, partitions }) => ({
        name,
        resultsByPartition: partitions.map(partitionIndex => ({ partitionIndex, partitionErrorCode })),
      })),
    }))
    return { throttleTimeMs: 0, errorCode: 0, resultsByTransaction }
  })
}
