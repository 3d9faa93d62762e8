import { errorSentences } from './error-sentences.ts'
import { errorRows } from './error-table.ts'

type Row = (typeof errorRows)[number]

/** Kafka's name of an error code, such as `'NOT_LEADER_OR_FOLLOWER'`. */
export type ErrorName = Row[1]

/** What Kafka knows of one error code. */
export interface ErrorEntry {
  readonly code: number
  readonly name: ErrorName
  /** The Java client's exception class, without package; empty for NONE. */
  readonly exception: string
  /** The same request may succeed later (RetriableException). */
  readonly retriable: boolean
  /** The client's metadata is probably old (InvalidMetadataException). */
  readonly refreshesMetadata: boolean
  /** ApplicationRecoverableException: close the producer or rejoin, then go on. */
  readonly applicationRecoverable: boolean
  /** TransactionAbortableException: abort the transaction, then go on with the same producer. */
  readonly abortable: boolean
  /** InvalidConfigurationException and its family: nothing helps but another setup. */
  readonly fatalSetup: boolean
  readonly authorization: boolean
  readonly authentication: boolean
}

/** Name → code: `errorCodes.NOT_LEADER_OR_FOLLOWER` is 6. */
export const errorCodes = Object.fromEntries(errorRows.map(row => [row[1], row[0]])) as {
  readonly [row in Row as row[1]]: row[0]
}

/** The whole table, in the order of the codes. */
export const errorTable: readonly ErrorEntry[] = errorRows.map(([code, name, exception, flags]) => ({
  code,
  name,
  exception,
  retriable: flags.includes('R'),
  refreshesMetadata: flags.includes('M'),
  applicationRecoverable: flags.includes('A'),
  abortable: flags.includes('T'),
  fatalSetup: flags.includes('F'),
  authorization: flags.includes('Z'),
  authentication: flags.includes('N'),
}))

const lowest = errorTable[0]!.code

/** The entry of a code; a code that is not in the table is UNKNOWN_SERVER_ERROR (W-50). */
export function errorOf(code: number): ErrorEntry {
  return errorTable[code - lowest] ?? errorTable[0]!
}

/**
 * An error that Kafka has a code for: thrown by brokers, carried by responses, received by clients.
 *
 * `name` is the Java exception's with `Error` for `Exception` (`NotLeaderOrFollowerError`); `errorName` is the code's.
 */
export class KafkaError extends Error {
  readonly code: number
  readonly errorName: ErrorName
  /** The Java client's exception class, such as `NotLeaderOrFollowerException`. */
  readonly exception: string
  /** The same call may succeed later, as it is. */
  readonly retriable: boolean
  readonly refreshesMetadata: boolean
  /** Whoever got this can do nothing more, whatever is sent or asked: it has to be closed. */
  readonly fatal: boolean
  /** The transaction has to be aborted; then the same producer can go on. */
  readonly abortable: boolean
  /** What was said instead of the table's sentence; null where nothing was: responses have no error_message then. */
  readonly ownMessage: string | null
  /** Whatever helps whoever catches it: the failing records, the current leader, … */
  readonly details: unknown

  constructor(name: ErrorName, message?: string, details?: unknown) {
    super(message ?? defaultMessage(name), causeIn(details))
    const entry = errorOf(errorCodes[name])
    this.name = entry.exception.replace(/(Exception)?$/, 'Error')
    this.code = entry.code
    this.errorName = name
    this.exception = entry.exception
    this.retriable = entry.retriable
    this.refreshesMetadata = entry.refreshesMetadata
    this.fatal = entry.authentication || fatalErrors.has(name)
    this.abortable = entry.abortable
    this.ownMessage = message ?? null
    this.details = details
  }

  /** From a code off the wire, known or not (W-50); an error_message that came with it is handed over as it is. */
  static of(code: number, message?: string | null, details?: unknown): KafkaError {
    return new KafkaError(errorOf(code).name, message ?? undefined, details)
  }

  /** The class flags of the code. */
  get entry(): ErrorEntry {
    return errorOf(this.code)
  }
}

/** What ends a producer (C-54), and a static member that another one has replaced. */
const fatalErrors: ReadonlySet<ErrorName> = new Set([
  'CLUSTER_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'UNSUPPORTED_VERSION',
  'INVALID_PRODUCER_ID_MAPPING',
  'PRODUCER_FENCED',
  'FENCED_INSTANCE_ID',
])

/** `details` may have a cause: it is the error's, too. */
function causeIn(details: unknown): ErrorOptions | undefined {
  if (typeof details !== 'object' || details === null || !('cause' in details)) return undefined
  return details.cause === undefined ? undefined : { cause: details.cause }
}

function defaultMessage(name: ErrorName): string {
  const sentence = errorSentences[name]
  return sentence === undefined ? name : `${name}: ${sentence}`
}

/** max.block.ms passed before buffer.memory had room; a TimeoutException, as in the Java producer. */
export class BufferExhaustedError extends KafkaError {
  constructor(message: string) {
    super('REQUEST_TIMED_OUT', message)
    this.name = 'BufferExhaustedError'
  }
}

/**
 * TLS: one end does not trust the other, or they have nothing in common (SslAuthenticationException). There is no code for it:
 * it is found while connecting, before anything is asked.
 */
export class SslAuthenticationError extends KafkaError {
  override readonly name = 'SslAuthenticationError'
  override readonly exception = 'SslAuthenticationException'
  override readonly fatal = true

  constructor(message: string, cause?: unknown) {
    super('UNKNOWN_SERVER_ERROR', message, { cause })
  }
}

/** The call does not fit the state of what it was made on (java.lang.IllegalStateException). */
export class IllegalStateError extends Error {
  override readonly name = 'IllegalStateError'
}

/** An argument that no state would accept (java.lang.IllegalArgumentException). */
export class IllegalArgumentError extends Error {
  override readonly name = 'IllegalArgumentError'
}

/** A configuration that does not hold (ConfigException): thrown by constructors, never by a broker. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** A key or value could not be serialized or deserialized (SerializationException); `cause` says why. */
export class SerializationError extends Error {
  override readonly name = 'SerializationError'
}

/** `wakeup()` ended the call (WakeupException). */
export class WakeupError extends Error {
  override readonly name = 'WakeupError'
}

/** The group moved on, so the offsets were not committed (CommitFailedException). */
export class CommitFailedError extends Error {
  override readonly name = 'CommitFailedError'
}

/** A commit that may succeed if it is tried again, told to a callback (RetriableCommitFailedException); `cause` says why. */
export class RetriableCommitFailedError extends Error {
  override readonly name = 'RetriableCommitFailedError'
}

/** In the middle of a rebalance: poll until it is over, then try again (RebalanceInProgressException). */
export class RebalanceInProgressError extends KafkaError {
  constructor(message: string) {
    super('REBALANCE_IN_PROGRESS', message)
  }
}

/** `group.id` is missing or empty, and what was called needs one (InvalidGroupIdException). */
export class InvalidGroupIdError extends KafkaError {
  constructor(message: string) {
    super('INVALID_GROUP_ID', message)
  }
}

/** Neither a committed offset nor auto.offset.reset says where to begin (NoOffsetForPartitionException). */
export class NoOffsetForPartitionError extends Error {
  override readonly name = 'NoOffsetForPartitionError'
}

/** The record was not sent before its transaction was aborted (TransactionAbortedException). */
export class TransactionAbortedError extends Error {
  override readonly name = 'TransactionAbortedError'

  constructor() {
    super('Failing batch since transaction was aborted')
  }
}
