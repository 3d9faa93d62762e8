import { array, bytes, hash64, int8, int32, int64, string, struct, uuid } from '../../wire/schema.ts'
import {
  CoordinatorCodec,
  type CoordinatorRecord,
  type CoordinatorRecordInput,
  defineCoordinatorRecord,
} from '../coordinator-records.ts'

/**
 * The records of `__consumer_offsets` (G-42), in Kafka's own schemas: a log that a Kafka broker wrote can be read here, and
 * the other way round. Kinds of share and streams groups (10 to 15, 17 to 23) are passed over: there are no such groups.
 */
export const groupRecords = {
  /** An offset, as brokers before 0.9 wrote it: read, never written. */
  LegacyOffsetCommit: defineCoordinatorRecord({
    type: 0,
    name: 'LegacyOffsetCommit',
    version: 0,
    key: {
      group: string,
      topic: string,
      partition: int32,
    },
    value: {
      offset: int64,
      metadata: string,
      commitTimestamp: int64,
    },
  }),
  /** An offset that a group has committed. */
  OffsetCommit: defineCoordinatorRecord({
    type: 1,
    name: 'OffsetCommit',
    version: 4,
    flexibleFrom: 4,
    // With an expiry, which only old clients give, in the one version that has a place for it (G-32).
    write: ({ expireTimestamp = -1 }) => (expireTimestamp === -1 ? 4 : 1),
    key: {
      group: string,
      topic: string,
      partition: int32,
    },
    value: {
      offset: int64,
      leaderEpoch: int32.since(3).default(-1).ignorable(),
      metadata: string,
      commitTimestamp: int64,
      expireTimestamp: int64.since(1).until(1).default(-1).ignorable(),
      topicId: uuid.since(4).tagged(0).ignorable(),
    },
  }),
  /** A classic group: its generation, members and their assignments. */
  GroupMetadata: defineCoordinatorRecord({
    type: 2,
    name: 'GroupMetadata',
    version: 4,
    flexibleFrom: 4,
    write: () => 3,
    key: {
      group: string,
    },
    value: {
      protocolType: string,
      generation: int32,
      protocol: string.nullable(),
      leader: string.nullable(),
      currentStateTimestamp: int64.since(2).default(-1).ignorable(),
      members: array({
        memberId: string,
        groupInstanceId: string.nullable().since(3).default(null).ignorable(),
        clientId: string,
        clientHost: string,
        rebalanceTimeout: int32.since(1).default(-1).ignorable(),
        sessionTimeout: int32,
        subscription: bytes,
        assignment: bytes,
      }),
    },
  }),
  /** A consumer group (KIP-848): its group epoch. */
  ConsumerGroupMetadata: defineCoordinatorRecord({
    type: 3,
    name: 'ConsumerGroupMetadata',
    version: 0,
    flexibleFrom: 0,
    key: {
      groupId: string,
    },
    value: {
      epoch: int32,
      metadataHash: hash64.tagged(0),
    },
  }),
  /** Partitions of subscribed topics, as 4.0 kept them: now only ever deleted. */
  ConsumerGroupPartitionMetadata: defineCoordinatorRecord({
    type: 4,
    name: 'ConsumerGroupPartitionMetadata',
    version: 0,
    flexibleFrom: 0,
    key: {
      groupId: string,
    },
    value: {
      topics: array({
        topicId: uuid,
        topicName: string,
        numPartitions: int32,
        partitionMetadata: array({
          partition: int32,
          racks: array(string),
        }),
      }),
    },
  }),
  /** A member of a consumer group: what it wants. */
  ConsumerGroupMemberMetadata: defineCoordinatorRecord({
    type: 5,
    name: 'ConsumerGroupMemberMetadata',
    version: 0,
    flexibleFrom: 0,
    key: {
      groupId: string,
      memberId: string,
    },
    value: {
      instanceId: string.nullable(),
      rackId: string.nullable(),
      clientId: string,
      clientHost: string,
      subscribedTopicNames: array(string),
      subscribedTopicRegex: string.nullable(),
      rebalanceTimeoutMs: int32.default(-1),
      serverAssignor: string.nullable(),
      // Null is written, too: a 4.3.1 broker does so for every member of the new protocol.
      classicMemberMetadata: struct({
        sessionTimeoutMs: int32,
        supportedProtocols: array({
          name: string,
          metadata: bytes,
        }),
      })
        .nullable()
        .tagged(0),
    },
  }),
  /** The epoch for which the target assignment was computed. */
  ConsumerGroupTargetAssignmentMetadata: defineCoordinatorRecord({
    type: 6,
    name: 'ConsumerGroupTargetAssignmentMetadata',
    version: 0,
    flexibleFrom: 0,
    key: {
      groupId: string,
    },
    value: {
      assignmentEpoch: int32,
      assignmentTimestamp: int64.default(0).tagged(0).ignorable(),
    },
  }),
  /** What a member is to have. */
  ConsumerGroupTargetAssignmentMember: defineCoordinatorRecord({
    type: 7,
    name: 'ConsumerGroupTargetAssignmentMember',
    version: 0,
    flexibleFrom: 0,
    key: {
      groupId: string,
      memberId: string,
    },
    value: {
      topicPartitions: array({
        topicId: uuid,
        partitions: array(int32),
      }),
    },
  }),
  /** What a member has, and where it stands on the way to its target. */
  ConsumerGroupCurrentMemberAssignment: defineCoordinatorRecord({
    type: 8,
    name: 'ConsumerGroupCurrentMemberAssignment',
    version: 0,
    flexibleFrom: 0,
    key: {
      groupId: string,
      memberId: string,
    },
    value: {
      memberEpoch: int32,
      previousMemberEpoch: int32,
      state: int8,
      assignedPartitions: array({
        topicId: uuid,
        partitions: array(int32),
        assignmentEpochs: array(int32).nullable().default(null).tagged(0),
      }),
      partitionsPendingRevocation: array({
        topicId: uuid,
        partitions: array(int32),
        assignmentEpochs: array(int32).nullable().default(null).tagged(0),
      }),
    },
  }),
  /** Which topics a regular expression was found to match. */
  ConsumerGroupRegularExpression: defineCoordinatorRecord({
    type: 16,
    name: 'ConsumerGroupRegularExpression',
    version: 0,
    flexibleFrom: 0,
    key: {
      groupId: string,
      regularExpression: string,
    },
    value: {
      topics: array(string),
      version: int64,
      timestamp: int64,
    },
  }),
}

export type GroupRecord = CoordinatorRecord<typeof groupRecords>
export type GroupRecordInput = CoordinatorRecordInput<typeof groupRecords>

export const groupCodec = new CoordinatorCodec(groupRecords)
