import { KafkaError } from '../../wire/errors.ts'
import type { ShardDecision } from '../shard-decision.ts'
import { newTransaction, type Transaction } from './transaction.ts'
import type { TransactionRecordInput } from './transaction-records.ts'
import type { TransactionShard } from './transaction-shard.ts'

export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

export interface InitializationRequest {
  readonly transactionalId: string
  readonly timeoutMs: number
  /** What the producer is by its own knowledge (KIP-360); undefined: it begins. */
  readonly expected: ProducerIdentity | undefined
}

/** From this epoch on the next producer needs another producer id. */
const EXHAUSTED = 0x7ffe

/** InitProducerId with a transactional id: a producer comes, and whoever had the id before is fenced (T-11…T-14). */
export class ProducerInitialization {
  readonly #of: TransactionShard

  constructor(of: TransactionShard) {
    this.#of = of
  }

  /**
   * A transaction that is open is aborted first: the answer then is CONCURRENT_TRANSACTIONS, and the producer asks again.
   *
   * @throws {KafkaError} INVALID_TRANSACTION_TIMEOUT, CONCURRENT_TRANSACTIONS, PRODUCER_FENCED, as `TransactionShard.write`
   */
  initialize(request: InitializationRequest): ProducerIdentity | Promise<ProducerIdentity> {
    const longest = this.#of.environment.config()['transaction.max.timeout.ms']
    if (request.timeoutMs <= 0 || request.timeoutMs > longest) {
      throw new KafkaError(
        'INVALID_TRANSACTION_TIMEOUT',
        `a transaction timeout of ${request.timeoutMs} ms; the broker takes 1 to ${longest} (transaction.max.timeout.ms)`,
      )
    }
    const answer = this.#of.write(() => this.#decide(request))
    return answer instanceof Promise ? answer.then(orConcurrent) : orConcurrent(answer)
  }

  #decide(request: InitializationRequest): ShardDecision<TransactionRecordInput, ProducerIdentity | undefined> {
    const { transactionalId, timeoutMs, expected } = request
    const known = this.#of.settled(transactionalId)
    if (known === undefined) {
      const producerId = this.#of.environment.takeProducerId()
      return this.#become(newTransaction(transactionalId, producerId, timeoutMs), -1)
    }
    const lastEpoch = this.#of.lastEpochOf(transactionalId)
    if (expected !== undefined && !mayBe(expected, known, lastEpoch)) throw new KafkaError('PRODUCER_FENCED')
    if (known.state === 'Ongoing') return this.#of.end.fence(known, undefined)
    const next: Transaction = {
      ...known,
      state: 'Empty',
      partitions: new Map(),
      timeoutMs,
      startedAt: -1,
    }
    if (
      known.producerEpoch >= EXHAUSTED &&
      (expected === undefined || expected.producerEpoch === known.producerEpoch)
    ) {
      const { producerId: previousProducerId, producerEpoch } = known
      const producerId = this.#of.environment.takeProducerId()
      const rotated = { ...next, producerId, previousProducerId, producerEpoch: 0 }
      return this.#become(rotated, expected === undefined ? -1 : producerEpoch)
    }
    const producerEpoch = known.producerEpoch + 1
    const raised = { ...next, previousProducerId: known.producerId, producerEpoch }
    if (expected === undefined) return this.#become(raised, -1)
    if (expected.producerEpoch === known.producerEpoch) return this.#become(raised, known.producerEpoch)
    // It asks again, since it has not got the answer.
    if (expected.producerEpoch === lastEpoch)
      return this.#become({ ...next, previousProducerId: known.producerId }, lastEpoch)
    throw new KafkaError('PRODUCER_FENCED')
  }

  #become(next: Transaction, lastEpoch: number): ShardDecision<TransactionRecordInput, ProducerIdentity | undefined> {
    const { producerId, producerEpoch } = next
    return this.#of.become(next, { producerId, producerEpoch }, lastEpoch)
  }
}

/** T-13: the producer id is the present one, or the one whose epochs are used up. */
function mayBe(expected: ProducerIdentity, known: Transaction, lastEpoch: number): boolean {
  if (expected.producerId === known.producerId) return true
  return expected.producerId === known.previousProducerId && expected.producerEpoch === lastEpoch
}

function orConcurrent(identity: ProducerIdentity | undefined): ProducerIdentity {
  if (identity === undefined) throw new KafkaError('CONCURRENT_TRANSACTIONS')
  return identity
}
