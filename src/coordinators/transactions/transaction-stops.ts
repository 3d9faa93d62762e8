import type { Deferred, Runtime } from '../../runtime/runtime.ts'

/**
 * Where the end of a transaction can be held: before its decision is written (`PREPARE`), before the first marker goes out,
 * after the n-th marker was written, before the completion is written.
 */
export type TransactionStep = 'before PREPARE' | 'after PREPARE' | `after marker ${number}` | 'before COMPLETE'

/** One end of a transaction that a test wants to hold at one of its steps. */
export interface TransactionStop {
  readonly transactionalId: string
  readonly step: TransactionStep
  /** Settles when a coordinator has come there and waits. */
  readonly reached: Promise<void>
  readonly isReached: boolean
  /** The coordinator goes on, or will not stop at all. */
  lift(): void
}

/** The stops, as a coordinator meets them. */
export interface TransactionSteps {
  /** What a coordinator that comes to a step has to wait for; undefined: nothing. */
  at(transactionalId: string, step: TransactionStep): Promise<void> | undefined
  /** Whether the markers of a transaction are to be written one by one, so that one can stop between them. */
  isBetweenMarkers(transactionalId: string): boolean
}

interface Placed {
  readonly stop: TransactionStop
  readonly came: Deferred<void>
  readonly go: Deferred<void>
}

/**
 * The stops of a cluster, for all coordinators of all lives. One holds once: the coordinator that takes over after a crash
 * at a stop goes on. Without any, nothing is asked but whether the map is empty.
 */
export class TransactionStops implements TransactionSteps {
  readonly #placed = new Map<string, Placed>()
  /** Reached, and not lifted. */
  readonly #held = new Set<TransactionStop>()
  readonly #runtime: Runtime

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  place(transactionalId: string, step: TransactionStep): TransactionStop {
    const key = keyOf(transactionalId, step)
    const known = this.#placed.get(key)
    if (known !== undefined) return known.stop
    const came = this.#runtime.deferred()
    const go = this.#runtime.deferred()
    const stop: TransactionStop = {
      transactionalId,
      step,
      reached: came.promise,
      get isReached() {
        return came.settled
      },
      lift: () => {
        if (this.#placed.get(key)?.stop === stop) this.#placed.delete(key)
        this.#held.delete(stop)
        if (!go.settled) go.resolve()
      },
    }
    this.#placed.set(key, { stop, came, go })
    return stop
  }

  at(transactionalId: string, step: TransactionStep): Promise<void> | undefined {
    if (this.#placed.size === 0) return undefined
    const key = keyOf(transactionalId, step)
    const placed = this.#placed.get(key)
    if (placed === undefined) return undefined
    this.#placed.delete(key)
    this.#held.add(placed.stop)
    placed.came.resolve()
    return placed.go.promise
  }

  isBetweenMarkers(transactionalId: string): boolean {
    if (this.#placed.size === 0) return false
    const prefix = keyOf(transactionalId, 'after marker ')
    for (const key of this.#placed.keys()) if (key.startsWith(prefix)) return true
    return false
  }

  /** All coordinators go on. */
  liftAll(): void {
    for (const { stop } of [...this.#placed.values()]) stop.lift()
    for (const stop of [...this.#held]) stop.lift()
  }
}

function keyOf(transactionalId: string, step: string): string {
  return `${transactionalId} ${step}`
}
