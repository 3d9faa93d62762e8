/** A change of the in-sync set that the controller has not confirmed yet. */
export interface PendingChange {
  readonly kind: 'expand' | 'shrink'
  readonly members: readonly number[]
}

/**
 * The in-sync set as its leader sees it: what the controller has confirmed, and at most one change on its way. While an
 * expansion is pending the joining member counts already, during a pending shrink the leaving one still counts:
 * what was committed is on every set that the controller may hold.
 */
export class InSyncReplicas {
  #committed: readonly number[] = []
  #pending: PendingChange | undefined
  #maximal: ReadonlySet<number> = new Set()

  get committed(): readonly number[] {
    return this.#committed
  }

  get pending(): PendingChange | undefined {
    return this.#pending
  }

  /** Every broker that must have a record before it counts as committed. */
  get maximal(): ReadonlySet<number> {
    return this.#maximal
  }

  /** What the controller says: whatever was on its way is decided. */
  confirm(members: readonly number[]): void {
    this.#committed = members
    this.#pending = undefined
    this.#maximal = new Set(members)
  }

  propose(change: PendingChange): void {
    this.#pending = change
    this.#maximal = new Set([...this.#committed, ...change.members])
  }

  /** The controller will not have it. */
  drop(): void {
    this.#pending = undefined
    this.#maximal = new Set(this.#committed)
  }
}
