/** What a leader knows of one follower (R-1; Kafka's Replica and ReplicaState). Times are milliseconds since the epoch. */
export class RemoteReplica {
  readonly brokerId: number
  /** −1: unknown since this leader took over. */
  endOffset = -1
  startOffset = -1
  /** Of the fetch that came last; −1: any. */
  brokerEpoch = -1
  lastCaughtUpAt = 0
  #lastFetchAt = 0
  #leaderEndAtLastFetch = 0

  constructor(brokerId: number) {
    this.brokerId = brokerId
  }

  /** A new leader epoch: nothing is known of it; a member counts as caught up now. */
  reset(now: number, isInSync: boolean): void {
    this.endOffset = -1
    this.startOffset = -1
    this.lastCaughtUpAt = isInSync ? now : 0
    this.#lastFetchAt = 0
    this.#leaderEndAtLastFetch = 0
  }

  /**
   * A fetch at an offset says that the follower's log ends there. It counts as caught up from the fetch that
   * reached the end the leader had then, or, one fetch later, the end it had at the fetch before.
   */
  fetched(fetchOffset: number, startOffset: number, leaderEnd: number, brokerEpoch: number, now: number): void {
    if (fetchOffset >= leaderEnd) this.lastCaughtUpAt = Math.max(now, this.lastCaughtUpAt)
    else if (fetchOffset >= this.#leaderEndAtLastFetch) {
      this.lastCaughtUpAt = Math.max(this.#lastFetchAt, this.lastCaughtUpAt)
    }
    this.endOffset = fetchOffset
    this.startOffset = startOffset
    this.brokerEpoch = brokerEpoch
    this.#leaderEndAtLastFetch = leaderEnd
    this.#lastFetchAt = now
  }

  /** at the leader's end it never lags, however long it has been silent. */
  isCaughtUp(leaderEnd: number, now: number, maxLagMs: number): boolean {
    return this.endOffset === leaderEnd || now - this.lastCaughtUpAt <= maxLagMs
  }

  /** Time leapt over idle fetches that would have come. */
  leapt(ms: number): void {
    this.lastCaughtUpAt += ms
    this.#lastFetchAt += ms
  }
}
