import type { fetch } from '../apis/fetch.ts'
import type { Eventually } from '../log/log-store.ts'
import { METADATA_TOPIC, METADATA_TOPIC_ID } from '../metadata/metadata-batch.ts'
import type { Deferred, Runtime, Timer } from '../runtime/runtime.ts'
import type { RequestContext, RequestOf, ResponseInput } from '../wire/api.ts'
import { type ErrorName, errorCodes } from '../wire/errors.ts'
import type { RecordBatch } from '../wire/record-batch.ts'
import { Records } from '../wire/records.ts'
import { METADATA_LEADER_EPOCH, type MetadataLog } from './metadata-log.ts'
import { QuorumObservers } from './quorum.ts'

type Request = RequestOf<typeof fetch>
type Response = ResponseInput<typeof fetch>
type PartitionRequest = Request['topics'][number]['partitions'][number]
type PartitionAnswer = Response['responses'][number]['partitions'][number]

interface AppliedWait {
  readonly offset: number
  readonly done: Deferred<void>
  readonly timer: Timer
}

/**
 * Brokers follow the metadata log by Fetch (KIP-595). A fetch at the end waits until something is appended, which wakes
 * it at once. A fetch at an offset says that the broker has applied what lies below.
 *
 * Simplification: no fetch sessions and no snapshots; with one voter a fetch never diverges.
 */
export class MetadataReaders {
  readonly #runtime: Runtime
  readonly #log: MetadataLog
  readonly #clusterId: string
  readonly #nodeId: number
  readonly #isCounted: (brokerId: number) => boolean
  readonly #waiting = new Set<() => void>()
  readonly #positions = new Map<number, number>()
  readonly observers: QuorumObservers
  readonly #appliedWaits = new Set<AppliedWait>()

  /** `isCounted`: who has to have applied something before it counts as applied everywhere. */
  constructor(
    runtime: Runtime,
    log: MetadataLog,
    clusterId: string,
    nodeId: number,
    isCounted: (brokerId: number) => boolean,
  ) {
    this.#runtime = runtime
    this.#log = log
    this.#clusterId = clusterId
    this.#nodeId = nodeId
    this.#isCounted = isCounted
    this.observers = new QuorumObservers(runtime)
    log.onStored = () => this.#wake()
  }

  fetch(request: Request, context: RequestContext): Eventually<Response> {
    if (request.clusterId !== null && request.clusterId !== this.#clusterId) {
      return { throttleTimeMs: 0, errorCode: errorCodes.INCONSISTENT_CLUSTER_ID, responses: [] }
    }
    const { version } = context
    const [topic, ...others] = request.topics
    const [partition, ...more] = topic?.partitions ?? []
    // The log is read alone, and nothing else is read here (KafkaRaftClient).
    if (topic === undefined || partition === undefined || others.length + more.length > 0 || !isLog(topic, version)) {
      return { throttleTimeMs: 0, errorCode: errorCodes.INVALID_REQUEST, responses: [] }
    }
    if (this.#errorOf(partition) === undefined) {
      const broker = version >= 15 ? request.replicaState.replicaId : request.replicaId
      this.#isAt(broker, partition.fetchOffset)
      if (partition.fetchOffset === this.#log.endOffset && request.maxWaitMs > 0) {
        return this.#wait(request, context, broker)
      }
    }
    return this.#answer(request, context)
  }

