import { KafkaError } from '../../wire/errors.ts'
import type { ShardDecision } from '../shard-decision.ts'
import type { ProducerIdentity } from './producer-initialization.ts'
import { isComplete, LAST_EPOCH, type Transaction } from './transaction.ts'
import type { TransactionRecordInput } from './transaction-records.ts'
import type { TransactionShard } from './transaction-shard.ts'

export interface EndRequest extends ProducerIdentity {
  readonly transactionalId: string
  readonly commit: boolean
  /** Of the protocol of transactions, as the request's version shows: with 2 every end raises the epoch (TV2). */
  readonly clientVersion: number
}

type Decision = ShardDecision<TransactionRecordInput, ProducerIdentity>

/** EndTxn, and the ends that the coordinator makes by itself (T-17…T-21, T-26). */
export class TransactionEnd {
  readonly #of: TransactionShard

  constructor(of: TransactionShard) {
    this.#of = of
  }

  /**
   * Answers, once the decision is committed, what the producer is in its next transaction; the markers follow.
   *
   * @throws {KafkaError} INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED, INVALID_TXN_STATE, CONCURRENT_TRANSACTIONS, as
   * `TransactionShard.write`
   */
  end(request: EndRequest): ProducerIdentity | Promise<ProducerIdentity> {
    const decide = () =>
      this.#of.write(() => (request.clientVersion >= 2 ? this.#decideRaising(request) : this.#decideKeeping(request)))
    const stop = this.#of.environment.stops.at(request.transactionalId, 'before PREPARE')
    return stop === undefined ? decide() : stop.then(decide)
  }

  /** T-19: who the producer is is asked before whether a change is under way. */
  #decideKeeping(request: EndRequest): Decision {
    const { transactionalId, commit } = request
    const before = this.#of.committed(transactionalId)
    if (before !== undefined) this.#of.requireProducer(request, before)
    const known = this.#of.settled(transactionalId)
    if (known === undefined) throw new KafkaError('INVALID_PRODUCER_ID_MAPPING')
    this.#of.requireProducer(request, known)
    if (known.state === 'Ongoing') return this.#prepare(known, request)
    if (known.state === (commit ? 'CompleteCommit' : 'CompleteAbort')) return answered(known)
    throw new KafkaError('INVALID_TXN_STATE')
  }

  /** T-20. A repeated request is told by its epoch, which is the one before. */
  #decideRaising(request: EndRequest): Decision {
    const { transactionalId, producerId, producerEpoch, commit } = request
    const known = this.#of.settled(transactionalId)
    if (known === undefined) throw new KafkaError('INVALID_PRODUCER_ID_MAPPING')
    const raised = known.clientVersion >= 2
    const isRotated =
      raised && producerId === known.previousProducerId && producerEpoch === LAST_EPOCH - 1 && known.producerEpoch === 0
    if (producerId !== known.producerId && !isRotated) throw new KafkaError('INVALID_PRODUCER_ID_MAPPING')
    const isCurrent = producerId === known.producerId && producerEpoch === known.producerEpoch
    const isRepeated = isRotated || (raised && isComplete(known) && producerEpoch + 1 === known.producerEpoch)
    if (isRepeated) {
      if (known.state === (commit ? 'CompleteCommit' : 'CompleteAbort')) return answered(known)
      throw new KafkaError(isComplete(known) ? 'INVALID_TXN_STATE' : 'PRODUCER_FENCED')
    }
    if (!isCurrent && !this.#of.environment.mutants.has('no-coordinator-epoch-check'))
      throw new KafkaError('PRODUCER_FENCED')
    // Nothing of it has come here: its late writes are fenced by the raised epoch (T-21).
    if (known.state === 'Ongoing' || !commit) return this.#prepare(known, request)
    throw new KafkaError('INVALID_TXN_STATE')
  }

  #prepare(
    known: Transaction,
    { commit, clientVersion: asked }: Pick<EndRequest, 'commit' | 'clientVersion'>,
  ): Decision {
    const { producerId, producerEpoch } = known
    const clientVersion = this.#of.environment.mutants.has('no-epoch-raise-at-end') ? 0 : asked
    const startedAt = known.state === 'Ongoing' ? known.startedAt : this.#of.environment.runtime.now()
    const state = commit ? 'PrepareCommit' : 'PrepareAbort'
    const decided: Transaction = { ...known, state, startedAt, clientVersion }
    if (clientVersion < 2) return this.#of.become(decided, { producerId, producerEpoch })
    const raised = producerEpoch + 1
    if (raised < LAST_EPOCH) {
      const next = { ...decided, producerEpoch: raised, previousProducerId: producerId }
      return this.#of.become(next, { producerId, producerEpoch: raised }, producerEpoch)
    }
    const nextProducerId = this.#of.environment.takeProducerId()
    const last = { ...decided, producerEpoch: LAST_EPOCH, previousProducerId: producerId, nextProducerId }
    return this.#of.become(last, { producerId: nextProducerId, producerEpoch: 0 }, producerEpoch)
  }

  /**
   * The decision to abort an open transaction and to fence its producer, by the next epoch (T-12, T-26). With
   * `transaction.version` 2 the producer is still known by its old one.
   */
  fence<Response>(known: Transaction, response: Response): ShardDecision<TransactionRecordInput, Response> {
    const version = this.#of.transactionVersion
    const { producerEpoch } = known
    const clientVersion = version >= 2 ? 2 : known.clientVersion
    const raised = Math.min(producerEpoch + 1, LAST_EPOCH)
    const next: Transaction = { ...known, state: 'PrepareAbort', producerEpoch: raised, clientVersion }
    return this.#of.become(next, response, version >= 2 ? producerEpoch : -1)
  }
}

function answered({ producerId, producerEpoch }: Transaction): Decision {
  return { records: [], response: { producerId, producerEpoch } }
}
