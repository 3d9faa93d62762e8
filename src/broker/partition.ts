import type { RefusalDetails } from '../log/refusal.ts'
import type { LeaderAppend, LeaderAppendOptions, ReplicaLog } from '../log/replica-log.ts'
import { NO_LEADER, type PartitionImage } from '../metadata/image.ts'
import type { Life } from '../node/life.ts'
import { Roster } from '../runtime/roster.ts'
import { type ErrorName, KafkaError } from '../wire/errors.ts'
import type { RecordBatch } from '../wire/record-batch.ts'
import { type CommitWait, CommitWaits } from './commit-waits.ts'
import { InSyncReplicas } from './in-sync-replicas.ts'
import { RecordDeletions } from './record-deletions.ts'
import { RemoteReplica } from './remote-replica.ts'

export type { RefusalDetails } from '../log/refusal.ts'

/** What a partition asks of the broker that has it. */
export interface PartitionHost {
  readonly id: number
  readonly name: string
  readonly life: Life
  readonly brokerEpoch: number
  readonly replicaLagTimeMaxMs: number
  readonly mutants: ReadonlySet<string>
  /** Unfenced, not about to leave, and the life that the follower says it has. */
  isEligible(brokerId: number, brokerEpoch: number): boolean
  /** Registered, and not fenced. */
  isLive(brokerId: number): boolean
  /** Sends AlterPartition; the answer comes back through the partition's `altered` or `alterFailed`. */
  proposeInSyncReplicas(partition: Partition): void
  /** Some in-sync follower is behind: the check for lag has to run. */
  watchLag(): void
  /** It leads since this epoch, or no longer. */
  roleChanged(partition: Partition): void
  /** A log grew: retention, compaction, checkpoints may have work (see Housekeeping). */
  appended(): void
}

/** Somebody who waits for a partition to have more to read: a parked fetch. */
export interface ReadWait {
  /** The log's end or the high watermark moved, or the partition is no longer what it was. */
  moved(partition: Partition): void
}

/** One replica of a partition on one broker: its log, its role, and, on the leader, the others as the leader sees them. */
export class Partition {
  readonly topic: string
  readonly topicId: string
  readonly index: number
  readonly log: ReplicaLog
  readonly inSync = new InSyncReplicas()
  readonly remotes = new Map<number, RemoteReplica>()
  readonly readWaits = new Roster<ReadWait>()
  readonly deletions: RecordDeletions
  /** As configured; a new value moves nothing before the next append or fetch. */
  minInSyncReplicas: number
  readonly #host: PartitionHost
  readonly #commits = new CommitWaits()
  #state: PartitionImage
  #isLeader = false
  #leaderEpochStart = 0
  /** The end moved inside `append`: told to the others after the trace has the append. */
  #appending = false

  constructor(host: PartitionHost, state: PartitionImage, log: ReplicaLog, minInSyncReplicas: number) {
    this.topic = state.topic
    this.topicId = state.topicId
    this.index = state.partition
    this.log = log
    this.#host = host
    this.#state = state
    this.minInSyncReplicas = minInSyncReplicas
    this.deletions = new RecordDeletions(this, brokerId => host.isLive(brokerId))
    log.onEndOffset = () => this.#endMoved()
    log.onHighWatermark = (to, from) => this.#highWatermarkMoved(to, from)
  }

  /** As in `orders-0`. */
  get name(): string {
    return `${this.topic}-${this.index}`
  }

  get isLeader(): boolean {
    return this.#isLeader
  }

  /** What this broker has been told of the partition; a cut-off broker's is old. */
  get state(): PartitionImage {
    return this.#state
  }

  get leader(): number {
    return this.#state.leader
  }

  get leaderEpoch(): number {
    return this.#state.leaderEpoch
  }

  /** Where the log ended when this broker became leader in this epoch. */
  get leaderEpochStart(): number {
    return this.#leaderEpochStart
  }

