import type { Assignment } from '../partition-sets.ts'

/** One member, as an assignor sees it. */
export interface AssignableMember {
  readonly memberId: string
  readonly instanceId: string | null
  /** Ids of the topics that it is subscribed to and that exist. */
  readonly topicIds: ReadonlySet<string>
  /** Its target so far. */
  readonly target: Assignment
}

export interface AssignableTopic {
  readonly topicId: string
  readonly partitions: number
}

/** Members in the order in which they joined, topics by name: the same group gives the same target. */
export interface AssignableGroup {
  readonly members: readonly AssignableMember[]
  /** Every topic that a member is subscribed to. */
  readonly topics: readonly AssignableTopic[]
}

/** Who gets what: every partition of every topic to exactly one of its subscribers. */
export type Assignor = (group: AssignableGroup) => ReadonlyMap<string, Assignment>

/** All members are subscribed to all topics. */
export function isHomogeneous({ members, topics }: AssignableGroup): boolean {
  return members.every(({ topicIds }) => topicIds.size === topics.length)
}
