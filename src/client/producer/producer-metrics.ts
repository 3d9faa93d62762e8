import type { ProducerBatch } from './producer-batch.ts'

/** What a producer counts, under Kafka's names (C-90); rates and averages over windows are left to those who plot them. */
export class ProducerMetrics {
  sent = 0
  failed = 0
  retried = 0
  splits = 0
  requests = 0
  #batches = 0
  #bytes = 0
  #largest = 0

  completed(batch: ProducerBatch): void {
    this.sent += batch.count
    this.#batches++
    this.#bytes += batch.size
    if (batch.size > this.#largest) this.#largest = batch.size
  }

  read(now: {
    readonly inFlight: number
    readonly memory: { readonly total: number; readonly available: number; readonly exhausted: number }
    readonly metadataAgeMs: number
  }): Readonly<Record<string, number>> {
    const none = this.#batches === 0
    return {
      'record-send-total': this.sent,
      'record-error-total': this.failed,
      'record-retry-total': this.retried,
      'batch-split-total': this.splits,
      'request-total': this.requests,
      'requests-in-flight': now.inFlight,
      'batch-size-avg': none ? Number.NaN : this.#bytes / this.#batches,
      'batch-size-max': none ? Number.NaN : this.#largest,
      'records-per-request-avg': this.requests === 0 ? Number.NaN : this.sent / this.requests,
      'buffer-total-bytes': now.memory.total,
      'buffer-available-bytes': now.memory.available,
      'buffer-exhausted-total': now.memory.exhausted,
      'metadata-age': now.metadataAgeMs / 1000,
    }
  }
}
