import { KafkaError } from '../wire/errors.ts'

export { type ErrorFields, errorFields } from '../wire/error-fields.ts'

/** Kafka's controller does nothing for a request whose time is over when its turn comes. @throws {KafkaError} */
export function requireTime({ timeoutMs }: { readonly timeoutMs: number }): void {
  if (timeoutMs <= 0) throw new KafkaError('REQUEST_TIMED_OUT')
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
