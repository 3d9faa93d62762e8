import { IllegalArgumentError, IllegalStateError } from '../../../wire/errors.ts'
import { checkOffsets, type OffsetsToCommit } from '../../consumer/commit-arguments.ts'
import type { GroupMetadata } from '../../consumer/consumer-arguments.ts'
import type { TransactionManager } from './transaction-manager.ts'

/** What a producer can do with transactions (KIP-98): the calls of the Java producer. */
export abstract class TransactionalCalls {
  /** Undefined without a transactional id. @throws {IllegalStateError} after close */
  protected abstract transactions(): TransactionManager | undefined

  #require(): TransactionManager {
    const transactions = this.transactions()
    if (transactions !== undefined) return transactions
    const what = 'Cannot use transactional methods without enabling transactions by setting the transactional.id'
    throw new IllegalStateError(`${what} configuration property`)
  }

  /**
   * Makes this the producer of its `transactional.id`: whoever had it is fenced, and what they left open is aborted. Once, before
   * anything else; after REQUEST_TIMED_OUT (`max.block.ms`) it may be called again.
   *
   * @throws {IllegalStateError} without a transactional id, a second time; {KafkaError} TRANSACTIONAL_ID_AUTHORIZATION_FAILED, …
   */
  async initTransactions(): Promise<void> {
    return this.#require().initTransactions()
  }

  /** @throws {IllegalStateError} within a transaction; {KafkaError} PRODUCER_FENCED; {ClientError} after another error */
  async beginTransaction(): Promise<void> {
    this.#require().beginTransaction()
  }

  /**
   * Commits offsets of a group with the transaction, for consumers that read before they produce: `group` is what
   * `consumer.groupMetadata()` says. Resolves when the group's coordinator has them.
   *
   * @throws {IllegalStateError} outside a transaction; {IllegalArgumentError}; {KafkaError} that aborts or ends the producer
   */
  async sendOffsetsToTransaction(offsets: OffsetsToCommit, group: GroupMetadata): Promise<void> {
    const transactions = this.#require()
    if (typeof group?.groupId !== 'string') {
      throw new IllegalArgumentError('sendOffsetsToTransaction takes the group as consumer.groupMetadata() tells it')
    }
    return transactions.sendOffsets({ group, offsets: checkOffsets('sendOffsetsToTransaction', offsets) })
  }

  /**
   * Sends what lingers, waits for it, and commits. If any record fails, so does this, and the transaction is to be aborted.
   * After REQUEST_TIMED_OUT (`max.block.ms`) nobody knows: call it again.
   *
   * @throws {IllegalStateError} outside a transaction; {KafkaError} PRODUCER_FENCED, …: close the producer; {ClientError}
   */
  async commitTransaction(): Promise<void> {
    return this.#require().commitTransaction()
  }

  /** Fails what was not sent yet, waits for what was, and aborts. @throws as `commitTransaction` */
  async abortTransaction(): Promise<void> {
    return this.#require().abortTransaction()
  }
}
