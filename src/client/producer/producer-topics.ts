import type { ProducerConfigs } from '../../metadata/producer-configs.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { ClientMetadata } from '../metadata.ts'
import type { LeaderAvailability } from './leader-availability.ts'
import { TopicQueues } from './topic-queues.ts'

/** The topics that a producer has been asked about, each with its queues. */
export class ProducerTopics {
  readonly #runtime: Runtime
  readonly #configs: ProducerConfigs
  readonly #availability: LeaderAvailability
  readonly #topics = new Map<string, TopicQueues>()
  #last: TopicQueues | undefined

  constructor(runtime: Runtime, configs: ProducerConfigs, availability: LeaderAvailability) {
    this.#runtime = runtime
    this.#configs = configs
    this.#availability = availability
  }

  of(name: string): TopicQueues {
    if (this.#last?.name === name) return this.#last
    this.#last = this.#topics.get(name) ?? this.#make(name)
    return this.#last
  }

  #make(name: string): TopicQueues {
    const sticky = {
      runtime: this.#runtime,
      stickyBytes: this.#configs['batch.size'],
      isAdaptive: this.#configs['partitioner.adaptive.partitioning.enable'],
      availability: this.#availability,
    }
    const made = new TopicQueues(name, sticky, this.#configs['compression.type'] !== 'none')
    this.#topics.set(name, made)
    return made
  }

  /** Topics to refresh: one that was not used for metadata.max.idle.ms is forgotten (C-80). */
  used(metadata: ClientMetadata): string[] {
    const since = this.#runtime.now() - this.#configs['metadata.max.idle.ms']
    const isUsed = (topic: TopicQueues) =>
      metadata.errorOf(topic.name) !== 'INVALID_TOPIC_EXCEPTION' &&
      (topic.lastUsedAt >= since || topic.waiting > 0 || topic.queues.some(queue => (queue?.batches.length ?? 0) > 0))
    return [...this.#topics.values()].filter(isUsed).map(topic => topic.name)
  }

  refreshed(metadata: ClientMetadata): void {
    for (const topic of this.#topics.values()) topic.view = metadata.topic(topic.name)
  }

  /** Settles when the sends that wait now have gone on, or been refused. */
  async waited(): Promise<void> {
    await Promise.all([...this.#topics.values()].filter(topic => topic.waiting > 0).map(topic => topic.chain))
  }
}
