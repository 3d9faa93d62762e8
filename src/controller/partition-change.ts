import { NO_LEADER, type PartitionImage } from '../metadata/image.ts'
import type { PartitionChangeInput } from './decision.ts'

/** `online` keeps to replicas that have all that was committed; `unclean` takes any live one rather than none. */
export type Election = 'online' | 'preferred' | 'unclean'

export interface PartitionTarget {
  readonly election: Election
  /** Registered, unfenced, not leaving. */
  readonly isAcceptableLeader: (replica: number) => boolean
  /** `min.insync.replicas` as configured; counts capped by the number of replicas. */
  readonly minInsyncReplicas: number
  /** Eligible leader replicas (KIP-966) are on. */
  readonly elrEnabled: boolean
  readonly inSyncReplicas?: readonly number[]
  readonly replicas?: readonly number[]
  readonly addingReplicas?: readonly number[]
  readonly removingReplicas?: readonly number[]
  readonly recoveryState?: number
  /** Lost what was not flushed, so neither in sync nor eligible. */
  readonly uncleanShutdown?: number
}

const RECOVERING = 1
const NOBODY: readonly number[] = []

/**
 * How a partition changes when its in-sync replicas, its assignment or the liveness of brokers do: Kafka's
 * PartitionChangeBuilder. Ends a reassignment that has become complete, moves replicas between the in-sync and
 * the eligible set, elects a leader (R-40 … R-42), and raises the leader epoch where a replica left the
 * assignment. Undefined when nothing changes.
 *
 * Kafka caps `min.insync.replicas` by the number of replicas of the topic's first partition; here by the partition's own.
 */
export function changePartition(partition: PartitionImage, target: PartitionTarget): PartitionChangeInput | undefined {
  const wanted = new Wanted(partition, target)
  wanted.completeReassignment()
  wanted.findEligible()
  wanted.elect()
  return wanted.record()
}

class Wanted {
  readonly #partition: PartitionImage
  readonly #target: PartitionTarget
  #replicas: readonly number[]
  #adding: readonly number[]
  #removing: readonly number[]
  #inSync: readonly number[]
  #eligible: readonly number[]
  #lastKnown: readonly number[]
  #recoveryState: number
  #leader: number
  #unclean = false

  constructor(partition: PartitionImage, target: PartitionTarget) {
    this.#partition = partition
    this.#target = target
    this.#replicas = target.replicas ?? partition.replicas
    this.#adding = target.addingReplicas ?? partition.addingReplicas
    this.#removing = target.removingReplicas ?? partition.removingReplicas
    this.#inSync = target.inSyncReplicas ?? partition.inSyncReplicas
    this.#eligible = target.elrEnabled ? partition.eligibleLeaderReplicas : NOBODY
    this.#lastKnown = target.elrEnabled ? partition.lastKnownElr : NOBODY
    this.#recoveryState = target.recoveryState ?? partition.recoveryState
    this.#leader = partition.leader
  }

