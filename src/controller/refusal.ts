import { KafkaError } from '../wire/errors.ts'

export { type ErrorFields, errorFields } from '../wire/error-fields.ts'

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
