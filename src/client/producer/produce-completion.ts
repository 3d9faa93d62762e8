import type { produce } from '../../apis/produce.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { ResponseOf } from '../../wire/api.ts'
import { errorCodes, KafkaError } from '../../wire/errors.ts'
import type { Backoff } from '../backoff.ts'
import { ClientError } from '../client-error.ts'
import { networkError } from '../connections.ts'
import type { ClientMetadata } from '../metadata.ts'
import { nodeOf } from '../metadata-view.ts'
import type { NodeConnection } from '../node-connection.ts'
import type { ProducerBatch } from './producer-batch.ts'
import type { ProducerMetrics } from './producer-metrics.ts'
import type { ProducerSequences } from './producer-sequences.ts'
import type { RecordAccumulator } from './record-accumulator.ts'
import type { TopicQueues } from './topic-queues.ts'

type TopicResponse = ResponseOf<typeof produce>['responses'][number]
type PartitionResponse = TopicResponse['partitionResponses'][number]

export interface CompletionOptions {
  readonly runtime: Runtime
  readonly accumulator: RecordAccumulator
  readonly metadata: ClientMetadata
  /** Undefined without idempotence. */
  readonly sequences: ProducerSequences | undefined
  readonly backoff: Backoff
  readonly retries: number
  readonly deliveryTimeoutMs: number
  readonly batchBytes: number
  readonly metrics: ProducerMetrics
  readonly topicOf: (name: string) => TopicQueues
  /** The producer can do nothing more. */
  readonly fatal: (error: KafkaError) => void
}

/** What one request carried. */
export interface SentBatches {
  readonly node: NodeConnection
  readonly batches: readonly ProducerBatch[]
  /** Topic id → name, as the request said it. */
  readonly names: ReadonlyMap<string, string>
}

const PART_OF_BAD_BATCH = 'Failed to append record because it was part of a batch which had one or more invalid records'

/** What becomes of batches once their request is answered, or lost (Kafka's Sender): done, failed, again, or in parts. */
export class ProduceCompletion {
  readonly #options: CompletionOptions

  constructor(options: CompletionOptions) {
    this.#options = options
  }

  answered(sent: SentBatches, response: ResponseOf<typeof produce>): void {
    const { metadata } = this.#options
    for (const batch of sent.batches) batch.isOnWire = false
    if (response.throttleTimeMs > 0) sent.node.throttle(response.throttleTimeMs)
    const nodes = response.nodeEndpoints.map(nodeOf)
    for (const topic of response.responses) {
      const name = topic.name === '' ? sent.names.get(topic.topicId) : topic.name
      for (const answer of topic.partitionResponses) {
        const batch = find(sent.batches, name, answer.index)
        if (batch === undefined) continue
        this.#release(batch)
        metadata.hint(batch.queue.topic, answer.index, answer.currentLeader, nodes)
        this.#settle(batch, answer)
      }
    }
  }

  /** The connection is gone: whether the batches are in the log is unknown (C-42). */
  lost(sent: SentBatches, error: Error): void {
    const reason = networkError(error) as KafkaError
    for (const batch of sent.batches) {
      batch.isOnWire = false
      this.#release(batch)
      this.#refused(batch, reason, -1, [])
    }
    this.#options.metadata.requestUpdate()
  }

  /** With acks=0 nobody answers (C-47). */
  unanswered(batch: ProducerBatch): void {
    batch.isOnWire = false
    this.#release(batch)
    this.complete(batch, -1, -1)
  }

