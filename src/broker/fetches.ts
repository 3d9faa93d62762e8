import type { fetch } from '../apis/fetch.ts'
import type { Eventually } from '../log/log-store.ts'
import type { ClusterImage, PartitionImage } from '../metadata/image.ts'
import type { Life } from '../node/life.ts'
import type { RequestContext, RequestOf, ResponseInput } from '../wire/api.ts'
import { errorCodes, KafkaError } from '../wire/errors.ts'
import { Records } from '../wire/records.ts'
import { type Asked, type FetchContext, type FetchedPartition, FetchSessions } from './fetch-sessions.ts'
import type { Partition, ReadWait } from './partition.ts'
import { availableBytes, failed, preferredReadReplica, type Reader, readPartition } from './partition-read.ts'

type FetchRequest = RequestOf<typeof fetch>
type FetchResponse = ResponseInput<typeof fetch>

export interface FetchHost {
  readonly id: number
  readonly life: Life
  readonly image: ClusterImage
  /** `fetch.max.bytes`. */
  readonly fetchMaxBytes: number
  /** `replica.selector.class` is set: consumers may be sent to a follower in their rack. */
  readonly selectsByRack: boolean
  partitionOf(topicId: string, index: number): Partition | undefined
  endpointsOf(brokerIds: Iterable<number>): NonNullable<FetchResponse['nodeEndpoints']>
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
    const found = opened.asked.map(asked => this.#find(asked, request, version))
    const pass = this.#read(found, request, reader)
    if (pass instanceof Promise) return pass.then(done => this.#decide(done, found, request, reader, opened, context))
    return this.#decide(pass, found, request, reader, opened, context)
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
    if (isDue) return this.#response(pass, opened, reader)
    return this.#wait(found, waits, request, reader, opened, context)
  }

  #find(asked: Asked, request: FetchRequest, version: number): Found {
    const { image } = this.#host
    const topic = version >= 13 ? image.topicById(asked.topicId) : image.topic(asked.topic)
    const refuse = (code: number, by: 'handler' | 'log' = 'handler'): Found => ({
      asked,
      partition: undefined,
      state: undefined,
      refused: failed(asked, code, by),
    })
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
      const maxBytes = Math.min(asked.params.partitionMaxBytes, left)
      const result = readPartition(partition, asked, reader, maxBytes, minOneBatch)
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
    for (const { asked, partition } of waits) bytes += availableBytes(partition!, asked, reader)
    return bytes
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
      if (pass instanceof Promise) pass.then(done => answered.resolve(this.#response(done, opened, reader)))
      else answered.resolve(this.#response(pass, opened, reader))
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

  #response(pass: Pass, opened: FetchContext, { version, replicaId }: Reader): FetchResponse {
    const { sessionId, listed } = opened.answer(pass.results)
    const responses: { topic: string; topicId: string; partitions: FetchedPartition[] }[] = []
    for (const [{ topic, topicId }, found] of listed) {
      const result = version < 16 ? withoutLeader(found) : found
      const last = responses[responses.length - 1]
      if (last !== undefined && last.topic === topic && last.topicId === topicId) last.partitions.push(result)
      else responses.push({ topic, topicId, partitions: [result] })
    }
    return {
      throttleTimeMs: 0,
      errorCode: errorCodes.NONE,
      sessionId,
      responses,
      // Followers find leaders in their metadata.
      ...(version >= 16 && replicaId < 0 ? { nodeEndpoints: this.#host.endpointsOf(leadersOf(listed)) } : {}),
    }
  }
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
