/** What the leader of a partition asks a transaction's coordinator before it appends, and what its clients hear of it. */
import { afterEach, describe, expect, test } from 'vitest'
import { produce } from '../../src/apis/produce.ts'
import { writeTxnMarkers } from '../../src/apis/write-txn-markers.ts'
import { AddPartitionsToTxn, type Cluster, createCluster, cut, disconnect } from '../../src/index.ts'
import type { InterceptedRequest } from '../../src/node/intercept.ts'
import { type BatchOptions, batchOf } from '../../src/wire/batch-builder.ts'
import { type ErrorName, errorCodes } from '../../src/wire/errors.ts'
import { Records } from '../../src/wire/records.ts'
import { ask, nameOf } from '../apis/asking.ts'
import { keptOn } from '../apis/committing.ts'
import {
  addPartitions,
  begin,
  commitOffset,
  describeTransaction,
  end,
  initialize,
  settledIn,
  type Transactor,
  transactionsOn,
  verifyingWith,
  write,
} from '../apis/transacting.ts'

const open: Cluster[] = []

/** Broker 1 leads the partitions of t, broker 2 coordinates transactions, broker 3 groups. */
async function started(configs: Readonly<Record<string, unknown>> = {}): Promise<Cluster> {
  const cluster = await createCluster({
    brokers: 3,
    configs,
    topics: {
      t: { assignments: [[1], [1], [1], [1]] },
      others: { assignments: [[1], [3]] },
      ...transactionsOn(2),
      ...keptOn(3),
    },
  })
  open.push(cluster)
  return cluster
}

afterEach(async () => {
  for (const cluster of open.splice(0)) await cluster.close()
})

type Asked = InterceptedRequest<typeof AddPartitionsToTxn>

/** Watches what leaders ask coordinators, and changes nothing. */
function watched(cluster: Cluster): { readonly requests: Asked[] } & Disposable {
  const requests: Asked[] = []
  const installed = cluster.intercept(
    AddPartitionsToTxn,
    (request, next) => {
      if (request.peer !== undefined) requests.push(request)
      return next()
    },
    { optional: true },
  )
  return { requests, [Symbol.dispose]: () => installed[Symbol.dispose]() }
}

const transactionsOf = ({ body }: Asked) => body.transactions ?? []

function markersLate(cluster: Cluster, ms: number) {
  return cluster.intercept('WriteTxnMarkers', async (request, next) => {
    await request.sleep(ms)
    return next()
  })
}

const NOT_ADDED = 'Partition was not added to the transaction'
const UNABLE = 'Unable to verify the partition has been added to the transaction. Underlying error: '

