/**
 * What the Java client throws as a bare KafkaException: the client itself gives up, for a reason that has no error code.
 * `cause` is what led there, if anything did.
 */
export class ClientError extends Error {
  override readonly name = 'ClientError'
}
