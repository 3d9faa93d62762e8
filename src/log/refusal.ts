import { type ErrorName, KafkaError } from '../wire/errors.ts'

/** One refused record: `record_errors` of a Produce answer (P-15). */
export interface RecordError {
  readonly batchIndex: number
  readonly message: string | null
}

/** `details` of a KafkaError with which the leader's append refuses a batch. */
export interface RefusalDetails {
  /** The answer names the real log start offset, not −1 (P-22). */
  readonly knowsLogStart: boolean
  readonly recordErrors: readonly RecordError[]
}

const plain: RefusalDetails = { knowsLogStart: true, recordErrors: [] }
const withoutLogStart: RefusalDetails = { knowsLogStart: false, recordErrors: [] }

/** A refusal of a whole batch, without record errors. */
export function refused(code: ErrorName, message: string, knowsLogStart = true): KafkaError {
  return new KafkaError(code, message, knowsLogStart ? plain : withoutLogStart)
}
