import { metadata as metadataApi } from '../../apis/metadata.ts'
import type { ConsumerConfigs } from '../../metadata/consumer-configs.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { errorCodes, IllegalArgumentError, KafkaError } from '../../wire/errors.ts'
import { textOf } from '../arguments.ts'
import type { Connections } from '../connections.ts'
import { type FoundOffset, lookUpOffsets, type OffsetTarget } from '../list-offsets.ts'
import type { ClientMetadata } from '../metadata.ts'
import { mergedTopic, partitionInfos, type TopicView } from '../metadata-view.ts'
import { type OffsetAndTimestamp, type PartitionInfo, partitionText, type TopicPartition } from '../topic-partition.ts'
import { waitForTopic, within } from '../topic-wait.ts'
import { checkPartition, checkPartitions } from './subscription.ts'

export interface QueryOptions {
  readonly runtime: Runtime
  readonly name: string
  readonly connections: Connections
  readonly metadata: ClientMetadata
  readonly isReadCommitted: boolean
  readonly configs: ConsumerConfigs
  /** Metadata keeps what is asked about. */
  readonly askedTopics: Set<string>
}

/** What a consumer can ask about partitions that it need not read. */
export class OffsetQueries {
  readonly #options: QueryOptions

  constructor(options: QueryOptions) {
    this.#options = options
  }

  /** The offset of each partition for one timestamp, by the very objects that were given. */
  async ends(call: string, partitions: readonly TopicPartition[], at: number): Promise<Map<TopicPartition, number>> {
    const targets = new Map(checkPartitions(call, partitions).map(partition => [partition, at]))
    const found = await this.#query(call, targets)
    return new Map([...found].map(([partition, { offset }]) => [partition, offset]))
  }

  async forTimes(times: ReadonlyMap<TopicPartition, number>): Promise<Map<TopicPartition, OffsetAndTimestamp | null>> {
    checkTimes(times)
    const found = await this.#query('offsetsForTimes', times)
    return new Map([...found].map(([partition, offset]) => [partition, recordAt(offset)]))
  }

  async partitionsFor(topic: string): Promise<PartitionInfo[]> {
    const { runtime, askedTopics } = this.#options
    askedTopics.add(topic)
    const view = await runtime.drive(`partitionsFor ${topic}`, () => this.#topic(topic))
    return view === undefined ? [] : partitionInfos(view)
  }

  async listTopics(): Promise<Map<string, PartitionInfo[]>> {
    const { runtime, name, metadata, connections, configs } = this.#options
    const timeoutMs = configs['default.api.timeout.ms']
    const deadline = runtime.now() + timeoutMs
    return runtime.drive(`listTopics of ${name}`, async () => {
      for (;;) {
        let cause: unknown
        try {
          const node = metadata.leastLoaded()
          if (node !== undefined) {
            const { topics } = await connections.request(node, metadataApi, () => ({ topics: null }))
            const known = topics.filter(({ errorCode }) => errorCode === errorCodes.NONE)
            const views = known.map(topic => mergedTopic(undefined, topic))
            return new Map(views.map(view => [view.name, partitionInfos(view)]))
          }
        } catch (error) {
          if (!(error instanceof KafkaError) || !error.retriable) throw error
          cause = error
        }
        if (runtime.now() >= deadline) {
          throw new KafkaError('REQUEST_TIMED_OUT', `Timeout expired while fetching topic metadata (${timeoutMs}ms)`, {
            cause,
          })
        }
        await runtime.sleep(configs['retry.backoff.ms'])
      }
    })
  }

  #query(call: string, targets: ReadonlyMap<TopicPartition, number>): Promise<Map<TopicPartition, FoundOffset>> {
    const { runtime, name, askedTopics } = this.#options
    for (const { topic } of targets.keys()) askedTopics.add(topic)
    return runtime.drive(`${call} of ${name}`, () => this.#ask(targets))
  }

  /**
   * The offsets for these timestamps, asked for until every leader has answered.
   *
   * @throws {KafkaError} REQUEST_TIMED_OUT after default.api.timeout.ms; what a leader refuses for good.
   */
  async #ask(targets: ReadonlyMap<TopicPartition, number>): Promise<Map<TopicPartition, FoundOffset>> {
    const { runtime, connections, metadata, isReadCommitted, configs } = this.#options
    const timeoutMs = configs['default.api.timeout.ms']
    const deadline = runtime.now() + timeoutMs
    const asked = new Map<OffsetTarget, TopicPartition>()
    for (const [partition, timestamp] of targets) {
      asked.set({ topic: partition.topic, partition: partition.partition, timestamp }, partition)
      await waitForTopic(runtime, metadata, partition.topic, partition.partition, { deadline, timeoutMs })
    }
    const found = new Map<OffsetTarget, FoundOffset>()
    for (;;) {
      const left = [...asked.keys()].filter(target => !found.has(target))
      if (left.length === 0) break
      const options = { isReadCommitted, timeoutMs: configs['request.timeout.ms'] }
      const answers = await lookUpOffsets(connections, metadata, left, options)
      for (const [target, answer] of answers) {
        if (!(answer instanceof KafkaError)) found.set(target, answer)
        else if (!answer.retriable) throw answer
      }
      if (found.size === asked.size) break
      if (runtime.now() >= deadline) {
        const last = [...answers.values()].find(answer => answer instanceof KafkaError)
        throw new KafkaError('REQUEST_TIMED_OUT', `Failed to get offsets by times in ${timeoutMs}ms`, { cause: last })
      }
      await runtime.sleep(configs['retry.backoff.ms'])
    }
    return new Map([...asked].map(([target, partition]) => [partition, found.get(target)!]))
  }

