import { errorSentences } from './error-sentences.ts'
import type { KafkaError } from './errors.ts'

/** Of these no message says more than the code does, and Kafka leaves it out (ApiError). */
const unexplained: ReadonlySet<string> = new Set(['THROTTLING_QUOTA_EXCEEDED', 'NO_REASSIGNMENT_IN_PROGRESS'])

/** The two fields by which most answers tell an error; the message is hardly ever empty where there is an error. */
export interface ErrorFields {
  readonly errorCode: number
  readonly errorMessage: string | null
}

export function errorFields(error: KafkaError | undefined): ErrorFields {
  if (error === undefined) return { errorCode: 0, errorMessage: null }
  if (error.ownMessage === null && unexplained.has(error.errorName))
    return { errorCode: error.code, errorMessage: null }
  return { errorCode: error.code, errorMessage: error.ownMessage ?? errorSentences[error.errorName] ?? error.errorName }
}
