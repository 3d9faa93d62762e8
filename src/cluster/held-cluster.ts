/**
 * The cluster whose logs the stores hold already. It goes on as Kafka's does when every node was killed and starts again:
 * nothing is asked that a restart would not ask, nothing is known but what the logs say. What the options of `createCluster`
 * say of it must not contradict it; all of that is looked at before any node starts, so that a refusal changes nothing.
 */
import { clusterIdOf, META_PROPERTIES } from '../controller/meta-properties.ts'
import { thenDo } from '../log/eventually.ts'
import type { Eventually, LogStore, LogStores } from '../log/log-store.ts'
import { topicOverrides } from '../metadata/config-options.ts'
import { ClusterImage, resourceTypes, type TopicImage } from '../metadata/image.ts'
import { applyBatch, METADATA_TOPIC, METADATA_TOPIC_ID } from '../metadata/metadata-batch.ts'
import { OFFSETS_TOPIC, TRANSACTIONS_TOPIC } from '../metadata/topic-names.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { ConfigError } from '../wire/errors.ts'
import { MalformedError } from '../wire/reader.ts'
import type { ClusterOptions, ClusterPlan, TopicSpec } from './options.ts'
import { CONTROLLER_ID } from './plant.ts'

const READ_BYTES = 1 << 20

export interface HeldCluster {
  readonly clusterId: string
  readonly image: ClusterImage
  /** Of what its controller and its coordinators wrote last: the time is not before it. */
  readonly latestTimestamp: number
}

/** The store of the metadata log. */
export function metadataStore(stores: LogStores): LogStore {
  const topic = { topic: METADATA_TOPIC, topicId: METADATA_TOPIC_ID, partition: 0, isFirst: true }
  return stores.store({ broker: CONTROLLER_ID, ...topic })
}

/**
 * Undefined where there is none. The timestamp is of interest where time is ours.
 *
 * @throws {ConfigError} for a metadata log that cannot be read
 */
export async function readHeldCluster(
  stores: LogStores,
  { time }: Pick<Runtime, 'time'>,
): Promise<HeldCluster | undefined> {
  const store = metadataStore(stores)
  const { startOffset, endOffset } = await store.open()
  if (endOffset === 0) return undefined
  const clusterId = clusterIdOf(await store.load(META_PROPERTIES))
  if (clusterId === undefined) throw unreadable('it has records, and nothing says which cluster they are of')
  const image = new ClusterImage()
  let latestTimestamp = Number.NEGATIVE_INFINITY
  let next = startOffset
  while (next < endOffset) {
    const batches = await store.read(next, READ_BYTES)
    const before = next
    try {
      for (const batch of batches) {
        if (batch.baseOffset !== next) break
        applyBatch(image, batch)
        next = batch.nextOffset
        latestTimestamp = Math.max(latestTimestamp, batch.maxTimestamp)
      }
    } catch (error) {
      if (error instanceof MalformedError) throw unreadable(error.message, error)
      throw error
    }
    if (next === before) throw unreadable(`nothing is stored at offset ${next}, and it ends at ${endOffset}`)
  }
  for (const name of time === 'virtual' ? [OFFSETS_TOPIC, TRANSACTIONS_TOPIC] : []) {
    latestTimestamp = Math.max(latestTimestamp, await latestTimestampOf(image.topic(name), stores))
  }
  return { clusterId, image, latestTimestamp }
}

function unreadable(why: string, cause?: Error): ConfigError {
  return new ConfigError(`logs: the metadata log of the cluster they hold cannot be read: ${why}`, { cause })
}

/** By the last batch of each partition, on the replica that led it last, or would. */
async function latestTimestampOf(topic: TopicImage | undefined, stores: LogStores): Promise<number> {
  let latest = Number.NEGATIVE_INFINITY
  for (const { partition, leader, lastKnownElr, replicas, topicId, topic: name } of topic?.partitions ?? []) {
    const broker = [leader, ...lastKnownElr, ...replicas].find(id => id >= 0)
    if (broker === undefined) continue
    const store = stores.store({ broker, topic: name, topicId, partition, isFirst: replicas[0] === broker })
    latest = Math.max(latest, await lastTimestamp(store))
  }
  return latest
}

