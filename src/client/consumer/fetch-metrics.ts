import type { Runtime } from '../../runtime/runtime.ts'
import { SampledStat } from '../../runtime/sampled-stat.ts'
import { Meter, Spread } from '../metrics/meter.ts'
import type { MetricList, MetricTags } from '../metrics/metric-list.ts'
import type { AssignedPartition } from './assigned-partition.ts'

/** What was handed out, per answer to a Fetch. */
class Consumed {
  readonly #size = new Spread()
  readonly #bytes = new Meter('sum')
  readonly #records = new Meter('sum')
  readonly #recordsPerFetch = new SampledStat('average')

  record(bytes: number, records: number, now: number): void {
    this.#size.record(bytes, now)
    this.#bytes.record(bytes, now)
    this.#records.record(records, now)
    this.#recordsPerFetch.record(records, now)
  }

  list(list: MetricList, now: number, tags?: MetricTags): void {
    list.spread('fetch-size', this.#size, tags)
    list.meter('bytes-consumed', this.#bytes, tags)
    list.meter('records-consumed', this.#records, tags)
    list.add('records-per-request-avg', this.#recordsPerFetch.measure(now), tags)
  }
}

/** How far one partition is from its ends. */
class Distance {
  lag: number | undefined
  lead: number | undefined
  readonly lags = new Spread()
  readonly leads = new SampledStat('average')
  readonly leastLead = new SampledStat('minimum')
}

/** The group `consumer-fetch-manager-metrics` (Kafka's FetchMetricsManager). Latencies are milliseconds. */
export class FetchMetrics {
  readonly #runtime: Runtime
  readonly #latency = new Spread()
  readonly #fetches = new Meter('count')
  readonly #all = new Consumed()
  readonly #topics = new Map<string, Consumed>()
  readonly #maximumLag = new SampledStat('maximum')
  readonly #leastLead = new SampledStat('minimum')
  readonly #distances = new WeakMap<AssignedPartition, Distance>()

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  answered(latencyMs: number): void {
    const now = this.#runtime.now()
    this.#latency.record(latencyMs, now)
    this.#fetches.record(1, now)
  }

  /** All that one Fetch brought has been handed out, by topic. */
  consumed(topics: ReadonlyMap<string, { readonly bytes: number; readonly records: number }>): void {
    const now = this.#runtime.now()
    let allBytes = 0
    let allRecords = 0
    for (const [topic, { bytes, records }] of topics) {
      allBytes += bytes
      allRecords += records
      const known = this.#topics.get(topic) ?? new Consumed()
      this.#topics.set(topic, known)
      known.record(bytes, records, now)
    }
    this.#all.record(allBytes, allRecords, now)
  }

  /** Records of the partition were handed out: how far it is from its end now, and from its start. */
  moved(partition: AssignedPartition, isReadCommitted: boolean): void {
    const { position, highWatermark, lastStableOffset, logStartOffset } = partition
    if (position === undefined) return
    const now = this.#runtime.now()
    const distance = this.#distances.get(partition) ?? new Distance()
    this.#distances.set(partition, distance)
    const end = isReadCommitted ? lastStableOffset : highWatermark
    if (end !== undefined) {
      distance.lag = Math.max(0, end - position)
      distance.lags.record(distance.lag, now)
      this.#maximumLag.record(distance.lag, now)
    }
    if (logStartOffset !== undefined) {
      distance.lead = position - logStartOffset
      distance.leads.record(distance.lead, now)
      distance.leastLead.record(distance.lead, now)
      this.#leastLead.record(distance.lead, now)
    }
  }

  list(list: MetricList, assigned: Iterable<AssignedPartition>, throttle: Spread): void {
    const now = this.#runtime.now()
    list.spread('fetch-latency', this.#latency)
    list.meter('fetch', this.#fetches)
    list.spread('fetch-throttle-time', throttle)
    this.#all.list(list, now)
    for (const [topic, consumed] of this.#topics) consumed.list(list, now, { topic })
    list.add('records-lag-max', this.#maximumLag.measure(now))
    list.add('records-lead-min', this.#leastLead.measure(now))
    for (const partition of assigned) {
      const tags = { topic: partition.topic, partition: partition.partition }
      const { preferred } = partition
      list.add('preferred-read-replica', preferred !== undefined && preferred.until > now ? preferred.nodeId : -1, tags)
      const distance = this.#distances.get(partition)
      if (distance?.lag !== undefined) {
        list.add('records-lag', distance.lag, tags)
        list.spread('records-lag', distance.lags, tags)
      }
      if (distance?.lead !== undefined) {
        list.add('records-lead', distance.lead, tags)
        list.add('records-lead-avg', distance.leads.measure(now), tags)
        list.add('records-lead-min', distance.leastLead.measure(now), tags)
      }
    }
  }
}

/** One answer to a Fetch, until all that it brought has been handed out (Kafka's FetchMetricsAggregator). */
export class FetchTally {
  readonly #metrics: FetchMetrics
  readonly #topics = new Map<string, { bytes: number; records: number }>()
  #left: number

  constructor(metrics: FetchMetrics, partitions: number) {
    this.#metrics = metrics
    this.#left = partitions
  }

  /** A partition is through, or was taken away before. */
  drained(topic: string | undefined, bytes: number, records: number): void {
    this.#left--
    if (topic !== undefined) this.#add(topic, bytes, records)
    if (this.#left === 0) this.#metrics.consumed(this.#topics)
  }

  #add(topic: string, bytes: number, records: number): void {
    const sum = this.#topics.get(topic) ?? { bytes: 0, records: 0 }
    this.#topics.set(topic, sum)
    sum.bytes += bytes
    sum.records += records
  }
}
