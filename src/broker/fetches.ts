import { allows, allowsCluster, type Guarded } from '../apis/authorization.ts'
import { fetch } from '../apis/fetch.ts'
import type { Eventually } from '../log/log-store.ts'
import type { ClusterImage, PartitionImage } from '../metadata/image.ts'
import type { Life } from '../node/life.ts'
import type { RequestContext, RequestOf, ResponseInput } from '../wire/api.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import { Records } from '../wire/records.ts'
import { Writer } from '../wire/writer.ts'
import { type Asked, type FetchContext, type FetchedPartition, FetchSessions } from './fetch-sessions.ts'
import type { Partition, ReadWait } from './partition.ts'
import { availableBytes, failed, preferredReadReplica, type Reader, readPartition } from './partition-read.ts'
import type { ReplicationQuota } from './replication-quotas.ts'

type FetchRequest = RequestOf<typeof fetch>
type FetchResponse = ResponseInput<typeof fetch>

const LENGTH_BYTES = 4

export interface FetchHost extends Guarded {
  readonly id: number
  readonly life: Life
  readonly image: ClusterImage
  /** Of followers that catch up (KIP-73). */
  readonly leaderQuota: ReplicationQuota
  /** `fetch.max.bytes`. */
  readonly fetchMaxBytes: number
  /** `replica.selector.class` is set: consumers may be sent to a follower in their rack. */
  readonly selectsByRack: boolean
  partitionOf(topicId: string, index: number): Partition | undefined
  endpointsOf(brokerIds: Iterable<number>, listener: string): NonNullable<FetchResponse['nodeEndpoints']>
}

interface Found {
  readonly asked: Asked
  /** Undefined where another broker has it. */
  readonly partition: Partition | undefined
  readonly state: PartitionImage | undefined
  /** What the handler already refuses (F-11): it does not end the wait of the others. */
  readonly refused: FetchedPartition | undefined
}

interface Pass {
  readonly results: (readonly [Asked, FetchedPartition])[]
  readonly bytes: number
  /** Something that must be told at once (F-1). */
  readonly urgent: boolean
}

/** Answers Fetch: reads, and where there is too little, waits for appends and watermarks; never for a tick (F-1…F-27). */
export class Fetches {
  readonly #host: FetchHost
  readonly sessions: FetchSessions

  constructor(host: FetchHost) {
    this.#host = host
    this.sessions = new FetchSessions(host.life)
  }

  handle(request: FetchRequest, context: RequestContext): Eventually<FetchResponse> {
    const { version } = context
    const reader = readerOf(request, version)
    const opened = this.sessions.open(request, version, reader.replicaId >= 0)
    if (typeof opened === 'string')
      return { throttleTimeMs: 0, errorCode: errorCodes[opened], sessionId: 0, responses: [] }
    const found = opened.asked.map(asked => this.#find(asked, request, reader, context))
    const bounded = boundedByQuota(request, reader, context)
    const pass = this.#read(found, bounded, reader)
    if (pass instanceof Promise) return pass.then(done => this.#decide(done, found, bounded, reader, opened, context))
    return this.#decide(pass, found, bounded, reader, opened, context)
  }

  #decide(
    pass: Pass,
    found: readonly Found[],
    request: FetchRequest,
    reader: Reader,
    opened: FetchContext,
    context: RequestContext,
  ): Eventually<FetchResponse> {
    const waits = found.filter(each => each.partition !== undefined && each.refused === undefined)
    const isDue =
      request.maxWaitMs <= 0 ||
      waits.length === 0 ||
      pass.urgent ||
      pass.bytes >= request.minBytes ||
      this.#available(waits, reader) >= request.minBytes
    if (isDue) return this.#response(pass, opened, reader, context)
    return this.#wait(found, waits, request, reader, opened, context)
  }

  /** Followers need CLUSTER_ACTION, consumers READ, which is looked at before what there is, unless an id has to be resolved. */
  #mayRead(topic: string, { replicaId }: Reader, context: RequestContext): boolean {
    if (replicaId >= 0) return allowsCluster(this.#host, context, 'clusterAction')
    return allows(this.#host, context, 'read', 'topic', topic)
  }

  #find(asked: Asked, request: FetchRequest, reader: Reader, context: RequestContext): Found {
    const { image } = this.#host
    const { version } = context
    const topic = version >= 13 ? image.topicById(asked.topicId) : image.topic(asked.topic)
    const refuse = (code: number, by: 'handler' | 'log' = 'handler'): Found => ({
      asked,
      partition: undefined,
      state: undefined,
      refused: failed(asked, code, by),
    })
    const name = version >= 13 ? topic?.name : asked.topic
    if (name !== undefined && !this.#mayRead(name, reader, context)) {
      return refuse(errorCodes.TOPIC_AUTHORIZATION_FAILED)
    }
    if (topic === undefined) {
      return refuse(version >= 13 ? errorCodes.UNKNOWN_TOPIC_ID : errorCodes.UNKNOWN_TOPIC_OR_PARTITION)
    }
    const state = topic.partitions[asked.index]
    if (state === undefined) return refuse(errorCodes.UNKNOWN_TOPIC_OR_PARTITION)
    const { isolationLevel, maxBytes } = request
    if (isolationLevel !== 0 && isolationLevel !== 1) return refuse(errorCodes.INVALID_REQUEST)
    if (asked.params.partitionMaxBytes < 0 || maxBytes < 0) return refuse(errorCodes.INVALID_REQUEST, 'log')
    return { asked, partition: this.#host.partitionOf(topic.topicId, asked.index), state, refused: undefined }
  }

  /** F-4…F-6: in order, each what is left; the first batch of the first partition that has any comes whole. */
  #read(found: readonly Found[], request: FetchRequest, reader: Reader): Eventually<Pass> {
    const results: (readonly [Asked, FetchedPartition])[] = []
    let left = Math.min(request.maxBytes, this.#host.fetchMaxBytes)
    let bytes = 0
    let urgent = false
    const take = (asked: Asked, result: FetchedPartition): void => {
      const size = result.records?.byteLength ?? 0
      bytes += size
      left -= size
      if (result.errorCode !== errorCodes.NONE) urgent = true
      if ((result.divergingEpoch?.endOffset ?? -1) >= 0 || (result.preferredReadReplica ?? -1) >= 0) urgent = true
      results.push([asked, result])
    }
    const step = (from: number): Eventually<Pass> => {
      for (let i = from; i < found.length; i++) {
        const { asked, refused } = found[i]!
        if (refused !== undefined) {
          results.push([asked, refused])
          continue
        }
        const result = this.#readOne(found[i]!, request, reader, Math.max(0, left), bytes === 0)
        if (result instanceof Promise) {
          return this.#host.life.guard(result).then(read => {
            take(asked, read)
            return step(i + 1)
          })
        }
        take(asked, result)
      }
      return { results, bytes, urgent }
    }
    return step(0)
  }

