import { realTimer } from './real.ts'
import { Roster } from './roster.ts'
import type { Timer } from './runtime.ts'

/** Real milliseconds between two looks. */
const LOOK_MS = 500
/** Looks that found time standing still, before it is told: sooner than a runner's five seconds are over. */
const LOOKS_UNTIL_TOLD = 6

interface Rider {
  readonly what: string
}

export interface StandstillOptions {
  /** Changes whenever virtual time has run, or runs. */
  readonly moved: () => number
  /** A call is pending that drives time, or real I/O of the test is awaited. */
  readonly isDriven: () => boolean
  /** Virtual milliseconds since the beginning. */
  readonly at: () => number
  readonly warn: (text: string) => void
}

/**
 * Watches over those who ride virtual time and do not drive it: where nobody drives, they wait for ever, and a test that
 * awaits one of them hangs without a word. After three seconds of the real clock they are named, once.
 */
export class Standstill {
  readonly #options: StandstillOptions
  readonly #riders = new Roster<Rider>()
  #timer: Timer | undefined
  #moved = -1
  /** How many looks in a row found nothing moved. */
  #looks = 0
  #isTold = false
  /** What there was to say when it was closed. */
  #last: string | undefined

  constructor(options: StandstillOptions) {
    this.#options = options
  }

  /** Somebody waits for time to be driven by others; ends when that is called. */
  ride(what: string): () => void {
    const rider = { what }
    this.#riders.add(rider)
    if (!this.#isTold && this.#timer === undefined) this.#arm()
    return () => {
      if (!this.#riders.delete(rider) || this.#riders.size > 0) return
      this.#timer?.cancel()
      this.#timer = undefined
      this.#looks = 0
    }
  }

  /** Who rides now. */
  waiting(): string[] {
    return [...this.#riders].map(({ what }) => what)
  }

  /** What to say of a time that stands still; undefined if it does not, or it has been said. */
  tell(): string | undefined {
    const last = this.#last
    this.#last = undefined
    if (last !== undefined) return last
    if (this.#isTold || this.#looks === 0 || this.#riders.size === 0 || this.#options.isDriven()) return undefined
    this.#isTold = true
    return (
      `mini-kafka: virtual time stands still at ${this.#options.at()} ms: ${this.waiting().join('; ')}, and no call of ` +
      'yours is pending that drives time: poll(), or hand the loop to cluster.run(…), or wait with cluster.runUntil(…). ' +
      "A service that is to run by itself wants time: 'real'."
    )
  }

  /** The end begins: those who ride are about to be let go. What there was to say can still be asked for. */
  close(): void {
    this.#last ??= this.tell()
    this.#isTold = true
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #arm(): void {
    this.#timer = realTimer(LOOK_MS, () => this.#look(), { unref: true })
  }

  #look(): void {
    this.#timer = undefined
    const moved = this.#options.moved()
    if (moved !== this.#moved || this.#options.isDriven()) this.#looks = 0
    else this.#looks++
    this.#moved = moved
    if (this.#looks >= LOOKS_UNTIL_TOLD) {
      const text = this.tell()
      if (text !== undefined) this.#options.warn(text)
    }
    if (!this.#isTold) this.#arm()
  }
}
