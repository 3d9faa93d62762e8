import { elapsed, realTimer } from './real.ts'
import type { Timer } from './runtime.ts'

/** Virtual milliseconds of nothing but empty polls after which time is paced. */
export const PACED_AFTER_MS = 60_000

/** Virtual time at the pace of the real clock: so that a background loop of empty polls does not race through hours. */
export class Pace {
  readonly #warn: (text: string) => void
  #idlingSince: number
  #idledUntil: number
  #warned = false
  /** While time is paced: virtual and real time that belong together. */
  #from: { readonly at: number; readonly real: number } | undefined
  /** What the real clock is awaited for. */
  #wait: { readonly until: number; readonly timer: Timer } | undefined

  constructor(now: number, warn: (text: string) => void) {
    this.#idlingSince = now
    this.#idledUntil = now
    this.#warn = warn
  }

  /** Empty polls, and nothing else, have taken long enough. A poll that is still pending does not count yet. */
  get isDue(): boolean {
    return this.#idledUntil - this.#idlingSince >= PACED_AFTER_MS
  }

  /** A poll ended; if it found something, `progressed` said so. */
  polled(now: number): void {
    this.#idledUntil = now
  }

  /** Something other than an empty poll. */
  progressed(now: number): void {
    this.#idlingSince = now
    this.#idledUntil = now
    this.#from = undefined
  }

  /** Real time passed that does not count: time stood still. */
  stoodStill(): void {
    this.#from = undefined
  }

  /** The real clock is awaited. */
  get isWaiting(): boolean {
    return this.#wait !== undefined
  }

  /** False: the real clock has come as far as `until`. Otherwise `run` is called when it has. */
  wait(now: number, until: number, run: () => void): boolean {
    if (!this.#warned) {
      this.#warned = true
      this.#warn(
        `mini-kafka: for ${PACED_AFTER_MS / 1000} s of virtual time there was nothing but empty polls, so time now runs ` +
          "at the pace of the real clock. A service that polls in the background wants time: 'real'.",
      )
    }
    this.#from ??= { at: now, real: elapsed() }
    const ms = until - this.#reached(this.#from)
    if (ms <= 0) return false
    this.#wait = { until, timer: realTimer(ms, run) }
    return true
  }

  /** Ends the wait, if there is one. Answers how far virtual time has come, which is never past what was awaited. */
  interrupt(now: number): number {
    if (this.#wait === undefined) return now
    const { until, timer } = this.#wait
    timer.cancel()
    this.#wait = undefined
    return this.#from === undefined ? now : Math.min(until, Math.max(now, Math.floor(this.#reached(this.#from))))
  }

  #reached({ at, real }: { readonly at: number; readonly real: number }): number {
    return at + elapsed() - real
  }
}
