import type { Runtime } from '../runtime/runtime.ts'
import type { RecordBatch } from '../wire/record-batch.ts'
import type { StoreFault } from './faulty-store.ts'

/** Done at once, or later: a store in memory answers without a promise, and virtual time needs no hop for it. */
export type Eventually<T> = T | Promise<T>

export interface StoreBounds {
  readonly startOffset: number
  readonly endOffset: number
}

/**
 * Keeps one replica's batches. Offsets are decided above; a store only remembers. It knows nothing of acks, in-sync
 * sets, idempotence or transactions: those are rebuilt by reading the log, as Kafka does on restart.
 *
 * `crash` of a broker loses nothing that was appended; `powerOff` loses what was not flushed (`lost()` of the memory store).
 */
export interface LogStore {
  open(): Eventually<StoreBounds>
  /** Exactly at the end (the batch's base may lie higher: compaction leaves gaps), or refused. */
  append(expectedEnd: number, batch: RecordBatch): Eventually<void>
  /** Whole batches from the one that contains or follows `from`; at least one where there is one, then while they fit. */
  read(from: number, maxBytes: number): Eventually<RecordBatch[]>
  /** A follower that diverged; whole batches: answers the end that is left. */
  truncateTo(end: number): Eventually<number>
  /** Retention, DeleteRecords: batches that end before `start` may go. */
  trimBefore(start: number): Eventually<void>
  /** Compaction: every batch in [from, to) gives way to `batches`. */
  replace(from: number, to: number, batches: readonly RecordBatch[]): Eventually<void>
  /** A follower whose leader begins later: empty, from `start` on. */
  resetTo(start: number): Eventually<void>
  /** What `powerOff` cannot take: everything below `end`. */
  flush(end: number): Eventually<void>
  /** Checkpoints: high watermark, log start, producer snapshot. Durable at once. */
  save(name: string, bytes: Uint8Array): Eventually<void>
  load(name: string): Eventually<Uint8Array | undefined>
  close(): Eventually<void>
}

/** Where the stores of a cluster come from: one store for each replica, the same again after a restart. */
export interface LogStores {
  /**
   * A cluster takes possession, before anything else: `bind` and everything below come after it, `close` gives it up. What the
   * stores hold is continued unless they say otherwise: they may refuse it, or clear it first.
   *
   * @throws {ConfigError} when they cannot be had, or are in somebody else's possession: then they are not closed either
   */
  begin?(): Eventually<StoresBeginning | undefined>
  /** The store does real I/O, so that virtual time cannot hold it. */
  readonly realIo: boolean
  store(replica: ReplicaName): LogStore
  /** The disk of one broker is emptied (`restart({ disk: 'empty' })`). */
  wipe(broker: number): Eventually<void>
  /** Power loss of one broker: what was not flushed is gone. */
  powerOff(broker: number): Eventually<void>
  /** The replica was deleted (topic deletion, reassignment). */
  remove(replica: ReplicaName): Eventually<void>
  close(): Eventually<void>
  /** The cluster hands over its time before anything is opened; `fired` puts a fault of the store into the trace. */
  bind?(runtime: Runtime, fired: (fault: StoreFault) => void): void
  /** For stores that show to others what there is. The metadata log has it already, and is what counts. */
  topics?(news: TopicNews): Eventually<void>
}

export interface TopicNews {
  /** New ones, and those that are others now. */
  readonly topics: readonly TopicSummary[]
  readonly deleted: readonly string[]
  /** There are no topics but these: a controller has read its log. */
  readonly isAll: boolean
}

export interface TopicSummary {
  readonly name: string
  readonly topicId: string
  /** How many. */
  readonly partitions: number
  /** Of the first partition. */
  readonly replicationFactor: number
  /** What was set for the topic, under Kafka's own names. */
  readonly configs: ReadonlyMap<string, string>
}

/** What stores hold besides a cluster that can be continued. */
export interface StoresBeginning {
  /** Logs of topics that no cluster knows of, since there is no metadata log: topics are made for them. By name. */
  readonly foreignTopics: readonly ForeignTopic[]
}

export interface ForeignTopic {
  readonly name: string
  /** The index is the partition; undefined where there is no log, up to the highest that has one. */
  readonly partitions: readonly (ForeignLog | undefined)[]
}

export interface ForeignLog {
  /** The highest that is in one of its batches; −1 where there is none: the leader's is higher. */
  readonly leaderEpoch: number
  /** The highest of its producers; −1 where there is none: those of the cluster get higher ones. */
  readonly producerId: number
}

export interface ReplicaName {
  readonly broker: number
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  /** The first of the assignment, as it is now: its log is the one that stores show to others, and of a foreign topic the one that is there. */
  readonly isFirst?: boolean
}
