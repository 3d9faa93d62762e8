import type { Runtime } from '../../runtime/runtime.ts'
import { SampledStat } from '../../runtime/sampled-stat.ts'
import { HOUR_MS, Meter, Spread } from '../metrics/meter.ts'
import type { MetricList } from '../metrics/metric-list.ts'

const NANOSECONDS = 1_000_000

/** What the rebalance listener was called for. */
export type CallbackKind = 'revoked' | 'assigned' | 'lost'

/**
 * The group `consumer-coordinator-metrics`: heartbeats, joins, rebalances, commits (Kafka's AbstractCoordinator,
 * RebalanceMetricsManager, OffsetCommitMetricsManager). Latencies are milliseconds.
 */
export class GroupMetrics {
  readonly #runtime: Runtime
  readonly #heartbeats = new Meter('count')
  readonly #slowestHeartbeat = new SampledStat('maximum')
  readonly #joins = new Meter('count')
  readonly #joinTime = new Spread()
  readonly #syncs = new Meter('count')
  readonly #syncTime = new Spread()
  readonly #rebalances = new Meter('count', HOUR_MS)
  readonly #rebalanceTime = new Spread()
  readonly #failed = new Meter('count', HOUR_MS)
  readonly #commits = new Meter('count')
  readonly #commitTime = new Spread()
  readonly #callbacks = { revoked: new Spread(), assigned: new Spread(), lost: new Spread() }
  #rebalancedMs = 0
  #committingMs = 0
  #askingMs = 0
  #rebalanceBeganAt: number | undefined
  #rebalancedAt: number | undefined
  #heartbeatAt: number | undefined

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  heartbeatSent(): void {
    this.#heartbeatAt = this.#runtime.now()
  }

  /** Virtual time leapt over heartbeats that would have been like the last one. */
  leapt(ms: number): void {
    if (this.#heartbeatAt !== undefined) this.#heartbeatAt += ms
  }

  /** Whatever the answer was. */
  heartbeatAnswered(latencyMs: number): void {
    const now = this.#runtime.now()
    this.#heartbeats.record(1, now)
    this.#slowestHeartbeat.record(latencyMs, now)
  }

  /** A JoinGroup was answered with a place in a generation. */
  joined(latencyMs: number): void {
    this.#joins.record(1, this.#runtime.now())
    this.#joinTime.record(latencyMs, this.#runtime.now())
  }

  /** A SyncGroup was answered with an assignment. */
  synced(latencyMs: number): void {
    this.#syncs.record(1, this.#runtime.now())
    this.#syncTime.record(latencyMs, this.#runtime.now())
  }

  /** Nothing happens if one is going on already. */
  rebalanceBegan(): void {
    this.#rebalanceBeganAt ??= this.#runtime.now()
  }

  rebalanceEnded(): void {
    if (this.#rebalanceBeganAt === undefined) return
    const now = this.#runtime.now()
    const tookMs = now - this.#rebalanceBeganAt
    this.#rebalances.record(1, now)
    this.#rebalanceTime.record(tookMs, now)
    this.#rebalancedMs += tookMs
    this.#rebalanceBeganAt = undefined
    this.#rebalancedAt = now
  }

  /**
   * An attempt to join failed, and another is made: that is the same rebalance still. With Kafka's consumers that is also
   * what becomes of a first JoinGroup, which is answered with a member id only.
   */
  attemptFailed(): void {
    this.#failed.record(1, this.#runtime.now())
  }

  /** In the middle of one it ceased to be a member. */
  rebalanceFailed(): void {
    if (this.#rebalanceBeganAt === undefined) return
    this.#rebalanceBeganAt = undefined
    this.#failed.record(1, this.#runtime.now())
  }

  /** The rebalance listener was called. */
  called(kind: CallbackKind, latencyMs: number): void {
    this.#callbacks[kind].record(latencyMs, this.#runtime.now())
  }

  /** An OffsetCommit was answered. */
  committed(latencyMs: number): void {
    this.#commits.record(1, this.#runtime.now())
    this.#commitTime.record(latencyMs, this.#runtime.now())
  }

  /** `commit` (Kafka's commitSync) took so long. */
  commitTook(ms: number): void {
    this.#committingMs += ms
  }

  /** `committed` took so long. */
  committedTook(ms: number): void {
    this.#askingMs += ms
  }

  /** `isClassic`: with JoinGroup and SyncGroup. */
  list(list: MetricList, { assignedPartitions, isClassic }: { assignedPartitions: number; isClassic: boolean }): void {
    const now = this.#runtime.now()
    const secondsAgo = (at: number | undefined) => (at === undefined ? -1 : Math.floor((now - at) / 1000))
    list.add('assigned-partitions', assignedPartitions)
    list.meter('heartbeat', this.#heartbeats)
    list.add('heartbeat-response-time-max', this.#slowestHeartbeat.measure(now))
    list.add('last-heartbeat-seconds-ago', secondsAgo(this.#heartbeatAt))
    if (isClassic) {
      list.meter('join', this.#joins)
      list.spread('join-time', this.#joinTime)
      list.meter('sync', this.#syncs)
      list.spread('sync-time', this.#syncTime)
    }
    list.meter('rebalance', this.#rebalances, undefined, 'rate-per-hour')
    list.spread('rebalance-latency', this.#rebalanceTime)
    list.add('rebalance-latency-total', this.#rebalancedMs)
    list.meter('failed-rebalance', this.#failed, undefined, 'rate-per-hour')
    list.add('last-rebalance-seconds-ago', secondsAgo(this.#rebalancedAt))
    list.meter('commit', this.#commits)
    list.spread('commit-latency', this.#commitTime)
    list.add('commit-sync-time-ns-total', this.#committingMs * NANOSECONDS)
    list.add('committed-time-ns-total', this.#askingMs * NANOSECONDS)
    for (const [kind, spread] of Object.entries(this.#callbacks)) list.spread(`partition-${kind}-latency`, spread)
  }
}
