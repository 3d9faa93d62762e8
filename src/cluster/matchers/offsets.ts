import { ConfigError } from '../../wire/errors.ts'
import type { Cluster } from '../cluster.ts'
import { refuseUnknown } from '../options.ts'
import { WaitTimeoutError } from '../wait.ts'
import type { ExpectedNumber } from './expected-record.ts'
import { isLikeNumber, show } from './likeness.ts'
import { clusterOf, type MatcherContext, type MatcherResult, timeoutOf, within } from './matcher.ts'
import { standing, story } from './partition-story.ts'

/** Bounds of a log; what is left out is not compared. */
export interface ExpectedBounds {
  readonly startOffset?: ExpectedNumber
  readonly endOffset?: ExpectedNumber
  readonly highWatermark?: ExpectedNumber
  readonly lastStableOffset?: ExpectedNumber
}

/** Of the leader's log; and of each replica's own, by broker id. */
export interface ExpectedOffsets extends ExpectedBounds {
  readonly replicas?: Readonly<Record<number, ExpectedBounds>>
}

export interface MatcherWait {
  /** How long it may take, on the cluster's time. Default 60,000 of virtual and 3,000 of real time. */
  readonly timeoutMs?: number
}

const BOUNDS = ['startOffset', 'endOffset', 'highWatermark', 'lastStableOffset'] as const

/** A partition's log, and those of its replicas, begin and end as expected. Waits until it is so. */
export async function toHaveOffsets(
  this: MatcherContext | void,
  received: unknown,
  topic: string,
  partition: number,
  expected: ExpectedOffsets,
  options: MatcherWait = {},
): Promise<MatcherResult> {
  const cluster = clusterOf(received, 'toHaveOffsets')
  check(cluster, topic, partition, expected)
  refuseUnknown('option of toHaveOffsets', options, ['timeoutMs'])
  const differences = () => differing(cluster, topic, partition, expected)
  const pass = await becomes(cluster, this, () => differences().length === 0, options)
  return {
    pass,
    message: () => {
      const name = `${topic}-${partition}`
      const view = cluster.partition(topic, partition)
      if (pass) return `expected ${name} not to have these offsets:\n${standing(view)}`
      const lines = [`expected offsets of ${name} ${within(cluster, options)}:`, ...differences(), '']
      for (const [id, log] of view.replicaLogs) lines.push(`  broker-${id}: ${bounds(log)}`)
      return [...lines, standing(view), ...story(cluster, topic, partition)].join('\n')
    },
  }
}

function check(cluster: Cluster, topic: string, partition: number, expected: ExpectedOffsets): void {
  cluster.partition(topic, partition)
  refuseUnknown('field of toHaveOffsets', expected, [...BOUNDS, 'replicas'])
  for (const [id, bounds] of Object.entries(expected.replicas ?? {})) {
    const { id: known } = cluster.broker(Number(id))
    if (!cluster.partition(topic, partition).replicas.includes(known)) {
      throw new ConfigError(`broker-${id} has no replica of ${topic}-${partition}`)
    }
    refuseUnknown(`field of the replica ${id}`, bounds, BOUNDS)
  }
}

function differing(cluster: Cluster, topic: string, partition: number, expected: ExpectedOffsets): string[] {
  const view = cluster.partition(topic, partition)
  const lines = compare('leader', expected, view.endOffset < 0 ? undefined : view)
  for (const [id, bounds] of Object.entries(expected.replicas ?? {})) {
    lines.push(...compare(`broker-${id}`, bounds, view.replicaLogs.get(Number(id))))
  }
  return lines
}

function compare(who: string, expected: ExpectedBounds, actual: Record<(typeof BOUNDS)[number], number> | undefined) {
  return BOUNDS.flatMap(bound => {
    const wanted = expected[bound]
    if (wanted === undefined) return []
    if (actual === undefined) return [`  ${who} ${bound}: expected ${show(wanted)}, it does not run`]
    return isLikeNumber(wanted, actual[bound])
      ? []
      : [`  ${who} ${bound}: expected ${show(wanted)}, is ${actual[bound]}`]
  })
}

function bounds(log: Record<(typeof BOUNDS)[number], number>): string {
  return BOUNDS.map(bound => `${bound} ${log[bound]}`).join(', ')
}

/** Lets time run until it is so; with `.not`, lets everything settle first and then looks once. */
export async function becomes(
  cluster: Cluster,
  context: MatcherContext | void,
  isSo: () => boolean,
  options: MatcherWait,
): Promise<boolean> {
  if (context?.isNot) {
    await cluster.settle()
    return isSo()
  }
  try {
    await cluster.runUntil(isSo, timeoutOf(cluster, options))
    return true
  } catch (error) {
    if (error instanceof WaitTimeoutError) return false
    throw error
  }
}
