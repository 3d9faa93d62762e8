import { expect } from 'vitest'
import { KafkaError } from '../../src/wire/errors.ts'

/** The KafkaError that a call rejects with. */
export async function refused(run: () => Promise<unknown>): Promise<KafkaError> {
  const error = await run().then(
    () => undefined,
    reason => reason,
  )
  expect(error).toBeInstanceOf(KafkaError)
  return error
}
