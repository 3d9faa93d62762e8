import type { ProducerConfigs } from '../../metadata/producer-configs.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { SampledStat, type SampleWindow } from '../../runtime/sampled-stat.ts'
import { Meter, Spread } from '../metrics/meter.ts'
import { MetricList } from '../metrics/metric-list.ts'
import { TrafficMetrics } from '../metrics/traffic-metrics.ts'
import type { BufferPool } from './buffer-pool.ts'
import type { ProducerBatch } from './producer-batch.ts'

const NS_PER_MS = 1_000_000

/** Calls of a transactional producer: nobody here makes any yet. */
const transactionCalls = ['abort', 'begin', 'commit', 'init', 'prepare', 'send-offsets']

/** What is known at the moment of asking. */
export interface ProducerState {
  readonly inFlight: number
  readonly pool: BufferPool
  /** Milliseconds since the epoch; −Infinity before the first metadata. */
  readonly metadataAt: number
}

/** Of one topic (C-91); there since the first batch was sent to it. */
class TopicMetrics {
  readonly records: Meter
  readonly bytes: Meter
  readonly compression: SampledStat
  readonly retries: Meter
  readonly errors: Meter

  constructor(window: SampleWindow) {
    this.records = new Meter('sum', undefined, window)
    this.bytes = new Meter('sum', undefined, window)
    this.compression = new SampledStat('average', window)
    this.retries = new Meter('sum', undefined, window)
    this.errors = new Meter('sum', undefined, window)
  }
}

/**
 * What a producer counts, under Kafka's names (C-90…C-94; SenderMetricsRegistry, KafkaProducerMetrics, BufferPool), in
 * Kafka's units: totals since the producer was made; rates, averages and extremes over `metrics.num.samples` windows.
 * Records count as sent whenever a request carries them, so again with every retry; sizes are those on the wire, but
 * `record-size`, which is the upper estimate that a record is accepted by, the largest of each batch.
 *
 * All is recorded once for a batch, nothing for a record. Of `app-info` there is only what is a number.
 */
export class ProducerMetrics {
  readonly traffic: TrafficMetrics
  readonly #runtime: Runtime
  readonly #window: SampleWindow
  readonly #startedAt: number
  readonly #batchSize: Spread
  readonly #compression: SampledStat
  readonly #queueTime: Spread
  readonly #recordSize: Spread
  readonly #records: Meter
  readonly #recordsPerRequest: SampledStat
  readonly #latency: Spread
  readonly #retries: Meter
  readonly #errors: Meter
  readonly #splits: Meter
  readonly #bufferWait: Meter
  readonly #exhausted: Meter
  readonly #topics = new Map<string, TopicMetrics>()
  #flushMs = 0
  #metadataWaitMs = 0

  constructor(runtime: Runtime, configs: ProducerConfigs) {
    const window = { samples: configs['metrics.num.samples'], windowMs: configs['metrics.sample.window.ms'] }
    this.#runtime = runtime
    this.#window = window
    this.#startedAt = runtime.now()
    this.traffic = new TrafficMetrics(runtime, window)
    this.#batchSize = new Spread(window)
    this.#compression = new SampledStat('average', window)
    this.#queueTime = new Spread(window)
    this.#recordSize = new Spread(window)
    this.#records = new Meter('sum', undefined, window)
    this.#recordsPerRequest = new SampledStat('average', window)
    this.#latency = new Spread(window)
    this.#retries = new Meter('sum', undefined, window)
    this.#errors = new Meter('sum', undefined, window)
    this.#splits = new Meter('count', undefined, window)
    // A ratio: milliseconds of waiting in a millisecond.
    this.#bufferWait = new Meter('sum', 1, window)
    this.#exhausted = new Meter('count', undefined, window)
  }

