/** An aborted transaction in this log (I-23; TransactionIndex). */
export interface AbortedEntry {
  readonly producerId: number
  readonly firstOffset: number
  /** Of the marker. */
  readonly lastOffset: number
  /** What was stable once this marker stood: behind it a search may end. */
  readonly lastStableOffset: number
}

/** The index of aborted transactions, in order of their markers (I-23, F-9). */
export class AbortedTransactions {
  #entries: AbortedEntry[] | undefined

  get entries(): readonly AbortedEntry[] {
    return this.#entries ?? []
  }

  set entries(entries: readonly AbortedEntry[]) {
    this.#entries = entries.length === 0 ? undefined : [...entries]
  }

  add(entry: AbortedEntry): void {
    if (this.#entries === undefined) this.#entries = []
    this.#entries.push(entry)
  }

  /** Those that a reader of [from, upperBound) must know (F-9; collectAbortedTxns). */
  between(fromOffset: number, upperBoundOffset: number): AbortedEntry[] {
    const found: AbortedEntry[] = []
    for (const entry of this.#entries ?? []) {
      if (entry.lastOffset >= fromOffset && entry.firstOffset < upperBoundOffset) found.push(entry)
      if (entry.lastStableOffset >= upperBoundOffset) break
    }
    return found
  }

  truncateTo(endOffset: number): void {
    if (this.#entries !== undefined) this.entries = this.#entries.filter(entry => entry.lastOffset < endOffset)
  }

  trimBefore(startOffset: number): void {
    if (this.#entries !== undefined) this.entries = this.#entries.filter(entry => entry.lastOffset >= startOffset)
  }
}
