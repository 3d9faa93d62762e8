import { fetch } from '../apis/fetch.ts'
import { listOffsets } from '../apis/list-offsets.ts'
import type { Life } from '../node/life.ts'
import type { PeerLink } from '../node/peer-link.ts'
import type { RequestInput, ResponseOf } from '../wire/api.ts'
import { errorCodes, errorOf, KafkaError } from '../wire/errors.ts'
import type { Partition } from './partition.ts'
import type { ReplicationQuota } from './replication-quotas.ts'

export interface ReplicaFetcherOptions {
  readonly life: Life
  readonly link: PeerLink
  readonly brokerId: number
  readonly name: string
  readonly leaderId: number
  readonly brokerEpoch: () => number
  readonly mutants: ReadonlySet<string>
  readonly quota: ReplicationQuota
  /** `replica.fetch.wait.max.ms`, `.min.bytes`, `.max.bytes`, `.response.max.bytes`, `.backoff.ms`; R-38. */
  readonly waitMaxMs: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly responseMaxBytes: number
  readonly backoffMs: number
  /** `replica.socket.timeout.ms`. */
  readonly timeoutMs: number
}

type FetchedPartition = ResponseOf<typeof fetch>['responses'][number]['partitions'][number]
type AskedPartition = RequestInput<typeof fetch>['topics'][number]['partitions'][number]

const LATEST = -1
const EARLIEST = -2

interface Following {
  readonly partition: Partition
  /** Under which it is followed: with a new one it is asked for anew. */
  leaderEpoch: number
  /** After an error nothing is fetched until then. */
  delayedUntil: number
  /** What the leader's session knows of our position, as text. */
  told: string
  /** It had all that was committed when it last heard. */
  isCaughtUp: boolean
}

/** Follows one leader broker: fetches all partitions that this broker replicates from it, one request at a time. */
export class ReplicaFetcher {
  readonly #options: ReplicaFetcherOptions
  readonly #following = new Map<string, Following>()
  #forgotten: Partition[] = []
  #sessionId = 0
  #sessionEpoch = 0
  #inFlight = false
  /** Writes, truncations and questions that the last answer led to: the next fetch waits for them. */
  #working = 0
  #generation = 0
  #retry: { cancel(): void } | undefined

  constructor(options: ReplicaFetcherOptions) {
    this.#options = options
  }

  get isIdle(): boolean {
    return this.#following.size === 0
  }

  add(partition: Partition): void {
    const { leaderEpoch } = partition
    const known = this.#following.get(keyOf(partition))
    const isSame = known?.partition === partition && known.leaderEpoch === leaderEpoch
    if (isSame && known.delayedUntil <= this.#options.life.now()) {
      // Another in-sync set, the same leader epoch: what is on its way is as good as before (Partition.makeFollower).
      this.#fetch()
      return
    }
    if (known?.partition === partition) Object.assign(known, { leaderEpoch, delayedUntil: 0 })
    else this.#following.set(keyOf(partition), { partition, leaderEpoch, delayedUntil: 0, told: '', isCaughtUp: false })
    this.#changed('another partition is to be followed')
  }

  remove(partition: Partition): void {
    const known = this.#following.get(keyOf(partition))
    if (known?.partition !== partition) return
    this.#following.delete(keyOf(partition))
    this.#forgotten.push(partition)
    if (this.#following.size === 0) this.#reset('nothing is left to follow')
  }

  stop(reason: string): void {
    this.#following.clear()
    this.#retry?.cancel()
    this.#reset(reason)
  }

  /** A fetch that waits at the leader knows nothing of the change: it is given up for a new one. */
  #changed(reason: string): void {
    if (this.#inFlight) this.#reset(reason)
    this.#fetch()
  }

  #reset(reason: string): void {
    this.#generation++
    this.#inFlight = false
    this.#newSession()
    this.#options.link.close(reason)
  }

  #newSession(): void {
    this.#sessionId = 0
    this.#sessionEpoch = 0
    this.#forgotten = []
    for (const following of this.#following.values()) following.told = ''
  }