  /** once all replicas that stay are in sync, those to be removed go, in this same change. */
  completeReassignment(): void {
    if (this.#adding.length === 0 && this.#removing.length === 0) return
    const replicas = without(this.#replicas, this.#removing)
    const inSync = without(this.#inSync, this.#removing)
    if (replicas.length === 0) return
    if (!replicas.every(replica => inSync.includes(replica))) return
    this.#replicas = replicas
    this.#inSync = inSync
    this.#adding = NOBODY
    this.#removing = NOBODY
  }

  /** who leaves the in-sync set while it is below the minimum stays eligible; at the minimum nobody needs to be. */
  findEligible(): void {
    const { elrEnabled, minInsyncReplicas, uncleanShutdown } = this.#target
    if (!elrEnabled) return
    if (this.#inSync.length >= Math.min(minInsyncReplicas, this.#partition.replicas.length)) {
      this.#eligible = NOBODY
      this.#lastKnown = NOBODY
      return
    }
    const candidates = new Set([...this.#eligible, ...this.#partition.inSyncReplicas])
    for (const replica of this.#inSync) candidates.delete(replica)
    if (uncleanShutdown !== undefined) candidates.delete(uncleanShutdown)
    // A reassignment may have left one eligible that is no replica any more. Kafka keeps it while the in-sync set is
    // too small; it could never lead, and would keep the last known leader from being elected, so here it goes.
    const { replicas } = this.#partition
    this.#eligible = [...candidates].filter(replica => replicas.includes(replica)).sort((a, b) => a - b)
  }

  elect(): void {
    const before = this.#partition.leader
    this.#leader = this.#elected()
    this.#unclean &&= this.#leader !== before
    if (this.#leader === NO_LEADER || this.#leader === before) return
    if (this.#unclean) {
      this.#inSync = [this.#leader]
      this.#recoveryState = RECOVERING
      this.#eligible = NOBODY
    } else if (!this.#inSync.includes(this.#leader)) {
      this.#inSync = [this.#leader]
      this.#eligible = this.#eligible.filter(replica => replica !== this.#leader)
    }
  }

  #elected(): number {
    const { election, isAcceptableLeader } = this.#target
    const preferred = this.#replicas[0]!
    if (election === 'preferred' && this.#mayLead(preferred)) return preferred
    if (this.#mayLead(this.#partition.leader)) return this.#partition.leader
    const clean = this.#replicas.find(replica => this.#mayLead(replica))
    if (clean !== undefined) return clean
    const unclean =
      this.#lastKnownLeader() ?? (election === 'unclean' ? this.#replicas.find(isAcceptableLeader) : undefined)
    if (unclean === undefined) return NO_LEADER
    this.#unclean = true
    return unclean
  }

  #mayLead(replica: number): boolean {
    const hasAll = this.#inSync.includes(replica) || (this.#inSync.length === 0 && this.#eligible.includes(replica))
    return hasAll && this.#target.isAcceptableLeader(replica)
  }

  /** KIP-966's balanced recovery: with nobody in sync or eligible, the one that led last. */
  #lastKnownLeader(): number | undefined {
    const { lastKnownElr } = this.#partition
    if (!this.#target.elrEnabled || this.#inSync.length > 0 || this.#eligible.length > 0) return undefined
    const last = lastKnownElr.length === 1 ? lastKnownElr[0] : undefined
    return last !== undefined && this.#target.isAcceptableLeader(last) ? last : undefined
  }

  /** Without eligible leader replicas the last in-sync replica is never removed. */
  #newInSync(): readonly number[] {
    return this.#inSync.length > 0 || this.#target.elrEnabled ? this.#inSync : this.#partition.inSyncReplicas
  }

  /** While there is no leader, who led last; with one nobody needs to know. */
  #newLastKnown(inSync: readonly number[]): readonly number[] {
    const { leader, lastKnownElr, inSyncReplicas } = this.#partition
    if (!this.#target.elrEnabled || this.#unclean || this.#leader !== NO_LEADER) return NOBODY
    if (inSync.length === 0 && inSyncReplicas.length > 0 && leader !== NO_LEADER) return [leader]
    return lastKnownElr.length === 1 ? lastKnownElr : this.#lastKnown
  }

  record(): PartitionChangeInput | undefined {
    const before = this.#partition
    const inSync = this.#newInSync()
    const lastKnown = this.#newLastKnown(inSync)
    const leftAssignment = !before.replicas.every(replica => this.#replicas.includes(replica))
    const namesLeader = this.#leader !== before.leader || leftAssignment
    const changes = {
      ...(namesLeader ? { leader: this.#leader } : {}),
      ...(same(inSync, before.inSyncReplicas) ? {} : { isr: inSync }),
      ...(same(this.#eligible, before.eligibleLeaderReplicas) ? {} : { eligibleLeaderReplicas: this.#eligible }),
      ...(same(lastKnown, before.lastKnownElr) ? {} : { lastKnownElr: lastKnown }),
      ...(same(this.#replicas, before.replicas) ? {} : { replicas: this.#replicas }),
      ...(same(this.#adding, before.addingReplicas) ? {} : { addingReplicas: this.#adding }),
      ...(same(this.#removing, before.removingReplicas) ? {} : { removingReplicas: this.#removing }),
      ...(this.#recoveryState === before.recoveryState ? {} : { leaderRecoveryState: this.#recoveryState }),
    }
    if (Object.keys(changes).length === 0) return undefined
    return { type: 'PartitionChangeRecord', partitionId: before.partition, topicId: before.topicId, ...changes }
  }
}

function without(replicas: readonly number[], gone: readonly number[]): readonly number[] {
  return gone.length === 0 ? replicas : replicas.filter(replica => !gone.includes(replica))
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((replica, index) => replica === b[index])
}
