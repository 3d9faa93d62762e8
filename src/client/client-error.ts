import { KafkaError } from '../wire/errors.ts'

/**
 * What the Java client throws as a bare KafkaException: the client itself gives up, for a reason that has no error code.
 * `cause` is what led there, if anything did.
 */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly code = undefined
  readonly retriable = false
  readonly abortable = false

  /** What led there was fatal: the client has to be closed. */
  get fatal(): boolean {
    return this.cause instanceof KafkaError && this.cause.fatal
  }
}
