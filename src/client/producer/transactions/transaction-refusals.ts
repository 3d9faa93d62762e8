import type { ErrorName } from '../../../wire/errors.ts'
import { KafkaError } from '../../../wire/errors.ts'

/**
 * What a refusal by a coordinator means for a transactional producer (C-55): ask again, look for the coordinator again, abort
 * the transaction, or close the producer.
 */
export type Verdict = 'again' | 'elsewhere' | 'abortable' | 'fatal'

const verdicts: Partial<Record<ErrorName, Verdict>> = {
  NOT_COORDINATOR: 'elsewhere',
  COORDINATOR_NOT_AVAILABLE: 'elsewhere',
  NETWORK_EXCEPTION: 'elsewhere',
  REQUEST_TIMED_OUT: 'elsewhere',
  COORDINATOR_LOAD_IN_PROGRESS: 'again',
  CONCURRENT_TRANSACTIONS: 'again',
  UNKNOWN_TOPIC_OR_PARTITION: 'again',
  TRANSACTION_ABORTABLE: 'abortable',
  TOPIC_AUTHORIZATION_FAILED: 'abortable',
  GROUP_AUTHORIZATION_FAILED: 'abortable',
  UNKNOWN_MEMBER_ID: 'abortable',
  ILLEGAL_GENERATION: 'abortable',
  FENCED_INSTANCE_ID: 'abortable',
}

export function verdictOf(error: KafkaError): Verdict {
  return verdicts[error.errorName] ?? (error.retriable ? 'again' : 'fatal')
}

const FENCED = 'There is a newer producer with the same transactionalId which fences the current one.'

/** What the user is told: to a coordinator an old epoch is the same as a fenced producer (C-55). */
export function toldError(error: KafkaError): KafkaError {
  if (error.errorName !== 'INVALID_PRODUCER_EPOCH' && error.errorName !== 'PRODUCER_FENCED') return error
  return new KafkaError('PRODUCER_FENCED', FENCED, { cause: error })
}

/** Produce failures that end a transactional producer; all others can be aborted (C-54). */
const fatalAtProduce: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'CLUSTER_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'PRODUCER_FENCED',
  'UNSUPPORTED_VERSION',
  'INVALID_PRODUCER_ID_MAPPING',
])

export function isFatalAtProduce(error: unknown): error is KafkaError {
  return error instanceof KafkaError && fatalAtProduce.has(error.errorName)
}

/** C-54: what can be retried, but no more, and a transaction in another state, end as something to be aborted. */
export function abortableError(error: Error): Error {
  if (!(error instanceof KafkaError) || !(error.retriable || error.errorName === 'INVALID_TXN_STATE')) return error
  return new KafkaError('TRANSACTION_ABORTABLE', error.message, { cause: error })
}
