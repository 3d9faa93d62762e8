import { isConsumerProtocol } from '../../metadata/consumer-checks.ts'
import type { ConsumerConfigs } from '../../metadata/consumer-configs.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { SampledStat } from '../../runtime/sampled-stat.ts'
import { Spread } from '../metrics/meter.ts'
import { MetricList } from '../metrics/metric-list.ts'
import { TrafficMetrics } from '../metrics/traffic-metrics.ts'
import { FetchMetrics } from './fetch-metrics.ts'
import { GroupMetrics } from './group-metrics.ts'
import type { Subscription } from './subscription.ts'

/** What the application does not see: the queues between the two threads of Kafka's client with `group.protocol=consumer`. */
const queueTimes = [
  'application-event-queue-processing-time',
  'application-event-queue-time',
  'background-event-queue-processing-time',
  'background-event-queue-time',
  'time-between-network-thread-poll',
  'unsent-requests-queue-time',
]
const queueSizes = [
  'application-event-queue-size',
  'application-events-expired-count',
  'background-event-queue-size',
  'unsent-requests-queue-size',
]

/**
 * What a consumer counts, under Kafka's names (`consumer-metrics.json` of 4.3.1; KafkaConsumerMetrics and what it is made
 * of), in Kafka's units: totals since the consumer was made; rates, averages and extremes over the last minute, of which
 * half is forgotten at a time. Averages and extremes of nothing are NaN, rates 0.
 *
 * There is one thread here, and no queue between two: those metrics are there, empty for ever. Of `app-info` there is only
 * what is a number.
 */
export class ConsumerMetrics {
  readonly traffic: TrafficMetrics
  readonly fetches: FetchMetrics
  readonly group: GroupMetrics
  readonly #runtime: Runtime
  readonly #isClassic: boolean
  readonly #subscription: Subscription
  readonly #startedAt: number
  readonly #betweenPolls = new Spread()
  readonly #idleRatio = new SampledStat('average')
  readonly #never = new Spread()
  #polledAt: number | undefined
  #sincePollMs = 0

  constructor(runtime: Runtime, configs: ConsumerConfigs, subscription: Subscription) {
    this.#runtime = runtime
    this.#isClassic = !isConsumerProtocol(configs)
    this.#subscription = subscription
    this.#startedAt = runtime.now()
    this.traffic = new TrafficMetrics(runtime)
    this.fetches = new FetchMetrics(runtime)
    this.group = new GroupMetrics(runtime)
  }

  pollBegan(): void {
    const now = this.#runtime.now()
    this.#sincePollMs = this.#polledAt === undefined ? 0 : now - this.#polledAt
    this.#betweenPolls.record(this.#sincePollMs, now)
    this.#polledAt = now
  }

  pollEnded(): void {
    const now = this.#runtime.now()
    const pollMs = now - (this.#polledAt ?? now)
    // Kafka's ratio of two polls within the same millisecond is 0/0, and with it the average until that is forgotten.
    if (pollMs + this.#sincePollMs > 0) this.#idleRatio.record(pollMs / (pollMs + this.#sincePollMs), now)
  }

  read(): Readonly<Record<string, number>> {
    const now = this.#runtime.now()
    const list = new MetricList(now)
    list.add('start-time-ms', this.#startedAt)
    list.add('last-poll-seconds-ago', this.#polledAt === undefined ? -1 : Math.floor((now - this.#polledAt) / 1000))
    list.spread('time-between-poll', this.#betweenPolls)
    list.add('poll-idle-ratio-avg', this.#idleRatio.measure(now))
    const assignedPartitions = this.#subscription.size
    this.group.list(list, { assignedPartitions, isClassic: this.#isClassic })
    this.fetches.list(list, this.#subscription, this.traffic.throttle)
    this.traffic.list(list)
    if (!this.#isClassic) {
      for (const name of queueTimes) list.spread(name, this.#never)
      for (const name of queueSizes) list.add(name, 0)
    }
    list.add('count', Object.keys(list.values).length + 1)
    return list.values
  }
}
