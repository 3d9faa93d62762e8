import type { Broker } from '../broker/broker.ts'
import type { Controller } from '../controller/controller.ts'
import { type Api, defineApi } from '../wire/api.ts'
import { array, int8, int16, int32, int64, records, string, struct, uuid } from '../wire/schema.ts'
import { clusterRefusal } from './authorization.ts'

const request = {
  clusterId: string.nullable().since(12).default(null).tagged(0).ignorable(),
  replicaId: int32.until(14).default(-1),
  replicaState: struct({
    replicaId: int32.default(-1),
    replicaEpoch: int64.default(-1),
  })
    .since(15)
    .tagged(1),
  maxWaitMs: int32,
  minBytes: int32,
  maxBytes: int32.default(0x7fffffff).ignorable(),
  isolationLevel: int8.default(0).ignorable(),
  sessionId: int32.since(7).default(0).ignorable(),
  sessionEpoch: int32.since(7).default(-1).ignorable(),
  topics: array({
    topic: string.until(12).ignorable(),
    topicId: uuid.since(13).ignorable(),
    partitions: array({
      partition: int32,
      currentLeaderEpoch: int32.since(9).default(-1).ignorable(),
      fetchOffset: int64,
      lastFetchedEpoch: int32.since(12).default(-1),
      logStartOffset: int64.since(5).default(-1).ignorable(),
      partitionMaxBytes: int32,
      replicaDirectoryId: uuid.since(17).tagged(0).ignorable(),
      highWatermark: int64.since(18).default(Number.POSITIVE_INFINITY).tagged(1).ignorable(),
    }),
  }),
  forgottenTopicsData: array({
    topic: string.until(12).ignorable(),
    topicId: uuid.since(13).ignorable(),
    partitions: array(int32),
  }).since(7),
  rackId: string.since(11).default('').ignorable(),
}

const response = {
  throttleTimeMs: int32.ignorable(),
  errorCode: int16.since(7).ignorable(),
  sessionId: int32.since(7).default(0),
  responses: array({
    topic: string.until(12).ignorable(),
    topicId: uuid.since(13).ignorable(),
    partitions: array({
      partitionIndex: int32,
      errorCode: int16,
      highWatermark: int64,
      lastStableOffset: int64.default(-1).ignorable(),
      logStartOffset: int64.since(5).default(-1).ignorable(),
      divergingEpoch: struct({
        epoch: int32.default(-1),
        endOffset: int64.default(-1),
      })
        .since(12)
        .tagged(0),
      currentLeader: struct({
        leaderId: int32.default(-1),
        leaderEpoch: int32.default(-1),
      })
        .since(12)
        .tagged(1),
      snapshotId: struct({
        endOffset: int64.default(-1),
        epoch: int32.default(-1),
      })
        .since(12)
        .tagged(2),
      abortedTransactions: array({
        producerId: int64,
        firstOffset: int64,
      })
        .nullable()
        .ignorable(),
      preferredReadReplica: int32.since(11).default(-1),
      records: records.nullable(),
    }),
  }),
  nodeEndpoints: array({
    nodeId: int32,
    host: string,
    port: int32,
    rack: string.nullable().default(null),
  })
    .since(16)
    .tagged(0),
}

/**
 * Reads record batches: consumers below the high watermark or last stable offset, followers up to the end. v4
 * isolation level; v7 fetch sessions; v9 leader epoch of the asker; v11 rack and preferred replica; v12 truncation by
 * diverging epoch; v13 topic ids; v15 moves the replica id into a tag; v16 endpoints of new leaders; v17 log directory
 * of the follower; v18 the high watermark that the follower knows (W-41). Leader, or a follower for consumers of its
 * rack, answers.
 */
export const fetch: Api<typeof request, typeof response> = defineApi({
  key: 1,
  name: 'Fetch',
  versions: '4-18',
  flexibleFrom: 12,
  request,
  response,
  broker: (broker: Broker, request, context) => broker.fetches.handle(request, context),
  controller: (controller: Controller, request, context) => {
    const error = clusterRefusal(controller, context, 'clusterAction')
    return error === undefined
      ? controller.fetch(request, context)
      : { throttleTimeMs: 0, errorCode: error.code, responses: [] }
  },
})