  /** A request takes these to their leader, again or for the first time. */
  sent(batches: readonly ProducerBatch[]): void {
    const now = this.#runtime.now()
    let records = 0
    for (const batch of batches) {
      const { count, compressionRatio } = batch
      const topic = this.#topic(batch.queue.topic)
      topic.records.record(count, now)
      topic.bytes.record(batch.sizeOnWire, now)
      topic.compression.record(compressionRatio, now)
      this.#batchSize.record(batch.sizeOnWire, now)
      this.#queueTime.record(now - batch.createdAt, now)
      this.#compression.record(compressionRatio, now)
      this.#recordSize.record(batch.largestRecord, now)
      records += count
    }
    this.#records.record(records, now)
    this.#recordsPerRequest.record(records, now)
  }

  answered(latencyMs: number): void {
    this.#latency.record(latencyMs, this.#runtime.now())
  }

  retried(batch: ProducerBatch): void {
    const now = this.#runtime.now()
    this.#retries.record(batch.count, now)
    this.#topics.get(batch.queue.topic)?.retries.record(batch.count, now)
  }

  failed(batch: ProducerBatch): void {
    const now = this.#runtime.now()
    this.#errors.record(batch.count, now)
    this.#topics.get(batch.queue.topic)?.errors.record(batch.count, now)
  }

  /** A record that did not come to be queued. */
  refused(): void {
    this.#errors.record(1, this.#runtime.now())
  }

  split(): void {
    this.#splits.record(1, this.#runtime.now())
  }

  waitedForMemory(ms: number, inVain: boolean): void {
    const now = this.#runtime.now()
    this.#bufferWait.record(ms, now)
    if (inVain) this.#exhausted.record(1, now)
  }

  waitedForMetadata(ms: number): void {
    this.#metadataWaitMs += ms
  }

  flushed(ms: number): void {
    this.#flushMs += ms
  }

  read(state: ProducerState): Readonly<Record<string, number>> {
    const now = this.#runtime.now()
    const list = new MetricList(now)
    list.add('start-time-ms', this.#startedAt)
    list.spread('batch-size', this.#batchSize)
    list.add('compression-rate-avg', this.#compression.measure(now))
    list.spread('record-queue-time', this.#queueTime)
    list.spread('request-latency', this.#latency)
    list.meter('record-send', this.#records)
    list.add('records-per-request-avg', this.#recordsPerRequest.measure(now))
    list.meter('record-retry', this.#retries)
    list.meter('record-error', this.#errors)
    list.spread('record-size', this.#recordSize)
    list.meter('batch-split', this.#splits)
    list.spread('produce-throttle-time', this.traffic.throttle)
    list.add('requests-in-flight', state.inFlight)
    // Kafka counts from the epoch until there is any.
    list.add('metadata-age', (now - Math.max(0, state.metadataAt)) / 1000)
    list.add('waiting-threads', state.pool.waiting)
    list.add('buffer-total-bytes', state.pool.total)
    list.add('buffer-available-bytes', state.pool.available)
    list.add('bufferpool-wait-ratio', this.#bufferWait.rate(now))
    list.add('bufferpool-wait-time-ns-total', this.#bufferWait.total * NS_PER_MS)
    list.meter('buffer-exhausted', this.#exhausted)
    list.add('flush-time-ns-total', this.#flushMs * NS_PER_MS)
    list.add('metadata-wait-time-ns-total', this.#metadataWaitMs * NS_PER_MS)
    for (const call of transactionCalls) list.add(`txn-${call}-time-ns-total`, 0)
    for (const [topic, metrics] of this.#topics) this.#listTopic(list, topic, metrics)
    this.traffic.list(list)
    list.add('count', Object.keys(list.values).length + 1)
    return list.values
  }

  #listTopic(list: MetricList, topic: string, metrics: TopicMetrics): void {
    const tags = { topic }
    list.meter('record-send', metrics.records, tags)
    list.meter('byte', metrics.bytes, tags)
    list.add('compression-rate', metrics.compression.measure(this.#runtime.now()), tags)
    list.meter('record-retry', metrics.retries, tags)
    list.meter('record-error', metrics.errors, tags)
  }

  #topic(name: string): TopicMetrics {
    const known = this.#topics.get(name)
    if (known !== undefined) return known
    const made = new TopicMetrics(this.#window)
    this.#topics.set(name, made)
    return made
  }
}
