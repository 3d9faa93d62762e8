/** Transactions, asked by kafka-ts in every version. */
import { API, API_ERROR } from 'kafka-ts'
import { expect } from 'vitest'
import type { Cases, KafkaTsWorld } from './kafka-ts-world.ts'

/** From here on only brokers ask, for many at once. */
const BATCHED_SINCE = 4
/** From here on partitions and groups join a transaction when they are written to (KIP-890). */
const IMPLICIT_SINCE = 5
const TRANSACTIONAL = 0x10
/** The last version of Produce that wants partitions to be added first. */
const PRODUCE = 11
const SENT_AT = 1767225600000n

interface Begun {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly producerEpoch: number
  /** Coordinates it. */
  readonly at: number
}

async function begin(world: KafkaTsWorld): Promise<Begun> {
  const transactionalId = world.name('shop')
  const at = await world.coordinator(transactionalId, 'transaction')
  const nobody = { transactionalId, transactionTimeoutMs: 60_000, producerId: -1n, producerEpoch: -1 }
  const { producerId, producerEpoch } = await world.ask(API.INIT_PRODUCER_ID, 5, nobody, at)
  return { transactionalId, producerId, producerEpoch, at }
}

const partitionsOf = ({ transactionalId, producerId, producerEpoch }: Begun, name: string) => ({
  v3AndBelowTransactionalId: transactionalId,
  v3AndBelowProducerId: producerId,
  v3AndBelowProducerEpoch: producerEpoch,
  v3AndBelowTopics: [{ name, partitions: [0] }],
})

const ended = ({ at: _, ...begun }: Begun, committed: boolean) => ({ ...begun, committed })

/** One record, `value`, of the transaction. */
async function write(world: KafkaTsWorld, begun: Begun, topic: string, value: string): Promise<void> {
  const { transactionalId, producerId, producerEpoch, at } = begun
  await world.ask(API.ADD_PARTITIONS_TO_TXN, 3, partitionsOf(begun, topic), at)
  const record = { attributes: 0, timestampDelta: 0n, offsetDelta: 0, key: null, value, headers: [] }
  const batch = {
    index: 0,
    baseOffset: 0n,
    partitionLeaderEpoch: -1,
    attributes: TRANSACTIONAL,
    lastOffsetDelta: 0,
    baseTimestamp: SENT_AT,
    maxTimestamp: SENT_AT,
    producerId,
    producerEpoch,
    baseSequence: 0,
    records: [record],
  }
  const topicData = [{ name: topic, topicId: '', partitionData: [batch] }]
  const data = { transactionalId, acks: -1, timeoutMs: 5_000, topicData }
  await world.ask(API.PRODUCE, PRODUCE, data, world.leader(topic))
}

const values = async (world: KafkaTsWorld, topic: string) =>
  (await world.cluster.topic(topic).records()).map(({ value }) => value)

