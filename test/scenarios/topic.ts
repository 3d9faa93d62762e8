import { alterPartitionReassignments } from '../../src/apis/alter-partition-reassignments.ts'
import { createTopics } from '../../src/apis/create-topics.ts'
import { deleteRecords } from '../../src/apis/delete-records.ts'
import { describeTopicPartitions } from '../../src/apis/describe-topic-partitions.ts'
import { electLeaders } from '../../src/apis/elect-leaders.ts'
import { fetch } from '../../src/apis/fetch.ts'
import { incrementalAlterConfigs } from '../../src/apis/incremental-alter-configs.ts'
import { listOffsets } from '../../src/apis/list-offsets.ts'
import { offsetForLeaderEpoch } from '../../src/apis/offset-for-leader-epoch.ts'
import { produce } from '../../src/apis/produce.ts'
import { type BatchOptions, batchOf, type NewRecord } from '../../src/wire/batch-builder.ts'
import { type ErrorName, errorOf } from '../../src/wire/errors.ts'
import { recordsOf } from '../../src/wire/record.ts'
import type { RecordBatch } from '../../src/wire/record-batch.ts'
import { Records } from '../../src/wire/records.ts'
import type { World } from './world.ts'

const nameOf = (code: number): ErrorName => errorOf(code).name as ErrorName

/** A partition as any broker that runs describes it; −1: no leader. */
export interface PartitionState {
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
  readonly eligible: readonly number[]
  readonly lastKnown: readonly number[]
  readonly offline: readonly number[]
}

export interface ProduceOptions {
  /** Whom to ask; the leader unless said. */
  readonly at?: number
  readonly acks?: -1 | 0 | 1
  readonly timeoutMs?: number
  readonly version?: number
  /** Of an idempotent producer: id, epoch, first sequence. */
  readonly producer?: readonly [id: number, epoch: number, sequence: number]
  readonly batch?: BatchOptions & { readonly timestamp?: number }
  readonly partition?: number
}

export interface FetchOptions {
  readonly at?: number
  readonly offset?: number
  readonly version?: number
  readonly maxWaitMs?: number
  readonly maxBytes?: number
  readonly rack?: string
  readonly leaderEpoch?: number
  readonly lastFetchedEpoch?: number
  readonly replica?: number
  readonly isolation?: 0 | 1
}

export interface Fetched {
  readonly error: ErrorName
  readonly highWatermark: number
  readonly startOffset: number
  /** First and last offset and leader epoch of each batch: `0-4/e0`. */
  readonly batches: string
  readonly values: readonly (string | null)[]
  /** Behind the last batch. */
  readonly nextOffset: number
  /** `epoch@end offset`. */
  readonly diverging: string | undefined
  readonly preferred: number | undefined
  readonly tookMs: number
}

let counted = 0

/** A topic of a story, most often with the one partition 0; its replicas are placed by hand. */
export class Topic {
  readonly world: World
  readonly name: string
  readonly id: string

  constructor(world: World, name: string, id: string) {
    this.world = world
    this.name = name
    this.id = id
  }

