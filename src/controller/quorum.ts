import type { describeQuorum } from '../apis/describe-quorum.ts'
import { METADATA_TOPIC } from '../metadata/metadata-batch.ts'
import type { Address } from '../network/channel.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { RequestOf, ResponseInput } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import { METADATA_LEADER_EPOCH } from './metadata-log.ts'
import { errorFields } from './refusal.ts'

type Response = ResponseInput<typeof describeQuorum>
type PartitionAnswer = Response['topics'][number]['partitions'][number]

/** Who has not fetched for so long is no observer any more (LeaderState). */
const OBSERVER_SESSION_MS = 300_000

/** A broker that follows the metadata log, as its fetches show it. */
interface Observer {
  logEndOffset: number
  lastFetchAt: number
  lastCaughtUpAt: number
  /** Where the log ended at that fetch: who has reached this since had caught up then. */
  leaderEndOffset: number
}

/** The brokers that follow the metadata log without a vote (KIP-595). */
export class QuorumObservers {
  readonly #runtime: Runtime
  readonly #observers = new Map<number, Observer>()

  constructor(runtime: Runtime) {
    this.#runtime = runtime
    runtime.onLeap(ms => {
      for (const observer of this.#observers.values()) {
        observer.lastFetchAt += ms
        if (observer.lastCaughtUpAt >= 0) observer.lastCaughtUpAt += ms
      }
    })
  }

  fetched(brokerId: number, offset: number, leaderEndOffset: number): void {
    const now = this.#runtime.now()
    const before = this.#observers.get(brokerId)
    let lastCaughtUpAt = before?.lastCaughtUpAt ?? -1
    if (offset >= leaderEndOffset) lastCaughtUpAt = now
    else if (before !== undefined && offset >= before.leaderEndOffset) lastCaughtUpAt = before.lastFetchAt
    this.#observers.set(brokerId, { logEndOffset: offset, lastFetchAt: now, lastCaughtUpAt, leaderEndOffset })
  }

  /** By id. */
  list(): [brokerId: number, observer: Readonly<Observer>][] {
    const oldest = this.#runtime.now() - OBSERVER_SESSION_MS
    return [...this.#observers].filter(([, observer]) => observer.lastFetchAt >= oldest).sort(([a], [b]) => a - b)
  }
}

export interface Quorum {
  readonly nodeId: number
  readonly address: Address
  readonly endOffset: number
  readonly observers: QuorumObservers
  readonly now: number
}

/**
 * The metadata quorum: its one voter, and who follows. Only the one partition of the metadata log, asked for alone, is
 * described; anything else in the request is unknown.
 *
 * Simplification: nodes have no ids for their log directories, as voters of a fixed quorum have none.
 */
export function quorumDescription(
  { topics }: RequestOf<typeof describeQuorum>,
  version: number,
  quorum: Quorum,
): Response {
  const partitions = topics.flatMap(({ topicName, partitions: here }) =>
    here.map(({ partitionIndex }) => ({ topicName, partitionIndex })),
  )
  const [only] = partitions
  const isKnown = partitions.length === 1 && only?.topicName === METADATA_TOPIC && only.partitionIndex === 0
  return {
    errorCode: 0,
    errorMessage: '',
    topics: topics.map(({ topicName, partitions: here }) => ({
      topicName,
      partitions: here.map(({ partitionIndex }) =>
        isKnown ? described(partitionIndex, quorum) : unknown(partitionIndex),
      ),
    })),
    nodes: version >= 2 && isKnown ? [{ nodeId: quorum.nodeId, listeners: [listenerOf(quorum)] }] : [],
  }
}

function listenerOf({ address: { host, port } }: Quorum) {
  return { name: 'CONTROLLER', host, port }
}

function described(partitionIndex: number, { nodeId, endOffset, observers, now }: Quorum): PartitionAnswer {
  return {
    partitionIndex,
    errorCode: 0,
    errorMessage: '',
    leaderId: nodeId,
    leaderEpoch: METADATA_LEADER_EPOCH,
    highWatermark: endOffset,
    currentVoters: [
      { replicaId: nodeId, logEndOffset: endOffset, lastFetchTimestamp: now, lastCaughtUpTimestamp: now },
    ],
    observers: observers.list().map(([replicaId, { logEndOffset, lastFetchAt, lastCaughtUpAt }]) => ({
      replicaId,
      logEndOffset,
      lastFetchTimestamp: lastFetchAt,
      lastCaughtUpTimestamp: lastCaughtUpAt,
    })),
  }
}

function unknown(partitionIndex: number): PartitionAnswer {
  return {
    partitionIndex,
    ...errorFields(new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')),
    leaderId: 0,
    leaderEpoch: 0,
    highWatermark: 0,
    currentVoters: [],
    observers: [],
  }
}
