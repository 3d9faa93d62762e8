import { defineApi } from '../wire/api.ts'
import { array, int8, int16, int32, int64, string } from '../wire/schema.ts'

/**
 * The offset for a timestamp: −1 latest, −2 earliest, from v7 −3 the record with the largest timestamp, v8 −4 earliest
 * local, v9 −5 last tiered, v11 −6 earliest that waits for upload. v2 isolation level (latest = last stable offset),
 * v4 leader epochs, v10 a timeout (W-42). The leader answers.
 */
export const listOffsets = defineApi({
  key: 2,
  name: 'ListOffsets',
  versions: '1-11',
  flexibleFrom: 6,
  request: {
    replicaId: int32,
    isolationLevel: int8.since(2),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        currentLeaderEpoch: int32.since(4).default(-1).ignorable(),
        timestamp: int64,
      }),
    }),
    timeoutMs: int32.since(10).ignorable(),
  },
  response: {
    throttleTimeMs: int32.since(2).ignorable(),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        timestamp: int64.default(-1),
        offset: int64.default(-1),
        leaderEpoch: int32.since(4).default(-1),
      }),
    }),
  },
})
