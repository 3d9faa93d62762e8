import type { Runtime } from '../runtime/runtime.ts'
import type { TraceKind } from '../runtime/trace.ts'
import { VirtualRuntime } from '../runtime/virtual.ts'
import type { BrokerHandle } from './broker-handle.ts'
import { WaitTimeoutError, waitUntil } from './wait.ts'

/** Frames are on their way for less; what is due later is a timer. */
const IN_FLIGHT_MS = 10
const QUIET_MS = 100
/** What cannot settle, because of a fault that lasts, is given this much of the cluster's time. */
const LIMIT_MS = 5_000

const PROGRESS: ReadonlySet<TraceKind> = new Set<TraceKind>(['append', 'high-watermark', 'truncate', 'leader', 'node'])

/**
 * Lets time run until nothing is in flight: no call of a client but polls, no frame, no append that its in-sync replicas
 * do not have. On real time: until nothing was written for 100 ms. After 5,000 ms at the most.
 */
export async function settle(runtime: Runtime, brokers: readonly BrokerHandle[]): Promise<void> {
  if (runtime instanceof VirtualRuntime) await settleVirtual(runtime, brokers)
  else await settleReal(runtime)
}

async function settleVirtual(runtime: VirtualRuntime, brokers: readonly BrokerHandle[]): Promise<void> {
  // What was called just now and not awaited gets to begin.
  await runtime.drive('settle()', () => runtime.sleep(0, { housekeeping: false }), { patient: true })
  const isSettled = () => runtime.isQuiet(IN_FLIGHT_MS) && isReplicated(brokers)
  try {
    await waitUntil(runtime, 'settle()', isSettled, { timeoutMs: LIMIT_MS })
  } catch (error) {
    if (!(error instanceof WaitTimeoutError)) throw error
  }
}

async function settleReal(runtime: Runtime): Promise<void> {
  let progress = 0
  const stop = runtime.trace.listen(event => {
    if (PROGRESS.has(event.kind)) progress++
  })
  const endsAt = runtime.now() + LIMIT_MS
  try {
    let before = -1
    while (before !== progress && runtime.now() < endsAt) {
      before = progress
      await runtime.drive('settle()', () => runtime.sleep(QUIET_MS), { patient: true })
    }
  } finally {
    stop()
  }
}

/** Whatever a leader that runs has appended is below its high watermark. */
function isReplicated(brokers: readonly BrokerHandle[]): boolean {
  return brokers.every(handle => {
    if (!handle.isRunning || handle.broker === undefined) return true
    for (const { isLeader, log } of handle.broker.replicas) {
      if (isLeader && log.highWatermark < log.endOffset) return false
    }
    return true
  })
}
