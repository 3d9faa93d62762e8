import { joined } from './frame.ts'
import { Message } from './message.ts'
import { MalformedError, Reader } from './reader.ts'
import { array, bytes, type Decoded, type Encodable, type Fields, int32, string } from './schema.ts'
import { Writer } from './writer.ts'

/**
 * What members of a classic group of protocol type `consumer` tell one another through the coordinator, which passes it on
 * unread: what a member wants (in JoinGroup) and what it gets (in SyncGroup). Each begins with its version, an int16.
 */
export const PROTOCOL_TYPE = 'consumer'

/** ConsumerProtocolSubscription: topics, what the member owns, since when (KIP-429, KIP-792, KIP-881). */
export const subscriptionSchema = new Message(
  'ConsumerProtocolSubscription',
  {
    topics: array(string),
    userData: bytes.nullable().default(null),
    ownedPartitions: array({
      topic: string,
      partitions: array(int32),
    })
      .since(1)
      .ignorable(),
    generationId: int32.since(2).default(-1).ignorable(),
    rackId: string.nullable().since(3).default(null).ignorable(),
  },
  { min: 0, max: 3 },
  Number.POSITIVE_INFINITY,
)

/** ConsumerProtocolAssignment. */
export const assignmentSchema = new Message(
  'ConsumerProtocolAssignment',
  {
    assignedPartitions: array({
      topic: string,
      partitions: array(int32),
    }),
    userData: bytes.nullable().default(null),
  },
  { min: 0, max: 3 },
  Number.POSITIVE_INFINITY,
)

export type ConsumerSubscription = Decoded<typeof subscriptionSchema.fields>
export type ConsumerAssignment = Decoded<typeof assignmentSchema.fields>

/** In version 3 unless said. */
export function encodeSubscription(
  subscription: Encodable<typeof subscriptionSchema.fields>,
  version: number = subscriptionSchema.versions.max,
): Uint8Array {
  return encoded(subscriptionSchema, subscription, version)
}

/** In version 3 unless said. */
export function encodeAssignment(
  assignment: Encodable<typeof assignmentSchema.fields>,
  version: number = assignmentSchema.versions.max,
): Uint8Array {
  return encoded(assignmentSchema, assignment, version)
}

/** A version of later days is read as the newest known one. @throws {MalformedError} */
export function decodeSubscription(bytes: Uint8Array): ConsumerSubscription {
  return decoded(subscriptionSchema, bytes)
}

/** No bytes at all are an empty assignment. @throws {MalformedError} */
export function decodeAssignment(bytes: Uint8Array): ConsumerAssignment {
  if (bytes.length === 0) return { assignedPartitions: [], userData: null }
  return decoded(assignmentSchema, bytes)
}

function encoded<F extends Fields>(schema: Message<F>, value: Encodable<F>, version: number): Uint8Array {
  const writer = new Writer()
  writer.int16(version)
  schema.codec(version).write(writer, value)
  return joined(writer.finish().slices)
}

function decoded<F extends Fields>(schema: Message<F>, bytes: Uint8Array): Decoded<F> {
  const reader = new Reader([bytes])
  const version = reader.int16()
  if (version < 0) throw new MalformedError(`${schema.name} has no version ${version}`)
  return schema.codec(Math.min(version, schema.versions.max)).read(reader)
}
