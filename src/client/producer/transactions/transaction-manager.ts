import type { Deferred } from '../../../runtime/runtime.ts'
import { IllegalArgumentError, IllegalStateError, KafkaError, TransactionAbortedError } from '../../../wire/errors.ts'
import { ClientError } from '../../client-error.ts'
import type { NodeConnection } from '../../node-connection.ts'
import type { TopicPartition } from '../../topic-partition.ts'
import type { PartitionQueue } from '../partition-queue.ts'
import { type CallName, PendingCall } from './pending-call.ts'
import type { TransactionHost } from './transaction-host.ts'
import { abortableError, isFatalAtProduce, toldError, verdictOf } from './transaction-refusals.ts'
import { type TransactionOffsets, TransactionRequests } from './transaction-requests.ts'
import { requireStep, type TransactionStatus } from './transaction-status.ts'

interface WaitingOffsets extends TransactionOffsets {
  readonly done: Deferred<void>
  /** TV1: the transaction knows of the group. */
  isAdded: boolean
}

/** The first AddPartitionsToTxn of a transaction meets the end of the one before: that is over in a moment (C-55). */
const SOON_MS = 20
const FENCED_AGAIN = 'Cannot execute transactional method because we are in an error state'

/**
 * The transactions of one producer (the transactional half of Kafka's TransactionManager, C-50…C-60): where it stands, what
 * is part of the transaction, and its requests to coordinators, of which one is in flight at a time.
 *
 * Unlike in Kafka, a `send` that throws because no transaction is open leaves no record behind for the next one.
 */
export class TransactionManager {
  readonly #host: TransactionHost
  readonly #requests: TransactionRequests
  #status: TransactionStatus = 'UNINITIALIZED'
  /** What led to an error state. */
  #error: Error | undefined
  readonly #call: PendingCall
  /** How the present transaction is to end. */
  #committing = false
  /** Partitions that the coordinator knows of (TV1), or that records were sent to (TV2). */
  readonly #added = new Set<PartitionQueue>()
  /** To be added before records go there (TV1). */
  readonly #toAdd = new Set<PartitionQueue>()
  readonly #offsets: WaitingOffsets[] = []
  /** The coordinator may know of this transaction. */
  #hasBegun = false
  /** TV1: something failed in it, so that the next one needs another epoch (C-59). */
  #mustRaise = false
  /** As finalized when the producer was initialized (C-60, T-34). */
  #version: 1 | 2 = 2
  #isRunning = false
  #isClosed = false

  constructor(host: TransactionHost) {
    this.#host = host
    this.#call = new PendingCall(host)
    this.#requests = new TransactionRequests(host.connections, host.transactionalId)
  }

  get version(): 1 | 2 {
    return this.#version
  }

  get isOpen(): boolean {
    return !this.#isClosed && (this.#status === 'IN_TRANSACTION' || this.#status === 'ABORTABLE_ERROR')
  }

  // --- what the user calls -------------------------------------------------------------------------------------------

  /** @throws {IllegalStateError} a second time; {KafkaError} REQUEST_TIMED_OUT: call it again; what fenced or denied it */
  initTransactions(): Promise<void> {
    return this.#called('initTransactions', 'InitProducerId', () => this.#step('INITIALIZING'))
  }

  /** @throws {IllegalStateError} within a transaction, or before initTransactions; {ClientError} after an error */
  beginTransaction(): void {
    this.#call.requireNone('beginTransaction')
    this.#throwIfError()
    this.#step('IN_TRANSACTION')
    this.#hasBegun = false
  }

