import { addOffsetsToTxn } from '../../src/apis/add-offsets-to-txn.ts'
import { addPartitionsToTxn } from '../../src/apis/add-partitions-to-txn.ts'
import { describeTopicPartitions } from '../../src/apis/describe-topic-partitions.ts'
import { describeTransactions } from '../../src/apis/describe-transactions.ts'
import { endTxn } from '../../src/apis/end-txn.ts'
import { fetch } from '../../src/apis/fetch.ts'
import { findCoordinator } from '../../src/apis/find-coordinator.ts'
import { initProducerId } from '../../src/apis/init-producer-id.ts'
import { produce } from '../../src/apis/produce.ts'
import { txnOffsetCommit } from '../../src/apis/txn-offset-commit.ts'
import { partitionFor } from '../../src/coordinators/partition-for.ts'
import { batchOf } from '../../src/wire/batch-builder.ts'
import { transactionMarkerOf } from '../../src/wire/control-record.ts'
import { recordsOf } from '../../src/wire/record.ts'
import { Records } from '../../src/wire/records.ts'
import { type Group, nameOf } from './group.ts'
import type { Topic } from './topic.ts'
import { WORLD_CONFIGS, type World } from './world.ts'

/** Who a producer says it is. */
export interface ProducerIdentity {
  readonly producerId: number
  readonly epoch: number
}

export interface WriteOptions {
  readonly partition?: number
  /** Of the first record; 0 unless said. */
  readonly sequence?: number
  /** Produce; 12 unless said: as a client of transaction version 2 does it. */
  readonly version?: number
  readonly transactional?: boolean
}

let counted = 0

/**
 * A transactional id of a story, as clients speak of it, in either version: with Produce v12, TxnOffsetCommit v5 and EndTxn v5
 * the broker adds partitions and raises the epoch; with v11, v4 and v4 the client adds them, and keeps its epoch.
 */
export class TransactionalId {
  readonly world: World
  readonly name: string
  /** Whom it asks; `find` looks again. */
  coordinator = -1

  private constructor(world: World, name: string) {
    this.world = world
    this.name = name
  }

  /** One that nobody had before, and who coordinates it. */
  static async open(world: World): Promise<TransactionalId> {
    const id = new TransactionalId(world, `transactional-${++counted}`)
    await id.find()
    return id
  }

  /** Until somebody says that it is the coordinator, and has loaded what is known. */
  async find(timeoutMs?: number): Promise<number> {
    await this.world.eventually(
      `${this.name} has a coordinator`,
      async () => {
        const body = { keyType: 1, coordinatorKeys: [this.name] }
        const [found] = (await this.world.request(this.world.witnesses[0]!, findCoordinator, 6, body)).coordinators
        if (found!.errorCode !== 0 || !this.world.witnesses.includes(found!.nodeId)) return false
        this.coordinator = found!.nodeId
        const { error } = await this.described()
        return error === 'NONE' || error === 'TRANSACTIONAL_ID_NOT_FOUND'
      },
      timeoutMs,
    )
    return this.coordinator
  }

  /** `NONE 0`: the error, and the epoch that is given; the producer id too, if it was given another than `known` says. */
  async initialize(
    known?: ProducerIdentity,
    options: { readonly version?: number; readonly timeoutMs?: number } = {},
  ): Promise<{ readonly error: string } & ProducerIdentity> {
    const { version = 5, timeoutMs = 60_000 } = options
    const { errorCode, producerId, producerEpoch } = await this.world.request(
      this.coordinator,
      initProducerId,
      version,
      {
        transactionalId: this.name,
        transactionTimeoutMs: timeoutMs,
        ...(known === undefined ? {} : { producerId: known.producerId, producerEpoch: known.epoch }),
      },
    )
    return { error: nameOf(errorCode), producerId, epoch: producerEpoch }
  }

  /** Until it is the producer: what is open is aborted first. @throws an Error if it is refused */
  async become(options: { readonly timeoutMs?: number } = {}): Promise<ProducerIdentity> {
    let producer: ProducerIdentity | undefined
    await this.world.eventually(`${this.name} is initialized`, async () => {
      const { error, ...identity } = await this.initialize(undefined, options)
      if (error === 'CONCURRENT_TRANSACTIONS' || error === 'COORDINATOR_LOAD_IN_PROGRESS') return false
      if (error !== 'NONE') throw new Error(error)
      producer = identity
      return true
    })
    return producer!
  }

  /** The errors of these partitions of one topic, in order. Version 3: as clients do it that add partitions. */
  async add({ producerId, epoch }: ProducerIdentity, topic: Topic, partitions: number[] = [0], version = 3) {
    const { resultsByTopicV3AndBelow } = await this.world.request(this.coordinator, addPartitionsToTxn, version, {
      v3AndBelowTransactionalId: this.name,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: epoch,
      v3AndBelowTopics: [{ name: topic.name, partitions }],
    })
    return resultsByTopicV3AndBelow[0]!.resultsByPartition.map(({ partitionErrorCode }) => nameOf(partitionErrorCode))
  }

  async addOffsets({ producerId, epoch }: ProducerIdentity, group: Group, version = 4) {
    const body = { transactionalId: this.name, producerId, producerEpoch: epoch, groupId: group.name }
    return nameOf((await this.world.request(this.coordinator, addOffsetsToTxn, version, body)).errorCode)
  }

