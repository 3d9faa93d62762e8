/**
 * What passes over a client's connections, in all and by node (Kafka's Selector and NetworkClient metrics; C-92). Bytes
 * count the four of the length in front of each frame, as Kafka's do; a frame is one operation, whatever a carrier makes of
 * it. `request-latency` of a node is that of its Fetch and Produce requests only, as there.
 *
 * There is no selector here that a thread waits in, and nobody is authenticated: `select-*`, `io-*` and the authentication
 * metrics are those of a client that never selected or authenticated.
 */

import { MAX_INT } from '../../metadata/config-definition.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { defaultWindow, type SampleWindow } from '../../runtime/sampled-stat.ts'
import type { AnyApi } from '../../wire/api.ts'
import { Meter, Spread } from './meter.ts'
import type { MetricList, MetricTags } from './metric-list.ts'

const LENGTH_BYTES = 4
const timed: ReadonlySet<string> = new Set(['Fetch', 'Produce'])

/** Requests and answers, and their bytes. */
class Traffic {
  readonly outgoing: Meter
  readonly requests: Meter
  readonly requestSize: Spread
  readonly incoming: Meter
  readonly responses: Meter

  constructor(window: SampleWindow) {
    this.outgoing = new Meter('sum', undefined, window)
    this.requests = new Meter('count', undefined, window)
    this.requestSize = new Spread(window)
    this.incoming = new Meter('sum', undefined, window)
    this.responses = new Meter('count', undefined, window)
  }

  sent(bytes: number, now: number): void {
    this.outgoing.record(bytes, now)
    this.requests.record(1, now)
    this.requestSize.record(bytes, now)
  }

  received(bytes: number, now: number): void {
    this.incoming.record(bytes, now)
    this.responses.record(1, now)
  }

  list(list: MetricList, tags?: MetricTags): void {
    list.meter('outgoing-byte', this.outgoing, tags)
    list.meter('request', this.requests, tags)
    list.spread('request-size', this.requestSize, tags)
    list.meter('incoming-byte', this.incoming, tags)
    list.meter('response', this.responses, tags)
  }
}

/** Told by the connections to one node. */
export class NodeTraffic {
  readonly #metrics: TrafficMetrics
  readonly #traffic: Traffic
  readonly #latency: Spread

  constructor(metrics: TrafficMetrics, window: SampleWindow) {
    this.#metrics = metrics
    this.#traffic = new Traffic(window)
    this.#latency = new Spread(window)
  }

  opened(): void {
    this.#metrics.opened()
  }

  closed(): void {
    this.#metrics.closed()
  }

  sent(frameBytes: number): void {
    const bytes = frameBytes + LENGTH_BYTES
    this.#traffic.sent(bytes, this.#metrics.sent(bytes))
  }

  received(api: AnyApi, frameBytes: number, latencyMs: number, response: object): void {
    const bytes = frameBytes + LENGTH_BYTES
    const now = this.#metrics.received(bytes, response)
    this.#traffic.received(bytes, now)
    if (timed.has(api.name)) this.#latency.record(latencyMs, now)
  }

  list(list: MetricList, tags: MetricTags): void {
    this.#traffic.list(list, tags)
    list.spread('request-latency', this.#latency, tags)
  }
}

export class TrafficMetrics {
  readonly #runtime: Runtime
  readonly #window: SampleWindow
  readonly #all: Traffic
  readonly #operations: Meter
  readonly #created: Meter
  readonly #closed: Meter
  readonly #never = new Meter('count')
  readonly #neverTimed = new Spread()
  readonly #nodes = new Map<string, NodeTraffic>()
  /** Milliseconds that brokers asked for peace, for every answer. */
  readonly throttle: Spread

  constructor(runtime: Runtime, window: SampleWindow = defaultWindow) {
    this.#runtime = runtime
    this.#window = window
    this.#all = new Traffic(window)
    this.#operations = new Meter('count', undefined, window)
    this.#created = new Meter('count', undefined, window)
    this.#closed = new Meter('count', undefined, window)
    this.throttle = new Spread(window)
  }

  /** As Kafka's clients number nodes: bootstrap servers from −1 down, coordinators from the highest int down. */
  node(nodeId: number, purpose: string): NodeTraffic {
    const name = `node-${purpose === 'coordinator' ? MAX_INT - nodeId : nodeId}`
    const known = this.#nodes.get(name)
    if (known !== undefined) return known
    const made = new NodeTraffic(this, this.#window)
    this.#nodes.set(name, made)
    return made
  }

  opened(): void {
    this.#created.record(1, this.#runtime.now())
  }

  closed(): void {
    this.#closed.record(1, this.#runtime.now())
  }

  /** Answers the time. */
  sent(bytes: number): number {
    const now = this.#runtime.now()
    this.#all.sent(bytes, now)
    this.#operations.record(1, now)
    return now
  }

  received(bytes: number, response: object): number {
    const now = this.#runtime.now()
    this.#all.received(bytes, now)
    this.#operations.record(1, now)
    if ('throttleTimeMs' in response) this.throttle.record(Number(response.throttleTimeMs), now)
    return now
  }

  list(list: MetricList): void {
    this.#all.list(list)
    list.meter('network-io', this.#operations)
    list.meter('connection-creation', this.#created)
    list.meter('connection-close', this.#closed)
    list.add('connection-count', this.#created.total - this.#closed.total)
    list.meter('select', this.#never)
    list.add('io-ratio', 0)
    list.add('io-time-ns-avg', Number.NaN)
    list.add('io-time-ns-total', 0)
    list.add('io-wait-ratio', 0)
    list.add('io-wait-time-ns-avg', Number.NaN)
    list.add('io-wait-time-ns-total', 0)
    for (const name of ['successful', 'failed']) {
      list.meter(`${name}-authentication`, this.#never)
      list.meter(`${name}-reauthentication`, this.#never)
    }
    list.add('successful-authentication-no-reauth-total', 0)
    list.spread('reauthentication-latency', this.#neverTimed)
    for (const [name, node] of this.#nodes) node.list(list, { 'node-id': name })
  }
}