/** Who cannot be read is met again when its broker opens it. */
function lastTimestamp(store: LogStore): Eventually<number> {
  const none = () => Number.NEGATIVE_INFINITY
  const read = () =>
    thenDo(store.open(), ({ startOffset, endOffset }) =>
      endOffset === startOffset
        ? none()
        : thenDo(store.read(endOffset - 1, 1), batches => batches.at(-1)?.maxTimestamp ?? none()),
    )
  try {
    const timestamp = read()
    return timestamp instanceof Promise ? timestamp.catch(none) : timestamp
  } catch {
    return none()
  }
}

/** @throws {ConfigError} for options that say otherwise than the cluster that is there */
export function requireSame(held: HeldCluster, options: ClusterOptions, plan: ClusterPlan): void {
  requireBrokers(held.image, plan)
  requireFeatures(held.image, plan)
  for (const [name, topic] of Object.entries(options.topics ?? {})) {
    const existing = held.image.topic(name)
    if (existing !== undefined) requireTopic(existing, topic, held.image)
  }
}

/** More are welcome. One that is missing may have the only replica of something, so it has to be left out on purpose. */
function requireBrokers(image: ClusterImage, plan: ClusterPlan): void {
  const missing = [...image.brokers.keys()].filter(id => !plan.brokers.some(broker => broker.id === id))
  if (missing.length === 0) return
  const all = [...image.brokers.keys()].sort((a, b) => a - b).join(', ')
  throw new ConfigError(
    `brokers: the logs hold a cluster with brokers ${all}, and ${missing.join(', ')} would be missing: name all of them, ` +
      'or have it forget the others first (admin.unregisterBroker)',
  )
}

function requireFeatures(image: ClusterImage, plan: ClusterPlan): void {
  for (const [name, level] of Object.entries(plan.features)) {
    const is = image.featureLevel(name)
    if (is === level) continue
    throw new ConfigError(
      `features: the logs hold a cluster with ${name} ${is}, not ${level}: leave it out, or change it (admin.updateFeatures)`,
    )
  }
}

/** What is left out is not compared. */
function requireTopic(existing: TopicImage, topic: TopicSpec, image: ClusterImage): void {
  const refuse = (what: string, is: unknown, not: unknown, how: string) => {
    throw new ConfigError(
      `the topic '${existing.name}' is there already, with ${what} ${JSON.stringify(is)}, not ${JSON.stringify(not)}: leave that out, or ${how}`,
    )
  }
  const { partitions, replicationFactor, assignments, configs = {} } = topic
  const count = existing.partitions.length
  if (partitions !== undefined && partitions !== -1 && partitions !== count) {
    refuse('partitions', count, partitions, 'add partitions (admin.createPartitions)')
  }
  // In a reassignment the old replicas and the new ones are both there.
  const replicas = existing.partitions.map(each => each.replicas.filter(id => !each.removingReplicas.includes(id)))
  const move = 'move its replicas (admin.alterPartitionReassignments)'
  const factor = replicas.find(each => each.length !== replicationFactor)?.length
  if (replicationFactor !== undefined && replicationFactor !== -1 && factor !== undefined) {
    refuse('replicationFactor', factor, replicationFactor, move)
  }
  if (assignments !== undefined && JSON.stringify(assignments) !== JSON.stringify(replicas)) {
    refuse('assignments', replicas, assignments, move)
  }
  const stored = image.configsOf(resourceTypes.topic, existing.name)
  for (const [name, value] of topicOverrides(configs)) {
    if (stored.get(name) !== value) {
      refuse(`${name}`, stored.get(name) ?? null, value, 'change it (admin.incrementalAlterConfigs)')
    }
  }
}