  #fetch(): void {
    if (this.#inFlight || this.#working > 0 || this.#following.size === 0) return
    const { life, link, timeoutMs, backoffMs } = this.#options
    const now = life.now()
    const due: Following[] = []
    let nextDue = Number.POSITIVE_INFINITY
    for (const following of this.#following.values()) {
      if (following.delayedUntil > now) nextDue = Math.min(nextDue, following.delayedUntil)
      else if (!this.#isHeldBack(following)) due.push(following)
    }
    // Those that are held back are looked at again with the next fetch of others, or after a while.
    if (due.length === 0) nextDue = Math.min(nextDue, now + backoffMs)
    if (nextDue < Number.POSITIVE_INFINITY) this.#retryIn(nextDue - now)
    if (due.length === 0) return
    const generation = this.#generation
    this.#inFlight = true
    link.send(fetch, this.#request(due), timeoutMs, {
      onResponse: response => {
        if (generation === this.#generation) this.#received(response)
      },
      onLost: () => {
        if (generation === this.#generation) this.#lost()
      },
    })
  }

  /** KIP-73: too much was taken lately, and this one is still behind. */
  #isHeldBack({ isCaughtUp, partition }: Following): boolean {
    const { quota } = this.#options
    return quota.isInForce && !isCaughtUp && quota.covers(partition) && quota.isExceeded
  }

  #retryIn(ms: number): void {
    this.#retry?.cancel()
    this.#retry = this.#options.life.after(
      ms,
      () => {
        this.#retry = undefined
        this.#changed('a partition is fetched again')
      },
      { housekeeping: true },
    )
  }

  /** Incremental (KIP-227): only what the session does not know yet is said. */
  #request(due: readonly Following[]): RequestInput<typeof fetch> {
    const { brokerId, brokerEpoch, waitMaxMs, minBytes, responseMaxBytes } = this.#options
    const topics = new Map<string, AskedPartition[]>()
    for (const following of due) {
      const asked = this.#asked(following.partition)
      const told = `${asked.fetchOffset} ${asked.lastFetchedEpoch} ${asked.currentLeaderEpoch} ${asked.logStartOffset} ${asked.highWatermark}`
      if (told === following.told) continue
      following.told = told
      const list = topics.get(following.partition.topicId)
      if (list === undefined) topics.set(following.partition.topicId, [asked])
      else list.push(asked)
    }
    const forgotten = this.#forgotten
    this.#forgotten = []
    const dueNow = new Set(due)
    for (const following of this.#following.values()) {
      if (dueNow.has(following) || following.told === '') continue
      following.told = ''
      forgotten.push(following.partition)
    }
    return {
      replicaState: { replicaId: brokerId, replicaEpoch: brokerEpoch() },
      maxWaitMs: waitMaxMs,
      minBytes,
      maxBytes: responseMaxBytes,
      sessionId: this.#sessionId,
      sessionEpoch: this.#sessionEpoch,
      topics: [...topics].map(([topicId, partitions]) => ({ topicId, partitions })),
      forgottenTopicsData:
        this.#sessionId === 0 ? [] : forgotten.map(({ topicId, index }) => ({ topicId, partitions: [index] })),
    }
  }

  #asked(partition: Partition): AskedPartition {
    const { log } = partition
    return {
      partition: partition.index,
      currentLeaderEpoch: partition.leaderEpoch,
      fetchOffset: log.endOffset,
      lastFetchedEpoch: this.#options.mutants.has('no-truncation') ? -1 : log.leaderEpochs.latestEpoch,
      logStartOffset: log.startOffset,
      partitionMaxBytes: this.#options.maxBytes,
      highWatermark: log.highWatermark,
    }
  }

  #lost(): void {
    this.#inFlight = false
    this.#newSession()
    this.#retryIn(this.#options.backoffMs)
  }

  #received(response: ResponseOf<typeof fetch>): void {
    this.#inFlight = false
    if (response.errorCode !== errorCodes.NONE) {
      this.#newSession()
      this.#retryIn(this.#options.backoffMs)
      return
    }
    if (response.sessionId === 0) this.#newSession()
    else {
      this.#sessionId = response.sessionId
      this.#sessionEpoch = this.#sessionEpoch === 0x7fffffff ? 1 : this.#sessionEpoch + 1
    }
    for (const { topicId, partitions } of response.responses) {
      for (const answer of partitions) {
        const following = this.#following.get(`${topicId}/${answer.partitionIndex}`)
        if (following !== undefined) this.#take(following, answer)
      }
    }
    this.#fetch()
  }

  #take(following: Following, answer: FetchedPartition): void {
    const { partition } = following
    // The answer belongs to the leadership under which it was asked for.
    if (partition.isLeader || partition.leader !== this.#options.leaderId) return
    try {
      if (answer.errorCode !== errorCodes.NONE) this.#refused(following, answer.errorCode)
      else if (answer.divergingEpoch.endOffset >= 0) this.#diverged(following, answer.divergingEpoch)
      else this.#append(following, answer)
    } catch (error) {
      this.#failed(following, error)
    }
  }

  /** P-24, R-14: the leader's high watermark and log start count after its data is appended. */
  #append(following: Following, answer: FetchedPartition): void {
    const { partition } = following
    const { life, name } = this.#options
    const { log, leaderEpoch } = partition
    const before = log.endOffset
    const { quota } = this.#options
    if (quota.isInForce && quota.covers(partition)) quota.record(answer.records?.byteLength ?? 0)
    const finish = () => {
      following.isCaughtUp = log.endOffset >= answer.highWatermark
      if (log.endOffset > before) {
        life.trace.add('append', name, { what: partition.name, replicated: log.endOffset - before, end: log.endOffset })
      }
      // The store took its time, and somebody else leads by now, this broker maybe: the old leader is not to be heard.
      if (partition.leaderEpoch !== leaderEpoch) return
      log.setHighWatermark(Math.min(answer.highWatermark, log.endOffset))
      if (answer.logStartOffset > log.startOffset) log.raiseStartOffset(answer.logStartOffset)
    }
    if (answer.records === null || answer.records.byteLength === 0) {
      finish()
      return
    }
    const options = { leaderEpoch, now: life.now() }
    const appended = log.appendAsFollower(answer.records.batches(), options)
    if (appended instanceof Promise) this.#later(following, appended, finish)
    else finish()
  }

  /** down to where both logs last agreed on an epoch; it may take several rounds. */
  #diverged(following: Following, leader: { readonly epoch: number; readonly endOffset: number }): void {
    const { partition } = following
    const { log } = partition
    const own = log.endOffsetForEpoch(leader.epoch)
    const to =
      own.endOffset < 0
        ? Math.min(leader.endOffset, log.endOffset)
        : own.leaderEpoch === leader.epoch
          ? Math.min(leader.endOffset, own.endOffset, log.endOffset)
          : Math.min(own.endOffset, log.endOffset)
    this.#truncate(following, to, `diverged after epoch ${leader.epoch}`)
  }

  #truncate(following: Following, to: number, why: string): void {
    const { life, name } = this.#options
    const { log } = following.partition
    const from = log.endOffset
    const highWatermark = log.highWatermark
    const truncated = log.truncateTo(to, life.now())
    const note = (end: number) => {
      life.trace.add('truncate', name, {
        what: following.partition.name,
        from,
        to: end,
        why,
        ...(end < highWatermark ? { belowHighWatermark: highWatermark } : {}),
      })
    }
    if (truncated instanceof Promise) this.#later(following, truncated, note)
    else note(truncated)
  }

  #later<T>(following: Following, work: Promise<T>, done: (value: T) => void): void {
    this.#working++
    this.#options.life.guard(work).then(
      value => {
        done(value)
        this.#worked()
      },
      error => {
        this.#failed(following, error)
        this.#worked()
      },
    )
  }

  #worked(): void {
    this.#working--
    this.#fetch()
  }

  #refused(following: Following, code: number): void {
    if (code === errorCodes.OFFSET_OUT_OF_RANGE) {
      this.#outOfRange(following)
      return
    }
    const { life, name, backoffMs, leaderId } = this.#options
    const { partition } = following
    life.trace.add('follower', name, { what: partition.name, leader: leaderId, refused: errorOf(code).name })
    following.delayedUntil = life.now() + backoffMs
  }

  #failed(following: Following, error: unknown): void {
    const { life, name, backoffMs } = this.#options
    if (!(error instanceof KafkaError)) throw error
    life.trace.add('follower', name, { what: following.partition.name, failed: error.message })
    following.delayedUntil = life.now() + backoffMs
  }

  /** the leader's end and start say what to do. */
  #outOfRange(following: Following): void {
    const { partition } = following
    this.#leaderOffset(following, LATEST, end => {
      if (end < partition.log.endOffset) this.#truncate(following, end, 'the leader ends there')
      else {
        this.#leaderOffset(following, EARLIEST, start => {
          if (start > partition.log.endOffset) this.#restartAt(following, start)
        })
      }
    })
  }

  #restartAt(following: Following, start: number): void {
    const { life, name } = this.#options
    const { log, name: what } = following.partition
    life.trace.add('truncate', name, { what, from: log.endOffset, to: start, why: 'the leader begins there' })
    const done = log.truncateFullyAndStartAt(start)
    if (done instanceof Promise) this.#later(following, done, () => {})
  }

  #leaderOffset(following: Following, timestamp: number, found: (offset: number) => void): void {
    const { link, brokerId, timeoutMs, life, backoffMs } = this.#options
    const { partition } = following
    const asked = { partitionIndex: partition.index, currentLeaderEpoch: partition.leaderEpoch, timestamp }
    this.#working++
    const unknown = () => {
      following.delayedUntil = life.now() + backoffMs
      this.#worked()
    }
    link.send(
      listOffsets,
      { replicaId: brokerId, isolationLevel: 0, topics: [{ name: partition.topic, partitions: [asked] }], timeoutMs },
      timeoutMs,
      {
        onResponse: response => {
          const answer = response.topics[0]?.partitions[0]
          if (answer?.errorCode !== errorCodes.NONE) {
            unknown()
            return
          }
          found(answer.offset)
          this.#worked()
        },
        onLost: unknown,
      },
    )
  }
}

function keyOf(partition: Partition): string {
  return `${partition.topicId}/${partition.index}`
}
