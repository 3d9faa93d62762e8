import type { MemberSubscription } from './assignor.ts'

/**
 * Static members by their instance ids, before all others by their member ids (Kafka's MemberInfo), so that a static member
 * that came back under another member id gets what it had.
 */
export function membersInOrder(members: ReadonlyMap<string, MemberSubscription>): string[] {
  return [...members]
    .map(([memberId, { groupInstanceId }]) => ({ memberId, groupInstanceId }))
    .sort((one, other) => {
      if (one.groupInstanceId !== null && other.groupInstanceId !== null) {
        return compared(one.groupInstanceId, other.groupInstanceId)
      }
      if (one.groupInstanceId !== null) return -1
      if (other.groupInstanceId !== null) return 1
      return compared(one.memberId, other.memberId)
    })
    .map(({ memberId }) => memberId)
}

/** By UTF-16 units, as Java compares strings: no locale. */
export function compared(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}
