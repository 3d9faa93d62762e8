import { NO_LEADER } from '../../metadata/image.ts'
import { type ErrorName, errorCodes, errorOf } from '../../wire/errors.ts'
import type { MarkerDispatch } from './marker-dispatch.ts'
import type { Transaction } from './transaction.ts'
import type { TransactionEnvironment } from './transaction-environment.ts'
import type { TransactionStep } from './transaction-stops.ts'

/** How long a partition whose leader could not write the marker is left alone (TransactionMarkerChannelManager). */
const RETRY_MS = 100

/** The coordinator is not the newest any more, or the producer's transaction was ended by somebody else (T-23). */
const cancelling: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'INVALID_PRODUCER_EPOCH',
  'TRANSACTION_COORDINATOR_FENCED',
])

export interface MarkerRoundOptions {
  readonly environment: TransactionEnvironment
  readonly dispatch: MarkerDispatch
  readonly transaction: Transaction
  readonly coordinatorEpoch: number
  /** Every partition has its marker, or is gone. */
  readonly complete: () => void
}

/**
 * Writing the markers of one transaction that was decided: each partition's leader is asked until it has written one, for
 * ever (T-22, T-23). A partition without a leader is waited for: to pass over it would leave its last stable offset behind
 * for good (KAFKA-20734, reproduced by the mutant `markers-need-no-leader`).
 */
export class MarkerRound {
  readonly transaction: Transaction
  readonly #options: MarkerRoundOptions
  /** Not written yet, nor on their way: topic → partitions. */
  readonly #open = new Map<string, Set<number>>()
  #underWay = 0
  #written = 0
  #isOver = false
  /** By a test, at one of the steps. */
  #isHeld = false
  #timer: { cancel(): void } | undefined

  constructor(options: MarkerRoundOptions) {
    this.#options = options
    this.transaction = options.transaction
    for (const [topic, partitions] of options.transaction.partitions) this.#open.set(topic, new Set(partitions))
  }

  start(): void {
    this.#hold(this.#stopAt('after PREPARE'), () => this.#send())
  }

  /** Leaders may have changed, topics may have been deleted. */
  metadataChanged(): void {
    if (this.#timer === undefined && this.#open.size > 0) this.#send()
  }

  /** The coordinator is gone, or the round is not to go on. */
  close(): void {
    this.#isOver = true
    this.#timer?.cancel()
  }

  #stopAt(step: TransactionStep): Promise<void> | undefined {
    return this.#options.environment.stops.at(this.transaction.transactionalId, step)
  }

  #hold(stop: Promise<void> | undefined, goOn: () => void): void {
    if (stop === undefined) {
      goOn()
      return
    }
    this.#isHeld = true
    stop.then(() => {
      this.#isHeld = false
      if (!this.#isOver) goOn()
    })
  }

  #send(): void {
    if (this.#isOver || this.#isHeld) return
    this.#timer = undefined
    const oneByOne = this.#options.environment.stops.isBetweenMarkers(this.transaction.transactionalId)
    if (!oneByOne || this.#underWay === 0) {
      for (const [leader, topics] of this.#takeByLeader(oneByOne)) this.#order(leader, topics)
    }
    this.#finishIfDone()
  }

  /** What can be asked for now, by leader. What no longer exists is dropped from the transaction. */
  #takeByLeader(oneByOne: boolean): Map<number, Map<string, Set<number>>> {
    const { image, mutants } = this.#options.environment
    const byLeader = new Map<number, Map<string, Set<number>>>()
    for (const [topic, partitions] of [...this.#open]) {
      for (const partition of [...partitions]) {
        const leader = image.partition(topic, partition)?.leader
        if (leader === NO_LEADER && !mutants.has('markers-need-no-leader')) continue
        this.#close(topic, partition)
        if (leader === undefined || leader === NO_LEADER) continue
        const topics = byLeader.get(leader) ?? new Map<string, Set<number>>()
        byLeader.set(leader, topics.set(topic, (topics.get(topic) ?? new Set()).add(partition)))
        if (oneByOne) return byLeader
      }
    }
    return byLeader
  }

  #close(topic: string, partition: number): void {
    const partitions = this.#open.get(topic)
    partitions?.delete(partition)
    if (partitions?.size === 0) this.#open.delete(topic)
  }

  #order(leader: number, topics: Map<string, Set<number>>): void {
    const { dispatch, coordinatorEpoch } = this.#options
    const { producerId, producerEpoch, state, clientVersion: transactionVersion } = this.transaction
    const transactionResult = state === 'PrepareCommit'
    this.#underWay++
    dispatch.send(leader, {
      marker: { producerId, producerEpoch, transactionResult, coordinatorEpoch, transactionVersion },
      topics,
      settle: outcome => this.#answered(topics, outcome),
    })
  }

  #answered(
    topics: Map<string, Set<number>>,
    outcome: ((topic: string, partition: number) => number | undefined) | undefined,
  ): void {
    this.#underWay--
    if (this.#isOver) return
    let isRefused = false
    let newlyWritten = 0
    for (const [topic, partitions] of topics) {
      for (const partition of partitions) {
        const errorCode = outcome?.(topic, partition)
        if (errorCode === errorCodes.NONE || this.#options.environment.mutants.has('no-marker-retry')) {
          newlyWritten++
          continue
        }
        if (errorCode !== undefined && cancelling.has(errorOf(errorCode).name)) {
          this.#cancel(topic, partition, errorOf(errorCode).name)
          return
        }
        isRefused = true
        this.#open.set(topic, (this.#open.get(topic) ?? new Set()).add(partition))
      }
    }
    this.#goOn(newlyWritten, isRefused)
  }

  #goOn(newlyWritten: number, isRefused: boolean): void {
    let stop: Promise<void> | undefined
    for (let i = 0; i < newlyWritten; i++) stop = this.#stopAt(`after marker ${++this.#written}`) ?? stop
    this.#hold(stop, () => {
      if (isRefused) this.#retryLater()
      else if (this.#timer === undefined) this.#send()
    })
  }

  #retryLater(): void {
    this.#timer ??= this.#options.environment.runtime.after(RETRY_MS, () => this.#send(), { housekeeping: true })
  }

  /** Another round cannot help; the transaction stays as it is decided, for the next coordinator. */
  #cancel(topic: string, partition: number, error: ErrorName): void {
    const { runtime, name } = this.#options.environment
    const what = `the markers of ${this.transaction.transactionalId} are given up`
    runtime.trace.add('coordinator', name, { what, partition: `${topic}-${partition}`, error })
    this.close()
  }

  #finishIfDone(): void {
    if (this.#isOver || this.#underWay > 0 || this.#open.size > 0 || this.#timer !== undefined) return
    this.#isOver = true
    this.#options.complete()
  }
}
