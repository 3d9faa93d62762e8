import type { Runtime } from '../../runtime/runtime.ts'
import { KafkaError } from '../../wire/errors.ts'
import { ClientError } from '../client-error.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { within } from '../topic-wait.ts'
import type { CallbackKind, GroupMetrics } from './group-metrics.ts'

/**
 * Told of a consumer's partitions as they come and go (Kafka's ConsumerRebalanceListener). Each may answer with a promise,
 * and may call the consumer (commit, position, seek, …, but not poll): virtual time stands still, but for what it calls.
 */
export interface RebalanceListener {
  /**
   * Before partitions are given back; the last chance to commit. Eager: all of them, before every rebalance, also none.
   * Cooperative, and with `group.protocol: 'consumer'`: those that go, if any.
   */
  onPartitionsRevoked?(partitions: TopicPartition[]): unknown
  /** After every rebalance: those that are new, also none. */
  onPartitionsAssigned?(partitions: TopicPartition[]): unknown
  /** They may have another owner already, so that a commit will fail. Left out: `onPartitionsRevoked` is called. */
  onPartitionsLost?(partitions: TopicPartition[]): unknown
}

type Call = 'onPartitionsRevoked' | 'onPartitionsAssigned' | 'onPartitionsLost'

/** Calls the listener of the application (ConsumerRebalanceListenerInvoker). What it throws is kept, and goes on. */
export class RebalanceCallbacks {
  readonly #runtime: Runtime
  readonly #name: string
  readonly #metrics: GroupMetrics
  /** Of the last `subscribe`. */
  listener: RebalanceListener | undefined
  #calls = 0

  constructor(runtime: Runtime, name: string, metrics: GroupMetrics) {
    this.#runtime = runtime
    this.#name = name
    this.#metrics = metrics
  }

  /** It has been called and has not settled: whoever waits for that must not be waited for by it. */
  get isCalling(): boolean {
    return this.#calls > 0
  }

  /**
   * What it threw, wrapped as Kafka wraps it; undefined if all went well. Never rejects. Waited for until `deadline`
   * (milliseconds since the epoch; default: for ever); what has not settled by then counts as thrown.
   */
  async revoked(partitions: readonly TopicPartition[], deadline?: number): Promise<ClientError | undefined> {
    return this.#call('onPartitionsRevoked', partitions, 'revoked', deadline)
  }

  async assigned(partitions: readonly TopicPartition[]): Promise<ClientError | undefined> {
    return this.#call('onPartitionsAssigned', partitions, 'assigned')
  }

  async lost(partitions: readonly TopicPartition[], deadline?: number): Promise<ClientError | undefined> {
    const call = this.listener?.onPartitionsLost === undefined ? 'onPartitionsRevoked' : 'onPartitionsLost'
    return this.#call(call, partitions, 'lost', deadline)
  }

  async #call(
    call: Call,
    partitions: readonly TopicPartition[],
    kind: CallbackKind,
    deadline = Number.POSITIVE_INFINITY,
  ): Promise<ClientError | undefined> {
    const { listener } = this
    // Partitions change hands: a poll that finds no records is not an idle one then.
    this.#runtime.progressed()
    if (listener?.[call] === undefined) return undefined
    const copies = partitions.map(({ topic, partition }) => ({ topic, partition }))
    const calledAt = this.#runtime.now()
    this.#calls++
    try {
      await this.#inTime(
        this.#runtime.outside(`${call} of ${this.#name}`, () => listener[call]!(copies)),
        deadline,
      )
      this.#metrics.called(kind, this.#runtime.now() - calledAt)
      return undefined
    } catch (cause) {
      // Kafka's text says neither which callback it was nor why: its log does.
      const why = cause instanceof Error ? cause.message : String(cause)
      return new ClientError(`User rebalance callback throws an error: ${call}: ${why}`, { cause })
    } finally {
      this.#calls--
    }
  }

  async #inTime(told: Promise<unknown>, deadline: number): Promise<void> {
    let isOver = false
    const over = told.then(() => {
      isOver = true
    })
    await within(this.#runtime, over, Math.max(0, deadline - this.#runtime.now()))
    if (isOver) return
    throw new KafkaError('REQUEST_TIMED_OUT', `it had not settled when the time for closing ${this.#name} was over`)
  }
}
