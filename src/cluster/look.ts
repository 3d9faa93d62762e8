import type { Runtime } from '../runtime/runtime.ts'
import { defaultTimeoutMs } from './wait.ts'

export interface LookOptions {
  /** Whether it is so now; may have to read for it. */
  readonly look: () => boolean | Promise<boolean>
  /** Another value whenever another look may find something else: asked after every event of virtual time. */
  readonly changed: () => string | number
  /** On the cluster's time. Default 60,000 of virtual and 3,000 of real time. */
  readonly timeoutMs?: number
}

/** Lets time run until a look finds it so, and answers whether it did. Unlike `waitUntil` the look may be a promise. */
export async function lookUntil(runtime: Runtime, what: string, options: LookOptions): Promise<boolean> {
  const { look, changed, timeoutMs = defaultTimeoutMs(runtime) } = options
  return runtime.drive(
    what,
    async () => {
      const late = runtime.deferred<'late'>()
      const timer = runtime.after(timeoutMs, () => late.resolve('late'), { housekeeping: false })
      try {
        for (;;) {
          const before = changed()
          if (await look()) return true
          const moved = runtime.until(() => changed() !== before)
          const came = await Promise.race([moved.promise, late.promise])
          moved.cancel()
          if (came === 'late') return await look()
        }
      } finally {
        timer.cancel()
      }
    },
    { patient: true },
  )
}
