import type { ConsumerConfigs } from '../../metadata/consumer-configs.ts'
import { type ConsumerOptions, consumerConfigsOf } from '../configuration.ts'
import { Connections } from '../connections.ts'
import type { ClientEnvironment } from '../environment.ts'
import { ClientMetadata } from '../metadata.ts'
import { metadataSettings } from '../metadata-settings.ts'
import { RecordDeserializers } from '../record-serdes.ts'
import { partitionText } from '../topic-partition.ts'
import { assignorsOf } from './assignors/strategies.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { ConsumerInterceptors } from './consumer-interceptors.ts'
import { ConsumerMetrics } from './consumer-metrics.ts'
import type { ReadOptions } from './fetched-partition.ts'
import { Fetcher } from './fetcher.ts'
import { OffsetQueries } from './offset-queries.ts'
import { PollRounds } from './poll-rounds.ts'
import { Positions } from './positions.ts'
import { Subscription } from './subscription.ts'

/** What a consumer is made of. */
export interface ConsumerParts<Key, Value> {
  readonly configs: ConsumerConfigs
  readonly connections: Connections
  readonly metadata: ClientMetadata
  readonly metrics: ConsumerMetrics
  readonly subscription: Subscription
  readonly fetcher: Fetcher
  readonly queries: OffsetQueries
  /** Interceptors and deserializers. */
  readonly told: { close(): void }
  readonly rounds: PollRounds<Key, Value>
  /** Undefined without `group.id`. */
  readonly group: ConsumerGroup | undefined
}

/** @throws {ConfigError} for a key that is not known, or a value that is not legal. */
export function consumerParts<Key, Value>(
  config: ConsumerOptions,
  environment: ClientEnvironment,
  requireOpen: (call: string) => void,
): ConsumerParts<Key, Value> {
  const configs = consumerConfigsOf(config, environment)
  const { runtime, clientName: name } = environment
  const deserializers = new RecordDeserializers(configs)
  const read = readOptions(configs, deserializers)
  const { isReadCommitted } = read
  const interceptors = new ConsumerInterceptors(configs, runtime, name)
  const subscription = new Subscription()
  const metrics = new ConsumerMetrics(runtime, configs, subscription)
  const connections = new Connections(environment, configs, metrics.traffic)
  /** Topics that somebody asked about, beside those that are read. */
  const askedTopics = new Set<string>()
  const metadata = new ClientMetadata(environment, connections, {
    ...metadataSettings(configs),
    allowAutoTopicCreation: configs['allow.auto.create.topics'],
    topics: () => {
      const wanted = subscription.wantedTopics()
      return wanted && [...wanted, ...askedTopics]
    },
    topicIds: () => subscription.topicIds,
  })
  const changed = () => rounds.changed()
  metadata.onUpdate(changed)
  connections.onChange(changed)
  const groupId = configs['group.id']
  // KafkaConsumer makes them, so checks them, also where no group will ask them.
  assignorsOf(configs['partition.assignment.strategy'])
  const committed = interceptors.committed.bind(interceptors)
  const shared = { configs, connections, metadata, subscription, changed }
  const group =
    groupId === null
      ? undefined
      : new ConsumerGroup({ ...shared, environment, groupId, metrics: metrics.group, committed })
  const positions = new Positions({
    ...shared,
    runtime,
    isReadCommitted,
    resetPolicy: configs['auto.offset.reset'],
    committed: group && (partitions => group.positionsOf(partitions)),
    retryBackoffMs: configs['retry.backoff.ms'],
    requestTimeoutMs: configs['request.timeout.ms'],
  })
  const fetcher = new Fetcher({ ...shared, runtime, positions, metrics: metrics.fetches, read })
  const queries = new OffsetQueries({ ...shared, runtime, name, isReadCommitted, askedTopics })
  const polled = {
    runtime,
    name,
    metadata,
    subscription,
    positions,
    fetcher,
    interceptors,
    metrics,
    group,
    requireOpen,
  }
  const rounds = new PollRounds<Key, Value>(polled)
  const told = {
    close: () => {
      interceptors.close()
      deserializers.close(runtime, name)
    },
  }
  return { configs, connections, metadata, metrics, subscription, fetcher, queries, told, rounds, group }
}

/** Nothing is asked or answered any more; a pending poll looks once more, and finds that. */
export function endParts(parts: ConsumerParts<unknown, unknown>, reason: Error): void {
  const { group, fetcher, metadata, connections, told, rounds } = parts
  group?.end()
  fetcher.close()
  metadata.close(reason)
  connections.close(reason)
  told.close()
  rounds.changed()
}

function readOptions(configs: ConsumerConfigs, deserializers: RecordDeserializers): ReadOptions {
  return {
    isReadCommitted: configs['isolation.level'] === 'read_committed',
    checksCrcs: configs['check.crcs'],
    deserialize: (partition, offset, key, value) => {
      return deserializers.read(partition.topic, key, value, () => `${partitionText(partition)} at offset ${offset}`)
    },
  }
}
