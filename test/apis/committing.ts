import { offsetCommit } from '../../src/apis/offset-commit.ts'
import { offsetDelete } from '../../src/apis/offset-delete.ts'
import { offsetFetch } from '../../src/apis/offset-fetch.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import type { GroupShard } from '../../src/coordinators/groups/group-shard.ts'
import { partitionFor } from '../../src/coordinators/partition-for.ts'
import type { ResponseOf } from '../../src/wire/api.ts'
import { ask, nameOf, plantOf } from './asking.ts'

export const OFFSETS_TOPIC = '__consumer_offsets'

/** One partition of `__consumer_offsets` on these brokers, the coordinator first: every group is kept there. */
export function keptOn(...brokers: number[]) {
  return { [OFFSETS_TOPIC]: { assignments: [brokers], configs: { 'cleanup.policy': 'compact' } } }
}

/** Whoever leads the group's partition, as the controller has it. */
export function coordinatorOf(cluster: Cluster, group: string): number {
  const partitions = cluster.topic(OFFSETS_TOPIC).partitionCount
  return cluster.leaderOf(OFFSETS_TOPIC, partitionFor(group, partitions)).id
}

export interface Member {
  readonly memberId?: string
  readonly generation?: number
  readonly instanceId?: string
}

/** A partition as in `orders-0`, and what is committed for it. */
export type Offsets = Readonly<
  Record<string, number | { offset: number; metadata?: string | null; leaderEpoch?: number }>
>

interface Asking extends Member {
  readonly version?: number
  /** The group's coordinator unless said. */
  readonly to?: number
}

const nameAndIndex = (partition: string): [string, number] => {
  const at = partition.lastIndexOf('-')
  return [partition.slice(0, at), Number(partition.slice(at + 1))]
}

export function topicIdOf(cluster: Cluster, topic: string): string {
  return cluster.topic(topic).topicId
}

/** Commits; answers each partition's error, in the order of the answer. */
export async function commit(
  cluster: Cluster,
  group: string,
  offsets: Offsets,
  options: Asking & { readonly retentionMs?: number; readonly topicIds?: Readonly<Record<string, string>> } = {},
): Promise<Record<string, string>> {
  const { version = 9, to = coordinatorOf(cluster, group), memberId = '', generation = -1, instanceId } = options
  const { retentionMs = -1, topicIds = {} } = options
  const topics = new Map<string, object[]>()
  for (const [partition, given] of Object.entries(offsets)) {
    const [name, partitionIndex] = nameAndIndex(partition)
    const { offset, metadata = '', leaderEpoch = -1 } = typeof given === 'number' ? { offset: given } : given
    const row = {
      partitionIndex,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch,
      committedMetadata: metadata,
    }
    topics.set(name, [...(topics.get(name) ?? []), row])
  }
  const body = {
    groupId: group,
    generationIdOrMemberEpoch: generation,
    memberId,
    ...(instanceId === undefined ? {} : { groupInstanceId: instanceId }),
    retentionTimeMs: retentionMs,
    topics: Array.from(topics, ([name, partitions]) => ({
      ...(version < 10 ? { name } : { topicId: topicIds[name] ?? topicIdOf(cluster, name) }),
      partitions: partitions as { partitionIndex: number; committedOffset: number; committedMetadata: string | null }[],
    })),
  }
  const answer = await ask(cluster, to, offsetCommit, body, version)
  const nameOfId = new Map(
    [...topics.keys()].map(name => [version < 10 ? name : (topicIds[name] ?? topicIdOf(cluster, name)), name]),
  )
  return Object.fromEntries(
    answer.topics.flatMap(({ name, topicId, partitions }) =>
      partitions.map(({ partitionIndex, errorCode }) => [
        `${nameOfId.get(version < 10 ? name : topicId)}-${partitionIndex}`,
        nameOf(errorCode),
      ]),
    ),
  )
}

/** What one group's answer says: `error` where it is refused as a whole, else [offset, metadata, error] by partition. */
export type FetchedOffsets = Readonly<Record<string, readonly [number, string | null, string]>> | string