export const transactionCases: Cases = {
  async AddPartitionsToTxn(world, version) {
    const { name } = await world.topic()
    const begun = await begin(world)
    const { transactionalId, producerId, producerEpoch, at } = begun
    const added = [{ name, resultsByPartition: [{ partitionIndex: 0, partitionErrorCode: 0 }] }]
    if (version >= BATCHED_SINCE) {
      const topics = [{ name, partitions: [0] }]
      const transactions = [{ transactionalId, producerId, producerEpoch, verifyOnly: false, topics }]
      expect(await world.ask(API.ADD_PARTITIONS_TO_TXN, version, { transactions }, at)).toMatchObject({
        throttleTimeMs: 0,
        errorCode: 0,
        resultsByTransaction: [{ transactionalId, topicResults: added }],
      })
      return
    }
    expect(await world.ask(API.ADD_PARTITIONS_TO_TXN, version, partitionsOf(begun, name), at)).toMatchObject({
      throttleTimeMs: 0,
      resultsByTopicV3AndBelow: added,
    })
    const stale = partitionsOf({ ...begun, producerEpoch: producerEpoch + 1 }, name)
    const refused = await world.refused(API.ADD_PARTITIONS_TO_TXN, version, stale, at)
    expect(refused.errorCode).toBe(version >= 2 ? API_ERROR.PRODUCER_FENCED : API_ERROR.INVALID_PRODUCER_EPOCH)
  },

  async AddOffsetsToTxn(world, version) {
    const { at, ...begun } = await begin(world)
    const ask = { ...begun, groupId: world.name('billing') }
    expect(await world.ask(API.ADD_OFFSETS_TO_TXN, version, ask, at)).toMatchObject({ throttleTimeMs: 0, errorCode: 0 })
    const stale = { ...ask, producerId: begun.producerId + 1_000n }
    const refused = await world.refused(API.ADD_OFFSETS_TO_TXN, version, stale, at)
    expect(refused.errorCode).toBe(API_ERROR.INVALID_PRODUCER_ID_MAPPING)
  },

  async TxnOffsetCommit(world, version) {
    const { name, id } = await world.topic()
    const begun = await begin(world)
    const { at, ...producer } = begun
    const groupId = world.name('billing')
    const coordinator = await world.coordinator(groupId)
    if (version < IMPLICIT_SINCE) await world.ask(API.ADD_OFFSETS_TO_TXN, 4, { ...producer, groupId }, at)
    const partitions = [{ partitionIndex: 0, committedOffset: 42n, committedLeaderEpoch: 0, committedMetadata: 'half' }]
    const commit = { ...producer, groupId, topics: [{ name, partitions }] }
    expect(await world.ask(API.TXN_OFFSET_COMMIT, version, commit, coordinator)).toMatchObject({
      throttleTimeMs: 0,
      topics: [{ name, partitions: [{ partitionIndex: 0, errorCode: 0 }] }],
    })
    const ask = { groups: [{ groupId, topics: [{ name, topicId: id, partitionIndexes: [0] }] }], requireStable: false }
    const offset = async () =>
      (await world.ask(API.OFFSET_FETCH, 10, ask, coordinator)).groups[0]!.topics[0]!.partitions[0]!.committedOffset
    expect(await offset()).toBe(-1n)
    await world.ask(API.END_TXN, version < IMPLICIT_SINCE ? 4 : 5, ended(begun, true), at)
    await expect.poll(offset).toBe(42n)
  },

  async EndTxn(world, version) {
    for (const committed of [true, false]) {
      const { name } = await world.topic()
      const begun = await begin(world)
      await write(world, begun, name, 'paid')
      expect(await values(world, name)).toEqual([])
      const answer = await world.ask(API.END_TXN, version, ended(begun, committed), begun.at)
      expect(answer).toMatchObject({ throttleTimeMs: 0, errorCode: 0 })
      if (version >= IMPLICIT_SINCE) {
        expect(answer).toMatchObject({ producerId: begun.producerId, producerEpoch: begun.producerEpoch + 1 })
      }
      await world.cluster.runUntil(() => world.cluster.partition(name, 0).lastStableOffset === 2)
      expect(await values(world, name)).toEqual(committed ? ['paid'] : [])
    }
    const unbegun = { ...(await begin(world)), producerId: 1_000_000n }
    const refused = await world.refused(API.END_TXN, version, ended(unbegun, true), unbegun.at)
    expect(refused.errorCode).toBe(API_ERROR.INVALID_PRODUCER_ID_MAPPING)
  },

  /** What a transaction coordinator tells leaders. */
  async WriteTxnMarkers(world, version) {
    const { name } = await world.topic()
    const begun = await begin(world)
    await write(world, begun, name, 'paid')
    const { producerId, producerEpoch } = begun
    const topics = [{ name, partitionIndexes: [0] }]
    const marker = { producerId, producerEpoch, transactionResult: true, topics, coordinatorEpoch: 0 }
    const answer = await world.ask(API.WRITE_TXN_MARKERS, version, { markers: [marker] }, world.leader(name))
    expect(answer.markers).toMatchObject([
      { producerId, topics: [{ name, partitions: [{ partitionIndex: 0, errorCode: 0 }] }] },
    ])
    expect(await values(world, name)).toEqual(['paid'])
  },

  async DescribeTransactions(world, version) {
    const { name } = await world.topic()
    const begun = await begin(world)
    const { transactionalId, producerId, producerEpoch, at } = begun
    await world.ask(API.ADD_PARTITIONS_TO_TXN, 3, partitionsOf(begun, name), at)
    const answer = await world.ask(API.DESCRIBE_TRANSACTIONS, version, { transactionalIds: [transactionalId] }, at)
    expect(answer).toMatchObject({
      throttleTimeMs: 0,
      transactionStates: [
        {
          errorCode: 0,
          transactionalId,
          transactionState: 'Ongoing',
          transactionTimeoutMs: 60_000,
          producerId,
          producerEpoch,
          topics: [{ topic: name, partitions: [0] }],
        },
      ],
    })
    expect(answer.transactionStates[0]!.transactionStartTimeMs).toBeGreaterThan(SENT_AT)
    const nobody = world.name('nobody')
    const ask = { transactionalIds: [nobody] }
    const there = await world.coordinator(nobody, 'transaction')
    const refused = await world.refused(API.DESCRIBE_TRANSACTIONS, version, ask, there)
    expect(refused.errorCode).toBe(API_ERROR.TRANSACTIONAL_ID_NOT_FOUND)
  },

  async ListTransactions(world, version) {
    const { name } = await world.topic()
    const begun = await begin(world)
    const { transactionalId, producerId, at } = begun
    await world.ask(API.ADD_PARTITIONS_TO_TXN, 3, partitionsOf(begun, name), at)
    const list = async (stateFilters: string[], transactionalIdPattern: string | null = null) => {
      const ask = { stateFilters, producerIdFilters: [producerId], durationFilter: -1n, transactionalIdPattern }
      const answer = await world.ask(API.LIST_TRANSACTIONS, version, ask, at)
      expect(answer).toMatchObject({ throttleTimeMs: 0, errorCode: 0 })
      const unknown = answer.unknownStateFilters
      return [unknown, answer.transactionStates.map(({ tags: _, ...state }) => state)]
    }
    const ongoing = { transactionalId, producerId, transactionState: 'Ongoing' }
    expect(await list([])).toEqual([[], [ongoing]])
    expect(await list(['Ongoing', 'Strange'])).toEqual([['Strange'], [ongoing]])
    expect(await list(['Empty'])).toEqual([[], []])
    if (version >= 2) expect(await list([], 'nobody.*')).toEqual([[], []])
  },
}