  #wait(request: Request, context: RequestContext, broker: number): Promise<Response> {
    const answered = this.#runtime.deferred<Response>()
    const settle = () => {
      this.#waiting.delete(settle)
      timer.cancel()
      unlisten()
      const answer = this.#answer(request, context)
      if (!(answer instanceof Promise)) answered.resolve(answer)
      else {
        answer.then(
          value => answered.resolve(value),
          error => answered.reject(error),
        )
      }
    }
    // An empty answer makes the broker ask again, and nothing else.
    const timer = this.#runtime.after(request.maxWaitMs, settle, { idle: true })
    const unlisten = context.closed.onClose(() => {
      this.#waiting.delete(settle)
      timer.cancel()
      this.#positions.delete(broker)
      this.#checkApplied()
    })
    this.#waiting.add(settle)
    return answered.promise
  }

  #wake(): void {
    for (const settle of [...this.#waiting]) settle()
  }

  #answer(request: Request, context: RequestContext): Eventually<Response> {
    const responses = request.topics.map(topic => ({
      topic: topic.topic,
      topicId: topic.topicId,
      partitions: topic.partitions.map(partition => this.#read(partition, request.maxBytes, context.version)),
    }))
    const complete = (): Response => ({
      throttleTimeMs: 0,
      errorCode: 0,
      responses: responses as { partitions: PartitionAnswer[] }[] & Response['responses'],
    })
    const reads = responses.flatMap(topic => topic.partitions).filter(answer => answer instanceof Promise)
    if (reads.length === 0) return complete()
    return this.#whenRead(responses, complete)
  }

  async #whenRead(
    responses: { partitions: Eventually<PartitionAnswer>[] }[],
    complete: () => Response,
  ): Promise<Response> {
    for (const topic of responses) topic.partitions = await Promise.all(topic.partitions)
    return complete()
  }

  #read(partition: PartitionRequest, maxBytes: number, version: number): Eventually<PartitionAnswer> {
    const error = this.#errorOf(partition)
    if (error !== undefined) return this.#answerOf(partition, version, error, null)
    if (partition.fetchOffset >= this.#log.endOffset)
      return this.#answerOf(partition, version, undefined, Records.empty)
    const read = this.#log.read(partition.fetchOffset, Math.min(maxBytes, partition.partitionMaxBytes))
    const answer = (batches: RecordBatch[]) => this.#answerOf(partition, version, undefined, Records.of(batches))
    if (!(read instanceof Promise)) return answer(read)
    return read.then(answer, () => this.#answerOf(partition, version, 'KAFKA_STORAGE_ERROR', null))
  }

  #answerOf(
    partition: PartitionRequest,
    version: number,
    error: ErrorName | undefined,
    records: Records | null,
  ): PartitionAnswer {
    const isKnown = error === undefined
    return {
      partitionIndex: partition.partition,
      errorCode: isKnown ? 0 : errorCodes[error],
      highWatermark: isKnown ? this.#log.endOffset : -1,
      lastStableOffset: isKnown ? this.#log.endOffset : -1,
      logStartOffset: isKnown ? 0 : -1,
      // Older versions have no place for it (W-41).
      ...(version >= 12 ? { currentLeader: { leaderId: this.#nodeId, leaderEpoch: METADATA_LEADER_EPOCH } } : {}),
      abortedTransactions: null,
      records,
    }
  }

  #errorOf(partition: PartitionRequest): ErrorName | undefined {
    if (partition.partition !== 0) return 'UNKNOWN_TOPIC_OR_PARTITION'
    const { currentLeaderEpoch, fetchOffset } = partition
    if (currentLeaderEpoch > METADATA_LEADER_EPOCH) return 'UNKNOWN_LEADER_EPOCH'
    if (currentLeaderEpoch >= 0 && currentLeaderEpoch < METADATA_LEADER_EPOCH) return 'FENCED_LEADER_EPOCH'
    return fetchOffset < 0 || fetchOffset > this.#log.endOffset ? 'OFFSET_OUT_OF_RANGE' : undefined
  }

  #isAt(broker: number, offset: number): void {
    if (broker < 0) return
    this.#positions.set(broker, offset)
    this.observers.fetched(broker, offset, this.#log.endOffset)
    this.#checkApplied()
  }

  /**
   * Undefined when every broker that counts and follows the log has applied all below `offset`; otherwise a promise of
   * that, which does not wait longer than `limitMs`: one that is slow or cut off must not hold up an answer.
   */
  applied(offset: number, limitMs: number): Promise<void> | undefined {
    if (this.#isApplied(offset)) return undefined
    const done = this.#runtime.deferred()
    const finish = () => {
      this.#appliedWaits.delete(wait)
      done.resolve()
    }
    const wait: AppliedWait = { offset, done, timer: this.#runtime.after(limitMs, finish) }
    this.#appliedWaits.add(wait)
    return done.promise
  }

  #isApplied(offset: number): boolean {
    for (const [broker, position] of this.#positions) if (position < offset && this.#isCounted(broker)) return false
    return true
  }

  #checkApplied(): void {
    for (const wait of this.#appliedWaits) {
      if (!this.#isApplied(wait.offset)) continue
      this.#appliedWaits.delete(wait)
      wait.timer.cancel()
      wait.done.resolve()
    }
  }
}

function isLog({ topic, topicId }: Request['topics'][number], version: number): boolean {
  return version >= 13 ? topicId === METADATA_TOPIC_ID : topic === METADATA_TOPIC
}