  /** One batch of these records, acks=all: its error and first offset, as `NONE 3`. */
  async write(
    { producerId, epoch }: ProducerIdentity,
    topic: Topic,
    values: readonly string[],
    options: WriteOptions = {},
  ): Promise<string> {
    const { partition = 0, sequence = 0, version = 12, transactional = true } = options
    const batch = batchOf(
      values.map(value => ({ value })),
      {
        timestamp: this.world.now(),
        producerId,
        producerEpoch: epoch,
        baseSequence: sequence,
        ...(transactional ? { transactional } : {}),
      },
    )
    const response = await this.world.request(await topic.leader(partition), produce, version, {
      ...(transactional ? { transactionalId: this.name } : {}),
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ name: topic.name, partitionData: [{ index: partition, records: Records.of([batch]) }] }],
    })
    const { errorCode, baseOffset } = response.responses[0]!.partitionResponses[0]!
    return `${nameOf(errorCode)} ${baseOffset}`
  }

  /** An offset of partition 0, for a group: its error. */
  async commitOffset(
    { producerId, epoch }: ProducerIdentity,
    group: Group,
    topic: Topic,
    offset: number,
    options: { readonly version?: number; readonly memberId?: string; readonly generation?: number } = {},
  ): Promise<string> {
    const { version = 5, memberId, generation } = options
    const { topics } = await this.world.request(group.coordinator, txnOffsetCommit, version, {
      transactionalId: this.name,
      groupId: group.name,
      producerId,
      producerEpoch: epoch,
      ...(memberId === undefined ? {} : { memberId }),
      ...(generation === undefined ? {} : { generationId: generation }),
      topics: [
        { name: topic.name, partitions: [{ partitionIndex: 0, committedOffset: offset, committedMetadata: '' }] },
      ],
    })
    return nameOf(topics[0]!.partitions[0]!.errorCode)
  }

  async end(
    { producerId, epoch }: ProducerIdentity,
    how: 'commit' | 'abort',
    version = 5,
  ): Promise<{ readonly error: string } & ProducerIdentity> {
    const body = { transactionalId: this.name, producerId, producerEpoch: epoch, committed: how === 'commit' }
    const answer = await this.world.request(this.coordinator, endTxn, version, body)
    return { error: nameOf(answer.errorCode), producerId: answer.producerId, epoch: answer.producerEpoch }
  }

  /** Commits, or aborts, until the last marker. @throws an Error if that is refused. Who the producer is then. */
  async ended(producer: ProducerIdentity, how: 'commit' | 'abort', version = 5): Promise<ProducerIdentity> {
    const { error, ...next } = await this.end(producer, how, version)
    if (error !== 'NONE') throw new Error(error)
    await this.untilIn(how === 'commit' ? 'CompleteCommit' : 'CompleteAbort')
    return version >= 5 ? next : producer
  }

  // --- how it stands -------------------------------------------------------------------------------------------------

  async described() {
    const body = { transactionalIds: [this.name] }
    const { transactionStates } = await this.world.request(this.coordinator, describeTransactions, 0, body)
    const { errorCode, transactionState, producerId, producerEpoch, topics } = transactionStates[0]!
    const partitions = topics.flatMap(({ topic, partitions }) => partitions.map(partition => `${topic}-${partition}`))
    const error = nameOf(errorCode)
    return { error, state: transactionState, producerId, epoch: producerEpoch, partitions: partitions.sort() }
  }

  /** `CompleteCommit 3`: the state, and the epoch. */
  async state(): Promise<string> {
    const { error, state, epoch } = await this.described()
    return error === 'NONE' ? `${state} ${epoch}` : error
  }

  /** The leader epoch of its partition of `__transaction_state`, which markers tell. */
  async coordinatorEpoch(): Promise<number> {
    const body = { topics: [{ name: '__transaction_state' }] }
    const [topic] = (await this.world.request(this.world.witnesses[0]!, describeTopicPartitions, 0, body)).topics
    return topic!.partitions[this.partition]!.leaderEpoch
  }

  /** Of `__transaction_state`. */
  get partition(): number {
    return partitionFor(this.name, WORLD_CONFIGS['transaction.state.log.num.partitions'])
  }

  untilIn(state: string, timeoutMs?: number): Promise<void> {
    const isThere = async () => (await this.described()).state === state
    return this.world.eventually(`${this.name} is in ${state}`, isThere, timeoutMs)
  }
}

/** What one fetch of partition 0 shows, from `offset` on, with the last stable offset and the list of aborted transactions. */
export async function seen(topic: Topic, isolation: 'read_committed' | 'read_uncommitted', offset = 0) {
  const response = await topic.world.request(await topic.leader(), fetch, 12, {
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1 << 20,
    isolationLevel: isolation === 'read_committed' ? 1 : 0,
    topics: [
      {
        topic: topic.name,
        partitions: [{ partition: 0, fetchOffset: offset, partitionMaxBytes: 1 << 20 }],
      },
    ],
    forgottenTopicsData: [],
  })
  const { records, highWatermark, lastStableOffset, abortedTransactions } = response.responses[0]!.partitions[0]!
  return {
    log: (records?.batches() ?? []).map(batch => {
      const marker = transactionMarkerOf(batch)
      if (marker === undefined) return valuesOf(recordsOf(batch)).join(' ')
      return `${marker.type} epoch ${batch.producerEpoch} by ${marker.coordinatorEpoch}`
    }),
    highWatermark,
    lastStableOffset,
    /** First offsets of what was aborted, by the broker; undefined for those who read uncommitted. */
    aborted: abortedTransactions?.map(({ firstOffset }) => firstOffset),
  }
}

function valuesOf(records: readonly { readonly value: Uint8Array | null }[]): string[] {
  return records.map(({ value }) => (value === null ? 'null' : Buffer.from(value).toString()))
}
