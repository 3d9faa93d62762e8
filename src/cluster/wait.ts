import type { Runtime } from '../runtime/runtime.ts'

export interface WaitOptions {
  /** On the cluster's time. Default 60,000 of virtual and 5,000 of real time. */
  readonly timeoutMs?: number
  /** What was waited for, and how things stand: asked when the time is up. */
  readonly describe?: string | (() => string)
}

/** A condition did not come true in time. */
export class WaitTimeoutError extends Error {
  override readonly name = 'WaitTimeoutError'
}

/** Lets time run until `condition` holds: asked after every event of virtual time. */
export async function waitUntil(
  runtime: Runtime,
  what: string,
  condition: () => boolean,
  options: WaitOptions = {},
): Promise<void> {
  const { timeoutMs = runtime.time === 'virtual' ? 60_000 : 5_000, describe } = options
  await runtime.drive(
    what,
    async () => {
      const held = runtime.until(condition)
      const late = runtime.deferred<never>()
      const timer = runtime.after(
        timeoutMs,
        () => {
          const said = typeof describe === 'function' ? describe() : describe
          late.reject(new WaitTimeoutError(`${what} waited ${timeoutMs} ms${said === undefined ? '' : `: ${said}`}`))
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
