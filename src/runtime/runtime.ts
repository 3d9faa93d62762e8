import type { Random } from './random.ts'
import type { Trace } from './trace.ts'

/** A timer that has not fired yet; cancelling one that has fired changes nothing. */
export interface Timer {
  cancel(): void
}

export interface TimerOptions {
  /**
   * What happens here is housekeeping: it never counts as progress of the test (see `patienceMs`).
   * Left out, an event inherits it from the event that scheduled it.
   */
  readonly housekeeping?: boolean
  /**
   * In a calm world this timer would change nothing: virtual time may leap over it (it is moved along).
   * Implies `housekeeping`.
   */
  readonly idle?: boolean
}

/** A promise with its handles. Settled through the runtime, so that virtual time knows that somebody will go on. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  readonly settled: boolean
  resolve(value: T): void
  reject(error: unknown): void
}

export interface DriveOptions {
  /** It has a deadline of its own: patience does not end it. */
  readonly patient?: boolean
  /**
   * A poll: if nothing else drives and polls end empty (see `progressed`), time is paced to real time. What it schedules
   * by itself is housekeeping.
   */
  readonly poll?: boolean
}

/** A pending call of the test; ended once it has settled. */
export interface Drive {
  end(): void
}

export interface OutsideOptions {
  /** Default true. False: it has no need of us, so that no call that begins meanwhile makes time run. */
  readonly callsBack?: boolean
}

/** What the user's code promised or answered, or will once it is called. */
export type Theirs<T> = PromiseLike<T> | T | (() => PromiseLike<T> | T)

/**
 * The only clock, the only dice, and the only way to make a promise that somebody else settles.
 * Handed to every constructor that needs it; globals are never patched.
 */
export interface Runtime {
  readonly time: 'virtual' | 'real'
  readonly trace: Trace
  readonly random: Random
  /** Milliseconds since the epoch. */
  now(): number
  /**
   * Runs `run` after `ms` milliseconds (never, if that is Infinity); a `run` that goes on asynchronously returns its
   * promise. What it throws is a bug: pending calls reject with it, later ones too.
   */
  after(ms: number, run: () => unknown, options?: TimerOptions): Timer
  sleep(ms: number, options?: TimerOptions): Promise<void>
  deferred<T = void>(): Deferred<T>
  /** An integer from 0 to n − 1, drawn under a name: every tie and every draw goes through here. */
  choose(name: string, n: number): number
  /** A call of the test: while it is pending, virtual time runs. `what` names it in errors. Rejects once time has ended. */
  drive<T>(what: string, call: () => Promise<T> | T, options?: DriveOptions): Promise<T>
  /** The same with a handle; `giveUp` is told when time cannot bring it about. Throws once time has ended. */
  begin(what: string, giveUp: (reason: Error) => void, options?: DriveOptions): Drive
  /**
   * Our code awaits the user's: time stands still until it settles, at most `outsideMs`. A function is called at once, and
   * may call us in its first breath; what is handed in as a promise may only do so later.
   */
  outside<T>(what: string, theirs: Theirs<T>, options?: OutsideOptions): Promise<T>
  /** The reverse: user code that we await waits for us. Time may run until `promise` settles, but is not driven. */
  inside<T>(promise: PromiseLike<T> | T): Promise<T>
  /** A poll found something: what polls find is no idling (see `DriveOptions.poll`). */
  progressed(): void
  /**
   * Settles when `condition` holds: asked now, and then after every event of virtual time, or every few milliseconds of
   * real time. What `condition` throws rejects it. `cancel` leaves the promise unsettled.
   */
  until(condition: () => boolean): { readonly promise: Promise<void>; cancel(): void }
  /** Told when virtual time leapt over `ms` of idle housekeeping: whoever keeps stamps of contact moves them along. */
  onLeap(moved: (ms: number) => void): () => void
  /** What is being waited for, asked for when a call has to be given up. */
  explain(reasons: () => readonly string[]): () => void
  /** Somebody waits, until the answer is called, for time that others have to drive: who waits in vain is named. */
  ride(what: string): () => void
  /** Ends time: no timer fires any more, pending drives reject with `reason`. */
  close(reason: Error): Promise<void>
}
