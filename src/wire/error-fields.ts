import { errorSentences } from './error-sentences.ts'
import type { KafkaError } from './errors.ts'

/** The two fields by which most answers tell an error; the message is never empty where there is an error. */
export interface ErrorFields {
  readonly errorCode: number
  readonly errorMessage: string | null
}

export function errorFields(error: KafkaError | undefined): ErrorFields {
  if (error === undefined) return { errorCode: 0, errorMessage: null }
  return { errorCode: error.code, errorMessage: error.ownMessage ?? errorSentences[error.errorName] ?? error.errorName }
}
