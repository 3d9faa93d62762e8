import { type ErrorName, KafkaError } from '../wire/errors.ts'
import type { RecordBatch } from '../wire/record-batch.ts'

/** Somebody who waits until everything below `offset` is committed. */
export interface ShardCommit {
  readonly offset: number
  /** Whether it is, or this broker no longer leads the partition. */
  settle(committed: boolean): void
}

export interface ShardAppendOptions {
  /** The log's proof that a transaction was verified, which its first batch needs (I-5). */
  readonly verification?: object
  /** The `transaction.version` of whoever writes a marker (I-21); default 0. */
  readonly transactionVersion?: number
}

/** What a batch of a shard became in the log. */
export interface ShardAppend {
  readonly baseOffset: number
  readonly nextOffset: number
  /** Undefined when the store has it; else a promise that rejects if the store refuses. */
  readonly stored: Promise<void> | undefined
}

/**
 * One partition of a coordinator's topic, as its leader hands it to the coordinator: all that a coordinator knows of logs
 * and replication.
 */
export interface ShardLog {
  /** As in `__consumer_offsets-7`. */
  readonly name: string
  readonly partition: number
  readonly leaderEpoch: number
  readonly startOffset: number
  /** The offset of the next batch. */
  readonly endOffset: number
  readonly highWatermark: number
  /** Whole batches from `from` on, some of them; none at the end. */
  read(from: number): readonly RecordBatch[] | Promise<readonly RecordBatch[]>
  /** With acks=all: too few replicas in sync are refused before. @throws {KafkaError} */
  append(batch: RecordBatch, options?: ShardAppendOptions): ShardAppend
  awaitCommit(wait: ShardCommit): void
}

/** How a coordinator's client is told that the log did not take a record (G-2, T-4; CoordinatorOperationExceptionHelper). */
const translations: Partial<Record<ErrorName, ErrorName>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'COORDINATOR_NOT_AVAILABLE',
  NOT_ENOUGH_REPLICAS: 'COORDINATOR_NOT_AVAILABLE',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 'COORDINATOR_NOT_AVAILABLE',
  REQUEST_TIMED_OUT: 'COORDINATOR_NOT_AVAILABLE',
  NOT_LEADER_OR_FOLLOWER: 'NOT_COORDINATOR',
  KAFKA_STORAGE_ERROR: 'NOT_COORDINATOR',
  MESSAGE_TOO_LARGE: 'UNKNOWN_SERVER_ERROR',
  RECORD_LIST_TOO_LARGE: 'UNKNOWN_SERVER_ERROR',
  INVALID_FETCH_SIZE: 'UNKNOWN_SERVER_ERROR',
}

/** Any other exception than KafkaError is a bug and goes on. */
export function coordinatorError(error: unknown): KafkaError {
  if (!(error instanceof KafkaError)) throw error
  const name = translations[error.errorName]
  return name === undefined ? error : new KafkaError(name, error.message)
}
