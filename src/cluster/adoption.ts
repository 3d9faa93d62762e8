import type { AdoptedTopic } from '../controller/format.ts'
import type { ForeignTopic } from '../log/log-store.ts'
import { brokerLayers } from '../metadata/broker-layers.ts'
import { topicOverrides } from '../metadata/config-options.ts'
import { effectiveBrokerConfig, noOverrides } from '../metadata/config-values.ts'
import { isTopicName } from '../metadata/topic-names.ts'
import { ConfigError } from '../wire/errors.ts'
import { drawUuid } from '../wire/uuid.ts'
import type { ClusterOptions, ClusterPlan } from './options.ts'

/**
 * Topics for logs that were there before any cluster: as the options say, and where they say nothing, with as many partitions
 * as there are logs. Partitions take turns on the brokers; the first replica of each has the log, others follow it.
 *
 * @throws {ConfigError} for a name that no topic can have, and for options that the logs contradict
 */
export function planAdoption(
  foreign: readonly ForeignTopic[],
  options: ClusterOptions,
  plan: ClusterPlan,
  draw: (n: number) => number,
): AdoptedTopic[] {
  const ids = plan.brokers.map(({ id }) => id)
  const config = effectiveBrokerConfig(brokerLayers(plan.configs, noOverrides, noOverrides))
  return foreign.map(({ name, partitions: logs }) => {
    if (!isTopicName(name)) throw new ConfigError(`logs: '${name}', of which they hold records, is no name of a topic`)
    const topic = options.topics?.[name] ?? {}
    const { assignments, configs = {} } = topic
    const factor = atLeastOne(topic.replicationFactor) ?? config['default.replication.factor']
    const count = assignments?.length ?? atLeastOne(topic.partitions) ?? logs.length
    if (count < logs.length) {
      throw new ConfigError(`the topic '${name}' has ${logs.length} partitions in the logs, not ${count}`)
    }
    if (factor > ids.length) {
      throw new ConfigError(`the topic '${name}' cannot have ${factor} replicas: there are ${ids.length} brokers`)
    }
    const placed = (index: number) => Array.from({ length: factor }, (_, i) => ids[(index + i) % ids.length]!)
    const replicasOf = (index: number) => assignments?.[index] ?? placed(index)
    const unknown = Array.from({ length: count }, (_, index) => replicasOf(index))
      .flat()
      .find(id => !ids.includes(id))
    if (unknown !== undefined) {
      throw new ConfigError(`the topic '${name}' is assigned to broker ${unknown}: there are ${ids.join(', ')}`)
    }
    return {
      name,
      topicId: drawUuid(draw),
      configs: topicOverrides(configs),
      partitions: Array.from({ length: count }, (_, index) => ({
        replicas: replicasOf(index),
        leaderEpoch: logs[index]?.leaderEpoch ?? -1,
      })),
      producerId: Math.max(-1, ...logs.map(log => log?.producerId ?? -1)),
    }
  })
}

/** −1 stands for the broker's default, as in CreateTopics. */
function atLeastOne(count: number | undefined): number | undefined {
  return count === undefined || count < 1 ? undefined : count
}
