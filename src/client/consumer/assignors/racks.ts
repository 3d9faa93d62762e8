import type { MemberSubscription, TopicPartitions } from './assignor.ts'

/**
 * Whether racks can tell partitions apart (KIP-881): some member is in a rack that has replicas, and not every partition has
 * replicas in all racks, for then each member reads within its rack whatever it gets.
 */
export function racksMatter(memberRacks: ReadonlySet<string>, partitions: Iterable<ReadonlySet<string>>): boolean {
  const all = new Set<string>()
  const each = [...partitions]
  for (const racks of each) for (const rack of racks) all.add(rack)
  if (![...memberRacks].some(rack => all.has(rack))) return false
  return each.some(({ size }) => size !== all.size)
}

/** The rack of each member that says one; an empty name counts as none. */
export function racksOfMembers(members: ReadonlyMap<string, MemberSubscription>): Map<string, string> {
  const racks = new Map<string, string>()
  for (const [memberId, { rackId }] of members) if (rackId !== null && rackId !== '') racks.set(memberId, rackId)
  return racks
}

/** The racks of each partition of a topic, by number. */
export function racksOfPartitions({ partitionCount, racks }: TopicPartitions): ReadonlySet<string>[] {
  return Array.from({ length: partitionCount }, (_, partition) => {
    return new Set((racks?.[partition] ?? []).filter(rack => rack !== ''))
  })
}
