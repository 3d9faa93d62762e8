import { errorSentences } from '../wire/error-sentences.ts'
import { KafkaError } from '../wire/errors.ts'

/** The two fields by which most answers tell an error; the message is never empty where there is an error. */
export interface ErrorFields {
  readonly errorCode: number
  readonly errorMessage: string | null
}

export function errorFields(error: KafkaError | undefined): ErrorFields {
  if (error === undefined) return { errorCode: 0, errorMessage: null }
  return { errorCode: error.code, errorMessage: error.ownMessage ?? errorSentences[error.errorName] ?? error.errorName }
}

/** Answers the refusal that `run` threw; any other exception is a bug and goes on. */
export function attempt(run: () => void): KafkaError | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof KafkaError) return error
    throw error
  }
}
