import type { TopicPartition } from '../client/topic-partition.ts'
import type { Transaction, TransactionStatus } from '../coordinators/transactions/transaction.ts'
import type { TransactionShard } from '../coordinators/transactions/transaction-shard.ts'
import type {
  TransactionStep,
  TransactionStop,
  TransactionStops,
} from '../coordinators/transactions/transaction-stops.ts'
import { NO_LEADER } from '../metadata/image.ts'
import { amongThese } from '../metadata/nearest-name.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { ConfigError } from '../wire/errors.ts'
import type { BrokerHandle } from './broker-handle.ts'
import { type CoordinatorPlace, keptTransaction, lookForShard } from './coordinator-lookup.ts'
import { refuseUnknown } from './options.ts'
import { type WaitOptions, waitUntil } from './wait.ts'

/** What a handle needs to know of the cluster. */
export interface TransactionHost extends CoordinatorPlace {
  readonly runtime: Runtime
  readonly stops: TransactionStops
}

/** States that a transactional id can be seen in. */
export type TransactionStateName = Exclude<TransactionStatus, 'Dead' | 'PrepareEpochFence'>

interface FoundTransaction {
  readonly coordinator: BrokerHandle
  readonly shard: TransactionShard
  readonly transaction: Transaction
}

/**
 * A transactional id as a test sees it, on the broker that coordinates it: every look is at this moment, at what is committed.
 * Where nobody has used the id a look throws a RangeError with the nearest one; where nobody can say, since the coordinator is
 * away or has not read the log yet, an IllegalStateError.
 */
export class TransactionHandle {
  readonly id: string
  readonly #host: TransactionHost

  constructor(host: TransactionHost, id: string) {
    if (typeof id !== 'string') {
      throw new ConfigError(`transaction() takes a transactional id, as in 'payments', not ${id}`)
    }
    this.#host = host
    this.id = id
  }

  /** Somebody has used the id, and its coordinator knows. */
  get exists(): boolean {
    return typeof this.#look() !== 'function'
  }

  /**
   * `Empty` before the first transaction, `Ongoing` while one is open, `PrepareCommit` and `PrepareAbort` once its end is
   * decided, `CompleteCommit` and `CompleteAbort` when every partition has its marker.
   */
  get state(): TransactionStateName {
    return this.#found.transaction.state as TransactionStateName
  }

  get producerId(): number {
    return this.#found.transaction.producerId
  }

  /** Whoever comes with a lower one is fenced. */
  get producerEpoch(): number {
    return this.#found.transaction.producerEpoch
  }

  /** `transaction.timeout.ms` of the producer. */
  get timeoutMs(): number {
    return this.#found.transaction.timeoutMs
  }

  /** When the last transaction was begun, in milliseconds since the epoch; undefined: none was. */
  get startedAt(): number | undefined {
    const { startedAt } = this.#found.transaction
    return startedAt < 0 ? undefined : startedAt
  }

  /** Where the transaction writes; those of `__consumer_offsets` stand for offsets that it commits. None once it is complete. */
  get partitions(): readonly TopicPartition[] {
    return [...this.#found.transaction.partitions].flatMap(([topic, partitions]) =>
      [...partitions].map(partition => ({ topic, partition })),
    )
  }

  get coordinator(): BrokerHandle {
    return this.#found.coordinator
  }

  /**
   * Holds the end of a transaction of this id at a step, once: `'before PREPARE'` (nothing is decided yet), `'after PREPARE'`
   * (decided, no marker written), `'after marker 1'` (so many partitions have one), `'before COMPLETE'` (all have). The
   * coordinator waits there until `lift()`, or is crashed there; the one that takes over goes on.
   *
   * ```ts
   * const stop = cluster.transaction('payments').stop('after PREPARE')
   * void producer.commitTransaction()
   * await stop.reached
   * await cluster.coordinatorOf({ transactionalId: 'payments' }).crash()
   * ```
   *
   * @throws {ConfigError} for what is no step
   */
  stop(step: TransactionStep): HeldTransaction {
    if (!/^(before PREPARE|after PREPARE|after marker [1-9]\d*|before COMPLETE)$/.test(step)) {
      throw new ConfigError(
        `'${step}' is no step of the end of a transaction: there are 'before PREPARE', 'after PREPARE', 'after marker 1' and ` +
          "so on, and 'before COMPLETE'",
      )
    }
    const { runtime, stops } = this.#host
    const stop = stops.place(this.id, step)
    return {
      transactionalId: this.id,
      step,
      get isReached() {
        return stop.isReached
      },
      get reached() {
        return runtime.drive(`transactional id '${stop.transactionalId}' to come to '${step}'`, () => stop.reached)
      },
      lift: () => stop.lift(),
    }
  }

  /**
   * Lets time run until the id is in this state.
   *
   * @throws {WaitTimeoutError} that says in which one it is
   */
  async waitFor(state: TransactionStateName, options: Pick<WaitOptions, 'timeoutMs'> = {}): Promise<void> {
    refuseUnknown('option of waitFor', options, ['timeoutMs'])
    const what = `a wait for transactional id '${this.id}' to be in ${state}`
    const describe = () => this.describe()
    await waitUntil(this.#host.runtime, what, () => this.#isIn(state), { ...options, describe })
  }

  #isIn(state: TransactionStateName): boolean {
    const seen = this.#look()
    return typeof seen !== 'function' && seen.transaction.state === state
  }

  /** How it stands, in one line: for a failure. Throws nothing. */
  describe(): string {
    const seen = this.#look()
    if (typeof seen === 'function') return seen().message
    const { state, producerId, producerEpoch, partitions } = seen.transaction
    const written = [...partitions].flatMap(([topic, ids]) => [...ids].map(id => `${topic}-${id}`)).join(', ')
    const where = written === '' ? '' : `, writes to ${written}`
    const image = this.#host.image()
    const isLed = (topic: string, id: number) => image.partition(topic, id)?.leader !== NO_LEADER
    const unled = [...partitions].flatMap(([topic, ids]) =>
      [...ids].filter(id => !isLed(topic, id)).map(id => `${topic}-${id}`),
    )
    const why = unled.length === 0 ? '' : `; no marker can be written where there is no leader: ${unled.join(', ')}`
    return `${state} on ${seen.coordinator.name}, producer ${producerId} epoch ${producerEpoch}${where}${why}`
  }

  get #found(): FoundTransaction {
    const seen = this.#look()
    if (typeof seen === 'function') throw seen()
    return seen
  }

  #look(): FoundTransaction | (() => Error) {
    const shardOf = (broker: NonNullable<BrokerHandle['broker']>, partition: number) =>
      broker.transactions.shards.get(partition)
    const found = lookForShard(this.#host, keptTransaction(this.id), shardOf)
    if (typeof found === 'function') return found
    const transaction = found?.shard.committed(this.id)
    if (found === undefined || transaction === undefined) return () => this.#unknown()
    return { ...found, transaction }
  }

  #unknown(): RangeError {
    const known = new Set<string>()
    for (const { broker } of this.#host.brokers) {
      for (const { shard } of broker?.transactions.shards.values() ?? []) {
        for (const id of shard.committed.transactions.keys()) known.add(id)
      }
    }
    return new RangeError(`nobody has used transactional id '${this.id}'${amongThese(this.id, [...known].sort())}`)
  }
}

/** The end of a transaction that is held, or will be. */
export interface HeldTransaction extends Omit<TransactionStop, 'reached'> {
  /** Lets time run until a coordinator waits there. */
  readonly reached: Promise<void>
}
