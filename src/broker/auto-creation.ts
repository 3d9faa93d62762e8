import { createTopics } from '../apis/create-topics.ts'
import type { BrokerConfigs } from '../metadata/broker-configs.ts'
import type { Requester } from '../node/envelopes.ts'
import type { RequestInput, ResponseOf } from '../wire/api.ts'
import { errorOf } from '../wire/errors.ts'
import type { Broker } from './broker.ts'

type NewTopic = RequestInput<typeof createTopics>['topics'][number]

/**
 * Makes topics that somebody asked for and nobody has (M-4; Kafka's AutoTopicCreationManager): through the controller, in
 * the background, each one at a time. Whoever asked is told that there is no such topic, and asks again.
 */
export class AutoCreation {
  readonly #broker: Broker
  readonly #underWay = new Set<string>()

  constructor(broker: Broker) {
    this.#broker = broker
  }

  /**
   * Names that are legal and unknown. An internal topic is made as its coordinator needs it. `requester`: who wants them;
   * undefined: the broker itself.
   */
  create(names: readonly string[], requester: Requester | undefined): void {
    const wanted = names.filter(name => !this.#underWay.has(name))
    if (wanted.length === 0) return
    for (const name of wanted) this.#underWay.add(name)
    const { config, life, name: broker } = this.#broker
    const done = () => {
      for (const name of wanted) this.#underWay.delete(name)
    }
    this.#broker
      .forward(
        createTopics,
        {
          topics: wanted.map(name => newTopic(name, config)),
          timeoutMs: config['request.timeout.ms'],
          validateOnly: false,
        },
        requester,
      )
      .then(
        (response: ResponseOf<typeof createTopics>) => {
          done()
          for (const { name, errorCode } of response.topics) {
            if (errorCode === 0) continue
            life.trace.add('metadata', broker, { what: `${name} was not created`, error: errorOf(errorCode).name })
          }
        },
        // The controller is away: who still wants the topic asks again.
        done,
      )
  }
}

function newTopic(name: string, config: BrokerConfigs): NewTopic {
  switch (name) {
    case '__consumer_offsets':
      return {
        name,
        numPartitions: config['offsets.topic.num.partitions'],
        replicationFactor: config['offsets.topic.replication.factor'],
        assignments: [],
        configs: configsOf({
          'compression.type': 'producer',
          'cleanup.policy': 'compact',
          'segment.bytes': config['offsets.topic.segment.bytes'],
        }),
      }
    case '__transaction_state':
      return {
        name,
        numPartitions: config['transaction.state.log.num.partitions'],
        replicationFactor: config['transaction.state.log.replication.factor'],
        assignments: [],
        configs: configsOf({
          'unclean.leader.election.enable': false,
          'compression.type': 'uncompressed',
          'cleanup.policy': 'compact',
          'min.insync.replicas': config['transaction.state.log.min.isr'],
          'segment.bytes': config['transaction.state.log.segment.bytes'],
        }),
      }
    case '__share_group_state':
      return {
        name,
        numPartitions: config['share.coordinator.state.topic.num.partitions'],
        replicationFactor: config['share.coordinator.state.topic.replication.factor'],
        assignments: [],
        configs: configsOf({
          'cleanup.policy': 'delete',
          'compression.type': 'producer',
          'min.insync.replicas': config['share.coordinator.state.topic.min.isr'],
          'retention.ms': -1,
          'segment.bytes': config['share.coordinator.state.topic.segment.bytes'],
        }),
      }
    default:
      return { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] }
  }
}

function configsOf(values: Readonly<Record<string, string | number | boolean>>): NewTopic['configs'] {
  return Object.entries(values).map(([name, value]) => ({ name, value: String(value) }))
}
