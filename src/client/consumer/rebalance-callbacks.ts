import type { Runtime } from '../../runtime/runtime.ts'
import { ClientError } from '../client-error.ts'
import type { TopicPartition } from '../topic-partition.ts'
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
  onPartitionsRevoked?(partitions: TopicPartition[]): void | Promise<void>
  /** After every rebalance: those that are new, also none. */
  onPartitionsAssigned?(partitions: TopicPartition[]): void | Promise<void>
  /** They may have another owner already, so that a commit will fail. Left out: `onPartitionsRevoked` is called. */
  onPartitionsLost?(partitions: TopicPartition[]): void | Promise<void>
}

type Call = 'onPartitionsRevoked' | 'onPartitionsAssigned' | 'onPartitionsLost'

/** Calls the listener of the application (ConsumerRebalanceListenerInvoker). What it throws is kept, and goes on. */
export class RebalanceCallbacks {
  readonly #runtime: Runtime
  readonly #name: string
  readonly #metrics: GroupMetrics
  /** Of the last `subscribe`. */
  listener: RebalanceListener | undefined

  constructor(runtime: Runtime, name: string, metrics: GroupMetrics) {
    this.#runtime = runtime
    this.#name = name
    this.#metrics = metrics
  }

  /** What it threw, wrapped as Kafka wraps it; undefined if all went well. Never rejects. */
  async revoked(partitions: readonly TopicPartition[]): Promise<ClientError | undefined> {
    return this.#call('onPartitionsRevoked', partitions, 'revoked')
  }

  async assigned(partitions: readonly TopicPartition[]): Promise<ClientError | undefined> {
    return this.#call('onPartitionsAssigned', partitions, 'assigned')
  }

  async lost(partitions: readonly TopicPartition[]): Promise<ClientError | undefined> {
    const call = this.listener?.onPartitionsLost === undefined ? 'onPartitionsRevoked' : 'onPartitionsLost'
    return this.#call(call, partitions, 'lost')
  }

  async #call(call: Call, partitions: readonly TopicPartition[], kind: CallbackKind): Promise<ClientError | undefined> {
    const { listener } = this
    // Partitions change hands: a poll that finds no records is not an idle one then.
    this.#runtime.progressed()
    if (listener?.[call] === undefined) return undefined
    const copies = partitions.map(({ topic, partition }) => ({ topic, partition }))
    const calledAt = this.#runtime.now()
    try {
      await this.#runtime.outside(`${call} of ${this.#name}`, () => listener[call]!(copies))
      this.#metrics.called(kind, this.#runtime.now() - calledAt)
      return undefined
    } catch (cause) {
      return new ClientError('User rebalance callback throws an error', { cause })
    }
  }
}
