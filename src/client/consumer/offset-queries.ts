import type { ConsumerConfigs } from '../../metadata/consumer-configs.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { KafkaError } from '../../wire/errors.ts'
import type { Connections } from '../connections.ts'
import { type FoundOffset, lookUpOffsets, type OffsetTarget } from '../list-offsets.ts'
import type { ClientMetadata } from '../metadata.ts'
import type { TopicView } from '../metadata-view.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { waitForTopic, within } from '../topic-wait.ts'

export interface QueryOptions {
  readonly runtime: Runtime
  readonly connections: Connections
  readonly metadata: ClientMetadata
  readonly isReadCommitted: boolean
  readonly configs: ConsumerConfigs
}

/** What a consumer can ask about partitions that it need not read. */
export class OffsetQueries {
  readonly #options: QueryOptions

  constructor(options: QueryOptions) {
    this.#options = options
  }

  /**
   * The offsets for these timestamps, asked for until every leader has answered.
   *
   * @throws {KafkaError} REQUEST_TIMED_OUT after default.api.timeout.ms; what a leader refuses for good.
   */
  async ask(targets: ReadonlyMap<TopicPartition, number>): Promise<Map<TopicPartition, FoundOffset>> {
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
  async topic(name: string): Promise<TopicView | undefined> {
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
