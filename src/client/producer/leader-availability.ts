import type { Runtime } from '../../runtime/runtime.ts'

/**
 * Leaders that could not be sent what is ready for them for `partitioner.availability.timeout.ms`: the sticky partitioner
 * leaves their partitions out (KIP-794, C-13; Kafka's RecordAccumulator.updateNodeLatencyStats). Counted from the first
 * attempt in vain, not from the last that went well, so that a leader that merely had nothing to do is not left out.
 */
export class LeaderAvailability {
  readonly #runtime: Runtime
  readonly #timeoutMs: number
  /** Broker id → when it was first found not ready. */
  readonly #blockedSince = new Map<number, number>()

  /** `timeoutMs` of 0: every leader counts as available. */
  constructor(runtime: Runtime, timeoutMs: number) {
    this.#runtime = runtime
    this.#timeoutMs = timeoutMs
  }

  /** Something was ready for the broker: it could be sent, or not. */
  tried(brokerId: number, couldBeSent: boolean): void {
    if (this.#timeoutMs <= 0) return
    if (couldBeSent) this.#blockedSince.delete(brokerId)
    else if (!this.#blockedSince.has(brokerId)) this.#blockedSince.set(brokerId, this.#runtime.now())
  }

  isAvailable(brokerId: number): boolean {
    if (this.#timeoutMs <= 0) return true
    const since = this.#blockedSince.get(brokerId)
    return since === undefined || this.#runtime.now() - since <= this.#timeoutMs
  }
}