describe('a client that adds its partitions by itself (Produce up to v11)', () => {
  test('is believed once the coordinator says so, and asked about once a partition (T-30)', async () => {
    const cluster = await started()
    const producer = await begin(cluster, 'one')
    expect(await addPartitions(producer, [['t', 0]])).toEqual(['NONE'])
    using watch = watched(cluster)
    expect(await write(producer, ['t', 0], { version: 11 })).toMatchObject({ error: 'NONE', offset: 0 })
    expect(await write(producer, ['t', 0], { version: 11, sequence: 1 })).toMatchObject({ error: 'NONE', offset: 1 })
    const { transactionalId, producerId, producerEpoch } = producer
    expect(watch.requests.map(transactionsOf)).toEqual([
      [{ transactionalId, producerId, producerEpoch, verifyOnly: true, topics: [{ name: 't', partitions: [0] }] }],
    ])
    expect(watch.requests.map(({ version, node, peer }) => [version, node, peer])).toEqual([[5, 2, 1]])
  })

  const notAdded: readonly [version: number, error: string, message: string | null][] = [
    [3, 'INVALID_TXN_STATE', null],
    [7, 'INVALID_TXN_STATE', null],
    [9, 'INVALID_TXN_STATE', NOT_ADDED],
    [10, 'INVALID_TXN_STATE', NOT_ADDED],
    [11, 'TRANSACTION_ABORTABLE', null],
  ]
  test.each(notAdded)(
    'a partition that was not added is refused in v%i with %s (T-30)',
    async (version, error, message) => {
      const cluster = await started()
      const producer = await begin(cluster, 'one')
      expect(await write(producer, ['t', 0], { version })).toEqual({ error, message, offset: -1 })
      expect(cluster.partition('t', 0).endOffset).toBe(0)
      expect(await describeTransaction(cluster, 'one')).toMatchObject({ state: 'Empty' })
    },
  )

  test('is not asked about where transaction.partition.verification.enable is false (T-30)', async () => {
    const cluster = await started({ 'transaction.partition.verification.enable': false })
    const producer = await begin(cluster, 'one')
    using watch = watched(cluster)
    expect(await write(producer, ['t', 0], { version: 11 })).toMatchObject({ error: 'NONE', offset: 0 })
    expect(watch.requests).toEqual([])
    // That is a hanging transaction: no coordinator knows of it.
    expect(await describeTransaction(cluster, 'one')).toMatchObject({ state: 'Empty' })
    expect(cluster.partition('t', 0).lastStableOffset).toBe(0)
    // Partitions are still added for those who rely on it (T-31).
    expect(await write(producer, ['t', 1], { version: 12 })).toMatchObject({ error: 'NONE' })
    expect(await describeTransaction(cluster, 'one')).toMatchObject({ topics: [{ topic: 't', partitions: [1] }] })
  })

  test('the switch can be thrown while the broker runs (T-30)', async () => {
    const cluster = await started()
    const producer = await begin(cluster, 'one')
    expect(await write(producer, ['t', 0], { version: 11 })).toMatchObject({ error: 'TRANSACTION_ABORTABLE' })
    const admin = cluster.admin()
    await admin.incrementalAlterConfigs([
      {
        resource: { type: 'broker', name: '' },
        operations: [{ name: 'transaction.partition.verification.enable', value: false }],
      },
    ])
    await cluster.clock.advance(1_000)
    expect(await write(producer, ['t', 0], { version: 11 })).toMatchObject({ error: 'NONE' })
  })
})

