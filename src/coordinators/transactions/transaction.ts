import { MalformedError } from '../../wire/reader.ts'
import type { TransactionRecord, TransactionRecordInput } from './transaction-records.ts'

/** By code, as records have them (TransactionState). The last two are never written. */
export const transactionStates = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
] as const

export type TransactionStatus = (typeof transactionStates)[number]

/** The epoch that no producer is given: what a marker has whose producer used the last one. */
export const LAST_EPOCH = 0x7fff

/** Topic → partitions. */
export type TransactionPartitions = ReadonlyMap<string, ReadonlySet<number>>

/** What is known of a transactional id (TransactionMetadata). A change is a new one, and a record. */
export interface Transaction {
  readonly transactionalId: string
  readonly producerId: number
  /** The same, but after an exhausted epoch has made a new producer id necessary (T-6). */
  readonly previousProducerId: number
  /** Taken when the transaction that exhausted the epoch is complete; −1: none. */
  readonly nextProducerId: number
  readonly producerEpoch: number
  readonly timeoutMs: number
  readonly state: TransactionStatus
  readonly partitions: TransactionPartitions
  /** Milliseconds since the epoch; −1: no transaction was begun yet. Stays after it has ended. */
  readonly startedAt: number
  readonly updatedAt: number
  /** 2: the client raises its epoch with every transaction (TV2); 0: nobody said so. */
  readonly clientVersion: number
}

const NONE: TransactionPartitions = new Map()

/** An id that was never seen. */
export function newTransaction(transactionalId: string, producerId: number, timeoutMs: number): Transaction {
  return {
    transactionalId,
    producerId,
    previousProducerId: producerId,
    nextProducerId: -1,
    producerEpoch: 0,
    timeoutMs,
    state: 'Empty',
    partitions: NONE,
    startedAt: -1,
    updatedAt: -1,
    clientVersion: 0,
  }
}

export function isPrepared({ state }: Transaction): boolean {
  return state === 'PrepareCommit' || state === 'PrepareAbort'
}

export function isComplete({ state }: Transaction): boolean {
  return state === 'CompleteCommit' || state === 'CompleteAbort'
}

export function includes({ partitions }: Transaction, topic: string, partition: number): boolean {
  return partitions.get(topic)?.has(partition) === true
}

/** Both together; the same map if nothing is new. */
export function union(known: TransactionPartitions, added: TransactionPartitions): TransactionPartitions {
  const all = new Map(known)
  let isMore = false
  for (const [topic, partitions] of added) {
    const before = all.get(topic)
    const fresh = [...partitions].filter(partition => before?.has(partition) !== true)
    if (fresh.length === 0) continue
    isMore = true
    all.set(topic, new Set([...(before ?? []), ...fresh]))
  }
  return isMore ? all : known
}

/** @param version finalized `transaction.version`: v0 of the record knows neither other producer ids nor versions */
export function recordOf(transaction: Transaction, version: number): TransactionRecordInput {
  const { transactionalId, state, partitions, previousProducerId, nextProducerId, clientVersion } = transaction
  const listed = [...partitions].map(([topic, ids]) => ({ topic, partitionIds: [...ids] }))
  return {
    type: 'Transaction',
    key: { transactionalId },
    value: {
      producerId: transaction.producerId,
      producerEpoch: transaction.producerEpoch,
      transactionTimeoutMs: transaction.timeoutMs,
      transactionStatus: transactionStates.indexOf(state),
      transactionPartitions: state === 'Empty' ? null : listed,
      transactionLastUpdateTimestampMs: transaction.updatedAt,
      transactionStartTimestampMs: transaction.startedAt,
      ...(version >= 1 ? { previousProducerId, nextProducerId, clientTransactionVersion: clientVersion } : {}),
    },
  }
}

/** @throws {MalformedError} for a state that nobody knows */
export function transactionOf({ key, value }: TransactionRecord & { value: object }): Transaction {
  const state = transactionStates[value.transactionStatus]
  if (state === undefined) throw new MalformedError(`no state of a transaction has the code ${value.transactionStatus}`)
  const { producerId, previousProducerId, transactionPartitions } = value
  return {
    transactionalId: key.transactionalId,
    producerId,
    previousProducerId: previousProducerId === -1 ? producerId : previousProducerId,
    nextProducerId: value.nextProducerId,
    producerEpoch: value.producerEpoch,
    timeoutMs: value.transactionTimeoutMs,
    state,
    partitions: new Map((transactionPartitions ?? []).map(({ topic, partitionIds }) => [topic, new Set(partitionIds)])),
    startedAt: value.transactionStartTimestampMs,
    updatedAt: value.transactionLastUpdateTimestampMs,
    clientVersion: value.clientTransactionVersion,
  }
}
