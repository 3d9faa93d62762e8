import type { ImageChanges } from '../../metadata/image-changes.ts'
import { TRANSACTIONS_TOPIC } from '../../metadata/topic-names.ts'
import { KafkaError } from '../../wire/errors.ts'
import { LedShards } from '../led-shards.ts'
import { partitionFor } from '../partition-for.ts'
import { matchesWhole } from '../patterns/pattern.ts'
import { PatternError, parsePattern } from '../patterns/pattern-parser.ts'
import type { ShardLog } from '../shard-log.ts'
import { MarkerDispatch } from './marker-dispatch.ts'
import { type Transaction, transactionStates } from './transaction.ts'
import type { TransactionFilter } from './transaction-directory.ts'
import type { TransactionEnvironment } from './transaction-environment.ts'
import { TransactionShard } from './transaction-shard.ts'

export interface ListedTransactionsFilter {
  readonly states: readonly string[]
  readonly producerIds: readonly number[]
  /** Begun longer ago than so many ms; −1: whenever. */
  readonly durationMs: number
  /** A regular expression for whole ids; null or empty: all. */
  readonly pattern: string | null
}

export interface ListedTransactions {
  readonly transactions: readonly Transaction[]
  /** Those asked for that nobody knows. */
  readonly unknownStates: readonly string[]
}

/**
 * The transactional ids that this broker coordinates (Kafka's TransactionCoordinator): those of the partitions of
 * `__transaction_state` that it leads.
 */
export class TransactionCoordinator {
  readonly #environment: TransactionEnvironment
  readonly #shards: LedShards<TransactionShard>

  constructor(environment: TransactionEnvironment) {
    this.#environment = environment
    const dispatch = new MarkerDispatch(environment)
    this.#shards = new LedShards((log, lost) => new TransactionShard(environment, dispatch, log, lost))
  }

  /** Of all partitions that are led here, loaded or not, by partition. */
  get shards(): ReadonlyMap<number, TransactionShard> {
    return this.#shards.byPartition
  }

  /**
   * Where this transactional id is kept; it may still be loading, which its operations refuse by themselves.
   *
   * @throws {KafkaError} INVALID_REQUEST for an empty id; NOT_COORDINATOR if it is kept by another broker (T-3)
   */
  shardOf(transactionalId: string): TransactionShard {
    if (transactionalId === '') throw new KafkaError('INVALID_REQUEST', 'a transactional id must not be empty')
    const topic = this.#environment.image.topic(TRANSACTIONS_TOPIC)
    const shard =
      topic === undefined ? undefined : this.#shards.get(partitionFor(transactionalId, topic.partitions.length))
    if (shard === undefined) throw new KafkaError('NOT_COORDINATOR')
    return shard
  }

  /**
   * T-37. Names of states in their own case; with none but unknown ones, nothing is listed.
   *
   * @throws {KafkaError} INVALID_REGULAR_EXPRESSION, COORDINATOR_LOAD_IN_PROGRESS while any partition is loading
   */
  list({ states, producerIds, durationMs, pattern }: ListedTransactionsFilter): ListedTransactions {
    const filter: TransactionFilter = {
      states: new Set(states),
      producerIds: new Set(producerIds),
      durationMs,
      matches: pattern === null || pattern === '' ? () => true : matcherOf(pattern),
    }
    const transactions = [...this.#shards].flatMap(({ directory }) => directory.list(filter))
    const isKnown = (name: string) => (transactionStates as readonly string[]).includes(name)
    return { transactions, unknownStates: states.filter(name => !isKnown(name)) }
  }

  /** This broker leads a partition since an epoch. */
  elected(log: ShardLog): void {
    this.#shards.elected(log)
  }

  /** It no longer does. */
  resigned(partition: number): void {
    this.#shards.resigned(partition)
  }

  metadataChanged(changes: ImageChanges): void {
    for (const shard of this.#shards) shard.metadataChanged(changes)
  }
}

function matcherOf(pattern: string): (transactionalId: string) => boolean {
  try {
    const parsed = parsePattern(pattern)
    return transactionalId => matchesWhole(parsed, transactionalId)
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    throw new KafkaError('INVALID_REGULAR_EXPRESSION', `Transactional ID pattern '${pattern}': ${error.message}`)
  }
}
