import type { PartitionImage, TopicImage } from '../metadata/image.ts'
import { KafkaError } from '../wire/errors.ts'
import type { BrokerHandle } from './broker-handle.ts'
import type { ControllerHandle } from './controller-handle.ts'
import { describeCluster } from './description.ts'
import { newestImage } from './newest-image.ts'
import type { Plant } from './plant.ts'
import { WaitTimeoutError, waitUntil } from './wait.ts'

/** What topics that are there already may take to be led again: sessions of lives before end, logs are read. */
const LED_WITHIN_MS = 60_000
/** And then their followers, to be in sync again; one that cannot is not waited for any longer. */
const FOLLOWED_WITHIN_MS = 5_000

/** Every partition is led, and every running broker knows the topic and has its replicas. */
export function isServed(topic: TopicImage, brokers: readonly BrokerHandle[]): boolean {
  return topic.partitions.every(state =>
    brokers.every(handle => {
      const { broker } = handle
      if (broker === undefined || !handle.isRunning) return true
      if (broker.image.topicById(topic.topicId) === undefined) return false
      return !state.replicas.includes(handle.id) || broker.partitionOf(topic.topicId, state.partition) !== undefined
    }),
  )
}

/**
 * Every running in-sync follower has fetched from its leader. One that asked before the leader knew the partition waits
 * for `replica.fetch.backoff.ms`; the first acks=all record of a new topic would wait with it.
 */
export function isFollowed(topic: TopicImage, brokers: readonly BrokerHandle[]): boolean {
  const isRunning = (id: number) => brokers.some(handle => handle.id === id && handle.isRunning)
  const followed = (state: PartitionImage) => {
    const leader = brokers.find(handle => handle.id === state.leader)?.broker
    const partition = leader?.partitionOf(state.topicId, state.partition)
    if (partition === undefined) return true
    return state.inSyncReplicas.every(
      id => id === state.leader || !isRunning(id) || (partition.remotes.get(id)?.endOffset ?? -1) >= 0,
    )
  }
  return topic.partitions.every(followed)
}

/**
 * Every partition of these topics has its leader at work, and its followers are in sync, as far as that can be.
 *
 * @throws {KafkaError} for a log that its leader cannot open
 * @throws {WaitTimeoutError}
 */
export async function topicsLed(
  { runtime }: Plant,
  controller: ControllerHandle,
  brokers: readonly BrokerHandle[],
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return
  const image = () => newestImage(controller, brokers)
  const isLed = ({ topicId, topic, partition, leader }: PartitionImage) => {
    const broker = brokers.find(({ id }) => id === leader)?.broker
    const failure = broker?.replicas.failureOf(topicId, partition)
    if (failure === undefined) return broker?.partitionOf(topicId, partition)?.isLeader === true
    const what = `${topic}-${partition} cannot be continued: broker ${leader}, its leader, cannot open its log`
    throw new KafkaError(failure.errorName, `${what}: ${failure.message}`, { cause: failure })
  }
  const all = (holds: (partition: PartitionImage) => boolean) => () =>
    names.every(name => image().topic(name)?.partitions.every(holds))
  await waitUntil(runtime, 'createCluster()', all(isLed), {
    timeoutMs: LED_WITHIN_MS,
    describe: () => describeCluster(image().topics.values(), brokers, runtime.trace),
  })
  const isInSync = ({ replicas, inSyncReplicas }: PartitionImage) => inSyncReplicas.length === replicas.length
  try {
    await waitUntil(runtime, 'createCluster()', all(isInSync), { timeoutMs: FOLLOWED_WITHIN_MS })
  } catch (error) {
    if (!(error instanceof WaitTimeoutError)) throw error
  }
}
