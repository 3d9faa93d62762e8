import { NO_LEADER, type PartitionImage, type TopicImage } from '../metadata/image.ts'
import { internalTopics } from '../metadata/topic-names.ts'
import { lineOf, type Trace, type TraceEvent, type TraceKind } from '../runtime/trace.ts'
import type { BrokerHandle } from './broker-handle.ts'
import { viewPartition } from './partition-view.ts'

const PARTITIONS = 10
const EVENTS = 12

/** What everybody does all the time explains nothing. */
const routine: ReadonlySet<TraceKind> = new Set(['request', 'response', 'connection'])

/** How a cluster stands, for somebody who waited in vain: partitions, nodes that do not run, and what happened last. */
export function describeCluster(topics: Iterable<TopicImage>, brokers: readonly BrokerHandle[], trace: Trace): string {
  const partitions = [...topics].flatMap(topic => topic.partitions).filter(isOfInterest)
  const lines = partitions.slice(0, PARTITIONS).map(facts => {
    const { leader, highWatermark, endOffset, inSyncReplicas, replicas } = viewPartition(facts, brokers)
    const led = facts.leader === NO_LEADER ? 'no leader' : `leader broker-${leader}`
    return `  ${facts.topic}-${facts.partition}: ${led}, high watermark ${highWatermark}, end ${endOffset}, in sync [${inSyncReplicas}] of [${replicas}]`
  })
  if (partitions.length > PARTITIONS) lines.push(`  … and ${partitions.length - PARTITIONS} partitions more`)
  const away = brokers.filter(broker => !broker.isRunning).map(broker => `  ${broker.name} is ${broker.state}`)
  const events = trace
    .events()
    .filter(event => !routine.has(event.kind) && !isOfInternal(event))
    .slice(-EVENTS)
    .map(event => `  ${lineOf(event)}`)
  return ['how things stand:', ...lines, ...away, 'what happened last:', ...events].join('\n')
}

/** Kafka's own topics have 50 partitions each, which say nothing unless one is not led. */
function isOfInterest({ topic, leader }: PartitionImage): boolean {
  return !internalTopics.has(topic) || leader === NO_LEADER
}

function isOfInternal({ fields: { what, partition } }: TraceEvent): boolean {
  return [what, partition].some(text => {
    return typeof text === 'string' && internalTopics.has(text.split(' ', 1)[0]!.replace(/-\d+$/, ''))
  })
}
