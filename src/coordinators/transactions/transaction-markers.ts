import type { ImageChanges } from '../../metadata/image-changes.ts'
import { KafkaError } from '../../wire/errors.ts'
import type { MarkerDispatch } from './marker-dispatch.ts'
import { MarkerRound } from './marker-round.ts'
import { isPrepared, type Transaction } from './transaction.ts'
import type { TransactionShard } from './transaction-shard.ts'

/** How long after a refusal the completion of a transaction is written again. */
const RETRY_MS = 500

/**
 * Ends what was decided (T-17, T-25): as soon as a decision is committed, and for every one that a new coordinator finds, the
 * markers are written, then the completion.
 */
export class TransactionMarkers {
  readonly #of: TransactionShard
  readonly #dispatch: MarkerDispatch
  readonly #rounds = new Map<string, MarkerRound>()
  #isClosed = false

  constructor(of: TransactionShard, dispatch: MarkerDispatch) {
    this.#of = of
    this.#dispatch = dispatch
  }

  /** A round for every decision that is committed and has none. */
  start(): void {
    const { committed, log } = this.#of.shard
    if (committed.prepared.size === 0 || !this.#of.shard.isActive) return
    for (const transactionalId of committed.prepared) {
      const transaction = committed.transactions.get(transactionalId)!
      if (this.#rounds.get(transactionalId)?.transaction === transaction) continue
      const round = new MarkerRound({
        environment: this.#of.environment,
        dispatch: this.#dispatch,
        transaction,
        coordinatorEpoch: log.leaderEpoch,
        complete: () => this.#complete(transaction),
      })
      this.#rounds.set(transactionalId, round)
      round.start()
    }
  }

  metadataChanged(changes: ImageChanges): void {
    if (changes.partitions.size === 0 && changes.deletedTopics.length === 0) return
    for (const round of this.#rounds.values()) round.metadataChanged()
  }

  #complete(transaction: Transaction): void {
    const stop = this.#of.environment.stops.at(transaction.transactionalId, 'before COMPLETE')
    if (stop === undefined) this.#writeCompletion(transaction)
    else stop.then(() => this.#writeCompletion(transaction))
  }

  /** What the log refuses is tried again; nobody waits for it. */
  #writeCompletion({ transactionalId }: Transaction): void {
    if (this.#isClosed) return
    const failed = (error: unknown) => {
      if (!(error instanceof KafkaError)) throw error
      if (!this.#isClosed) this.#of.shard.timers.schedule(`complete ${transactionalId}`, RETRY_MS, again, later)
    }
    const later = { housekeeping: true } as const
    const again = () => {
      try {
        const answer = this.#of.shard.write(({ transactions }) => {
          const known = transactions.get(transactionalId)
          if (known === undefined || !isPrepared(known)) return { records: [], response: undefined }
          const decision = this.#of.become(completed(known), undefined)
          return { ...decision, appended: () => this.#over(transactionalId, decision.appended) }
        })
        if (answer instanceof Promise) answer.catch(failed)
      } catch (error) {
        failed(error)
      }
    }
    again()
  }

  #over(transactionalId: string, appended: (() => void) | undefined): void {
    this.#rounds.delete(transactionalId)
    appended?.()
  }

  close(): void {
    this.#isClosed = true
    for (const round of this.#rounds.values()) round.close()
    this.#rounds.clear()
  }
}

/** T-17; with another producer id, if the epochs of the old one are used up (T-20). */
function completed(transaction: Transaction): Transaction {
  const { nextProducerId, producerId } = transaction
  return {
    ...transaction,
    state: transaction.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort',
    partitions: new Map(),
    ...(nextProducerId === -1
      ? {}
      : { producerId: nextProducerId, producerEpoch: 0, previousProducerId: producerId, nextProducerId: -1 }),
  }
}
