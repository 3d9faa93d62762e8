import { NO_LEADER, type TopicImage } from '../metadata/image.ts'
import { lineOf, type Trace, type TraceKind } from '../runtime/trace.ts'
import type { BrokerHandle } from './broker-handle.ts'
import { viewPartition } from './partition-view.ts'

const PARTITIONS = 10
const EVENTS = 12

/** What everybody does all the time explains nothing. */
const routine: ReadonlySet<TraceKind> = new Set(['request', 'response', 'connection'])

/** How a cluster stands, for somebody who waited in vain: partitions, nodes that do not run, and what happened last. */
export function describeCluster(topics: Iterable<TopicImage>, brokers: readonly BrokerHandle[], trace: Trace): string {
  const partitions = [...topics].flatMap(topic => topic.partitions)
  const lines = partitions.slice(0, PARTITIONS).map(facts => {
    const { leader, highWatermark, endOffset, inSyncReplicas, replicas } = viewPartition(facts, brokers)
    const led = facts.leader === NO_LEADER ? 'no leader' : `leader broker-${leader}`
    return `  ${facts.topic}-${facts.partition}: ${led}, high watermark ${highWatermark}, end ${endOffset}, in sync [${inSyncReplicas}] of [${replicas}]`
  })
  if (partitions.length > PARTITIONS) lines.push(`  … and ${partitions.length - PARTITIONS} partitions more`)
  const away = brokers.filter(broker => !broker.isRunning).map(broker => `  ${broker.name} is ${broker.state}`)
  const events = trace
    .events()
    .filter(event => !routine.has(event.kind))
    .slice(-EVENTS)
    .map(event => `  ${lineOf(event)}`)
  return ['how things stand:', ...lines, ...away, 'what happened last:', ...events].join('\n')
}
