import { KafkaError } from '../wire/errors.ts'

/**
 * How an answer of this version says that another producer has come: PRODUCER_FENCED, or, before `since`,
 * INVALID_PRODUCER_EPOCH (T-13, T-15, T-18). Any other exception than KafkaError is a bug and goes on.
 */
export function fencedBefore(since: number, version: number, error: unknown): KafkaError {
  if (!(error instanceof KafkaError)) throw error
  if (error.errorName !== 'PRODUCER_FENCED' || version >= since) return error
  return new KafkaError('INVALID_PRODUCER_EPOCH', error.ownMessage ?? undefined)
}
