import type { KafkaError } from '../wire/errors.ts'

/** Whose transaction records belong to. */
export interface ShardTransaction {
  readonly producerId: number
  readonly producerEpoch: number
  /** The log's proof that the transaction's coordinator knows of it; its first batch is refused without (I-5). */
  readonly verification?: object
}

/** What somebody decided: records to write, all or none, and what to answer once they are committed. */
export interface ShardDecision<Input, Response> {
  readonly records: readonly Input[]
  readonly response: Response
  /** The records belong to this producer's transaction. */
  readonly transaction?: ShardTransaction
  /** Told when the records stand in the log, and are replayed into `latest`. */
  readonly appended?: () => void
  /**
   * Told as soon as the records are committed, before the answer goes out, or why they are not: by then they may be
   * replayed nevertheless (no answer in time), or have been lost with the leadership.
   */
  readonly settled?: (error: KafkaError | undefined) => void
}
