import type { BrokerConfigs } from '../metadata/broker-configs.ts'
import { NO_LEADER } from '../metadata/image.ts'
import type { Life } from '../node/life.ts'
import type { PeerLink } from '../node/peer-link.ts'
import type { Partition } from './partition.ts'
import { ReplicaFetcher } from './replica-fetcher.ts'
import type { ReplicationQuota } from './replication-quotas.ts'

/** What following asks of the broker that follows. */
export interface FollowerHost {
  readonly id: number
  readonly name: string
  readonly life: Life
  readonly brokerEpoch: number
  readonly mutants: ReadonlySet<string>
  readonly config: BrokerConfigs
  /** Of what this broker catches up on (KIP-73). */
  readonly followerQuota: ReplicationQuota
  /** Registered, and not fenced. */
  isLive(brokerId: number): boolean
}

/** Which leader broker each followed partition is fetched from; one fetcher for each leader. */
export class ReplicaFetchers {
  readonly #host: FollowerHost
  readonly #linkTo: (brokerId: number) => PeerLink
  readonly #fetchers = new Map<number, ReplicaFetcher>()
  readonly #followed = new Map<Partition, number>()

  constructor(host: FollowerHost, linkTo: (brokerId: number) => PeerLink) {
    this.#host = host
    this.#linkTo = linkTo
  }

  /** Follows the partition's leader from its new epoch on; a partition without a reachable leader is not followed. */
  follow(partition: Partition): void {
    const { leader } = partition
    if (partition.isLeader || leader === NO_LEADER || !this.#host.isLive(leader)) {
      this.forget(partition)
      return
    }
    const before = this.#followed.get(partition)
    if (before !== undefined && before !== leader) this.forget(partition)
    let fetcher = this.#fetchers.get(leader)
    if (fetcher === undefined) {
      fetcher = this.#make(leader)
      this.#fetchers.set(leader, fetcher)
    }
    this.#followed.set(partition, leader)
    fetcher.add(partition)
  }

  forget(partition: Partition): void {
    const leader = this.#followed.get(partition)
    if (leader === undefined) return
    this.#followed.delete(partition)
    this.#fetchers.get(leader)?.remove(partition)
  }

  #make(leaderId: number): ReplicaFetcher {
    const { life, id, name, mutants, config, followerQuota } = this.#host
    return new ReplicaFetcher({
      life,
      link: this.#linkTo(leaderId),
      brokerId: id,
      name,
      leaderId,
      brokerEpoch: () => this.#host.brokerEpoch,
      mutants,
      quota: followerQuota,
      waitMaxMs: config['replica.fetch.wait.max.ms'],
      minBytes: config['replica.fetch.min.bytes'],
      maxBytes: config['replica.fetch.max.bytes'],
      responseMaxBytes: config['replica.fetch.response.max.bytes'],
      backoffMs: config['replica.fetch.backoff.ms'],
      timeoutMs: config['replica.socket.timeout.ms'],
    })
  }
}
