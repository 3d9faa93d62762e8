import type { Runtime } from '../runtime/runtime.ts'
import { refuseUnknown } from './options.ts'

export interface WaitOptions {
  /** On the cluster's time. Default 60,000 of virtual and 3,000 of real time: before a runner's five seconds are over. */
  readonly timeoutMs?: number
  /** What was waited for, and how things stand: asked when the time is up. */
  readonly describe?: string | (() => string)
}

/** On real time a wait gives up before a runner's five seconds are over, so that it can say what it saw. */
export function defaultTimeoutMs({ time }: Pick<Runtime, 'time'>): number {
  return time === 'virtual' ? 60_000 : 3_000
}

/** Members of a classic group hear of a rebalance with their next heartbeat: 3,000 ms (`heartbeat.interval.ms`). */
export function defaultStableTimeoutMs(runtime: Pick<Runtime, 'time'>): number {
  return runtime.time === 'virtual' ? defaultTimeoutMs(runtime) : 4_500
}

/** What a group has read counts when it has committed: by itself that is 5,000 ms later (`auto.commit.interval.ms`). */
export function defaultConsumedTimeoutMs(runtime: Pick<Runtime, 'time'>): number {
  return runtime.time === 'virtual' ? defaultTimeoutMs(runtime) : 10_000
}

/** A condition did not come true in time. */
export class WaitTimeoutError extends Error {
  override readonly name = 'WaitTimeoutError'

  /** The same error, of the same place, with what there is to say. */
  tell(message: string): this {
    this.stack = `${this.name}: ${message}\n${(this.stack ?? '').split('\n').slice(1).join('\n')}`
    this.message = message
    return this
  }
}

/** Lets time run until `condition` holds: asked after every event of virtual time. */
export async function waitUntil(
  runtime: Runtime,
  what: string,
  condition: () => boolean,
  options: WaitOptions = {},
): Promise<void> {
  refuseUnknown(`option of ${what}`, options, ['timeoutMs', 'describe'])
  const { timeoutMs = defaultTimeoutMs(runtime), describe } = options
  // Where the test called: the timer that gives up knows nothing of it.
  const caller = new WaitTimeoutError()
  await runtime.drive(
    what,
    async () => {
      const held = runtime.until(condition)
      const late = runtime.deferred<never>()
      const timer = runtime.after(
        timeoutMs,
        () => {
          const said = typeof describe === 'function' ? describe() : describe
          const message = `${what} waited ${timeoutMs} ms${said === undefined ? '' : `: ${said}`}`
          late.reject(caller.tell(message))
        },
        { housekeeping: false },
      )
      try {
        await Promise.race([held.promise, late.promise])
      } finally {
        timer.cancel()
        held.cancel()
      }
    },
    { patient: true },
  )
}