  #readOne(
    { asked, partition, state }: Found,
    request: FetchRequest,
    reader: Reader,
    left: number,
    minOneBatch: boolean,
  ): Eventually<FetchedPartition> {
    if (partition === undefined) return failed(asked, errorCodes.NOT_LEADER_OR_FOLLOWER, 'log', state)
    try {
      const preferred = this.#redirect(asked, partition, request, reader)
      if (preferred !== undefined) return preferred
      const isHeldBack = this.#holdsBack(partition, reader)
      const maxBytes = isHeldBack ? 0 : Math.min(asked.params.partitionMaxBytes, left)
      const result = readPartition(partition, asked, reader, maxBytes, minOneBatch && !isHeldBack)
      if (!(result instanceof Promise)) return result
      return result.catch(error => this.#refusal(asked, partition, error))
    } catch (error) {
      return this.#refusal(asked, partition, error)
    }
  }

  #refusal(asked: Asked, partition: Partition, error: unknown): FetchedPartition {
    if (error instanceof KafkaError) return failed(asked, error.code, 'log', partition)
    throw error
  }

  #redirect(asked: Asked, partition: Partition, request: FetchRequest, reader: Reader): FetchedPartition | undefined {
    if (!this.#host.selectsByRack || request.rackId === '' || reader.replicaId >= 0 || !partition.isLeader)
      return undefined
    const rackOf = (brokerId: number) => this.#host.image.broker(brokerId)?.rack ?? null
    const preferred = preferredReadReplica(partition, asked, request.rackId, rackOf)
    if (preferred === undefined) return undefined
    partition.checkLeaderEpoch(Math.max(asked.params.currentLeaderEpoch, -1))
    return {
      partitionIndex: asked.index,
      errorCode: errorCodes.NONE,
      highWatermark: partition.log.highWatermark,
      lastStableOffset: partition.log.lastStableOffset,
      logStartOffset: partition.log.startOffset,
      abortedTransactions: null,
      preferredReadReplica: preferred,
      records: Records.empty,
    }
  }

  #available(waits: readonly Found[], reader: Reader): number {
    let bytes = 0
    for (const { asked, partition } of waits) {
      const available = availableBytes(partition!, asked, reader)
      if (available === 0 || available === Number.POSITIVE_INFINITY || !this.#holdsBack(partition!, reader)) {
        bytes += available
      }
    }
    return bytes
  }

  /** A follower gets nothing, since it and others had too much lately; one that is in sync gets what there is. */
  #holdsBack(partition: Partition, { replicaId }: Reader): boolean {
    const { leaderQuota } = this.#host
    if (replicaId < 0 || !leaderQuota.isInForce || partition.inSync.committed.includes(replicaId)) return false
    return leaderQuota.covers(partition) && leaderQuota.isExceeded
  }

  /** As the leader's quota counts it: all that followers get of throttled partitions. */
  #recordReplicated(results: Listed, version: number): void {
    const { leaderQuota } = this.#host
    if (!leaderQuota.isInForce) return
    const covered = results.filter(([{ topic, topicId, index }]) => {
      const name = this.#host.image.topicById(topicId)?.name ?? topic
      return leaderQuota.covers({ topic: name, index })
    })
    if (covered.length > 0) leaderQuota.record(sizeOf(covered, version))
  }

  #wait(
    found: readonly Found[],
    waits: readonly Found[],
    request: FetchRequest,
    reader: Reader,
    opened: FetchContext,
    context: RequestContext,
  ): Promise<FetchResponse> {
    const { life } = this.#host
    const answered = life.deferred<FetchResponse>()
    const wait: ReadWait = {
      moved: () => {
        if (this.#available(waits, reader) >= request.minBytes) finish()
      },
    }
    const finish = (): void => {
      forget()
      // What is there now counts, not what was there when the wait began (F-3).
      const pass = this.#read(found, request, reader)
      const answer = (done: Pass) => answered.resolve(this.#response(done, opened, reader, context))
      if (pass instanceof Promise) pass.then(answer)
      else answer(pass)
    }
    const forget = (): void => {
      timer.cancel()
      for (const { partition } of waits) partition!.readWaits.delete(wait)
    }
    const timer = life.after(request.maxWaitMs, finish, reader.replicaId >= 0 ? { idle: true } : { housekeeping: true })
    for (const { partition } of waits) partition!.readWaits.add(wait)
    context.closed.onClose(forget)
    return answered.promise
  }

  #response(
    pass: Pass,
    opened: FetchContext,
    { version, replicaId }: Reader,
    { toll, listener }: RequestContext,
  ): FetchResponse {
    if (toll !== undefined && replicaId < 0) {
      const throttleTimeMs = toll.fetch(sizeOf(opened.listed(pass.results), version))
      if (throttleTimeMs > 0) {
        return { throttleTimeMs, errorCode: errorCodes.NONE, sessionId: opened.throttled(), responses: [] }
      }
    }
    const { sessionId, listed } = opened.answer(pass.results)
    if (replicaId >= 0) this.#recordReplicated(listed, version)
    return {
      throttleTimeMs: 0,
      errorCode: errorCodes.NONE,
      sessionId,
      responses: byTopic(listed, version),
      // Followers find leaders in their metadata.
      ...(version >= 16 && replicaId < 0 ? { nodeEndpoints: this.#host.endpointsOf(leadersOf(listed), listener) } : {}),
    }
  }
}

type Listed = readonly (readonly [Asked, FetchedPartition])[]

function byTopic(listed: Listed, version: number): FetchResponse['responses'] {
  const responses: { topic: string; topicId: string; partitions: FetchedPartition[] }[] = []
  for (const [{ topic, topicId }, found] of listed) {
    const result = version < 16 ? withoutLeader(found) : found
    const last = responses[responses.length - 1]
    if (last !== undefined && last.topic === topic && last.topicId === topicId) last.partitions.push(result)
    else responses.push({ topic, topicId, partitions: [result] })
  }
  return responses
}

/** Bytes of the answer as quotas count them: its body, and its length (Kafka's FetchResponse.sizeOf). */
function sizeOf(listed: Listed, version: number): number {
  const writer = new Writer()
  const answer = { throttleTimeMs: 0, errorCode: errorCodes.NONE, sessionId: 0, responses: byTopic(listed, version) }
  fetch.response.codec(version).write(writer, answer)
  return LENGTH_BYTES + writer.finish().length
}

/** F-4: more than its quota's whole window a client gets only as the first batch of an answer. */
function boundedByQuota(request: FetchRequest, { replicaId }: Reader, { toll }: RequestContext): FetchRequest {
  if (toll === undefined || replicaId >= 0 || toll.mostFetched >= request.maxBytes) return request
  const maxBytes = Math.floor(toll.mostFetched)
  return { ...request, maxBytes, minBytes: Math.min(request.minBytes, maxBytes) }
}

function readerOf(request: FetchRequest, version: number): Reader {
  const isNew = version >= 15
  return {
    replicaId: isNew ? request.replicaState.replicaId : request.replicaId,
    replicaEpoch: isNew ? request.replicaState.replicaEpoch : -1,
    readCommitted: request.isolationLevel === 1,
    version,
  }
}

/** Before v16 leaders are not named (F-12). */
function withoutLeader(found: FetchedPartition): FetchedPartition {
  if (found.currentLeader === undefined) return found
  const { currentLeader: _, ...old } = found
  return old
}

/** The leaders that errors name (F-12). */
function leadersOf(listed: readonly (readonly [Asked, FetchedPartition])[]): Set<number> {
  const leaders = new Set<number>()
  for (const [, { currentLeader }] of listed)
    if ((currentLeader?.leaderId ?? -1) >= 0) leaders.add(currentLeader!.leaderId!)
  return leaders
}
