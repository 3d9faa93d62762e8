import type { Eventually } from '../log/log-store.ts'
import { NO_LEADER } from '../metadata/image.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import { Records } from '../wire/records.ts'
import type { Asked, FetchedPartition } from './fetch-sessions.ts'
import type { Partition } from './partition.ts'

/** Who fetches, which decides how far it may see (F-8). */
export interface Reader {
  /** Broker id of a follower; −1 for a consumer. */
  readonly replicaId: number
  readonly replicaEpoch: number
  readonly readCommitted: boolean
  readonly version: number
}

/** First version in which a consumer may read from a follower (KIP-392). */
const FOLLOWER_FETCH_VERSION = 11

export function mayRead(partition: Partition, reader: Reader): boolean {
  return partition.isLeader || (reader.replicaId < 0 && reader.version >= FOLLOWER_FETCH_VERSION)
}

/** The offset that this reader may not reach: the log's end, the high watermark, or the last stable offset (F-8). */
export function boundFor(partition: Partition, reader: Reader): number {
  if (reader.replicaId >= 0) return partition.log.endOffset
  return reader.readCommitted ? partition.log.lastStableOffset : partition.log.highWatermark
}

/**
 * One partition's part of a fetch, read now. Throws KafkaError for what the log refuses; a follower's position counts as
 * soon as its fetch was read and did not diverge.
 */
export function readPartition(
  partition: Partition,
  asked: Asked,
  reader: Reader,
  maxBytes: number,
  minOneBatch: boolean,
): Eventually<FetchedPartition> {
  const { log } = partition
  const { fetchOffset, lastFetchedEpoch, currentLeaderEpoch, logStartOffset } = asked.params
  // Kafka takes any negative epoch of a fetch for none; the epoch is looked at before who leads.
  partition.checkLeaderEpoch(Math.max(currentLeaderEpoch, -1))
  if (!mayRead(partition, reader)) throw new KafkaError('NOT_LEADER_OR_FOLLOWER')
  const remote =
    reader.replicaId >= 0
      ? partition.remoteOrThrow(reader.replicaId, currentLeaderEpoch, reader.replicaEpoch)
      : undefined
  if (lastFetchedEpoch >= 0) {
    const found = log.endOffsetForEpoch(lastFetchedEpoch)
    if (found.endOffset < 0) throw new KafkaError('OFFSET_OUT_OF_RANGE')
    if (found.leaderEpoch < lastFetchedEpoch || found.endOffset < fetchOffset) {
      return fetched(partition, asked, {
        divergingEpoch: { epoch: found.leaderEpoch, endOffset: found.endOffset },
        records: Records.empty,
      })
    }
  }
  const bound = boundFor(partition, reader)
  const batches = log.read(fetchOffset, maxBytes, bound, { minOneBatch })
  // What the answer says of the watermarks is from before this fetch counts: a follower's lag by one round.
  const highWatermark = log.highWatermark
  const lastStableOffset = log.lastStableOffset
  if (remote !== undefined) {
    partition.followerFetched(remote, { fetchOffset, logStartOffset, brokerEpoch: reader.replicaEpoch })
  }
  if (batches instanceof Promise) return batches.then(read => found(read))
  return found(batches)

  function found(read: Awaited<typeof batches>): FetchedPartition {
    const last = read[read.length - 1]
    const aborted =
      reader.readCommitted && last !== undefined ? log.abortedTransactions(fetchOffset, last.nextOffset) : []
    return fetched(partition, asked, {
      highWatermark,
      lastStableOffset,
      abortedTransactions: reader.readCommitted ? aborted : null,
      records: read.length === 0 ? Records.empty : Records.of(read),
    })
  }
}

function fetched(partition: Partition, asked: Asked, rest: Partial<FetchedPartition>): FetchedPartition {
  const { log } = partition
  return {
    partitionIndex: asked.index,
    errorCode: errorCodes.NONE,
    highWatermark: log.highWatermark,
    lastStableOffset: log.lastStableOffset,
    logStartOffset: log.startOffset,
    abortedTransactions: null,
    records: Records.empty,
    ...rest,
  }
}

/** F-10: bounds are unknown where there is an error. Whose aborted list is null tells where it was found. */
export function failed(
  asked: Asked,
  errorCode: number,
  foundBy: 'handler' | 'log',
  partition?: { readonly leader: number; readonly leaderEpoch: number },
): FetchedPartition {
  const tellsLeader = errorCode === errorCodes.NOT_LEADER_OR_FOLLOWER || errorCode === errorCodes.FENCED_LEADER_EPOCH
  return {
    partitionIndex: asked.index,
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    abortedTransactions: foundBy === 'handler' ? [] : null,
    records: Records.empty,
    ...(tellsLeader && partition !== undefined
      ? { currentLeader: { leaderId: partition.leader, leaderEpoch: partition.leaderEpoch } }
      : {}),
  }
}

/** Bytes that a waiting fetch could have now (F-2); Infinity: it must be answered, whatever there is. */
export function availableBytes(partition: Partition, asked: Asked, reader: Reader): number {
  const { log } = partition
  const { fetchOffset, partitionMaxBytes, currentLeaderEpoch, lastFetchedEpoch } = asked.params
  if (log.closed) return Number.POSITIVE_INFINITY
  if (!partition.isLeader) {
    // A consumer that may read from followers waits on where the leader went to.
    if (!mayRead(partition, reader)) return Number.POSITIVE_INFINITY
  }
  if (currentLeaderEpoch >= 0 && currentLeaderEpoch !== partition.leaderEpoch) return Number.POSITIVE_INFINITY
  const bound = boundFor(partition, reader)
  if (fetchOffset > bound) {
    if (fetchOffset > log.endOffset) return Number.POSITIVE_INFINITY
    return log.batchBaseOf(fetchOffset) === bound ? 0 : Number.POSITIVE_INFINITY
  }
  if (lastFetchedEpoch >= 0) {
    const { leaderEpoch, endOffset } = log.endOffsetForEpoch(lastFetchedEpoch)
    if (endOffset < 0 || leaderEpoch < lastFetchedEpoch || endOffset < fetchOffset) return Number.POSITIVE_INFINITY
  }
  if (fetchOffset === bound) return 0
  if (log.segmentBaseOf(fetchOffset) !== log.segmentBaseOf(bound)) return Number.POSITIVE_INFINITY
  return Math.min(log.bytesBetween(fetchOffset, bound), partitionMaxBytes)
}

/** the replica in the client's rack that is furthest, the leader itself if it is there; undefined: read here. */
export function preferredReadReplica(
  partition: Partition,
  asked: Asked,
  rackId: string,
  rackOf: (brokerId: number) => string | null,
): number | undefined {
  const { fetchOffset } = asked.params
  const { leader } = partition
  if (leader === NO_LEADER || rackOf(leader) === rackId) return undefined
  let best: { brokerId: number; endOffset: number } | undefined
  for (const brokerId of partition.inSync.committed) {
    const remote = partition.remotes.get(brokerId)
    if (remote === undefined || rackOf(brokerId) !== rackId) continue
    if (remote.endOffset < fetchOffset || remote.startOffset > fetchOffset) continue
    if (best === undefined || remote.endOffset > best.endOffset) best = { brokerId, endOffset: remote.endOffset }
  }
  return best?.brokerId
}