  /** Resolves when the group's coordinator has them: they are committed with the transaction. */
  async sendOffsets(offsets: TransactionOffsets): Promise<void> {
    this.#call.requireNone('sendOffsetsToTransaction')
    this.#throwIfError()
    if (this.#status !== 'IN_TRANSACTION') {
      throw new IllegalStateError(
        `Cannot send offsets if a transaction is not in progress (currentState= ${this.#status})`,
      )
    }
    if (offsets.group.groupId === '') throw new IllegalArgumentError('the group of the offsets has no id')
    if (offsets.offsets.length === 0) return
    const waiting: WaitingOffsets = { ...offsets, done: this.#host.runtime.deferred(), isAdded: false }
    waiting.done.promise.catch(() => {})
    this.#offsets.push(waiting)
    this.#hasBegun = true
    this.#pump()
    await this.#call.within(waiting.done.promise, 'sendOffsetsToTransaction', 'TxnOffsetCommit')
  }

  commitTransaction(): Promise<void> {
    return this.#called('commitTransaction', 'EndTxn', () => {
      this.#throwIfError()
      this.#step('COMMITTING_TRANSACTION')
      this.#committing = true
      this.#host.setFlushing(true)
    })
  }

  abortTransaction(): Promise<void> {
    return this.#called('abortTransaction', 'EndTxn', () => {
      if (this.#status !== 'ABORTABLE_ERROR') this.#throwIfError()
      const reason = this.#error ?? new TransactionAbortedError()
      this.#step('ABORTING_TRANSACTION')
      this.#committing = false
      this.#error = undefined
      this.#dropWaiting(reason)
      this.#host.abortUnsent(reason)
      this.#host.setFlushing(true)
    })
  }

  #called(name: CallName, what: string, start: () => void): Promise<void> {
    return this.#call.make(name, what, begun => {
      if (this.#status === 'FATAL_ERROR') this.#throwIfError()
      start()
      begun()
      this.#host.wake()
      this.#pump()
    })
  }

  #throwIfError(): void {
    if (this.#status !== 'ABORTABLE_ERROR' && this.#status !== 'FATAL_ERROR') return
    const error = this.#error
    const names = ['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH']
    if (error instanceof KafkaError && names.includes(error.errorName)) throw error
    throw new ClientError(FENCED_AGAIN, { cause: error })
  }

  #step(to: TransactionStatus): void {
    requireStep(this.#host.transactionalId, this.#status, to)
    this.#status = to
  }

  // --- what the sender asks ------------------------------------------------------------------------------------------

  /** Before a record is taken. @throws {IllegalStateError} outside a transaction; {ClientError} after an error */
  requireSendable(): void {
    if (this.#status === 'IN_TRANSACTION' && !this.#call.isPending) return
    this.#call.requireNone('send')
    this.#throwIfError()
    throw new IllegalStateError(
      `Cannot add partition to transaction before completing a call to initTransactions and beginTransaction (currentState= ${this.#status})`,
    )
  }

  /** A record was taken for this partition. */
  sentTo(queue: PartitionQueue): void {
    if (this.#added.has(queue) || this.#toAdd.has(queue)) return
    if (this.#version === 1) {
      this.#toAdd.add(queue)
      this.#pump()
    } else {
      this.#added.add(queue)
      this.#hasBegun = true
    }
  }

  /** Whether records may go there now. */
  mayDrain(queue: PartitionQueue): boolean {
    return this.#added.has(queue) && this.#status !== 'FATAL_ERROR'
  }

  /** A batch was refused, or expired, for good (C-54). */
  batchFailed(error: Error, told: unknown): void {
    if (this.#status !== 'IN_TRANSACTION' && this.#status !== 'COMMITTING_TRANSACTION') return
    if (isFatalAtProduce(error)) this.#fail(error)
    else this.#toBeAborted(abortableError(told instanceof Error ? told : error))
  }

  /**
   * A record was refused before it was taken: the transaction is not what its user thinks (C-21). In Kafka `send` has returned
   * or thrown before a commit can be asked for; here it may have waited on, and that commit must neither succeed without
   * the record nor call the record's timeout its own.
   */
  sendFailed(error: unknown): void {
    if (this.#status === 'IN_TRANSACTION' && error instanceof KafkaError) this.#toBeAborted(error)
    if (this.#status !== 'COMMITTING_TRANSACTION' || this.#isClosed) return
    // It was called too late, which is no part of what is committed.
    if (error instanceof IllegalStateError || !(error instanceof Error)) return
    this.#toBeAborted(abortableError(error))
  }

  /** A batch is settled: perhaps it was the last that an end waits for. */
  progressed(): void {
    if (this.#call.isPending) this.#pump()
  }

  /** A gap that nobody can close was left (C-53): in a transaction that is its end. */
  unresolved(partition: TopicPartition): void {
    const where = `${partition.topic}-${partition.partition}`
    this.#toBeAborted(
      new ClientError(`The client hasn't received acknowledgment for some previously sent messages of ${where}`),
    )
  }

  close(): void {
    this.#isClosed = true
    const reason = new IllegalStateError(`${this.#host.clientName} is closed`)
    this.#call.reject(reason)
    this.#dropWaiting(reason)
  }

  // --- errors --------------------------------------------------------------------------------------------------------

  #toBeAborted(error: Error): void {
    if (this.#status === 'FATAL_ERROR' || this.#status === 'ABORTING_TRANSACTION') return
    const isFirst = this.#status !== 'ABORTABLE_ERROR'
    this.#step('ABORTABLE_ERROR')
    if (!isFirst) return
    this.#error = error
    this.#mustRaise = this.#version === 1
    this.#dropWaiting(error)
    this.#host.setFlushing(false)
    this.#call.reject(error)
    this.#host.abortUnsent(error)
  }

  #fail(error: KafkaError): void {
    if (this.#status === 'FATAL_ERROR') return
    this.#status = 'FATAL_ERROR'
    this.#error = error
    this.#dropWaiting(error)
    this.#host.setFlushing(false)
    this.#call.reject(error)
    this.#host.failForEver(error)
  }

  #dropWaiting(reason: Error): void {
    this.#toAdd.clear()
    for (const { done } of this.#offsets.splice(0)) done.reject(reason)
  }

  // --- requests to coordinators, one at a time (C-51) ----------------------------------------------------------------

  #pump(): void {
    if (this.#isRunning || this.#isClosed) return
    this.#isRunning = true
    this.#run().then(
      () => {
        this.#isRunning = false
      },
      error => {
        this.#isRunning = false
        if (!this.#isClosed) throw error
      },
    )
  }

  async #run(): Promise<void> {
    for (let next = this.#next(); next !== undefined && !this.#isClosed; next = this.#next()) {
      const pauseMs = await next()
      if (pauseMs > 0) await this.#host.runtime.sleep(pauseMs)
    }
  }

  /** In Kafka's order: identity, partitions and offsets, end. */
  #next(): (() => Promise<number>) | undefined {
    if (this.#status === 'FATAL_ERROR') return undefined
    if (this.#status === 'INITIALIZING') return () => this.#ask('transaction', node => this.#initialize(node))
    if (this.#status !== 'ABORTING_TRANSACTION') {
      if (this.#toAdd.size > 0) return () => this.#ask('transaction', node => this.#addPartitions(node))
      const [offsets] = this.#offsets
      if (offsets !== undefined) return () => this.#commitOffsets(offsets)
    }
    const isEnding = this.#status === 'COMMITTING_TRANSACTION' || this.#status === 'ABORTING_TRANSACTION'
    if (!isEnding || this.#host.hasUnfinished()) return undefined
    if (!this.#hasBegun) {
      return async () => {
        this.#ended()
        return 0
      }
    }
    return () => this.#ask('transaction', node => this.#end(node))
  }

  /** Asks a coordinator; answers how long to wait before the next question, in ms. */
  async #ask(
    type: 'transaction' | 'group',
    question: (node: NodeConnection) => Promise<void>,
    key = this.#host.transactionalId,
  ): Promise<number> {
    const { coordinators, retryBackoffMs } = this.#host
    const known = coordinators.known(type, key)
    try {
      const node = known ?? (await this.#found(type, key))
      await question(coordinators.connectionTo(node))
      return 0
    } catch (error) {
      if (this.#isClosed) return 0
      if (!(error instanceof KafkaError)) throw error
      const verdict = verdictOf(error)
      if (verdict === 'elsewhere') coordinators.forget(type, key, known)
      if (verdict === 'elsewhere' || verdict === 'again') {
        const isFirst = error.errorName === 'CONCURRENT_TRANSACTIONS' && this.#added.size === 0 && this.#toAdd.size > 0
        return isFirst ? Math.min(SOON_MS, retryBackoffMs) : retryBackoffMs
      }
      if (verdict === 'abortable' && this.#status !== 'ABORTING_TRANSACTION') this.#toBeAborted(error)
      else this.#fail(toldError(error))
      return 0
    }
  }

  async #found(type: 'transaction' | 'group', key: string) {
    const found = (await this.#host.coordinators.lookUp(type, [key])).get(key)!
    if (found instanceof KafkaError) throw found
    return found
  }

  async #initialize(node: NodeConnection): Promise<void> {
    const { sequences, timeoutMs } = this.#host
    const isRaised = this.#mustRaise && sequences.hasId
    const identity = await this.#requests.initialize(node, timeoutMs, isRaised ? sequences.identity : undefined)
    if (this.#status !== 'INITIALIZING') return
    sequences.given(identity.producerId, identity.producerEpoch)
    this.#version = node.finalizedLevel('transaction.version') >= 2 ? 2 : 1
    this.#ended()
  }

  async #addPartitions(node: NodeConnection): Promise<void> {
    const asked = [...this.#toAdd]
    const errors = await this.#requests.addPartitions(node, this.#host.sequences.identity, asked)
    let refusal: KafkaError | undefined
    for (const queue of asked) {
      const error = errors.get(queue)
      if (error === undefined && this.#toAdd.delete(queue)) {
        this.#added.add(queue)
        this.#hasBegun = true
      }
      if (error !== undefined && error.errorName !== 'OPERATION_NOT_ATTEMPTED') refusal ??= error
    }
    this.#host.wake()
    if (refusal !== undefined) throw refusal
  }

  async #commitOffsets(waiting: WaitingOffsets): Promise<number> {
    const { groupId } = waiting.group
    const { sequences } = this.#host
    if (this.#version === 1 && !waiting.isAdded) {
      return this.#ask('transaction', async node => {
        await this.#requests.addOffsets(node, sequences.identity, groupId)
        waiting.isAdded = true
      })
    }
    return this.#ask(
      'group',
      async node => {
        await this.#requests.commitOffsets(node, sequences.identity, waiting, this.#version)
        const at = this.#offsets.indexOf(waiting)
        if (at >= 0) this.#offsets.splice(at, 1)
        waiting.done.resolve()
      },
      groupId,
    )
  }

  async #end(node: NodeConnection): Promise<void> {
    const { sequences } = this.#host
    const next = await this.#requests.end(node, sequences.identity, this.#committing, this.#version)
    if (next !== undefined) sequences.given(next.producerId, next.producerEpoch)
    this.#ended()
  }

  /** The transaction is over; in TV1 a producer whose transaction failed gets another epoch first (C-59). */
  #ended(): void {
    if (this.#status !== 'INITIALIZING' && this.#mustRaise) {
      this.#step('INITIALIZING')
      return
    }
    this.#mustRaise = false
    this.#step('READY')
    this.#hasBegun = false
    this.#added.clear()
    this.#toAdd.clear()
    this.#host.setFlushing(false)
    this.#call.resolve()
  }
}
