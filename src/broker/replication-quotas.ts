import type { BrokerConfigs } from '../metadata/broker-configs.ts'
import { type ClusterImage, resourceTypes } from '../metadata/image.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { SampledRate } from '../runtime/sampled-rate.ts'

export interface ReplicationQuotaOptions {
  readonly runtime: Runtime
  readonly brokerId: number
  readonly image: ClusterImage
  readonly config: () => Pick<
    BrokerConfigs,
    | 'leader.replication.throttled.rate'
    | 'follower.replication.throttled.rate'
    | 'replication.quota.window.num'
    | 'replication.quota.window.size.seconds'
  >
}

/** What is replicated: a partition, on this broker. */
export interface ReplicatedPartition {
  readonly topic: string
  readonly index: number
}

/**
 * Bytes per second that a broker gives followers, or takes as one, of the replicas that a topic names as throttled (KIP-73;
 * Kafka's ReplicationQuotaManager): `leader.replication.throttled.rate` and `.replicas`, and the same for followers. While
 * there was too much lately, replicas that are not in sync get nothing; those that are never wait.
 */
export class ReplicationQuota {
  readonly #side: 'leader' | 'follower'
  readonly #options: ReplicationQuotaOptions
  #rate: SampledRate | undefined

  constructor(side: 'leader' | 'follower', options: ReplicationQuotaOptions) {
    this.#side = side
    this.#options = options
  }

  /** A rate is set: otherwise nothing is ever held back. */
  get isInForce(): boolean {
    return this.#limit < Number.MAX_SAFE_INTEGER
  }

  /** More than the rate, lately. */
  get isExceeded(): boolean {
    return this.#rate !== undefined && this.#rate.measure(this.#options.runtime.now()) > this.#limit
  }

  /** The topic names this broker's replica of it. */
  covers({ topic, index }: ReplicatedPartition): boolean {
    const { image, brokerId } = this.#options
    const named = image.configsOf(resourceTypes.topic, topic).get(`${this.#side}.replication.throttled.replicas`)
    if (named === undefined || named === '') return false
    return named.split(',').some(each => each.trim() === '*' || each.trim() === `${index}:${brokerId}`)
  }

  record(bytes: number): void {
    if (this.#rate === undefined) {
      const config = this.#options.config()
      const samples = config['replication.quota.window.num']
      this.#rate = new SampledRate(
        { samples, windowMs: config['replication.quota.window.size.seconds'] * 1000 },
        'elapsed',
      )
    }
    this.#rate.record(bytes, this.#options.runtime.now())
  }

  get #limit(): number {
    return this.#options.config()[`${this.#side}.replication.throttled.rate`]
  }
}
