import type { produce } from '../../apis/produce.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { ResponseOf } from '../../wire/api.ts'
import { errorCodes, KafkaError } from '../../wire/errors.ts'
import type { Backoff } from '../backoff.ts'
import { networkError } from '../connections.ts'
import type { ClientMetadata } from '../metadata.ts'
import { nodeOf } from '../metadata-view.ts'
import type { NodeConnection } from '../node-connection.ts'
import { expiryOf, refusalOf } from './delivery-errors.ts'
import type { ProducerBatch } from './producer-batch.ts'
import type { ProducerMetrics } from './producer-metrics.ts'
import type { ProducerSequences } from './producer-sequences.ts'
import type { RecordAccumulator } from './record-accumulator.ts'
import type { TopicQueues } from './topic-queues.ts'
import type { TransactionManager } from './transactions/transaction-manager.ts'

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
  /** Undefined without a transactional id. */
  readonly transactions: TransactionManager | undefined
  /** The producer can do nothing more. */
  readonly fatal: (error: KafkaError) => void
  /** Rules that are switched off, for tests of checkers. */
  readonly mutants: ReadonlySet<string> | undefined
}

/** What one request carried. */
export interface SentBatches {
  readonly node: NodeConnection
  readonly batches: readonly ProducerBatch[]
  /** Topic id → name, as the request said it. */
  readonly names: ReadonlyMap<string, string>
}

/** What becomes of batches once their request is answered, or lost (Kafka's Sender): done, failed, again, or in parts. */
export class ProduceCompletion {
  readonly #options: CompletionOptions

  constructor(options: CompletionOptions) {
    this.#options = options
  }

  answered(sent: SentBatches, response: ResponseOf<typeof produce>): void {
    const { metadata } = this.#options
    for (const batch of sent.batches) this.#landed(batch)
    const nodes = response.nodeEndpoints.map(nodeOf)
    for (const topic of response.responses) {
      const name = topic.name === '' ? sent.names.get(topic.topicId) : topic.name
      for (const answer of topic.partitionResponses) {
        const batch = find(sent.batches, name, answer.index)
        if (batch === undefined) continue
        metadata.hint(batch.queue.topic, answer.index, answer.currentLeader, nodes)
        this.#settle(batch, answer)
      }
    }
  }

  /** The connection is gone: whether the batches are in the log is unknown (C-42). */
  lost(sent: SentBatches, error: Error): void {
    const reason = networkError(error) as KafkaError
    for (const batch of sent.batches) {
      this.#landed(batch)
      this.#refused(batch, reason, -1, [])
    }
    this.#options.metadata.requestUpdate()
  }

  /** With acks=0 nobody answers (C-47). */
  unanswered(batch: ProducerBatch): void {
    this.#landed(batch)
    this.complete(batch, -1, -1)
  }

  /** No request carries it any more. One that its answer does not mention stays as it is until it expires (C-49). */
  #landed(batch: ProducerBatch): void {
    batch.isOnWire = false
    batch.queue.isMuted = false
    // It ran out of time while a request carried it: its memory was kept until now (C-31).
    const { accumulator, mutants } = this.#options
    if (batch.isDone && mutants?.has('no-memory-return') !== true) accumulator.free(batch)
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
      this.fail(batch, expiryOf(batch, deliveryTimeoutMs, error), batch.attempts < this.#options.retries)
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
    const { accumulator, backoff, runtime, metrics, sequences, mutants } = this.#options
    batch.attempts++
    batch.retryAt = runtime.now() + backoff.delay(batch.attempts)
    if (mutants?.has('no-sequence-reuse')) sequences?.forget(batch)
    metrics.retried(batch)
    accumulator.putBack(batch, mutants?.has('retries-go-last') === true)
  }

  /** Parts of at most batch.size; of what is a part already, of at most half (C-44). No retry is used up. */
  #split(batch: ProducerBatch): void {
    const { accumulator, sequences, batchBytes, metrics, runtime, topicOf } = this.#options
    metrics.split()
    topicOf(batch.queue.topic).ratio?.reset(batch.compressionRatio)
    const limit = batch.isSplit ? Math.max(batch.largestRecordSize(), Math.ceil(batch.size / 2)) : batchBytes
    const parts = batch.split(limit, runtime)
    if (batch.hasSequence) sequences?.inherit(batch, parts)
    accumulator.replace(batch, parts)
  }

  complete(batch: ProducerBatch, baseOffset: number, logAppendTime: number): void {
    const { sequences, accumulator } = this.#options
    sequences?.completed(batch, baseOffset)
    batch.complete(baseOffset, logAppendTime)
    accumulator.forget(batch)
  }

  #fail(batch: ProducerBatch, error: KafkaError, recordErrors: PartitionResponse['recordErrors']): void {
    const { sequences, retries, fatal } = this.#options
    this.fail(batch, error, batch.attempts < retries, refusalOf(batch, error, recordErrors))
    if (sequences?.isFatal(error.errorName)) fatal(error)
  }

  /** `mayHaveGap`: the broker refused it, so that its sequence is free (C-41). */
  fail(
    batch: ProducerBatch,
    error: Error,
    mayHaveGap: boolean,
    reason: (index: number) => unknown = () => error,
  ): void {
    const { sequences, accumulator, metrics, transactions } = this.#options
    if (batch.isDone) return
    sequences?.failed(batch, error instanceof KafkaError ? error.errorName : undefined, mayHaveGap)
    metrics.failed(batch)
    batch.fail(reason)
    if (transactions !== undefined) transactions.batchFailed(error, reason(0))
    accumulator.forget(batch)
  }

  /** delivery.timeout.ms is over (C-40). */
  expire(batch: ProducerBatch): void {
    const { sequences, deliveryTimeoutMs, accumulator, mutants } = this.#options
    if (mutants?.has('silent-expiry')) {
      accumulator.forget(batch)
      return
    }
    const wasSentAgain = batch.attempts > 0
    this.fail(batch, expiryOf(batch, deliveryTimeoutMs), false)
    if (wasSentAgain) sequences?.leftOpen(batch)
  }
}

function find(
  batches: readonly ProducerBatch[],
  topic: string | undefined,
  partition: number,
): ProducerBatch | undefined {
  for (const batch of batches) if (batch.queue.partition === partition && batch.queue.topic === topic) return batch
  return undefined
}
