import type { GroupShard } from '../coordinators/groups/group-shard.ts'
import { amongThese } from '../metadata/nearest-name.ts'
import type { BrokerHandle } from './broker-handle.ts'
import { type CoordinatorPlace, keptGroup, lookForShard } from './coordinator-lookup.ts'
import { type Membership, membershipOf } from './group-membership.ts'

/** A group where it is kept: on the broker that leads its partition of `__consumer_offsets`, once that has read it. */
export interface FoundGroup {
  readonly coordinator: BrokerHandle
  readonly shard: GroupShard
  readonly membership: Membership
}

/**
 * The group, if there is one.
 *
 * @throws {IllegalStateError} where nobody can say: no coordinator, or one that does not run, or has not read the log yet
 * @throws {RangeError} with the nearest name where there is no such group
 */
export function findGroup(place: CoordinatorPlace, group: string): FoundGroup {
  const seen = look(place, group)
  if (typeof seen === 'function') throw seen()
  return seen
}

/** The same for waits, which ask after every event: undefined where there is no such group, or nobody can say. */
export function seenGroup(place: CoordinatorPlace, group: string): FoundGroup | undefined {
  const seen = look(place, group)
  return typeof seen === 'function' ? undefined : seen
}

/** The group, or what to say of its absence. */
function look(place: CoordinatorPlace, group: string): FoundGroup | (() => Error) {
  const found = lookForShard(place, keptGroup(group), (broker, partition) => broker.groups.shards.get(partition))
  if (found === undefined) return () => unknownGroup(place, group)
  if (typeof found === 'function') return found
  const membership = membershipOf(found.shard, group, place.image())
  return membership === undefined ? () => unknownGroup(place, group) : { ...found, membership }
}

/** Ids of all groups that some running coordinator has. */
export function knownGroups({ brokers }: Pick<CoordinatorPlace, 'brokers'>): string[] {
  const known = new Set<string>()
  for (const { broker } of brokers) {
    for (const shard of broker?.groups.shards.values() ?? []) {
      for (const group of shard.shard.latest.groups.keys()) known.add(group)
    }
  }
  return [...known].sort()
}

function unknownGroup(place: CoordinatorPlace, group: string): RangeError {
  return new RangeError(`there is no group '${group}'${amongThese(group, knownGroups(place))}`)
}
