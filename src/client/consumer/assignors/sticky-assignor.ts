import { joined } from '../../../wire/frame.ts'
import { Message } from '../../../wire/message.ts'
import { Reader } from '../../../wire/reader.ts'
import { array, int32, string } from '../../../wire/schema.ts'
import { Writer } from '../../../wire/writer.ts'
import { byTopic } from '../../list-offsets.ts'
import type { TopicPartition } from '../../topic-partition.ts'
import type { AssignmentContext, Assignor, MemberSubscription, TopicPartitions } from './assignor.ts'
import type { Possession } from './claims.ts'
import { assignSticky } from './sticky-assignment.ts'

/** StickyAssignorUserData: what the member was given last, and since version 1 the generation of it. It names no version. */
const userData = new Message(
  'StickyAssignorUserData',
  {
    previousAssignment: array({ topic: string, partitions: array(int32) }),
    generation: int32.since(1).default(-1).ignorable(),
  },
  { min: 0, max: 1 },
  Number.POSITIVE_INFINITY,
)

/**
 * As even as round robin, and each member keeps what it had where that is possible (Kafka's StickyAssignor). It is eager:
 * members give all back before they join, so each carries along, as user data, what it was given last.
 */
export class StickyAssignor implements Assignor {
  readonly name = 'sticky'
  #last: readonly TopicPartition[] | undefined
  #generationId = -1

  subscriptionUserData(): Uint8Array | null {
    if (this.#last === undefined) return null
    return encodeStickyUserData({ partitions: this.#last, generationId: this.#generationId })
  }

  assign(
    topics: ReadonlyMap<string, TopicPartitions>,
    members: ReadonlyMap<string, MemberSubscription>,
  ): Map<string, TopicPartition[]> {
    return assignSticky(topics, members, member => decodeStickyUserData(member.userData), false)
  }

  onAssignment(partitions: readonly TopicPartition[], { generationId }: AssignmentContext): void {
    this.#last = partitions
    this.#generationId = generationId
  }
}

export function encodeStickyUserData({ partitions, generationId }: Possession): Uint8Array {
  const writer = new Writer()
  const previousAssignment = byTopic(partitions).map(([topic, items]) => ({
    topic,
    partitions: items.map(({ partition }) => partition),
  }))
  userData.codec(1).write(writer, { previousAssignment, generation: generationId })
  return joined(writer.finish().slices)
}

/** Bytes that cannot be read say nothing, as with Kafka's: their member begins anew. */
export function decodeStickyUserData(bytes: Uint8Array | null): Possession {
  if (bytes === null) return { partitions: [], generationId: -1 }
  for (const version of [1, 0]) {
    try {
      const { previousAssignment, generation } = userData.codec(version).read(new Reader([bytes]))
      const partitions = previousAssignment.flatMap(its =>
        its.partitions.map(partition => ({ topic: its.topic, partition })),
      )
      return { partitions, generationId: generation }
    } catch {
      // The older version is shorter; and what is neither is no user data of this assignor.
    }
  }
  return { partitions: [], generationId: -1 }
}
