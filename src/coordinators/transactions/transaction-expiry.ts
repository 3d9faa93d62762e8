import { Chore } from '../../runtime/chore.ts'
import { KafkaError } from '../../wire/errors.ts'
import type { Transaction } from './transaction.ts'
import type { TransactionShard } from './transaction-shard.ts'

const NEVER = Number.POSITIVE_INFINITY

/** Transactions that take too long (T-26), and transactional ids that nobody uses any more (T-27), of one shard. */
export class TransactionExpiry {
  readonly #of: TransactionShard
  #chores: readonly Chore[] = []

  constructor(of: TransactionShard) {
    this.#of = of
  }

  loaded(): void {
    const { environment } = this.#of
    const { runtime } = environment
    const config = () => environment.config()
    const every = (key: 'abort.timed.out.transaction' | 'remove.expired.transaction') => () =>
      config()[`transaction.${key}.cleanup.interval.ms`]
    const chore = (
      intervalMs: () => number,
      dueAt: (transaction: Transaction) => number,
      run: (transaction: Transaction) => void,
    ) =>
      new Chore({
        runtime,
        initialDelayMs: intervalMs(),
        intervalMs,
        dueAt: () => this.#all().reduce((earliest, each) => Math.min(earliest, dueAt(each)), NEVER),
        run: now => {
          for (const transaction of this.#all()) if (dueAt(transaction) <= now) run(transaction)
        },
      })
    this.#chores = [
      chore(every('abort.timed.out.transaction'), timedOutAt, transaction => this.#abort(transaction)),
      chore(
        every('remove.expired.transaction'),
        transaction => expiredAt(transaction, config()['transactional.id.expiration.ms']),
        transaction => this.#remove(transaction),
      ),
    ]
    this.touch()
  }

  /** Something was written: what it makes expire is looked for at the next check. */
  touch(): void {
    for (const chore of this.#chores) chore.touch()
  }

  closed(): void {
    for (const chore of this.#chores) chore.stop()
  }

  #all(): Transaction[] {
    return this.#of.shard.isActive ? [...this.#of.shard.latest.transactions.values()] : []
  }

  #abort({ transactionalId }: Transaction): void {
    this.#write(`${transactionalId} was not aborted in time`, () => {
      const known = this.#of.settled(transactionalId)
      return known?.state === 'Ongoing' ? this.#of.end.fence(known, undefined) : { records: [], response: undefined }
    })
  }

  #remove({ transactionalId }: Transaction): void {
    this.#write(`${transactionalId} was not removed`, () =>
      this.#of.settled(transactionalId) === undefined
        ? { records: [], response: undefined }
        : this.#of.forget(transactionalId),
    )
  }

  /** What could not be written is found again by the next check. */
  #write(failure: string, decide: Parameters<TransactionShard['write']>[0]): void {
    const { runtime, name } = this.#of.environment
    const failed = (error: unknown) => {
      if (!(error instanceof KafkaError)) throw error
      runtime.trace.add('coordinator', name, { what: failure, error: error.errorName })
    }
    try {
      const answer = this.#of.write(decide)
      if (answer instanceof Promise) answer.catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}

/** The first millisecond at which an open transaction has taken too long. */
function timedOutAt({ state, startedAt, timeoutMs }: Transaction): number {
  return state === 'Ongoing' ? startedAt + timeoutMs + 1 : NEVER
}

function expiredAt({ state, updatedAt }: Transaction, expirationMs: number): number {
  return state === 'Empty' || state === 'CompleteCommit' || state === 'CompleteAbort' ? updatedAt + expirationMs : NEVER
}
