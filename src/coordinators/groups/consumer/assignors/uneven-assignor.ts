import type { Assignment } from '../partition-sets.ts'
import type { AssignableGroup, AssignableMember, AssignableTopic } from './assignor.ts'

interface Share {
  readonly member: AssignableMember
  readonly owned: Map<string, Set<number>>
  count: number
}

/**
 * Members with different subscriptions (Kafka's UniformHeterogeneousAssignmentBuilder): everyone keeps what it may keep;
 * what is free goes to the subscriber that has least; then partitions move from who has most of a topic's subscribers to who
 * has least, until no single move would make it more even.
 */
export function unevenAssignor({ members, topics }: AssignableGroup): ReadonlyMap<string, Assignment> {
  const shares = members.map(member => ({ member, owned: new Map<string, Set<number>>(), count: 0 }))
  const subscribersOf = new Map(
    topics.map(({ topicId }) => [topicId, shares.filter(({ member }) => member.topicIds.has(topicId))]),
  )
  // The fewer may have a topic, the earlier it is given away: who has a choice fills the gaps.
  const inOrder = topics.toSorted(
    (a, b) => subscribersOf.get(a.topicId)!.length - subscribersOf.get(b.topicId)!.length || 0,
  )
  const free = keepTargets(shares, topics)
  for (const { topicId } of inOrder) {
    const subscribers = subscribersOf.get(topicId)!
    for (const partition of free.get(topicId)!) give(least(subscribers), topicId, partition)
  }
  while (inOrder.some(({ topicId }) => levelled(topicId, subscribersOf.get(topicId)!)));
  return new Map(shares.map(({ member, owned }) => [member.memberId, assignment(owned)]))
}

/** Everyone keeps what it has and is still subscribed to. What is left is free. */
function keepTargets(shares: readonly Share[], topics: readonly AssignableTopic[]): Map<string, Set<number>> {
  const free = new Map(
    topics.map(({ topicId, partitions }) => [
      topicId,
      new Set(Array.from({ length: partitions }, (_, index) => index)),
    ]),
  )
  for (const share of shares) {
    for (const [topicId, partitions] of share.member.target) {
      if (!share.member.topicIds.has(topicId)) continue
      for (const partition of partitions) if (free.get(topicId)?.delete(partition)) give(share, topicId, partition)
    }
  }
  return free
}

/** Whether partitions of this topic had to move to make its subscribers more even. */
function levelled(topicId: string, subscribers: readonly Share[]): boolean {
  let moved = false
  for (;;) {
    const to = least(subscribers)
    let from: Share | undefined
    for (const share of subscribers) {
      if ((share.owned.get(topicId)?.size ?? 0) > 0 && (from === undefined || share.count > from.count)) from = share
    }
    if (from === undefined || from.count - to.count < 2) return moved
    const partition = Math.max(...from.owned.get(topicId)!)
    from.owned.get(topicId)!.delete(partition)
    from.count--
    give(to, topicId, partition)
    moved = true
  }
}

function least(shares: readonly Share[]): Share {
  return shares.reduce((best, share) => (share.count < best.count ? share : best))
}

function give(share: Share, topicId: string, partition: number): void {
  const owned = share.owned.get(topicId)
  if (owned === undefined) share.owned.set(topicId, new Set([partition]))
  else owned.add(partition)
  share.count++
}

function assignment(owned: ReadonlyMap<string, ReadonlySet<number>>): Assignment {
  return new Map(
    [...owned]
      .filter(([, partitions]) => partitions.size > 0)
      .map(([topicId, partitions]) => [topicId, [...partitions].sort((a, b) => a - b)]),
  )
}
