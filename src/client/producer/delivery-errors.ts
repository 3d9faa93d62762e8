import { errorCodes, KafkaError } from '../../wire/errors.ts'
import { ClientError } from '../client-error.ts'
import { partitionText } from '../topic-partition.ts'
import type { ProducerBatch } from './producer-batch.ts'

/** The `details` of a KafkaError that a `send` rejects with because its batch was refused, or lost, or came too late. */
export interface DeliveryDetails {
  readonly topic: string
  readonly partition: number
  /** How often the batch was sent; 0: never. */
  readonly attempts: number
  /** What was said last, if more than one thing went wrong. */
  readonly cause?: unknown
}

/** As a broker tells of one record of a batch (P-15). */
export interface RefusedRecord {
  readonly batchIndex: number
  readonly batchIndexErrorMessage: string | null
}

const PART_OF_BAD_BATCH = 'Failed to append record because it was part of a batch which had one or more invalid records'

function detailsOf(batch: ProducerBatch, attempts: number, cause?: unknown): DeliveryDetails {
  const { topic, partition } = batch.queue
  return { topic, partition, attempts, ...(cause === undefined ? {} : { cause }) }
}

/** `what happened (orders-0, after 2 attempts)` */
function placed(text: string, batch: ProducerBatch, attempts: number): string {
  return `${text} (${partitionText(batch.queue)}, after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'})`
}

/** The batch was refused, or its answer lost, for good: what the sender of each of its records is told (C-45). */
export function refusalOf(
  batch: ProducerBatch,
  error: KafkaError,
  refused: readonly RefusedRecord[],
): (index: number) => unknown {
  const attempts = batch.attempts + 1
  const told = (code: number, text: string) =>
    KafkaError.of(code, placed(text, batch, attempts), detailsOf(batch, attempts))
  const whole = told(error.code, error.message)
  if (refused.length === 0) return () => whole
  const own = new Map<number, KafkaError>()
  for (const { batchIndex, batchIndexErrorMessage } of refused) {
    const code = refused.length === 1 ? error.code : errorCodes.INVALID_RECORD
    own.set(batchIndex, told(code, batchIndexErrorMessage ?? error.ownMessage ?? KafkaError.of(code).message))
  }
  const others = new ClientError(placed(PART_OF_BAD_BATCH, batch, attempts), { cause: whole })
  return index => own.get(index) ?? others
}

/** delivery.timeout.ms is over; `last` is what went wrong before, if anything is known (C-40, C-42). */
export function expiryOf(batch: ProducerBatch, deliveryTimeoutMs: number, last?: KafkaError): KafkaError {
  const wasSent = last !== undefined || batch.isOnWire
  const attempts = batch.attempts + (wasSent ? 1 : 0)
  const what = `Expiring ${batch.count} record(s) for ${partitionText(batch.queue)}`
  const text = `${what}:${deliveryTimeoutMs} ms has passed since batch creation`
  const times = `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`
  const told = (state: string) =>
    new KafkaError('REQUEST_TIMED_OUT', `${text}${state}`, detailsOf(batch, attempts, last))
  if (last !== undefined) return told(`, after ${times}: ${last.message}`)
  if (batch.isOnWire) return told(`, after ${times}. The request has not been answered.`)
  return told(
    attempts > 0 ? `, after ${times}. The batch was waiting to be sent again.` : '. The request has not been sent.',
  )
}
