import type { Runtime } from '../../../runtime/runtime.ts'
import type { KafkaError } from '../../../wire/errors.ts'
import type { Connections } from '../../connections.ts'
import type { Coordinators } from '../../coordinators.ts'
import type { ProducerSequences } from '../producer-sequences.ts'

/** What the transactions of a producer ask of the rest of it. */
export interface TransactionHost {
  readonly runtime: Runtime
  /** Of the producer, in errors. */
  readonly clientName: string
  readonly transactionalId: string
  /** `transaction.timeout.ms`, `max.block.ms`, `retry.backoff.ms` */
  readonly timeoutMs: number
  readonly maxBlockMs: number
  readonly retryBackoffMs: number
  readonly connections: Connections
  readonly coordinators: Coordinators
  readonly sequences: ProducerSequences
  /** Records that were sent and are not settled. */
  hasUnfinished(): boolean
  /** What lingers goes at once, while this is so. */
  setFlushing(isFlushing: boolean): void
  /** Fails what no request has carried yet. */
  abortUnsent(reason: Error): void
  /** The producer can do nothing more: fails everything. */
  failForEver(error: KafkaError): void
  /** Something may be sendable. */
  wake(): void
}
