import type { BrokerHandle } from '../broker-handle.ts'
import type { Cluster } from '../cluster.ts'
import { refuseUnknown } from '../options.ts'
import type { PartitionView } from '../partition-view.ts'
import { clusterOf, type MatcherContext, type MatcherResult, within } from './matcher.ts'
import { becomes, type MatcherWait } from './offsets.ts'
import { standing, story } from './partition-story.ts'

export type BrokerReference = BrokerHandle | number

/**
 * Of a partition, or without one of every partition of the topic: the in-sync set is the whole assignment, or exactly the
 * brokers that are named. Waits until it is so.
 */
export async function toBeInSync(
  this: MatcherContext | void,
  received: unknown,
  topic: string,
  partition?: number,
  brokers?: readonly BrokerReference[],
  options: MatcherWait = {},
): Promise<MatcherResult> {
  const cluster = clusterOf(received, 'toBeInSync')
  refuseUnknown('option of toBeInSync', options, ['timeoutMs'])
  const wanted = brokers?.map(broker => idOf(cluster, broker))
  const views = () =>
    partition === undefined ? cluster.topic(topic).partitions : [cluster.partition(topic, partition)]
  views()
  const isInSync = ({ inSyncReplicas, replicas }: PartitionView) => {
    const set = wanted ?? replicas
    return inSyncReplicas.length === set.length && set.every(id => inSyncReplicas.includes(id))
  }
  const name = partition === undefined ? `every partition of '${topic}'` : `${topic}-${partition}`
  const pass = await becomes(cluster, this, () => views().every(isInSync), options)
  return {
    pass,
    message: () => {
      const set = wanted === undefined ? 'all of its replicas' : `exactly [${wanted}]`
      if (pass) return `expected ${name} not to have ${set} in sync:\n${views().map(standing).join('\n')}`
      const lines = [`expected ${name} to have ${set} in sync ${within(cluster, options)}`, '']
      for (const view of views().filter(each => !isInSync(each))) {
        lines.push(...whoIsMissing(view, wanted), standing(view), ...story(cluster, topic, view.partition), '')
      }
      return lines.join('\n').trimEnd()
    },
  }
}

function whoIsMissing(view: PartitionView, wanted: readonly number[] | undefined): string[] {
  const set = wanted ?? view.replicas
  const lines: string[] = []
  for (const id of set.filter(each => !view.inSyncReplicas.includes(each))) {
    const end = view.replicaLogs.get(id)?.endOffset
    lines.push(`  broker-${id} is not in sync: ${end === undefined ? 'it does not run' : `its log ends at ${end}`}`)
  }
  for (const id of view.inSyncReplicas.filter(each => !set.includes(each))) lines.push(`  broker-${id} is in sync too`)
  return lines
}

/** The partition is led, by this broker if one is named, who runs and knows of it. Waits until it is so. */
export async function toHaveLeader(
  this: MatcherContext | void,
  received: unknown,
  topic: string,
  partition: number,
  broker?: BrokerReference,
  options: MatcherWait = {},
): Promise<MatcherResult> {
  const cluster = clusterOf(received, 'toHaveLeader')
  refuseUnknown('option of toHaveLeader', options, ['timeoutMs'])
  const wanted = broker === undefined ? undefined : idOf(cluster, broker)
  const view = () => cluster.partition(topic, partition)
  view()
  const isLed = () => {
    const { leader, replicaLogs } = view()
    if (leader === undefined || (wanted !== undefined && leader !== wanted)) return false
    return cluster.broker(leader).isRunning && (replicaLogs.get(leader)?.isLeader ?? false)
  }
  const pass = await becomes(cluster, this, isLed, options)
  const whom = wanted === undefined ? 'a leader' : `broker-${wanted} as its leader`
  return {
    pass,
    message: () => {
      const not = pass ? 'not to have' : 'to have'
      const head = `expected ${topic}-${partition} ${not} ${whom}${pass ? '' : ` ${within(cluster, options)}`}`
      return [head, '', standing(view()), ...story(cluster, topic, partition)].join('\n')
    },
  }
}

function idOf(cluster: Cluster, broker: BrokerReference): number {
  return cluster.broker(typeof broker === 'number' ? broker : broker.id).id
}
