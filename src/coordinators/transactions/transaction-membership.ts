import { type ErrorName, KafkaError } from '../../wire/errors.ts'
import type { ShardDecision } from '../shard-decision.ts'
import type { ProducerIdentity } from './producer-initialization.ts'
import { includes, type Transaction, type TransactionPartitions, union } from './transaction.ts'
import type { TransactionRecordInput } from './transaction-records.ts'
import type { TransactionShard } from './transaction-shard.ts'

export interface MembershipRequest extends ProducerIdentity {
  readonly transactionalId: string
  readonly partitions: TransactionPartitions
}

/** Which partitions a transaction writes to (T-15, T-16, T-30, T-31). */
export class TransactionMembership {
  readonly #of: TransactionShard

  constructor(of: TransactionShard) {
    this.#of = of
  }

  /**
   * The transaction writes there too; the first addition begins it.
   *
   * @param clientVersion 2 if the request shows that the producer raises its epoch with every transaction, else 0
   * @throws {KafkaError} INVALID_PRODUCER_ID_MAPPING, CONCURRENT_TRANSACTIONS, PRODUCER_FENCED, as `TransactionShard.write`
   */
  add(request: MembershipRequest, clientVersion: number): undefined | Promise<undefined> {
    return this.#of.write(() => this.#decide(request, clientVersion))
  }

  /** As `add`, for brokers: while the transaction before is being ended, they are kept waiting for a moment (T-33). */
  addInTime(request: MembershipRequest, deadline = this.#of.waits.deadline): undefined | Promise<undefined> {
    this.#of.requireLoaded()
    const settled = this.#of.untilSettled(request.transactionalId, deadline)
    return settled === undefined ? this.add(request, 2) : settled.then(() => this.addInTime(request, deadline))
  }

  #decide(request: MembershipRequest, clientVersion: number): ShardDecision<TransactionRecordInput, undefined> {
    const known = this.#of.settled(request.transactionalId)
    if (known === undefined) throw new KafkaError('INVALID_PRODUCER_ID_MAPPING')
    this.#of.requireProducer(request, known)
    const isOngoing = known.state === 'Ongoing'
    const partitions = union(known.partitions, request.partitions)
    if (isOngoing && partitions === known.partitions) return { records: [], response: undefined }
    const startedAt = isOngoing ? known.startedAt : this.#of.environment.runtime.now()
    const next: Transaction = { ...known, state: 'Ongoing', partitions, startedAt, clientVersion }
    return this.#of.become(next, undefined)
  }

  /**
   * Whether each partition was added: NONE, or TRANSACTION_ABORTABLE. Looks at what is committed, so that a change under way
   * disturbs nobody.
   *
   * @throws {KafkaError} INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED, CONCURRENT_TRANSACTIONS once the end is decided
   */
  verify(request: MembershipRequest): (topic: string, partition: number) => ErrorName {
    this.#of.requireLoaded()
    const known = this.#of.committed(request.transactionalId)
    if (known === undefined) throw new KafkaError('INVALID_PRODUCER_ID_MAPPING')
    this.#of.requireProducer(request, known)
    if (known.state === 'PrepareCommit' || known.state === 'PrepareAbort') {
      throw new KafkaError('CONCURRENT_TRANSACTIONS')
    }
    return (topic, partition) => (includes(known, topic, partition) ? 'NONE' : 'TRANSACTION_ABORTABLE')
  }
}
