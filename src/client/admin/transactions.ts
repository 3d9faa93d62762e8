import { describeTransactions as describeTransactionsApi } from '../../apis/describe-transactions.ts'
import { initProducerId } from '../../apis/init-producer-id.ts'
import { listTransactions as listTransactionsApi } from '../../apis/list-transactions.ts'
import { writeTxnMarkers } from '../../apis/write-txn-markers.ts'
import { IllegalArgumentError } from '../../wire/errors.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { type AdminClient, type Answers, allOf, errorOfItem } from './admin-client.ts'
import { atCoordinators, type CoordinatorCall, type GroupAnswers } from './coordinator-calls.ts'
import { atLeaders } from './partition-queries.ts'

/** In Kafka's words. */
export const transactionStates = [
  'Unknown',
  'Ongoing',
  'PrepareAbort',
  'PrepareCommit',
  'CompleteAbort',
  'CompleteCommit',
  'Empty',
  'PrepareEpochFence',
] as const
export type TransactionState = (typeof transactionStates)[number]

export interface TransactionListing {
  readonly transactionalId: string
  readonly producerId: number
  readonly state: TransactionState
}

export interface ListTransactionsOptions {
  /** Only ids in these states; in any unless given. */
  readonly states?: readonly TransactionState[]
  /** Only ids of these producers; of any unless given. */
  readonly producerIds?: readonly number[]
  /** Only ids whose last transaction was begun longer ago than so many milliseconds; −1, the default: whenever. */
  readonly durationMs?: number
  /** A regular expression (RE2) that the whole id must match. */
  readonly transactionalIdPattern?: string
}

export interface TransactionDescription {
  readonly coordinatorId: number
  readonly state: TransactionState
  readonly producerId: number
  readonly producerEpoch: number
  readonly transactionTimeoutMs: number
  /** Milliseconds since the epoch; undefined: none was begun. */
  readonly transactionStartTimeMs: number | undefined
  readonly partitions: readonly TopicPartition[]
}

/** What `describeProducers` told of a transaction that hangs. */
export interface AbortTransactionSpec extends TopicPartition {
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
}

/** What `fenceProducers` made of a transactional id. */
export interface FencedProducer {
  readonly producerId: number
  readonly producerEpoch: number
}

/** Every broker knows the ids that it coordinates: all are asked (T-37). */
export async function listTransactions(
  client: AdminClient,
  options: ListTransactionsOptions,
): Promise<TransactionListing[]> {
  const { states = [], producerIds = [], durationMs, transactionalIdPattern } = options
  const body = {
    stateFilters: states,
    producerIdFilters: producerIds,
    ...(durationMs === undefined ? {} : { durationFilter: durationMs }),
    ...(transactionalIdPattern === undefined ? {} : { transactionalIdPattern }),
  }
  const responses = await client.askEveryBroker(listTransactionsApi, body, ({ errorCode }) => errorCode)
  const listed = responses.flatMap(({ transactionStates: found }) =>
    found.map(({ transactionalId, producerId, transactionState }) => ({
      transactionalId,
      producerId,
      state: stateOf(transactionState),
    })),
  )
  return listed.sort((a, b) => (a.transactionalId < b.transactionalId ? -1 : 1))
}

export async function describeTransactions(
  client: AdminClient,
  transactionalIds: readonly string[],
): Promise<Map<string, TransactionDescription>> {
  const answers = await atCoordinators<TransactionDescription>(client, transactionalIds, {
    type: 'transaction',
    what: 'DescribeTransactions',
    async ask(node, ids, { id: coordinatorId }) {
      const response = await client.connections.request(node, describeTransactionsApi, () => ({
        transactionalIds: ids,
      }))
      const said: GroupAnswers<TransactionDescription> = new Map()
      for (const described of response.transactionStates) {
        const { transactionalId, errorCode, topics, transactionStartTimeMs } = described
        const error = errorOfItem(errorCode)
        said.set(
          transactionalId,
          error ?? {
            coordinatorId,
            state: stateOf(described.transactionState),
            producerId: described.producerId,
            producerEpoch: described.producerEpoch,
            transactionTimeoutMs: described.transactionTimeoutMs,
            transactionStartTimeMs: transactionStartTimeMs < 0 ? undefined : transactionStartTimeMs,
            partitions: topics.flatMap(({ topic, partitions }) => partitions.map(partition => ({ topic, partition }))),
          },
        )
      }
      return said
    },
  })
  return allOf(answers, idText)
}

/** T-38: a producer comes and goes, so that whoever has the id is fenced, and its transaction aborted. */
export async function fenceProducers(
  client: AdminClient,
  transactionalIds: readonly string[],
): Promise<Map<string, FencedProducer>> {
  const call: CoordinatorCall<FencedProducer> = {
    type: 'transaction',
    what: 'InitProducerId',
    // An open transaction is being aborted.
    passing: ['CONCURRENT_TRANSACTIONS'],
    async ask(node, ids) {
      const said: GroupAnswers<FencedProducer> = new Map()
      for (const transactionalId of ids) {
        // Nothing will be written under it.
        const body = { transactionalId, transactionTimeoutMs: 1 }
        const { errorCode, producerId, producerEpoch } = await client.connections.request(
          node,
          initProducerId,
          () => body,
        )
        said.set(transactionalId, errorOfItem(errorCode) ?? { producerId, producerEpoch })
      }
      return said
    },
  }
  return allOf(await atCoordinators(client, transactionalIds, call), idText)
}

/** T-38: the partition's leader writes an ABORT marker; no coordinator is asked. */
export async function abortTransaction(client: AdminClient, spec: AbortTransactionSpec): Promise<void> {
  await atLeaders(client, [spec], async (nodeId, [asked], answers: Answers<AbortTransactionSpec, undefined>) => {
    const { topic, partition, producerId, producerEpoch, coordinatorEpoch } = asked!
    const topics = [{ name: topic, partitionIndexes: [partition] }]
    const marker = { producerId, producerEpoch, coordinatorEpoch, transactionResult: false, topics }
    const { markers } = await client.askBroker(nodeId, writeTxnMarkers, { markers: [marker] })
    const said = markers[0]?.topics[0]?.partitions[0]
    if (said !== undefined) answers.set(asked!, errorOfItem(said.errorCode) ?? undefined)
  })
}

function stateOf(text: string): TransactionState {
  return (transactionStates as readonly string[]).includes(text) ? (text as TransactionState) : 'Unknown'
}

function idText(transactionalId: string): string {
  return `transactional id '${transactionalId}'`
}

export function checkTransactionalIds(call: string, ids: readonly string[]): void {
  if (Array.isArray(ids) && ids.every(id => typeof id === 'string' && id !== '')) return
  throw new IllegalArgumentError(`${call} takes transactional ids, as in ['payments'], not ${JSON.stringify(ids)}`)
}
