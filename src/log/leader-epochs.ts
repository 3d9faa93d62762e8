/**
 * Which leader epoch began where (R-30, R-31; LeaderEpochFileCache). Entries ascend in both numbers; every change of the
 * log's two ends is mirrored here by `truncateFromEnd` and `truncateFromStart`.
 */
export interface LeaderEpochEntry {
  readonly leaderEpoch: number
  readonly startOffset: number
}

export interface EpochEndOffset {
  readonly leaderEpoch: number
  readonly endOffset: number
}

const undefinedEndOffset: EpochEndOffset = { leaderEpoch: -1, endOffset: -1 }
const ENTRY_BYTES = 12

export class LeaderEpochs {
  #entries: LeaderEpochEntry[] = []

  get entries(): readonly LeaderEpochEntry[] {
    return this.#entries
  }

  /** −1 while no epoch is known. */
  get latestEpoch(): number {
    return this.#entries.at(-1)?.leaderEpoch ?? -1
  }

  /** Start of the latest epoch; −1 while none is known. */
  get latestStartOffset(): number {
    return this.#entries.at(-1)?.startOffset ?? -1
  }

  /**
   * `leaderEpoch` begins at `startOffset`. Entries that could not stand before it are dropped, so that the list stays
   * monotonic. Answers whether anything changed.
   */
  assign(leaderEpoch: number, startOffset: number): boolean {
    const latest = this.#entries.at(-1)
    if (leaderEpoch < 0) return false
    if (latest !== undefined && leaderEpoch === latest.leaderEpoch && startOffset >= latest.startOffset) return false
    while (this.#entries.length > 0) {
      const last = this.#entries.at(-1)!
      if (last.leaderEpoch < leaderEpoch && last.startOffset < startOffset) break
      this.#entries.pop()
    }
    this.#entries.push({ leaderEpoch, startOffset })
    return true
  }

  /**
   * Where `leaderEpoch` ended, seen from a log that ends at `endOffset`: the latest epoch ends with the log, an
   * unknown one between two known ones gives the one below it, one beyond the latest gives (−1, −1).
   */
  endOffsetFor(leaderEpoch: number, endOffset: number): EpochEndOffset {
    const latest = this.latestEpoch
    if (leaderEpoch === -1 || leaderEpoch > latest) return undefinedEndOffset
    if (leaderEpoch === latest) return { leaderEpoch, endOffset }
    const floor = this.#floor(leaderEpoch)
    const higher = this.#entries[floor + 1]!
    const found = this.#entries[floor]
    return { leaderEpoch: found?.leaderEpoch ?? leaderEpoch, endOffset: higher.startOffset }
  }

  /** The epoch that `offset` was written in; −1 before the first. */
  epochOf(offset: number): number {
    for (let at = this.#entries.length - 1; at >= 0; at--) {
      const entry = this.#entries[at]!
      if (entry.startOffset <= offset) return entry.leaderEpoch
    }
    return -1
  }

  /** The log was cut at `endOffset`: what began there or behind is forgotten. */
  truncateFromEnd(endOffset: number): boolean {
    const before = this.#entries.length
    while (this.#entries.length > 0 && this.#entries.at(-1)!.startOffset >= endOffset) this.#entries.pop()
    return this.#entries.length !== before
  }

  /** The log begins at `startOffset` now: earlier epochs are forgotten, the one that covers it begins there. */
  truncateFromStart(startOffset: number): boolean {
    let covering = -1
    while (covering + 1 < this.#entries.length && this.#entries[covering + 1]!.startOffset <= startOffset) covering++
    if (covering < 0) return false
    const { leaderEpoch, startOffset: began } = this.#entries[covering]!
    if (covering === 0 && began === startOffset) return false
    this.#entries.splice(0, covering + 1, { leaderEpoch, startOffset })
    return true
  }

  clear(): void {
    this.#entries = []
  }

  toBytes(): Uint8Array {
    const bytes = new Uint8Array(this.#entries.length * ENTRY_BYTES)
    const view = new DataView(bytes.buffer)
    this.#entries.forEach(({ leaderEpoch, startOffset }, at) => {
      view.setInt32(at * ENTRY_BYTES, leaderEpoch)
      view.setFloat64(at * ENTRY_BYTES + 4, startOffset)
    })
    return bytes
  }

  static fromBytes(bytes: Uint8Array): LeaderEpochs {
    const epochs = new LeaderEpochs()
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
      epochs.assign(view.getInt32(at), view.getFloat64(at + 4))
    }
    return epochs
  }

  /** Index of the last entry with an epoch ≤ `leaderEpoch`; −1 for none. */
  #floor(leaderEpoch: number): number {
    let at = this.#entries.length - 1
    while (at >= 0 && this.#entries[at]!.leaderEpoch > leaderEpoch) at--
    return at
  }
}
