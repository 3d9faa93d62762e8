import type { ImageChanges } from '../../metadata/image-changes.ts'
import { OFFSETS_TOPIC } from '../../metadata/topic-names.ts'
import { KafkaError } from '../../wire/errors.ts'
import { LedShards } from '../led-shards.ts'
import { partitionFor } from '../partition-for.ts'
import type { ShardLog } from '../shard-log.ts'
import type { JoinRequest } from './classic/classic-member.ts'
import { type HeartbeatRequest, requireAssignor } from './consumer/consumer-heartbeats.ts'
import type { ListedGroup } from './group-directory.ts'
import type { GroupEnvironment } from './group-environment.ts'
import { GroupShard } from './group-shard.ts'

/**
 * The groups that this broker coordinates (Kafka's GroupCoordinatorService): those of the partitions of `__consumer_offsets`
 * that it leads.
 */
export class GroupCoordinator {
  readonly #environment: GroupEnvironment
  readonly #shards: LedShards<GroupShard>

  constructor(environment: GroupEnvironment) {
    this.#environment = environment
    this.#shards = new LedShards((log, lost) => new GroupShard(environment, log, lost))
  }

  /** Of all partitions that are led here, loaded or not, by partition. */
  get shards(): ReadonlyMap<number, GroupShard> {
    return this.#shards.byPartition
  }

  /** G-1. @throws {KafkaError} COORDINATOR_NOT_AVAILABLE before there is a topic for groups */
  partitionOf(groupId: string): number {
    const topic = this.#environment.image.topic(OFFSETS_TOPIC)
    if (topic === undefined) throw new KafkaError('COORDINATOR_NOT_AVAILABLE')
    return partitionFor(groupId, topic.partitions.length)
  }

  /** The same, also before there is a topic: it will have as many partitions as configured. */
  partitionToBe(groupId: string): number {
    const { image, config } = this.#environment
    const partitions = image.topic(OFFSETS_TOPIC)?.partitions.length ?? config()['offsets.topic.num.partitions']
    return partitionFor(groupId, partitions)
  }

  /**
   * Where this group is kept; it may still be loading, which `shard` refuses by itself.
   *
   * @throws {KafkaError} NOT_COORDINATOR if it is kept by another broker (G-2)
   */
  shardOf(groupId: string): GroupShard {
    const { image } = this.#environment
    const shard = image.topic(OFFSETS_TOPIC) === undefined ? undefined : this.#shards.get(this.partitionOf(groupId))
    if (shard === undefined) throw new KafkaError('NOT_COORDINATOR')
    return shard
  }

  /**
   * The same, for requests that an ordinary name stands in: who coordinates an empty one, and whether that is loading, is
   * not looked at (G-3).
   *
   * @throws {KafkaError} INVALID_GROUP_ID, NOT_COORDINATOR
   */
  shardOfNamed(groupId: string): GroupShard {
    if (groupId === '') throw new KafkaError('INVALID_GROUP_ID')
    return this.shardOf(groupId)
  }

  /**
   * The same for JoinGroup: what no broker takes is refused by every one (G-10).
   *
   * @throws {KafkaError} INVALID_GROUP_ID, INVALID_SESSION_TIMEOUT, NOT_COORDINATOR
   */
  shardToJoin({ groupId, sessionTimeoutMs }: Pick<JoinRequest, 'groupId' | 'sessionTimeoutMs'>): GroupShard {
    if (groupId === '') throw new KafkaError('INVALID_GROUP_ID')
    const config = this.#environment.config()
    const least = config['group.min.session.timeout.ms']
    const most = config['group.max.session.timeout.ms']
    if (sessionTimeoutMs < least || sessionTimeoutMs > most) throw new KafkaError('INVALID_SESSION_TIMEOUT')
    return this.shardOf(groupId)
  }

  /**
   * The same for ConsumerGroupHeartbeat (G-51).
   *
   * @throws {KafkaError} UNSUPPORTED_ASSIGNOR, NOT_COORDINATOR
   */
  shardToHear(request: HeartbeatRequest): GroupShard {
    requireAssignor(request, this.#environment)
    return this.shardOf(request.groupId)
  }

  /**
   * All groups that are kept here, of every type; those in these states, of these types, if any are named, in upper or lower
   * case (G-41).
   *
   * @throws {KafkaError} COORDINATOR_LOAD_IN_PROGRESS while any partition is loading
   */
  list(filter: { readonly states: readonly string[]; readonly types: readonly string[] }): ListedGroup[] {
    const lower = (names: readonly string[]) => new Set(names.map(name => name.trim().toLowerCase()))
    const lowered = { states: lower(filter.states), types: lower(filter.types) }
    return [...this.#shards].flatMap(({ directory }) => directory.list(lowered))
  }

  /** This broker leads a partition since an epoch. */
  elected(log: ShardLog): void {
    this.#shards.elected(log)
  }

  /** It no longer does. */
  resigned(partition: number): void {
    this.#shards.resigned(partition)
  }

  metadataChanged(changes: ImageChanges): void {
    for (const shard of this.#shards) shard.metadataChanged(changes)
  }
}
