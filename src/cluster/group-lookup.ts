import type { GroupShard } from '../coordinators/groups/group-shard.ts'
import { partitionFor } from '../coordinators/partition-for.ts'
import type { ClusterImage, PartitionImage } from '../metadata/image.ts'
import { amongThese } from '../metadata/nearest-name.ts'
import { OFFSETS_TOPIC } from '../metadata/topic-names.ts'
import { ConfigError, IllegalStateError } from '../wire/errors.ts'
import type { BrokerHandle } from './broker-handle.ts'
import { type Membership, membershipOf } from './group-membership.ts'
import { refuseUnknown } from './options.ts'

/** Who is coordinated: a group, by its id. */
export type Coordinated = { readonly group: string }

/** What is asked of the cluster to find a group in it. */
export interface GroupPlace {
  readonly brokers: readonly BrokerHandle[]
  readonly image: () => ClusterImage
}

/** A group where it is kept: on the broker that leads its partition of `__consumer_offsets`, once that has read it. */
export interface FoundGroup {
  readonly coordinator: BrokerHandle
  readonly shard: GroupShard
  readonly membership: Membership
}

/** The partition that keeps a group (G-1). @throws {IllegalStateError} before there is a topic for groups */
export function partitionOfGroup(image: ClusterImage, group: string): PartitionImage {
  const topic = image.topic(OFFSETS_TOPIC)
  if (topic !== undefined) return topic.partitions[partitionFor(group, topic.partitions.length)]!
  const made = 'it is made when a client first looks for a coordinator'
  throw new IllegalStateError(`group '${group}' has no coordinator: there is no topic ${OFFSETS_TOPIC} yet, ${made}`)
}

/**
 * The broker that coordinates a group now.
 *
 * @throws {IllegalStateError} that says why there is none
 * @throws {ConfigError} for what names no group
 */
export function coordinatorOf({ brokers, image }: GroupPlace, who: Coordinated): BrokerHandle {
  if (typeof who !== 'object' || who === null) {
    const meant = typeof who === 'string' ? who : 'billing'
    throw new ConfigError(`coordinatorOf takes a group by its id: coordinatorOf({ group: '${meant}' })`)
  }
  refuseUnknown('field of coordinatorOf', who, ['group'])
  const { group } = who
  if (typeof group !== 'string') throw new ConfigError("coordinatorOf takes a group by its id: { group: 'billing' }")
  const partition = partitionOfGroup(image(), group)
  const found = brokers.find(({ id }) => id === partition.leader)
  if (found === undefined) throw noCoordinator(group, partition)
  return found
}

function noCoordinator(group: string, { topic, partition, inSyncReplicas }: PartitionImage): IllegalStateError {
  const inSync = `in sync: ${inSyncReplicas.join(', ') || 'nobody'}`
  return new IllegalStateError(
    `group '${group}' has no coordinator now: ${topic}-${partition} has no leader (${inSync})`,
  )
}

/**
 * The group, if there is one.
 *
 * @throws {IllegalStateError} where nobody can say: no coordinator, or one that does not run, or has not read the log yet
 * @throws {RangeError} with the nearest name where there is no such group
 */
export function findGroup(place: GroupPlace, group: string): FoundGroup {
  const seen = look(place, group)
  if (typeof seen === 'function') throw seen()
  return seen
}

/** The same for waits, which ask after every event: undefined where there is no such group, or nobody can say. */
export function seenGroup(place: GroupPlace, group: string): FoundGroup | undefined {
  const seen = look(place, group)
  return typeof seen === 'function' ? undefined : seen
}

/** The group, or what to say of its absence. */
function look(place: GroupPlace, group: string): FoundGroup | (() => Error) {
  const image = place.image()
  if (image.topic(OFFSETS_TOPIC) === undefined) return () => unknownGroup(place, group)
  const partition = partitionOfGroup(image, group)
  const coordinator = place.brokers.find(({ id }) => id === partition.leader)
  if (coordinator === undefined) return () => noCoordinator(group, partition)
  const unseen = (why: string) => () =>
    new IllegalStateError(`group '${group}' cannot be seen now: its coordinator ${coordinator.name} ${why}`)
  if (coordinator.broker === undefined) return unseen(`is ${coordinator.state}`)
  const shard = coordinator.broker.groups.shards.get(partition.partition)
  if (shard === undefined) return unseen('does not know yet that it is')
  if (!shard.shard.isActive) return unseen(`has not read ${shard.shard.log.name} yet`)
  const membership = membershipOf(shard, group, image)
  return membership === undefined ? () => unknownGroup(place, group) : { coordinator, shard, membership }
}

/** Ids of all groups that some running coordinator has. */
export function knownGroups({ brokers }: Pick<GroupPlace, 'brokers'>): string[] {
  const known = new Set<string>()
  for (const { broker } of brokers) {
    for (const shard of broker?.groups.shards.values() ?? []) {
      for (const group of shard.shard.latest.groups.keys()) known.add(group)
    }
  }
  return [...known].sort()
}

function unknownGroup(place: GroupPlace, group: string): RangeError {
  return new RangeError(`there is no group '${group}'${amongThese(group, knownGroups(place))}`)
}