/** OffsetFetch of one group, v9 unless said; all of it unless partitions are named. */
export async function committed(
  cluster: Cluster,
  group: string,
  options: Asking & { readonly partitions?: readonly string[]; readonly requireStable?: boolean } = {},
): Promise<FetchedOffsets> {
  const { version = 9, to = coordinatorOf(cluster, group), partitions, requireStable = false } = options
  const named = new Map<string, number[]>()
  for (const partition of partitions ?? []) {
    const [name, index] = nameAndIndex(partition)
    named.set(name, [...(named.get(name) ?? []), index])
  }
  const rows = Array.from(named, ([name, partitionIndexes]) => ({
    name,
    topicId: version < 10 ? undefined : topicIdOf(cluster, name),
    partitionIndexes,
  }))
  const topics = partitions === undefined ? null : rows
  const { memberId = null, generation = -1 } = options
  const member = version < 9 ? {} : { memberId, memberEpoch: generation }
  const stable = version < 7 ? {} : { requireStable }
  const body =
    version < 8 ? { groupId: group, topics, ...stable } : { groups: [{ groupId: group, topics, ...member }], ...stable }
  const answer = await ask(cluster, to, offsetFetch, body, version)
  return version < 8 ? table(cluster, answer, version) : table(cluster, answer.groups[0]!, version)
}

export function table(
  cluster: Cluster,
  { topics, errorCode }: Pick<ResponseOf<typeof offsetFetch>, 'topics' | 'errorCode'>,
  version = 9,
): FetchedOffsets {
  if (errorCode !== 0) return nameOf(errorCode)
  const nameOfId = new Map(cluster.topicNames.map(name => [topicIdOf(cluster, name), name]))
  return Object.fromEntries(
    topics.flatMap(topic =>
      topic.partitions.map(({ partitionIndex, committedOffset, metadata, errorCode }) => {
        const { topicId } = topic as { topicId?: string }
        const name = version < 10 ? topic.name : (nameOfId.get(topicId!) ?? topicId)
        return [`${name}-${partitionIndex}`, [committedOffset, metadata, nameOf(errorCode)] as const]
      }),
    ),
  )
}

/** The group's shard on its coordinator. */
export function groupShardOf(cluster: Cluster, group: string): GroupShard {
  return cluster.broker(coordinatorOf(cluster, group)).broker!.groups.shardOf(group)
}

/** Lets time run until `call` is answered. */
export function driven<T>(cluster: Cluster, call: () => T | Promise<T>): Promise<T> {
  return plantOf(cluster).runtime.drive('a call of a coordinator', call)
}

/** Offsets of a producer's transaction that no coordinator knows of. */
export async function commitInTransaction(
  cluster: Cluster,
  group: string,
  offsets: Readonly<Record<string, number>>,
  producerId: number,
): Promise<void> {
  const { shard } = groupShardOf(cluster, group)
  const { broker } = cluster.broker(coordinatorOf(cluster, group))
  const { log } = broker!.requirePartition(OFFSETS_TOPIC, shard.log.partition)
  const verification = log.startVerification(producerId, 0, -1, false, cluster.clock.now())
  const commit = {
    groupId: group,
    memberId: '',
    generationIdOrMemberEpoch: -1,
    groupInstanceId: null,
    version: undefined,
    retentionTimeMs: -1,
    transaction: { producerId, producerEpoch: 0, ...(verification === undefined ? {} : { verification }) },
    topics: Object.entries(offsets).map(([partition, committedOffset]) => {
      const [name, partitionIndex] = nameAndIndex(partition)
      const row = { partitionIndex, committedOffset, committedLeaderEpoch: -1, committedMetadata: 't' }
      return { name, topicId: topicIdOf(cluster, name), partitions: [row] }
    }),
  }
  await driven(cluster, () => groupShardOf(cluster, group).offsets.commit(commit))
}

/** The end of that transaction. */
export async function endTransaction(
  cluster: Cluster,
  group: string,
  type: 'COMMIT' | 'ABORT',
  producerId: number,
): Promise<void> {
  const marker = { type, producerId, producerEpoch: 0, coordinatorEpoch: 0 }
  await driven(cluster, () => groupShardOf(cluster, group).shard.writeMarker(marker, 5_000))
}

/** OffsetDelete for partition 0 of a topic: the group's code, and in brackets the partition's, as the tables of states say it. */
export async function offsetDeleted(cluster: Cluster, group: string, topic: string): Promise<string> {
  const topics = [{ name: topic, partitions: [{ partitionIndex: 0 }] }]
  const answer = await ask(cluster, coordinatorOf(cluster, group), offsetDelete, { groupId: group, topics })
  const partitions = answer.topics.flatMap(each => each.partitions.map(({ errorCode }) => `'${nameOf(errorCode)}'`))
  return `${nameOf(answer.errorCode)} [${partitions.join(', ')}]`
}
