import { defineApi } from '../wire/api.ts'
import { array, int16, int32, int64, records, string, struct, uuid } from '../wire/schema.ts'

/**
 * Appends record batches, at most one per partition. Topics go by name up to v12 and by id from v13 on; v8 says which
 * records were refused; v10 tells the new leader beside NOT_LEADER_OR_FOLLOWER; v11 may answer TRANSACTION_ABORTABLE;
 * from v12 on a transaction takes in its partitions by itself (W-40). Advertised from v0, though 0 to 2 are refused
 * (W-12). The leader of each partition answers; with acks=0 nobody does.
 */
export const produce = defineApi({
  key: 0,
  name: 'Produce',
  versions: '3-13',
  advertisedMin: 0,
  flexibleFrom: 9,
  request: {
    transactionalId: string.nullable().default(null),
    acks: int16,
    timeoutMs: int32,
    topicData: array({
      name: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitionData: array({
        index: int32,
        records: records.nullable(),
      }),
    }),
  },
  response: {
    responses: array({
      name: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitionResponses: array({
        index: int32,
        errorCode: int16,
        baseOffset: int64,
        logAppendTimeMs: int64.default(-1).ignorable(),
        logStartOffset: int64.since(5).default(-1).ignorable(),
        recordErrors: array({
          batchIndex: int32,
          batchIndexErrorMessage: string.nullable().default(null),
        })
          .since(8)
          .ignorable(),
        errorMessage: string.nullable().since(8).default(null).ignorable(),
        currentLeader: struct({
          leaderId: int32.default(-1),
          leaderEpoch: int32.default(-1),
        })
          .since(10)
          .tagged(0),
      }),
    }),
    throttleTimeMs: int32.default(0).ignorable(),
    nodeEndpoints: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: string.nullable().default(null),
    })
      .since(10)
      .tagged(0),
  },
})
