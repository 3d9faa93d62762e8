import { ConfigError } from '../../wire/errors.ts'
import { Cluster } from '../cluster.ts'
import type { WaitOptions } from '../wait.ts'

/** What a runner calls a matcher with. */
export interface MatcherContext {
  readonly isNot?: boolean
}

export interface MatcherResult {
  readonly pass: boolean
  message(): string
}

/** On real time a matcher gives up before a runner's five seconds are over, so that it can say what it saw. */
const REAL_TIMEOUT_MS = 3_000

export function timeoutOf(cluster: Cluster, { timeoutMs }: Pick<WaitOptions, 'timeoutMs'>): { timeoutMs?: number } {
  if (timeoutMs !== undefined) {
    if (!(timeoutMs >= 0)) throw new ConfigError(`timeoutMs takes milliseconds, 0 or more, not ${timeoutMs}`)
    return { timeoutMs }
  }
  return cluster.clock.kind === 'virtual' ? {} : { timeoutMs: REAL_TIMEOUT_MS }
}

/** How long was waited, for messages. */
export function within(cluster: Cluster, options: Pick<WaitOptions, 'timeoutMs'>): string {
  const { timeoutMs = 60_000 } = timeoutOf(cluster, options)
  return `within ${timeoutMs} ms of ${cluster.clock.kind} time`
}

export function clusterOf(received: unknown, matcher: string): Cluster {
  if (received instanceof Cluster) return received
  // A cluster of another copy of this package: ES module beside CommonJS.
  if (typeof (received as Cluster | null)?.assertFaultsFired === 'function') return received as Cluster
  throw new ConfigError(`${matcher} is about a cluster: expect(cluster).${matcher}(…)`)
}
