import { defineApi } from '../wire/api.ts'
import { array, int16, int32, int64, string } from '../wire/schema.ts'

/**
 * Moves the log start offset of partitions up; −1 means to the high watermark. The leader answers when all live
 * replicas have moved theirs, or the time is up.
 */
export const deleteRecords = defineApi({
  key: 21,
  name: 'DeleteRecords',
  versions: '0-2',
  flexibleFrom: 2,
  request: {
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        offset: int64,
      }),
    }),
    timeoutMs: int32,
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        lowWatermark: int64,
        errorCode: int16,
      }),
    }),
  },
})
