import { NO_LEADER } from '../metadata/image.ts'
import type { Partition } from './partition.ts'
import type { ReplicaFetcher } from './replica-fetcher.ts'

/** Which leader broker each followed partition is fetched from; one fetcher for each leader. */
export class ReplicaFetchers {
  readonly #make: (leaderId: number) => ReplicaFetcher
  readonly #fetchers = new Map<number, ReplicaFetcher>()
  readonly #followed = new Map<Partition, number>()

  constructor(make: (leaderId: number) => ReplicaFetcher) {
    this.#make = make
  }

  /** Follows the partition's leader from its new epoch on; a partition without a reachable leader is not followed. */
  follow(partition: Partition, isReachable: (brokerId: number) => boolean): void {
    const { leader } = partition
    if (partition.isLeader || leader === NO_LEADER || !isReachable(leader)) {
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
}
