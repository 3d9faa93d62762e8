import type { TopicPartition } from '../../topic-partition.ts'
import type { MemberSubscription, TopicPartitions } from './assignor.ts'
import { type Possession, settledClaims } from './claims.ts'
import { assignEqually } from './equal-subscriptions.ts'
import { PartitionTable } from './partition-table.ts'
import { assignUnequally } from './unequal-subscriptions.ts'

/**
 * What both sticky assignors do (Kafka's AbstractStickyAssignor): as even as can be, and as little moved as can be.
 *
 * With `isCooperative` a member does not get what another has to give up first: that comes with the next rebalance.
 *
 * Where members have more than their share, those first in the order of their ids keep one more; Kafka goes by the hash
 * of the id there. Of claims by the same generation nobody is believed, in whatever order they come.
 */
export function assignSticky(
  topics: ReadonlyMap<string, TopicPartitions>,
  members: ReadonlyMap<string, MemberSubscription>,
  possessionOf: (member: MemberSubscription) => Possession,
  isCooperative: boolean,
): Map<string, TopicPartition[]> {
  const table = new PartitionTable(topics, members)
  if (table.members.length === 0) return new Map()
  const possessions = new Map([...members].map(([memberId, member]) => [memberId, possessionOf(member)]))
  const claims = settledClaims(table, possessions)
  const given = (assigned: ReadonlyMap<string, readonly number[]>, withheld: ReadonlySet<number>) =>
    new Map(
      table.members.map(memberId => {
        const indexes = assigned.get(memberId)!.filter(index => !withheld.has(index))
        return [memberId, indexes.map(index => table.partitions[index]!)]
      }),
    )
  if (wantTheSame(members)) {
    const { assigned, changingHands } = assignEqually(table, claims)
    return given(assigned, isCooperative ? changingHands : new Set())
  }
  const assigned = assignUnequally(table, claims, members)
  return given(assigned, isCooperative ? changingHands(table, assigned, possessions) : new Set())
}

function wantTheSame(members: ReadonlyMap<string, MemberSubscription>): boolean {
  const sets = [...members.values()].map(({ topics }) => new Set(topics))
  const first = sets[0]
  if (first === undefined) return true
  return sets.every(topics => topics.size === first.size && [...topics].every(topic => first.has(topic)))
}

/** What one member has and another is to get: it may still be reading it. */
function changingHands(
  table: PartitionTable,
  assigned: ReadonlyMap<string, readonly number[]>,
  possessions: ReadonlyMap<string, Possession>,
): Set<number> {
  const next = new Map<number, string>()
  for (const [memberId, indexes] of assigned) for (const index of indexes) next.set(index, memberId)
  const had = new Map<number, Set<string>>()
  for (const [memberId, { partitions }] of possessions) {
    for (const partition of partitions) {
      const index = table.indexOf(partition)
      if (index === undefined) continue
      const owners = had.get(index)
      if (owners === undefined) had.set(index, new Set([memberId]))
      else owners.add(memberId)
    }
  }
  const changing = new Set<number>()
  for (const [index, owners] of had) if (!owners.has(next.get(index) ?? '')) changing.add(index)
  return changing
}
