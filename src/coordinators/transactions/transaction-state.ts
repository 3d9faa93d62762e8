import type { RecordPlace, ShardState } from '../shard.ts'
import { isPrepared, type Transaction, transactionOf } from './transaction.ts'
import type { TransactionRecord } from './transaction-records.ts'

/** The transactional ids of one partition of `__transaction_state`, as its records tell. */
export class TransactionState implements ShardState<TransactionRecord> {
  readonly transactions = new Map<string, Transaction>()
  /** Those whose markers are to be written. */
  readonly prepared = new Set<string>()
  readonly #places = new Map<string, number>()

  replay(record: TransactionRecord, { offset }: RecordPlace): void {
    const { transactionalId } = record.key
    this.prepared.delete(transactionalId)
    if (record.value === null) {
      this.transactions.delete(transactionalId)
      this.#places.delete(transactionalId)
      return
    }
    const transaction = transactionOf({ ...record, value: record.value })
    this.transactions.set(transactionalId, transaction)
    this.#places.set(transactionalId, offset)
    if (isPrepared(transaction)) this.prepared.add(transactionalId)
  }

  /** Where the last record of an id stands; undefined for none. */
  placeOf(transactionalId: string): number | undefined {
    return this.#places.get(transactionalId)
  }
}
