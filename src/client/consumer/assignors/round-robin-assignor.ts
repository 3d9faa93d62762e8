import type { TopicPartition } from '../../topic-partition.ts'
import type { Assignor, MemberSubscription, TopicPartitions } from './assignor.ts'
import { compared, membersInOrder } from './member-order.ts'

/** Deals the partitions of all topics, sorted, around the sorted members, passing over those who did not subscribe. */
export class RoundRobinAssignor implements Assignor {
  readonly name = 'roundrobin'

  assign(
    topics: ReadonlyMap<string, TopicPartitions>,
    members: ReadonlyMap<string, MemberSubscription>,
  ): Map<string, TopicPartition[]> {
    const inOrder = membersInOrder(members)
    const assignment = new Map<string, TopicPartition[]>(inOrder.map(memberId => [memberId, []]))
    const wanted = inOrder.map(memberId => new Set(members.get(memberId)!.topics))
    let next = 0
    for (const [topic, { partitionCount }] of [...topics].sort(([one], [other]) => compared(one, other))) {
      if (!wanted.some(its => its.has(topic))) continue
      for (let partition = 0; partition < partitionCount; partition++) {
        while (!wanted[next]!.has(topic)) next = (next + 1) % inOrder.length
        assignment.get(inOrder[next]!)!.push({ topic, partition })
        next = (next + 1) % inOrder.length
      }
    }
    return assignment
  }
}
