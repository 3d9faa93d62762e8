import { defineApi } from '../wire/api.ts'
import { array, boolean, int16, int32, string, struct, uuid } from '../wire/schema.ts'

/** Where a page begins: the first partition that it shows. */
const cursor = struct({
  topicName: string,
  partitionIndex: int32,
})

/**
 * Topics and their partitions page by page, with eligible leader replicas (KIP-966). Topics come in order of their
 * names; the cursor is where the next page begins. Any broker answers.
 */
export const describeTopicPartitions = defineApi({
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: '0',
  flexibleFrom: 0,
  request: {
    topics: array({
      name: string,
    }),
    responsePartitionLimit: int32.default(2000),
    cursor: cursor.nullable().default(null),
  },
  response: {
    throttleTimeMs: int32.ignorable(),
    topics: array({
      errorCode: int16,
      name: string.nullable(),
      topicId: uuid.ignorable(),
      isInternal: boolean.default(false).ignorable(),
      partitions: array({
        errorCode: int16,
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: int32.default(-1).ignorable(),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        eligibleLeaderReplicas: array(int32).nullable().default(null),
        lastKnownElr: array(int32).nullable().default(null),
        offlineReplicas: array(int32).ignorable(),
      }),
      topicAuthorizedOperations: int32.default(-2147483648),
    }),
    nextCursor: cursor.nullable().default(null),
  },
})