  /** Undefined: the cluster does not know it. */
  async #topic(name: string): Promise<TopicView | undefined> {
    const { runtime, metadata, configs } = this.#options
    const known = metadata.topic(name)
    if (known !== undefined) return known
    const timeoutMs = configs['default.api.timeout.ms']
    const deadline = runtime.now() + timeoutMs
    for (;;) {
      await within(runtime, metadata.refreshed(), deadline - runtime.now())
      const view = metadata.topic(name)
      if (view !== undefined) return view
      const refusal = metadata.errorOf(name)
      if (refusal === 'UNKNOWN_TOPIC_OR_PARTITION') return undefined
      if (refusal !== undefined && refusal !== 'LEADER_NOT_AVAILABLE') throw new KafkaError(refusal)
      if (runtime.now() >= deadline) {
        throw new KafkaError('REQUEST_TIMED_OUT', `Failed to get metadata of topic ${name} in ${timeoutMs}ms`)
      }
    }
  }
}

/** @throws {IllegalArgumentError} */
function checkTimes(times: ReadonlyMap<TopicPartition, number>): void {
  if (!(times instanceof Map)) {
    const example = "as in new Map([[{ topic: 'orders', partition: 0 }, Date.now()]])"
    throw new IllegalArgumentError(
      `offsetsForTimes takes a Map from partitions to times, ${example}, not ${textOf(times)}`,
    )
  }
  for (const [partition, timestamp] of times as ReadonlyMap<TopicPartition, unknown>) {
    checkPartition(partition)
    if (typeof timestamp === 'number' && timestamp >= 0) continue
    const what = `the time for ${partitionText(partition)} is a number of milliseconds since the epoch, from 0 on`
    if (timestamp instanceof Date) throw new IllegalArgumentError(`offsetsForTimes: ${what}, not a Date: use getTime()`)
    throw new IllegalArgumentError(`offsetsForTimes: ${what}, not ${textOf(timestamp)}`)
  }
}

function recordAt({ offset, timestamp, leaderEpoch }: FoundOffset): OffsetAndTimestamp | null {
  return offset < 0 ? null : { offset, timestamp, leaderEpoch: leaderEpoch < 0 ? undefined : leaderEpoch }
}
