/**
 * The families of Kafka's exceptions, for `catch (error) { if (error instanceof RetriableError) … }`.
 *
 * An error is made from its code alone, wherever that came from, and Kafka's families overlap (UNKNOWN_PRODUCER_ID is out of
 * order, too): so a family has no instances of its own, but knows those of KafkaError that belong to it.
 */
import { type ErrorEntry, type ErrorName, KafkaError, SslAuthenticationError } from './errors.ts'

const belongs = (error: unknown, is: (entry: ErrorEntry) => boolean): boolean =>
  error instanceof KafkaError && is(error.entry)
const isNamed = (error: unknown, ...names: readonly ErrorName[]): boolean =>
  error instanceof KafkaError && names.includes(error.errorName)

/** The same call may succeed later, as it is (RetriableException). */
export abstract class RetriableError extends KafkaError {
  static override [Symbol.hasInstance](error: unknown): boolean {
    return belongs(error, ({ retriable }) => retriable)
  }
}

/** It may succeed once the client has learnt who leads or coordinates by now (RefreshRetriableException). */
export abstract class RefreshRetriableError extends KafkaError {
  static override [Symbol.hasInstance](error: unknown): boolean {
    if (isNamed(error, 'COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR')) return true
    return belongs(error, ({ refreshesMetadata }) => refreshesMetadata)
  }
}

/** The client's metadata is probably old: a RefreshRetriableError (InvalidMetadataException). */
export abstract class InvalidMetadataError extends KafkaError {
  static override [Symbol.hasInstance](error: unknown): boolean {
    return belongs(error, ({ refreshesMetadata }) => refreshesMetadata)
  }
}

/** A new producer, or joining the group again, helps (ApplicationRecoverableException). */
export abstract class ApplicationRecoverableError extends KafkaError {
  static override [Symbol.hasInstance](error: unknown): boolean {
    return belongs(error, ({ applicationRecoverable }) => applicationRecoverable)
  }
}

/** The setup has to change: a topic's name, a limit, rights (InvalidConfigurationException). */
export abstract class InvalidConfigurationError extends KafkaError {
  static override [Symbol.hasInstance](error: unknown): boolean {
    if (error instanceof SslAuthenticationError) return true
    return belongs(error, ({ fatalSetup, name }) => fatalSetup || name === 'INVALID_CONFIG')
  }
}

/** Not allowed: an InvalidConfigurationError (AuthorizationException). */
export abstract class AuthorizationError extends KafkaError {
  static override [Symbol.hasInstance](error: unknown): boolean {
    return belongs(error, ({ authorization }) => authorization)
  }
}

/** Not who one claims to be, by SASL or TLS: an InvalidConfigurationError (AuthenticationException). */
export abstract class AuthenticationError extends KafkaError {
  static override [Symbol.hasInstance](error: unknown): boolean {
    return error instanceof SslAuthenticationError || belongs(error, ({ authentication }) => authentication)
  }
}

/** The transaction has to be aborted; then the same producer can go on (TransactionAbortableException). */
export abstract class TransactionAbortableError extends KafkaError {
  static override [Symbol.hasInstance](error: unknown): boolean {
    return belongs(error, ({ abortable }) => abortable)
  }
}

/** Nothing came of it in time: whether it happened is unknown, unless the text says so (TimeoutException). */
export abstract class TimeoutError extends KafkaError {
  static override [Symbol.hasInstance](error: unknown): boolean {
    return isNamed(error, 'REQUEST_TIMED_OUT')
  }
}

/** The record is above `max.request.size`, `buffer.memory`, or what the topic takes (RecordTooLargeException). */
export abstract class RecordTooLargeError extends KafkaError {
  static override [Symbol.hasInstance](error: unknown): boolean {
    return isNamed(error, 'MESSAGE_TOO_LARGE')
  }
}

/** Another producer with the same `transactional.id` has taken over: close this one (ProducerFencedException). */
export abstract class ProducerFencedError extends KafkaError {
  static override [Symbol.hasInstance](error: unknown): boolean {
    return isNamed(error, 'PRODUCER_FENCED')
  }
}

/** A record before it is missing in the log (OutOfOrderSequenceException, with its heir UnknownProducerIdException). */
export abstract class OutOfOrderSequenceError extends KafkaError {
  static override [Symbol.hasInstance](error: unknown): boolean {
    return isNamed(error, 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID')
  }
}

/** The broker does not know the API, or not in this version (UnsupportedVersionException). */
export abstract class UnsupportedVersionError extends KafkaError {
  static override [Symbol.hasInstance](error: unknown): boolean {
    return isNamed(error, 'UNSUPPORTED_VERSION')
  }
}
