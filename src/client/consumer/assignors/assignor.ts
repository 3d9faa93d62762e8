import type { TopicPartition } from '../../topic-partition.ts'

/** How a member gives partitions back: all of them before it joins again, or only those that go to others (KIP-429). */
export type RebalanceProtocol = 'eager' | 'cooperative'

/** Partitions of one topic, as the members' leader knows them. */
export interface TopicPartitions {
  /** How many; 0 if there is no such topic. */
  readonly partitionCount: number
  /** For each partition the racks of its replicas (KIP-881); left out, or empty, where racks are not known. */
  readonly racks?: readonly (readonly string[])[] | undefined
}

/** What one member asks for, and what it has. */
export interface MemberSubscription {
  readonly topics: readonly string[]
  /** Whatever the assignor of that member wrote: see {@link Assignor.subscriptionUserData}. */
  readonly userData: Uint8Array | null
  /** Empty with members of an eager protocol: they gave all back before they joined. */
  readonly ownedPartitions: readonly TopicPartition[]
  /** The generation that gave them to it; −1 if it does not say (KIP-792). */
  readonly generationId: number
  readonly rackId: string | null
  readonly groupInstanceId: string | null
}

/** What a member learns with its assignment. */
export interface AssignmentContext {
  readonly groupId: string
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/**
 * `partition.assignment.strategy`: says who reads what (Kafka's ConsumerPartitionAssignor). Only the leader of a classic
 * group is asked. Two members that are asked the same should answer the same, whatever the order of the maps.
 */
export interface Assignor {
  /** As it goes over the wire, where all members of a group must have one in common: `range`. */
  readonly name: string
  /** Default: `['eager']`. */
  readonly supportedProtocols?: readonly RebalanceProtocol[]
  /** What goes along with this member's next subscription. */
  subscriptionUserData?(topics: readonly string[]): Uint8Array | null
  /** The partitions of every member; a member left out gets none. */
  assign(
    topics: ReadonlyMap<string, TopicPartitions>,
    members: ReadonlyMap<string, MemberSubscription>,
  ): ReadonlyMap<string, readonly TopicPartition[]>
  /** Told to every member, before its rebalance listener. */
  onAssignment?(partitions: readonly TopicPartition[], context: AssignmentContext): void
}
