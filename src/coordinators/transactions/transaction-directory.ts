import { KafkaError } from '../../wire/errors.ts'
import type { Transaction } from './transaction.ts'
import type { TransactionShard } from './transaction-shard.ts'

/** What to list; what is not named filters nothing (T-37). */
export interface TransactionFilter {
  readonly states: ReadonlySet<string>
  readonly producerIds: ReadonlySet<number>
  /** Begun longer ago than so many ms; −1: whenever. */
  readonly durationMs: number
  /** Answers whether a whole id is meant. */
  readonly matches: (transactionalId: string) => boolean
}

/** DescribeTransactions, ListTransactions for the ids of one shard: as committed (T-5). */
export class TransactionDirectory {
  readonly #of: TransactionShard

  constructor(of: TransactionShard) {
    this.#of = of
  }

  /** @throws {KafkaError} TRANSACTIONAL_ID_NOT_FOUND, COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR */
  describe(transactionalId: string): Transaction {
    this.#of.requireLoaded()
    const known = this.#of.committed(transactionalId)
    if (known === undefined) throw new KafkaError('TRANSACTIONAL_ID_NOT_FOUND')
    return known
  }

  /** @throws {KafkaError} COORDINATOR_LOAD_IN_PROGRESS */
  list({ states, producerIds, durationMs, matches }: TransactionFilter): Transaction[] {
    this.#of.requireLoaded()
    const now = this.#of.environment.runtime.now()
    return [...this.#of.shard.committed.transactions.values()].filter(
      ({ transactionalId, state, producerId, startedAt }) =>
        (states.size === 0 || states.has(state)) &&
        (producerIds.size === 0 || producerIds.has(producerId)) &&
        // Who has begun none has begun it long ago, as in Kafka.
        (durationMs < 0 || now - startedAt > durationMs) &&
        matches(transactionalId),
    )
  }
}
