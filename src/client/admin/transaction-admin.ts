import { refuseUnknown } from '../arguments.ts'
import type { AdminClient } from './admin-client.ts'
import { ClusterAdmin } from './cluster-admin.ts'
import {
  type AbortTransactionSpec,
  abortTransaction,
  checkTransactionalIds,
  describeTransactions,
  type FencedProducer,
  fenceProducers,
  type ListTransactionsOptions,
  listTransactions,
  type TransactionDescription,
  type TransactionListing,
} from './transactions.ts'

/** What an admin client asks about transactions (KIP-664). */
export class TransactionAdmin extends ClusterAdmin {
  readonly #client: AdminClient

  constructor(client: AdminClient) {
    super(client)
    this.#client = client
  }

  /** The transactional ids that are known, by name. Rejects with INVALID_REGULAR_EXPRESSION. */
  listTransactions(options: ListTransactionsOptions = {}): Promise<TransactionListing[]> {
    return this.#client.call('listTransactions', async () => {
      const known = ['states', 'producerIds', 'durationMs', 'transactionalIdPattern']
      refuseUnknown('the options of listTransactions', options, known)
      return listTransactions(this.#client, options)
    })
  }

  /** By transactional id: state, producer, partitions. Rejects with TRANSACTIONAL_ID_NOT_FOUND. */
  describeTransactions(transactionalIds: readonly string[]): Promise<Map<string, TransactionDescription>> {
    return this.#client.call('describeTransactions', async () => {
      checkTransactionalIds('describeTransactions', transactionalIds)
      return describeTransactions(this.#client, transactionalIds)
    })
  }

  /**
   * Fences whoever has these ids, and aborts their open transactions. By transactional id, the producer id and epoch that the
   * coordinator has now.
   */
  fenceProducers(transactionalIds: readonly string[]): Promise<Map<string, FencedProducer>> {
    return this.#client.call('fenceProducers', async () => {
      checkTransactionalIds('fenceProducers', transactionalIds)
      return fenceProducers(this.#client, transactionalIds)
    })
  }

  /** The same for one id, as Kafka names it for transactions that take too long (KIP-939). */
  async forceTerminateTransaction(transactionalId: string): Promise<void> {
    await this.#client.call('forceTerminateTransaction', async () => {
      checkTransactionalIds('forceTerminateTransaction', [transactionalId])
      return fenceProducers(this.#client, [transactionalId])
    })
  }

  /**
   * Ends a transaction that hangs in one partition, with what `describeProducers` says of it; the coordinator is not asked.
   * Rejects with INVALID_PRODUCER_EPOCH, TRANSACTION_COORDINATOR_FENCED.
   */
  abortTransaction(spec: AbortTransactionSpec): Promise<void> {
    return this.#client.call('abortTransaction', async () => {
      const known = ['topic', 'partition', 'producerId', 'producerEpoch', 'coordinatorEpoch']
      refuseUnknown('the transaction to abort', spec, known)
      await abortTransaction(this.#client, spec)
    })
  }
}
