import type { TopicPartition } from '../../topic-partition.ts'
import type { AssignmentContext, Assignor, MemberSubscription, TopicPartitions } from './assignor.ts'
import type { Possession } from './claims.ts'
import { assignSticky } from './sticky-assignment.ts'

/**
 * Sticky, and nothing stops that need not (KIP-429): members go on reading while they rebalance and say what they own. What
 * has to move is taken from its owner in one rebalance, and given to the other in the next.
 */
export class CooperativeStickyAssignor implements Assignor {
  readonly name = 'cooperative-sticky'
  readonly supportedProtocols = ['cooperative', 'eager'] as const
  #generationId = -1

  /** The generation: subscriptions before version 2 have no field for it. */
  subscriptionUserData(): Uint8Array {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(this.#generationId)
    return bytes
  }

  assign(
    topics: ReadonlyMap<string, TopicPartitions>,
    members: ReadonlyMap<string, MemberSubscription>,
  ): Map<string, TopicPartition[]> {
    return assignSticky(topics, members, possessionOf, true)
  }

  onAssignment(_partitions: readonly TopicPartition[], { generationId }: AssignmentContext): void {
    this.#generationId = generationId
  }
}

function possessionOf({ ownedPartitions, generationId, userData }: MemberSubscription): Possession {
  if (generationId >= 0 || userData === null || userData.length < 4)
    return { partitions: ownedPartitions, generationId }
  const view = new DataView(userData.buffer, userData.byteOffset, userData.byteLength)
  return { partitions: ownedPartitions, generationId: view.getInt32(0) }
}