  #release(batch: ProducerBatch): void {
    batch.queue.isMuted = false
    // It ran out of time while a request carried it: its memory was kept until now (C-31).
    if (batch.isDone) this.#options.accumulator.free(batch)
  }

  #settle(batch: ProducerBatch, answer: PartitionResponse): void {
    const { sequences } = this.#options
    if (answer.errorCode === errorCodes.NONE || answer.errorCode === errorCodes.DUPLICATE_SEQUENCE_NUMBER) {
      if (batch.isDone) sequences?.completed(batch, answer.baseOffset)
      else this.complete(batch, answer.baseOffset, answer.logAppendTimeMs)
      return
    }
    const error = KafkaError.of(answer.errorCode, answer.errorMessage)
    this.#refused(batch, error, answer.logStartOffset, answer.recordErrors)
  }

  #refused(
    batch: ProducerBatch,
    error: KafkaError,
    logStartOffset: number,
    recordErrors: PartitionResponse['recordErrors'],
  ): void {
    const { metadata, runtime, deliveryTimeoutMs } = this.#options
    if (error.refreshesMetadata) metadata.requestUpdate()
    if (batch.isDone) return
    if (error.errorName === 'MESSAGE_TOO_LARGE' && batch.count > 1) {
      this.#split(batch)
      return
    }
    const isLate = runtime.now() - batch.createdAt >= deliveryTimeoutMs
    if (this.#canRetry(batch, error, logStartOffset, isLate)) {
      this.#again(batch)
      return
    }
    if (isLate && error.retriable) {
      this.fail(
        batch,
        new KafkaError('REQUEST_TIMED_OUT', `${expiryText(batch, deliveryTimeoutMs)}: ${error.message}`),
        false,
      )
      return
    }
    this.#fail(batch, error, recordErrors)
  }

  #canRetry(batch: ProducerBatch, error: KafkaError, logStartOffset: number, isLate: boolean): boolean {
    const { retries, sequences } = this.#options
    if (isLate || batch.attempts >= retries) return false
    return sequences?.canRetry(batch, error.code, logStartOffset) ?? error.retriable
  }

  #again(batch: ProducerBatch): void {
    const { accumulator, backoff, runtime, metrics } = this.#options
    batch.attempts++
    batch.retryAt = runtime.now() + backoff.delay(batch.attempts)
    metrics.retried += batch.count
    accumulator.putBack(batch)
  }

  /** Parts of at most batch.size; of what is a part already, of at most half (C-44). No retry is used up. */
  #split(batch: ProducerBatch): void {
    const { accumulator, sequences, batchBytes, metrics, runtime, topicOf } = this.#options
    metrics.splits++
    topicOf(batch.queue.topic).ratio?.reset(1)
    const limit = batch.isSplit ? Math.max(batch.largestRecordSize(), Math.ceil(batch.size / 2)) : batchBytes
    const parts = batch.split(limit, runtime)
    if (batch.hasSequence) sequences?.inherit(batch, parts)
    accumulator.replace(batch, parts)
  }

  complete(batch: ProducerBatch, baseOffset: number, logAppendTime: number): void {
    const { sequences, accumulator, metrics } = this.#options
    sequences?.completed(batch, baseOffset)
    metrics.completed(batch)
    batch.complete(baseOffset, logAppendTime)
    accumulator.forget(batch)
  }

  #fail(batch: ProducerBatch, error: KafkaError, recordErrors: PartitionResponse['recordErrors']): void {
    const { sequences, retries, fatal } = this.#options
    const reason = reasons(error, recordErrors)
    this.fail(batch, error, batch.attempts < retries, reason)
    if (sequences?.isFatal(error.errorName)) fatal(error)
  }

  /** `mayHaveGap`: the broker refused it, so that its sequence is free (C-41). */
  fail(
    batch: ProducerBatch,
    error: Error,
    mayHaveGap: boolean,
    reason: (index: number) => unknown = () => error,
  ): void {
    const { sequences, accumulator, metrics } = this.#options
    if (batch.isDone) return
    sequences?.failed(batch, error instanceof KafkaError ? error.errorName : undefined, mayHaveGap)
    metrics.failed += batch.count
    batch.fail(reason)
    accumulator.forget(batch)
  }

  /** delivery.timeout.ms is over (C-40). */
  expire(batch: ProducerBatch): void {
    const { sequences, deliveryTimeoutMs } = this.#options
    const state = batch.isOnWire
      ? 'The request has not been answered.'
      : batch.attempts > 0
        ? 'The batch was waiting to be sent again.'
        : 'The request has not been sent.'
    const wasSentAgain = batch.attempts > 0
    const text = `${expiryText(batch, deliveryTimeoutMs)}. ${state}`
    this.fail(batch, new KafkaError('REQUEST_TIMED_OUT', text), false)
    if (wasSentAgain) sequences?.leftOpen(batch)
  }
}

function expiryText(batch: ProducerBatch, ms: number): string {
  const { topic, partition } = batch.queue
  return `Expiring ${batch.count} record(s) for ${topic}-${partition}:${ms} ms has passed since batch creation`
}

function find(
  batches: readonly ProducerBatch[],
  topic: string | undefined,
  partition: number,
): ProducerBatch | undefined {
  for (const batch of batches) if (batch.queue.partition === partition && batch.queue.topic === topic) return batch
  return undefined
}

/** Which error each record of a refused batch gets (C-45). */
function reasons(error: KafkaError, recordErrors: PartitionResponse['recordErrors']): (index: number) => unknown {
  if (recordErrors.length === 0) return () => error
  const own = new Map<number, KafkaError>()
  for (const { batchIndex, batchIndexErrorMessage } of recordErrors) {
    const message = batchIndexErrorMessage ?? error.ownMessage
    const code = recordErrors.length === 1 ? error.code : errorCodes.INVALID_RECORD
    own.set(batchIndex, KafkaError.of(code, message))
  }
  const others = new ClientError(PART_OF_BAD_BATCH)
  return index => own.get(index) ?? others
}
