import type { Assignment } from '../partition-sets.ts'
import type { AssignableGroup, AssignableMember } from './assignor.ts'

/**
 * Assignor `range` (Kafka's RangeAssignor): of each topic every subscriber gets one run of partitions, the first ones get
 * one more where it does not come out even. Members stand in the same order for every topic, so that partition n of two
 * topics with as many partitions and the same subscribers is one member's (co-partitioning). Static members come first,
 * by instance id: one that returns under another member id gets the same runs.
 */
export function rangeAssignor({ members, topics }: AssignableGroup): ReadonlyMap<string, Assignment> {
  const inOrder = members.toSorted(byInstance)
  const targets = new Map<string, Map<string, readonly number[]>>()
  for (const { memberId } of members) targets.set(memberId, new Map())
  for (const { topicId, partitions } of topics) {
    const subscribers = inOrder.filter(({ topicIds }) => topicIds.has(topicId))
    const quota = Math.floor(partitions / subscribers.length)
    const extra = partitions % subscribers.length
    let next = 0
    subscribers.forEach(({ memberId }, index) => {
      const count = quota + (index < extra ? 1 : 0)
      const from = next
      if (count > 0)
        targets.get(memberId)!.set(
          topicId,
          Array.from({ length: count }, (_, at) => from + at),
        )
      next += count
    })
  }
  return targets
}

function byInstance(one: AssignableMember, other: AssignableMember): number {
  if (one.instanceId !== null && other.instanceId !== null) return order(one.instanceId, other.instanceId)
  if (one.instanceId !== null) return -1
  if (other.instanceId !== null) return 1
  return order(one.memberId, other.memberId)
}

function order(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
