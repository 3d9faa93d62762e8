import type { ImageChanges } from '../../metadata/image-changes.ts'
import { KafkaError } from '../../wire/errors.ts'
import { partitionFor } from '../partition-for.ts'
import type { ShardLog } from '../shard-log.ts'
import type { JoinRequest } from './classic/classic-member.ts'
import { type HeartbeatRequest, requireAssignor } from './consumer/consumer-heartbeats.ts'
import type { ListedGroup } from './group-directory.ts'
import type { GroupEnvironment } from './group-environment.ts'
import { GroupShard } from './group-shard.ts'

export const OFFSETS_TOPIC = '__consumer_offsets'

/**
 * The groups that this broker coordinates (Kafka's GroupCoordinatorService): those of the partitions of `__consumer_offsets`
 * that it leads.
 */
export class GroupCoordinator {
  readonly #environment: GroupEnvironment
  readonly #shards = new Map<number, GroupShard>()

  constructor(environment: GroupEnvironment) {
    this.#environment = environment
  }

  /** Of all partitions that are led here, loaded or not, by partition. */
  get shards(): ReadonlyMap<number, GroupShard> {
    return this.#shards
  }

  /** G-1. @throws {KafkaError} COORDINATOR_NOT_AVAILABLE before there is a topic for groups */
  partitionOf(groupId: string): number {
    const topic = this.#environment.image.topic(OFFSETS_TOPIC)
    if (topic === undefined) throw new KafkaError('COORDINATOR_NOT_AVAILABLE')
    return partitionFor(groupId, topic.partitions.length)
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
    return [...this.#shards.values()].flatMap(({ directory }) => directory.list(lowered))
  }

  /** This broker leads a partition, since `log.leaderEpoch`: what it kept of an earlier epoch is loaded anew. */
  elected(log: ShardLog): void {
    const known = this.#shards.get(log.partition)
    if (known?.shard.log.leaderEpoch === log.leaderEpoch) return
    known?.close()
    const made = new GroupShard(this.#environment, log, () => this.#reload(made))
    this.#shards.set(log.partition, made)
    made.load()
  }

  /** It no longer does. */
  resigned(partition: number): void {
    this.#shards.get(partition)?.close()
    this.#shards.delete(partition)
  }

  #reload(shard: GroupShard): void {
    if (this.#shards.get(shard.partition) !== shard) return
    this.resigned(shard.partition)
    this.elected(shard.shard.log)
  }

  metadataChanged(changes: ImageChanges): void {
    for (const shard of this.#shards.values()) shard.metadataChanged(changes)
  }
}