describe('a client whose partitions are added for it (Produce from v12 on)', () => {
  test.each([12, 13])('has them in its transaction with its first batch, v%i (T-31)', async version => {
    const cluster = await started()
    const producer = await begin(cluster, 'one')
    using watch = watched(cluster)
    expect(await write(producer, ['t', 2], { version })).toMatchObject({ error: 'NONE', offset: 0 })
    expect(watch.requests.flatMap(transactionsOf).map(({ verifyOnly }) => verifyOnly)).toEqual([false])
    expect(await describeTransaction(cluster, 'one')).toMatchObject({
      state: 'Ongoing',
      topics: [{ topic: 't', partitions: [2] }],
    })
  })

  test('a batch that is refused leaves its partition in the transaction, which gets a marker there (T-31)', async () => {
    const cluster = await started()
    const producer = await begin(cluster, 'one')
    expect(await write(producer, ['t', 0], { sequence: 3 })).toMatchObject({ error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    expect(await describeTransaction(cluster, 'one')).toMatchObject({ topics: [{ topic: 't', partitions: [0] }] })
    expect(await end(producer, true)).toMatchObject({ error: 'NONE' })
    await settledIn(cluster, 'one', 'CompleteCommit')
    expect((await cluster.topic('t').records({ control: true })).map(({ control }) => control)).toEqual(['COMMIT'])
  })

  test('many partitions of one request are asked about together, and only new ones (T-31)', async () => {
    const cluster = await started()
    const producer = await begin(cluster, 'one')
    expect(await writeAll(producer, [['t', 0, 0]])).toEqual(['NONE'])
    using watch = watched(cluster)
    const answer = await writeAll(producer, [
      ['t', 0, 1],
      ['t', 1, 0],
      ['t', 3, 0],
      ['others', 0, 0],
      ['others', 1, 0],
    ])
    // The last one is led by another broker.
    expect(answer).toEqual(['NONE', 'NONE', 'NONE', 'NONE', 'NOT_LEADER_OR_FOLLOWER'])
    expect(watch.requests.flatMap(transactionsOf).map(({ topics }) => topics)).toEqual([
      [
        { name: 't', partitions: [1, 3] },
        { name: 'others', partitions: [0] },
      ],
    ])
  })

  test('a transaction that begins while the markers of the last one are out is held back until they stand (T-33)', async () => {
    const cluster = await started()
    const producer = await begin(cluster, 'one')
    await write(producer, ['t', 0])
    // The marker arrives 50 ms after the decision: between two attempts of the leader.
    using _late = markersLate(cluster, 50)
    using watch = watched(cluster)
    const { producerEpoch } = await end(producer, true)
    const before = cluster.clock.now()
    expect(await write({ ...producer, producerEpoch }, ['t', 0])).toMatchObject({ error: 'NONE', offset: 2 })
    expect(cluster.clock.now() - before).toBeLessThan(100)
    expect(watch.requests.length).toBeGreaterThan(2)
    expect(watch.requests.length).toBeLessThanOrEqual(5)
  })

  test('however long the coordinator takes to answer, the marker of the transaction before does no harm (T-31)', async () => {
    const cluster = await started()
    const producer = await begin(cluster, 'one')
    await write(producer, ['t', 0])
    // The leader asks before the marker is there, and is answered long after.
    using _late = markersLate(cluster, 50)
    using _slow = cluster.intercept(AddPartitionsToTxn, async (request, next) => {
      await request.sleep(300)
      return next()
    })
    const { producerEpoch } = await end(producer, true)
    expect(await write({ ...producer, producerEpoch }, ['t', 0])).toMatchObject({ error: 'NONE', offset: 2 })
  })

  test('and hears of CONCURRENT_TRANSACTIONS after 100 ms (T-33)', async () => {
    const cluster = await started()
    const producer = await begin(cluster, 'one')
    await write(producer, ['t', 0])
    using _late = markersLate(cluster, 10_000)
    const { producerEpoch } = await end(producer, true)
    using watch = watched(cluster)
    const before = cluster.clock.now()
    expect(await write({ ...producer, producerEpoch }, ['t', 1])).toEqual({
      error: 'CONCURRENT_TRANSACTIONS',
      message: null,
      offset: -1,
    })
    expect(cluster.clock.now() - before).toBeGreaterThanOrEqual(100)
    expect(cluster.clock.now() - before).toBeLessThan(140)
    expect(watch.requests).toHaveLength(4)
    // The same, for a client that knows the error only as something to try again (T-32).
    expect(await write({ ...producer, producerEpoch }, ['t', 1], { version: 11 })).toEqual({
      error: 'NOT_ENOUGH_REPLICAS',
      message: `${UNABLE}CONCURRENT_TRANSACTIONS`,
      offset: -1,
    })
    expect(watch.requests).toHaveLength(5)
  })

  test('how often and how long is configured (T-33)', async () => {
    const cluster = await started({
      'add.partitions.to.txn.retry.backoff.ms': 5,
      'add.partitions.to.txn.retry.backoff.max.ms': 10,
    })
    const producer = await begin(cluster, 'one')
    using watch = watched(cluster)
    using _refused = verifyingWith(cluster, 'CONCURRENT_TRANSACTIONS')
    expect(await write(producer, ['t', 0])).toMatchObject({ error: 'CONCURRENT_TRANSACTIONS' })
    expect(watch.requests.length).toBeLessThanOrEqual(3)
  })
})

describe('what the coordinator refuses', () => {
  const rows: readonly [ErrorName, v10: string, v11: string, v12: string][] = [
    ['INVALID_TXN_STATE', 'INVALID_TXN_STATE', 'INVALID_TXN_STATE', 'INVALID_TXN_STATE'],
    ['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_EPOCH'],
    ['INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_EPOCH'],
    [
      'INVALID_PRODUCER_ID_MAPPING',
      'INVALID_PRODUCER_ID_MAPPING',
      'INVALID_PRODUCER_ID_MAPPING',
      'INVALID_PRODUCER_ID_MAPPING',
    ],
    ['COORDINATOR_NOT_AVAILABLE', 'NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS'],
    ['NOT_COORDINATOR', 'NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS'],
    ['COORDINATOR_LOAD_IN_PROGRESS', 'NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS'],
    ['CONCURRENT_TRANSACTIONS', 'NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS', 'CONCURRENT_TRANSACTIONS'],
    ['TRANSACTION_ABORTABLE', 'INVALID_TXN_STATE', 'TRANSACTION_ABORTABLE', 'TRANSACTION_ABORTABLE'],
    ['UNSUPPORTED_VERSION', 'UNSUPPORTED_VERSION', 'UNSUPPORTED_VERSION', 'UNSUPPORTED_VERSION'],
  ]
  test.each(rows)(
    'with %s a producer hears of as %s, from v11 on %s, from v12 on %s (T-32)',
    async (error, ...heard) => {
      const cluster = await started()
      const producer = await begin(cluster, 'one')
      using _refused = verifyingWith(cluster, error)
      const answers = []
      for (const version of [10, 11, 12]) {
        const answer = await write(producer, ['t', 0], { version })
        answers.push(answer.error)
        const message = answer.error === 'INVALID_TXN_STATE' ? NOT_ADDED : null
        expect(answer.message).toBe(answer.error === 'NOT_ENOUGH_REPLICAS' ? UNABLE + error : message)
      }
      expect(answers).toEqual(heard)
      expect(cluster.partition('t', 0).endOffset).toBe(0)
    },
  )

  test('is refused for the whole request where the coordinator refuses all of it (T-32)', async () => {
    const cluster = await started()
    const producer = await begin(cluster, 'one')
    using _refused = cluster.intercept(AddPartitionsToTxn, () => ({
      throttleTimeMs: 0,
      errorCode: errorCodes.NOT_COORDINATOR,
      resultsByTransaction: [],
    }))
    expect(await write(producer, ['t', 0])).toMatchObject({ error: 'NOT_ENOUGH_REPLICAS' })
  })

  test('a partition it says nothing of is not appended to (T-30)', async () => {
    const cluster = await started()
    const producer = await begin(cluster, 'one')
    using _silent = cluster.intercept(AddPartitionsToTxn, () => ({
      throttleTimeMs: 0,
      errorCode: 0,
      resultsByTransaction: [],
    }))
    expect(await write(producer, ['t', 0])).toMatchObject({ error: 'NOT_ENOUGH_REPLICAS' })
  })
})

describe('a coordinator that cannot be asked', () => {
  test('crashed in the middle of it: the client is to try again (T-32)', async () => {
    const cluster = await started()
    const producer = await begin(cluster, 'one')
    using _crash = cluster.intercept(AddPartitionsToTxn, () => {
      void cluster.broker(2).crash()
      return disconnect
    })
    const answer = await write(producer, ['t', 0])
    expect(answer).toEqual({ error: 'NOT_ENOUGH_REPLICAS', message: `${UNABLE}NETWORK_EXCEPTION`, offset: -1 })
  })

  test('gone, with no leader in its place: the client is to try again (T-32)', async () => {
    const cluster = await started()
    const producer = await begin(cluster, 'one')
    await cluster.broker(2).crash()
    await cluster.runUntil(() => cluster.partition('__transaction_state', 0).leader === undefined)
    const answer = await write(producer, ['t', 0])
    expect(answer).toEqual({ error: 'NOT_ENOUGH_REPLICAS', message: `${UNABLE}COORDINATOR_NOT_AVAILABLE`, offset: -1 })
    await cluster.broker(2).restart()
    await cluster.runUntil(() => cluster.partition('__transaction_state', 0).leader !== undefined)
    await cluster.clock.advance(1_000)
    expect(await write(producer, ['t', 0])).toMatchObject({ error: 'NONE' })
  })

  test('cut off: what is asked again is not asked twice at once, and all is asked when it is back (T-32)', async () => {
    const cluster = await started()
    const [one, two] = [await begin(cluster, 'one'), await begin(cluster, 'two')]
    const rule = cluster.network.rule(cut(1, 2))
    const first = write(one, ['t', 0])
    await cluster.clock.advance(1_000)
    // The second request of the same transaction takes the place of the one before while that waits for its turn.
    const [second, third, other] = [write(one, ['t', 1]), write(one, ['t', 1]), write(two, ['t', 2])]
    await cluster.clock.advance(1_000)
    expect(await second).toEqual({ error: 'NOT_ENOUGH_REPLICAS', message: `${UNABLE}NETWORK_EXCEPTION`, offset: -1 })
    rule[Symbol.dispose]()
    using watch = watched(cluster)
    expect([(await first).error, (await third).error, (await other).error]).toEqual(['NONE', 'NONE', 'NONE'])
    // One request at a time, and what came meanwhile goes together.
    expect(
      watch.requests.map(request => transactionsOf(request).map(({ transactionalId }) => transactionalId)),
    ).toEqual([['one'], ['one', 'two']])
  })

  test('one that waits is fenced by a newer epoch of its producer, and does not get in its way (T-14)', async () => {
    const cluster = await started()
    const [old, other] = [await begin(cluster, 'one'), await begin(cluster, 'two')]
    const current: Transactor = { ...old, ...(await initialize(old)) }
    const rule = cluster.network.rule(cut(1, 2))
    const [blocking, zombie] = [write(other, ['t', 0]), write(old, ['t', 1])]
    await cluster.clock.advance(100)
    const newer = write(current, ['t', 2])
    await cluster.clock.advance(100)
    expect((await zombie).error).toBe('INVALID_PRODUCER_EPOCH')
    expect((await write(old, ['t', 3])).error).toBe('INVALID_PRODUCER_EPOCH')
    rule[Symbol.dispose]()
    expect([(await blocking).error, (await newer).error]).toEqual(['NONE', 'NONE'])
  })
})

describe('a partition that knows a later epoch of the producer', () => {
  /** As if a transaction of epoch 5 had ended there. */
  const marked = async (producer: Transactor) => {
    const { cluster, producerId } = producer
    const marker = { producerId, producerEpoch: 5, coordinatorEpoch: 0, transactionResult: true, transactionVersion: 2 }
    const topics = [{ name: 't', partitionIndexes: [0] }]
    await ask(cluster, 1, writeTxnMarkers, { markers: [{ ...marker, topics }] })
  }

  test.each([11, 12])(
    'refuses the older one at once, v%i: nobody is asked, nothing is added (I-6, T-31)',
    async version => {
      const cluster = await started()
      const producer = await begin(cluster, 'one')
      await marked(producer)
      using watch = watched(cluster)
      expect(await write(producer, ['t', 0], { version })).toEqual({
        error: 'INVALID_PRODUCER_EPOCH',
        message: null,
        offset: -1,
      })
      expect(watch.requests).toEqual([])
      expect(await describeTransaction(cluster, 'one')).toMatchObject({ state: 'Empty' })
      // Of another producer id only the coordinator can say that it is none of this transaction.
      const other = { ...producer, producerId: 4711 }
      expect(await write(other, ['t', 0], { version })).toMatchObject({ error: 'INVALID_PRODUCER_ID_MAPPING' })
    },
  )
})

describe('a batch that was verified', () => {
  test('is not appended when its transaction ended in between: no hanging transaction (I-5, T-30)', async () => {
    const cluster = await started()
    const producer = await begin(cluster, 'one')
    await addPartitions(producer, [['t', 0]])
    // The coordinator says yes; before the leader hears of it, the transaction is aborted and its marker stands.
    using _slow = cluster.intercept(AddPartitionsToTxn, async (request, next) => {
      const answer = await next()
      if (request.peer !== undefined) await request.sleep(500)
      return answer
    })
    const late = write(producer, ['t', 0], { version: 11 })
    await cluster.clock.advance(100)
    expect(await end(producer, false, 4)).toMatchObject({ error: 'NONE' })
    expect(await late).toMatchObject({ error: 'INVALID_TXN_STATE', offset: -1 })
    expect(cluster.partition('t', 0)).toMatchObject({ endOffset: 1, lastStableOffset: 1 })
  })

  test('is refused where leadership moved meanwhile (P-8)', async () => {
    const cluster = await createCluster({
      brokers: 3,
      topics: { t: { assignments: [[1, 3]] }, ...transactionsOn(2) },
    })
    open.push(cluster)
    const producer = await begin(cluster, 'one')
    using _slow = cluster.intercept(AddPartitionsToTxn, async (request, next) => {
      const answer = await next()
      await request.sleep(5_000)
      return answer
    })
    const late = write(producer, ['t', 0])
    await cluster.clock.advance(100)
    await cluster.admin().alterPartitionReassignments([{ topic: 't', partition: 0, replicas: [3] }])
    await cluster.runUntil(() => cluster.leaderOf('t', 0).id === 3)
    expect(await late).toMatchObject({ error: 'NOT_LEADER_OR_FOLLOWER', offset: -1 })
    expect(cluster.partition('t', 0).endOffset).toBe(0)
  })
})

describe('a request without a transaction', () => {
  test('that brings transactional records is refused as a whole (P-1)', async () => {
    const cluster = await started()
    const producer = await begin(cluster, 'one')
    const answers = await writeAll(
      producer,
      [
        ['t', 0, 0],
        ['t', 1, 0],
      ],
      { transactionalId: null },
    )
    expect(answers).toEqual(['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'])
    // Whether there is such a topic is asked later.
    expect(await writeAll(producer, [['nosuch', 0, 0]], { transactionalId: null })).toEqual([
      'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
    ])
    expect(await writeAll(producer, [['nosuch', 0, 0]])).toEqual(['UNKNOWN_TOPIC_OR_PARTITION'])
  })

  test('and one with records of two producers (P-7)', async () => {
    const cluster = await started()
    const producer = await begin(cluster, 'one')
    const answers = await writeAll(
      producer,
      [
        ['t', 0, 0],
        ['t', 1, 0],
      ],
      { epochs: [0, 1] },
    )
    expect(answers).toEqual(['INVALID_PRODUCER_ID_MAPPING', 'INVALID_PRODUCER_ID_MAPPING'])
    expect(cluster.partition('t', 0).endOffset).toBe(0)
  })
})

test('the coordinator is asked over the network, also by the broker that it is (T-30)', async () => {
  const cluster = await createCluster({ brokers: 1, topics: { t: {}, ...transactionsOn(1), ...keptOn(1) } })
  open.push(cluster)
  const producer = await begin(cluster, 'one')
  using watch = watched(cluster)
  expect(await write(producer, ['t', 0])).toMatchObject({ error: 'NONE' })
  expect(await commitOffset(producer, 'g', 1)).toBe('NONE')
  expect(watch.requests.map(({ node, peer }) => [node, peer])).toEqual([
    [1, 1],
    [1, 1],
  ])
})

/** One request with a batch for each partition and sequence; the errors in the order of the answer. */
async function writeAll(
  { cluster, transactionalId, producerId, producerEpoch }: Transactor,
  places: readonly (readonly [topic: string, partition: number, sequence: number])[],
  options: { readonly transactionalId?: null; readonly epochs?: readonly number[] } = {},
): Promise<string[]> {
  const names = [...new Set(places.map(([name]) => name))]
  const batch = (sequence: number, epoch: number) => {
    const facts: BatchOptions = { producerId, producerEpoch: epoch, baseSequence: sequence, transactional: true }
    return Records.of([batchOf([{ timestamp: cluster.clock.now(), key: null, value: 'x' }], facts)])
  }
  const body = {
    ...(options.transactionalId === null ? {} : { transactionalId }),
    acks: -1,
    timeoutMs: 30_000,
    topicData: names.map(name => ({
      name,
      partitionData: places.flatMap(([topic, index, sequence], at) =>
        topic === name ? [{ index, records: batch(sequence, options.epochs?.[at] ?? producerEpoch) }] : [],
      ),
    })),
  }
  const { responses } = await ask(cluster, 1, produce, body, 12)
  return responses.flatMap(topic => topic.partitionResponses.map(({ errorCode }) => nameOf(errorCode)))
}