  /** `min.insync.replicas`, but never more than there are replicas. */
  get effectiveMinInSync(): number {
    return Math.min(this.minInSyncReplicas, this.#state.replicas.length)
  }

  // --- roles ---------------------------------------------------------------------------------------------------------

  /** What the metadata log says now. An older partition epoch is no news. */
  update(state: PartitionImage): void {
    if (state.partitionEpoch < this.#state.partitionEpoch) return
    if (state.leader === this.#host.id) this.#lead(state)
    else this.#follow(state)
  }

  #lead(state: PartitionImage): void {
    const { life } = this.#host
    const isNewEpoch = !this.#isLeader || state.leaderEpoch > this.#state.leaderEpoch
    // The answer to AlterPartition brought it already: a proposal made since then stays on its way, and stays in the
    // maximal set, since the controller may have taken it.
    const isKnown = this.#isLeader && state.partitionEpoch === this.#state.partitionEpoch
    this.#state = state
    this.#isLeader = true
    if (isNewEpoch) {
      this.#leaderEpochStart = this.log.assignedEndOffset
      this.log.becomeLeader(state.leaderEpoch)
      life.trace.add('leader', this.#host.name, {
        what: this.name,
        leaderEpoch: state.leaderEpoch,
        end: this.log.endOffset,
        inSync: state.inSyncReplicas,
      })
    }
    for (const brokerId of [...this.remotes.keys()]) {
      if (!state.replicas.includes(brokerId)) this.remotes.delete(brokerId)
    }
    for (const brokerId of state.replicas) {
      if (brokerId === this.#host.id) continue
      let remote = this.remotes.get(brokerId)
      const isNew = remote === undefined
      if (remote === undefined) {
        remote = new RemoteReplica(brokerId)
        this.remotes.set(brokerId, remote)
      }
      if (isNewEpoch || isNew) remote.reset(life.now(), state.inSyncReplicas.includes(brokerId))
    }
    if (!isKnown) this.inSync.confirm(state.inSyncReplicas)
    this.#advance()
    this.#watchLag()
    this.wakeReaders()
    if (isNewEpoch) this.#host.roleChanged(this)
  }

  #follow(state: PartitionImage): void {
    const wasLeader = this.#isLeader
    this.#state = state
    this.#isLeader = false
    this.remotes.clear()
    if (wasLeader) this.#failWaits()
    this.#host.life.trace.add('follower', this.#host.name, {
      what: this.name,
      leader: state.leader === NO_LEADER ? 'none' : state.leader,
      leaderEpoch: state.leaderEpoch,
      end: this.log.endOffset,
    })
    this.wakeReaders()
    if (wasLeader) this.#host.roleChanged(this)
  }

  /** The replica is gone from this broker: deleted, or assigned elsewhere. */
  remove(): void {
    const wasLeader = this.#isLeader
    this.#isLeader = false
    this.#failWaits()
    if (wasLeader) this.#host.roleChanged(this)
    this.log.onEndOffset = undefined
    this.log.onHighWatermark = undefined
    this.wakeReaders()
  }

  #failWaits(): void {
    this.#commits.fail('NOT_LEADER_OR_FOLLOWER')
    this.deletions.fail('NOT_LEADER_OR_FOLLOWER')
  }

  requireLeader(): void {
    if (!this.#isLeader) throw new KafkaError('NOT_LEADER_OR_FOLLOWER')
  }

  /** The leader epoch that a request believes in, −1 for none: older is fenced, newer is not known here yet. */
  checkLeaderEpoch(believed: number): void {
    if (believed === -1 || this.#host.mutants.has('no-leader-epoch-check')) return
    if (believed < this.leaderEpoch) throw new KafkaError('FENCED_LEADER_EPOCH')
    if (believed > this.leaderEpoch) throw new KafkaError('UNKNOWN_LEADER_EPOCH')
  }

  // --- appending -----------------------------------------------------------------------------------------------------

  /** P-8, P-9, then the log's own checks. Throws KafkaError; a duplicate answers with its first offsets. */
  append(
    batch: RecordBatch,
    acks: number,
    options: Omit<LeaderAppendOptions, 'leaderEpoch' | 'now'> = {},
  ): LeaderAppend {
    this.requireLeader()
    if (acks === -1 && this.#isUnderMinInSync() && !this.#host.mutants.has('no-min-in-sync-check')) {
      throw new KafkaError(
        'NOT_ENOUGH_REPLICAS',
        `${this.name} has ${this.inSync.committed.length} replicas in sync, ${this.effectiveMinInSync} are needed`,
        { knowsLogStart: true, recordErrors: [] } satisfies RefusalDetails,
      )
    }
    const { life } = this.#host
    const endBefore = this.log.endOffset
    this.#appending = true
    let appended: LeaderAppend
    try {
      appended = this.log.appendAsLeader(batch, { ...options, leaderEpoch: this.leaderEpoch, now: life.now() })
    } finally {
      this.#appending = false
    }
    life.trace.add('append', this.#host.name, {
      what: this.name,
      base: appended.baseOffset,
      last: appended.lastOffset,
      epoch: this.leaderEpoch,
      ...(batch.hasProducer ? { producer: batch.producerId, sequence: batch.baseSequence } : {}),
      ...(appended.duplicate ? { duplicate: true } : {}),
    })
    if (this.log.endOffset > endBefore) this.#endMoved()
    return appended
  }

  #isUnderMinInSync(): boolean {
    return this.inSync.committed.length < this.effectiveMinInSync
  }

  /**
   * Whether everything below `offset` is committed: undefined when it is not decided yet. The size of the in-sync
   * set is judged only once the high watermark is there.
   */
  commitOutcome(offset: number): { error: ErrorName | undefined } | undefined {
    if (!this.#isLeader) return { error: 'NOT_LEADER_OR_FOLLOWER' }
    if (this.#host.mutants.has('no-wait-for-acks-all')) return { error: undefined }
    if (this.log.highWatermark < offset) return undefined
    return { error: this.#commitError() }
  }

  #commitError(): ErrorName | undefined {
    return this.inSync.maximal.size >= this.effectiveMinInSync ? undefined : 'NOT_ENOUGH_REPLICAS_AFTER_APPEND'
  }

  awaitCommit(wait: CommitWait): void {
    this.#commits.add(wait)
  }

  forgetCommit(wait: CommitWait): void {
    this.#commits.remove(wait)
  }

  // --- the high watermark --------------------------------------------------------------------------------------------

  #endMoved(): void {
    if (this.#appending) return
    this.#host.appended()
    if (this.#isLeader) {
      this.#advance()
      this.#watchLag()
    }
    this.wakeReaders()
  }

  /** the lowest end over the maximal in-sync set and whoever is about to join it; it stands still below min. */
  #advance(): void {
    if (this.#isUnderMinInSync()) return
    const now = this.#host.life.now()
    const leaderEnd = this.log.endOffset
    let candidate = leaderEnd
    if (!this.#host.mutants.has('no-minimum-of-in-sync')) {
      for (const remote of this.remotes.values()) {
        if (remote.endOffset >= candidate) continue
        const counts =
          this.inSync.maximal.has(remote.brokerId) ||
          (remote.endOffset >= 0 &&
            remote.isCaughtUp(leaderEnd, now, this.#host.replicaLagTimeMaxMs) &&
            this.#host.isEligible(remote.brokerId, remote.brokerEpoch))
        if (counts) candidate = remote.endOffset
      }
    }
    if (candidate >= 0) this.log.advanceHighWatermark(candidate)
  }

  #highWatermarkMoved(to: number, from: number): void {
    this.#host.life.trace.add('high-watermark', this.#host.name, { what: this.name, from, to })
    if (this.#isLeader) this.#commits.reached(to, this.#commitError())
    this.wakeReaders()
  }

  wakeReaders(): void {
    if (this.readWaits.size === 0) return
    for (const wait of [...this.readWaits]) wait.moved(this)
  }

  // --- followers -----------------------------------------------------------------------------------------------------

  /** A follower that may fetch here, or an error as R-7 has it. */
  remoteOrThrow(brokerId: number, believedEpoch: number, brokerEpoch: number): RemoteReplica {
    const remote = this.remotes.get(brokerId)
    if (remote === undefined) {
      throw new KafkaError(believedEpoch >= 0 ? 'UNKNOWN_LEADER_EPOCH' : 'NOT_LEADER_OR_FOLLOWER')
    }
    if (brokerEpoch >= 0 && brokerEpoch < remote.brokerEpoch) throw new KafkaError('NOT_LEADER_OR_FOLLOWER')
    return remote
  }

  /** A follower's fetch was read, and did not diverge: what it says of its log moves the high watermark and the set. */
  followerFetched(
    remote: RemoteReplica,
    fetch: { readonly fetchOffset: number; readonly logStartOffset: number; readonly brokerEpoch: number },
  ): void {
    const end = this.log.endOffset
    remote.fetched(fetch.fetchOffset, fetch.logStartOffset, end, fetch.brokerEpoch, this.#host.life.now())
    this.#maybeExpand(remote)
    this.#advance()
    this.deletions.check()
  }

  /** at the high watermark, and past the start of this leader's epoch, it may join. */
  #maybeExpand(remote: RemoteReplica): void {
    if (this.inSync.pending !== undefined || this.inSync.maximal.has(remote.brokerId)) return
    if (remote.endOffset < this.log.highWatermark || remote.endOffset < this.#leaderEpochStart) return
    if (!this.#host.isEligible(remote.brokerId, remote.brokerEpoch)) return
    this.#propose('expand', [...this.inSync.committed, remote.brokerId])
  }

  /** who has not been at the end for `replica.lag.time.max.ms` leaves. Answers whether anybody is still behind. */
  checkLag(now: number): boolean {
    if (!this.#isLeader) return false
    if (this.inSync.pending === undefined) {
      const end = this.log.endOffset
      const members = this.inSync.committed.filter(brokerId => {
        const remote = this.remotes.get(brokerId)
        return remote === undefined || remote.isCaughtUp(end, now, this.#host.replicaLagTimeMaxMs)
      })
      if (members.length < this.inSync.committed.length) this.#propose('shrink', members)
    }
    return this.hasLaggard()
  }

  /** Some in-sync follower is not at the end: time may make it leave. */
  hasLaggard(): boolean {
    if (!this.#isLeader) return false
    const end = this.log.endOffset
    for (const brokerId of this.inSync.committed) {
      const remote = this.remotes.get(brokerId)
      if (remote !== undefined && remote.endOffset !== end) return true
    }
    return false
  }

  #watchLag(): void {
    if (this.#isLeader && this.remotes.size > 0 && this.hasLaggard()) this.#host.watchLag()
  }

  #propose(kind: 'expand' | 'shrink', members: readonly number[]): void {
    this.inSync.propose({ kind, members })
    this.#host.life.trace.add('isr-change', this.#host.name, { what: `${this.name} proposed`, kind, inSync: members })
    this.#host.proposeInSyncReplicas(this)
  }

  /** The controller's answer to AlterPartition: news only with a newer partition epoch. */
  altered(state: PartitionImage): void {
    if (!this.#isLeader || state.partitionEpoch <= this.#state.partitionEpoch) return
    this.#state = state
    this.inSync.confirm(state.inSyncReplicas)
    this.#host.life.trace.add('isr-change', this.#host.name, { what: this.name, inSync: state.inSyncReplicas })
    this.#advance()
    this.wakeReaders()
  }

  /** The controller refuses: the change is dropped, a later fetch or check proposes again. */
  dropProposal(): void {
    this.inSync.drop()
    this.#advance()
    this.#watchLag()
  }

  leapt(ms: number): void {
    for (const remote of this.remotes.values()) remote.leapt(ms)
  }
}
