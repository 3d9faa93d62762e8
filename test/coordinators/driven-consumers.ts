import type { ConsumerGroup } from '../../src/coordinators/groups/consumer/consumer-group.ts'
import type { HeartbeatAnswer, HeartbeatRequest } from '../../src/coordinators/groups/consumer/consumer-heartbeats.ts'
import { groupCodec } from '../../src/coordinators/groups/group-records.ts'
import { GroupShard } from '../../src/coordinators/groups/group-shard.ts'
import { brokerLayers } from '../../src/metadata/broker-layers.ts'
import { effectiveBrokerConfig, effectiveGroupConfig } from '../../src/metadata/config-values.ts'
import { ClusterImage } from '../../src/metadata/image.ts'
import type { MetadataRecord } from '../../src/metadata/records.ts'
import { VirtualRuntime } from '../../src/runtime/virtual.ts'
import { ANONYMOUS } from '../../src/wire/principal.ts'
import { recordsOf } from '../../src/wire/record.ts'
import { DrivenLog } from './driven-log.ts'

const context = {
  version: 1,
  clientId: 'probe',
  correlationId: 0,
  from: 'probe',
  peer: undefined,
  principal: ANONYMOUS,
  byToken: false,
  host: '127.0.0.1',
  listener: 'PLAINTEXT',
  securityProtocol: 'PLAINTEXT' as const,
  closed: { isClosed: false, onClose: () => () => undefined },
}

export const idOf = (topic: string) => `${topic}-`.padEnd(22, 'A')

/** Consumer groups of one partition of `__consumer_offsets`, without a cluster around it. */
export class DrivenConsumers {
  readonly runtime = new VirtualRuntime({ seed: 1, startTime: 1_000_000 })
  readonly image = new ClusterImage()
  readonly log = new DrivenLog()
  readonly #mutants: ReadonlySet<string>
  group: GroupShard
  #offset = 0

  constructor({ topics, mutants = [] }: { topics: Readonly<Record<string, number>>; mutants?: readonly string[] }) {
    this.#mutants = new Set(mutants)
    this.log.alone = true
    for (const [topic, partitions] of Object.entries(topics)) this.createTopic(topic, partitions)
    this.group = this.#open()
  }

  #open(): GroupShard {
    const layers = brokerLayers(new Map(), new Map(), new Map())
    const { runtime, image } = this
    const environment = {
      name: 'broker-1',
      runtime,
      image,
      mutants: this.#mutants,
      config: () => effectiveBrokerConfig(layers),
      groupConfig: () => effectiveGroupConfig(new Map(), layers),
    }
    const group = new GroupShard(environment, this.log, () => undefined)
    group.load()
    return group
  }

  /** Another broker reads the log, and goes on. */
  failOver(): void {
    this.group.close()
    this.group = this.#open()
  }

  #apply(...records: object[]): void {
    for (const record of records) this.image.apply(record as MetadataRecord, this.#offset++, 1)
    this.group?.metadataChanged(this.image.takeChanges())
  }

  createTopic(topic: string, partitions: number): void {
    this.#apply({ type: 'TopicRecord', name: topic, topicId: idOf(topic) })
    this.addPartitions(topic, partitions)
  }

  addPartitions(topic: string, count: number): void {
    const from = this.image.topic(topic)!.partitions.length
    const of = (partitionId: number) => ({
      type: 'PartitionRecord',
      partitionId,
      topicId: idOf(topic),
      replicas: [1],
      isr: [1],
      removingReplicas: [],
      addingReplicas: [],
      leader: 1,
      leaderRecoveryState: 0,
      leaderEpoch: 0,
      partitionEpoch: 0,
      directories: [],
      eligibleLeaderReplicas: null,
      lastKnownElr: null,
    })
    this.#apply(...Array.from({ length: count }, (_, index) => of(from + index)))
  }

  deleteTopic(topic: string): void {
    this.#apply({ type: 'RemoveTopicRecord', topicId: idOf(topic) })
  }

  /** Everything is committed as soon as it is written, so that every answer is there at once. */
  heartbeat(memberId: string, memberEpoch: number, saying: Partial<HeartbeatRequest> = {}): HeartbeatAnswer {
    const request: HeartbeatRequest = {
      groupId: 'g',
      memberId,
      memberEpoch,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: -1,
      subscribedTopicNames: null,
      subscribedTopicRegex: null,
      serverAssignor: null,
      topicPartitions: null,
      ...saying,
    }
    return this.group.consumer.heartbeat(request, context) as HeartbeatAnswer
  }

  join(memberId: string, topics: readonly string[], saying: Partial<HeartbeatRequest> = {}): HeartbeatAnswer {
    const rest = { rebalanceTimeoutMs: 3_600_000, subscribedTopicNames: topics, topicPartitions: [], ...saying }
    return this.heartbeat(memberId, 0, rest)
  }

  get latest(): ConsumerGroup {
    return this.group.shard.latest.groups.get('g') as ConsumerGroup
  }

  get committed(): ConsumerGroup {
    return this.group.shard.committed.groups.get('g') as ConsumerGroup
  }

  pass(ms: number): Promise<void> {
    return this.runtime.drive('time', () => this.runtime.sleep(ms))
  }

  /** What was written, in its order. */
  records() {
    return this.log.batches.flatMap(batch => recordsOf(batch).map(record => groupCodec.decode(record)!))
  }
}
