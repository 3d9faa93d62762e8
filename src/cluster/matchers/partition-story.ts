import { lineOf, type TraceEvent, type TraceKind } from '../../runtime/trace.ts'
import type { Cluster } from '../cluster.ts'
import type { PartitionView } from '../partition-view.ts'

const TOLD = 12

const KINDS: ReadonlySet<TraceKind> = new Set<TraceKind>([
  'append',
  'high-watermark',
  'truncate',
  'leader',
  'isr-change',
  'election',
  'reassignment',
  'retention',
  'compaction',
])

/** How a partition stands: one line. */
export function standing(view: PartitionView): string {
  const name = `${view.topic}-${view.partition}`
  const leader = view.leader === undefined ? 'no leader' : `leader broker-${view.leader} (epoch ${view.leaderEpoch})`
  const bounds =
    view.endOffset < 0
      ? 'which does not run'
      : `start ${view.startOffset}, last stable offset ${view.lastStableOffset}, ` +
        `high watermark ${view.highWatermark}, end ${view.endOffset}`
  return `${name}: ${leader}, ${bounds}, in sync [${view.inSyncReplicas}] of [${view.replicas}]`
}

/** What happened to a partition last, and what was broken meanwhile: lines of the trace. */
export function story(cluster: Cluster, topic: string, partition: number): string[] {
  const name = `${topic}-${partition}`
  const events = cluster.trace.events()
  const leaders = new Set(events.filter(event => event.kind === 'leader' && isOf(event, name)).map(({ who }) => who))
  const told = events.filter(event => {
    if (event.kind === 'fault' || event.kind === 'bug') return true
    if (event.kind === 'node') return event.fields.what !== 'starts' && event.fields.what !== 'stopped'
    if (!KINDS.has(event.kind) || !isOf(event, name)) return false
    // What followers copy, and what they hear of the high watermark, explains nothing.
    if (event.kind === 'append') return event.fields.replicated === undefined
    return event.kind !== 'high-watermark' || leaders.has(event.who)
  })
  if (told.length === 0) return []
  return [`what happened to ${name} last:`, ...told.slice(-TOLD).map(event => `  ${lineOf(event)}`)]
}

function isOf({ fields }: TraceEvent, name: string): boolean {
  const { what, partition } = fields
  return partition === name || what === name || (typeof what === 'string' && what.startsWith(`${name} `))
}