  /** With these replicas of each partition; ready when every partition is led. */
  static async create(
    world: World,
    replicas: readonly number[] | readonly (readonly number[])[],
    configs: Readonly<Record<string, string | number | boolean>> = {},
    name = `story-${++counted}`,
  ): Promise<Topic> {
    const lists = typeof replicas[0] === 'number' ? [replicas as readonly number[]] : (replicas as number[][])
    const request = {
      topics: [
        {
          name,
          numPartitions: -1,
          replicationFactor: -1,
          assignments: lists.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds: [...brokerIds] })),
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value: String(value) })),
        },
      ],
      timeoutMs: 30_000,
    }
    const { topics } = await world.request(world.witnesses[0]!, createTopics, 7, request)
    const created = topics[0]!
    if (created.errorCode !== 0) throw new Error(`${name}: ${nameOf(created.errorCode)} ${created.errorMessage}`)
    const topic = new Topic(world, name, created.topicId)
    await topic.until('led, with every replica there', async () => {
      for (let partition = 0; partition < lists.length; partition++) {
        const state = await topic.state(partition)
        if (state.leader < 0) return false
        for (const broker of lists[partition]!) if ((await topic.endOffset(broker, partition)) !== 0) return false
      }
      return true
    })
    return topic
  }

  until(what: string, condition: () => Promise<boolean> | boolean, timeoutMs?: number): Promise<void> {
    return this.world.eventually(`${this.name}: ${what}`, condition, timeoutMs)
  }

  // --- how it stands -------------------------------------------------------------------------------------------------

  async state(partition = 0, at = this.world.witnesses[0]!): Promise<PartitionState> {
    const { topics } = await this.world.request(at, describeTopicPartitions, 0, { topics: [{ name: this.name }] })
    const found = topics[0]?.partitions[partition]
    if (found === undefined) throw new Error(`${this.name}-${partition} is not known at broker ${at}`)
    const sorted = (ids: readonly number[] | null) => [...(ids ?? [])].sort((a, b) => a - b)
    return {
      leader: found.leaderId,
      leaderEpoch: found.leaderEpoch,
      replicas: found.replicaNodes,
      inSync: sorted(found.isrNodes),
      eligible: sorted(found.eligibleLeaderReplicas),
      lastKnown: sorted(found.lastKnownElr),
      offline: sorted(found.offlineReplicas),
    }
  }

  async leader(partition = 0): Promise<number> {
    return (await this.state(partition)).leader
  }

  /** Until these are in sync; any order. */
  async untilInSync(ids: readonly number[], timeoutMs?: number): Promise<void> {
    await this.until(
      `in sync: ${ids.join(', ') || 'nobody'}`,
      async () => String((await this.state()).inSync) === String(ids),
      timeoutMs,
    )
    await this.world.settled()
  }

  /** Until this broker leads, −1: nobody; and until it knows so itself. */
  untilLedBy(id: number, timeoutMs?: number): Promise<void> {
    return this.until(
      `led by ${id}`,
      async () => {
        if ((await this.leader()) !== id) return false
        return id < 0 || !this.world.witnesses.includes(id) || (await this.offsetAt(-2, id)).error === 'NONE'
      },
      timeoutMs,
    )
  }

  /** Where a replica's log ends, whether it leads or follows: a debugging consumer's ListOffsets (replica id −2). */
  async endOffset(broker: number, partition = 0): Promise<number> {
    const found = await this.#listOffsets(broker, -1, -2, partition)
    if (found.errorCode !== 0) throw new Error(`${this.name} at ${broker}: ${nameOf(found.errorCode)}`)
    return found.offset
  }

  /** As a consumer asks for it: −1 the latest, −2 the earliest, else by time. */
  async offsetAt(timestamp: number, at?: number): Promise<{ error: ErrorName; offset: number; leaderEpoch: number }> {
    const { errorCode, offset, leaderEpoch } = await this.#listOffsets(at ?? (await this.leader()), timestamp, -1, 0)
    return { error: nameOf(errorCode), offset, leaderEpoch }
  }

  async #listOffsets(broker: number, timestamp: number, replicaId: number, partitionIndex: number) {
    const { topics } = await this.world.request(broker, listOffsets, 9, {
      replicaId,
      isolationLevel: 0,
      topics: [{ name: this.name, partitions: [{ partitionIndex, timestamp }] }],
    })
    return topics[0]!.partitions[0]!
  }

  async highWatermark(broker?: number): Promise<number> {
    return (await this.fetch({ ...(broker === undefined ? {} : { at: broker }), offset: await this.#start(broker) }))
      .highWatermark
  }

  async #start(broker?: number): Promise<number> {
    const at = broker ?? (await this.leader())
    const found = await this.#listOffsets(at, -2, -2, 0)
    return found.errorCode === 0 ? found.offset : 0
  }

  async endOfEpoch(leaderEpoch: number, at: number): Promise<string> {
    const { topics } = await this.world.request(at, offsetForLeaderEpoch, 4, {
      replicaId: -1,
      topics: [{ topic: this.name, partitions: [{ partition: 0, leaderEpoch }] }],
    })
    const found = topics[0]!.partitions[0]!
    return found.errorCode === 0 ? `${found.leaderEpoch}@${found.endOffset}` : nameOf(found.errorCode)
  }

  // --- writing and reading -------------------------------------------------------------------------------------------

  batch(records: number | readonly (string | NewRecord)[], options: ProduceOptions = {}): RecordBatch {
    const { producer } = options
    const list: readonly (string | NewRecord)[] =
      typeof records === 'number' ? Array.from({ length: records }, (_, i) => `value-${i}`) : records
    return batchOf(
      list.map(record => (typeof record === 'string' ? { value: record } : record)),
      {
        timestamp: this.world.now(),
        ...(producer === undefined
          ? {}
          : { producerId: producer[0], producerEpoch: producer[1], baseSequence: producer[2] }),
        ...options.batch,
      },
    )
  }

  /** One batch, of so many records or of these; acks=all unless said. */
  async produce(records: number | readonly (string | NewRecord)[], options: ProduceOptions = {}) {
    return this.produceRecords(Records.of([this.batch(records, options)]), options)
  }

  async produceRecords(records: Records, options: ProduceOptions = {}) {
    const { acks = -1, timeoutMs = 30_000, version = 12, partition = 0 } = options
    const at = options.at ?? (await this.leader(partition))
    const topic = version >= 13 ? { topicId: this.id } : { name: this.name }
    const startedAt = this.world.now()
    const response = await this.world.request(at, produce, version, {
      acks,
      timeoutMs,
      topicData: [{ ...topic, partitionData: [{ index: partition, records }] }],
    })
    const found = response.responses[0]!.partitionResponses[0]!
    return {
      error: nameOf(found.errorCode),
      baseOffset: found.baseOffset,
      startOffset: found.logStartOffset,
      logAppendTimeMs: found.logAppendTimeMs,
      recordErrors: found.recordErrors.map(error => error.batchIndex),
      currentLeader: `${found.currentLeader.leaderId}@${found.currentLeader.leaderEpoch}`,
      tookMs: this.world.now() - startedAt,
    }
  }

  async fetch(options: FetchOptions = {}): Promise<Fetched> {
    const { offset = 0, version = 12, maxWaitMs = 0, maxBytes = 1 << 20, replica = -1 } = options
    const at = options.at ?? (await this.leader())
    const topic = version >= 13 ? { topicId: this.id } : { topic: this.name }
    const startedAt = this.world.now()
    const response = await this.world.request(at, fetch, version, {
      ...(version >= 15 ? { replicaState: { replicaId: replica, replicaEpoch: -1 } } : { replicaId: replica }),
      maxWaitMs,
      minBytes: 1,
      maxBytes,
      isolationLevel: options.isolation ?? 0,
      topics: [
        {
          ...topic,
          partitions: [
            {
              partition: 0,
              fetchOffset: offset,
              partitionMaxBytes: maxBytes,
              currentLeaderEpoch: options.leaderEpoch ?? -1,
              ...(version >= 12 ? { lastFetchedEpoch: options.lastFetchedEpoch ?? -1 } : {}),
            },
          ],
        },
      ],
      forgottenTopicsData: [],
      ...(version >= 11 ? { rackId: options.rack ?? '' } : {}),
    })
    const found = response.responses[0]!.partitions[0]!
    const batches = found.records?.batches() ?? []
    const { divergingEpoch, preferredReadReplica } = found
    return {
      error: nameOf(found.errorCode),
      highWatermark: found.highWatermark,
      startOffset: found.logStartOffset,
      batches: batches.map(batch => `${batch.baseOffset}-${batch.lastOffset}/e${batch.leaderEpoch}`).join(' '),
      values: batches.flatMap(valuesOf),
      nextOffset: batches.at(-1)?.nextOffset ?? offset,
      diverging: divergingEpoch.endOffset < 0 ? undefined : `${divergingEpoch.epoch}@${divergingEpoch.endOffset}`,
      preferred: preferredReadReplica < 0 ? undefined : preferredReadReplica,
      tookMs: this.world.now() - startedAt,
    }
  }

  /** Everything that is visible: one fetch never goes on into the next segment. */
  async readAll(at?: number): Promise<Pick<Fetched, 'batches' | 'values'>> {
    const broker = at ?? (await this.leader())
    const batches: string[] = []
    const values: (string | null)[] = []
    let offset = await this.#start(broker)
    for (;;) {
      const found = await this.fetch({ at: broker, offset })
      if (found.error !== 'NONE') throw new Error(`${this.name} at ${broker}: ${found.error}`)
      if (found.batches === '') return { batches: batches.join(' '), values }
      batches.push(found.batches)
      values.push(...found.values)
      offset = found.nextOffset
    }
  }

  async deleteRecordsTo(offset: number, options: { at?: number; timeoutMs?: number } = {}) {
    const at = options.at ?? (await this.leader())
    const { topics } = await this.world.request(at, deleteRecords, 2, {
      topics: [{ name: this.name, partitions: [{ partitionIndex: 0, offset }] }],
      timeoutMs: options.timeoutMs ?? 30_000,
    })
    const found = topics[0]!.partitions[0]!
    return { error: nameOf(found.errorCode), lowWatermark: found.lowWatermark }
  }

  // --- what an administrator does ------------------------------------------------------------------------------------

  async elect(kind: 'preferred' | 'unclean'): Promise<ErrorName> {
    const { errorCode, replicaElectionResults } = await this.world.request(this.world.witnesses[0]!, electLeaders, 2, {
      electionType: kind === 'preferred' ? 0 : 1,
      topicPartitions: [{ topic: this.name, partitions: [0] }],
      timeoutMs: 30_000,
    })
    return nameOf(replicaElectionResults[0]?.partitionResult[0]?.errorCode ?? errorCode)
  }

  /** null: cancels what is going on. */
  async reassign(replicas: readonly number[] | null): Promise<ErrorName> {
    const { errorCode, responses } = await this.world.request(
      this.world.witnesses[0]!,
      alterPartitionReassignments,
      1,
      {
        timeoutMs: 30_000,
        topics: [
          { name: this.name, partitions: [{ partitionIndex: 0, replicas: replicas === null ? null : [...replicas] }] },
        ],
      },
    )
    return nameOf(responses[0]?.partitions[0]?.errorCode ?? errorCode)
  }

  async setConfig(name: string, value: string | number | boolean): Promise<ErrorName> {
    const { responses } = await this.world.request(this.world.witnesses[0]!, incrementalAlterConfigs, 1, {
      resources: [
        {
          resourceType: 2,
          resourceName: this.name,
          configs: [{ name, configOperation: 0, value: String(value) }],
        },
      ],
      validateOnly: false,
    })
    return nameOf(responses[0]!.errorCode)
  }
}

const text = new TextDecoder()

function valuesOf(batch: RecordBatch): (string | null)[] {
  return recordsOf(batch).map(({ value }) => (value === null ? null : text.decode(value)))
}
