import { afterEach, expect, test } from 'vitest'
import { addPartitionsToTxn } from '../../src/apis/add-partitions-to-txn.ts'
import { findCoordinator } from '../../src/apis/find-coordinator.ts'
import { transactionCodec } from '../../src/coordinators/transactions/transaction-records.ts'
import type { Cluster, ClusterOptions } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { recordsOf } from '../../src/wire/record.ts'
import { ask, nameOf } from './asking.ts'
import {
  addOffsets,
  addPartitions,
  begin,
  describeTransaction,
  end,
  initialize,
  settledIn,
  TRANSACTIONS_TOPIC,
  transactionCoordinatorOf,
  transactionsOn,
  write,
} from './transacting.ts'

let cluster: Cluster

async function start(options: ClusterOptions = {}): Promise<Cluster> {
  cluster = await createCluster({
    ...options,
    topics: { t: { partitions: 4 }, ...transactionsOn(1, 2, 3), ...options.topics },
  })
  return cluster
}

afterEach(() => cluster.close())

/** All that the coordinator has written of an id, in order: [producerId, epoch, status, …], or null for a tombstone. */
async function writtenOf(transactionalId: string) {
  const { log } = cluster
    .leaderOf(TRANSACTIONS_TOPIC, 0)
    .broker!.replicas.get(cluster.topic(TRANSACTIONS_TOPIC).topicId, 0)!
  const batches = await log.read(0, 1 << 20, log.endOffset)
  return batches
    .flatMap(batch => recordsOf(batch))
    .map(record => transactionCodec.decode(record)!)
    .filter(({ key }) => key.transactionalId === transactionalId)
    .map(({ value }) => value)
}

// --- the coordinator -------------------------------------------------------------------------------------------------

test('T-2: who first looks for a coordinator of transactions makes its topic: 50 partitions, compacted, uncompressed', async () => {
  cluster = await createCluster({ topics: { t: { partitions: 1 } } })
  const find = async () => {
    const body = { keyType: 1, coordinatorKeys: ['payments'] }
    return nameOf((await ask(cluster, 1, findCoordinator, body)).coordinators[0]!.errorCode)
  }
  expect(await find()).toBe('COORDINATOR_NOT_AVAILABLE')
  await cluster.runUntil(() => cluster.topicNames.includes(TRANSACTIONS_TOPIC))
  await cluster.clock.advance(500)
  expect(await find()).toBe('NONE')
  expect(cluster.topic(TRANSACTIONS_TOPIC).partitionCount).toBe(50)
  const described = await cluster.admin().describeConfigs([{ type: 'topic', name: TRANSACTIONS_TOPIC }])
  const entries = [...[...described.values()][0]!.values()]
  const own = entries.filter(({ source }) => source === 'dynamicTopic').map(({ name, value }) => [name, value])
  expect(Object.fromEntries(own)).toEqual({
    'cleanup.policy': 'compact',
    'compression.type': 'uncompressed',
    'min.insync.replicas': '2',
    'segment.bytes': '104857600',
    'unclean.leader.election.enable': 'false',
  })
})

test('T-3: a broker that is not the coordinator says so', async () => {
  await start()
  expect(await initialize({ cluster, transactionalId: 'payments' }, { to: 2 })).toMatchObject({
    error: 'NOT_COORDINATOR',
    producerId: -1,
    producerEpoch: -1,
  })
})

test('T-4: with too few replicas in sync nothing is decided, and COORDINATOR_NOT_AVAILABLE is answered', async () => {
  await start()
  const payments = await begin(cluster, 'payments')
  await addPartitions(payments, [['t', 0]])
  await Promise.all([cluster.broker(2).crash(), cluster.broker(3).crash()])
  await cluster.clock.advance(40_000)
  expect(await end(payments, true)).toMatchObject({ error: 'COORDINATOR_NOT_AVAILABLE' })
  await cluster.broker(2).restart()
  await cluster.clock.advance(10_000)
  expect(await end(payments, true)).toMatchObject({ error: 'NONE', producerEpoch: 1 })
})

test('T-6: every change of an id is a record of Kafka’s own schema, and a removed one is a tombstone', async () => {
  await start({
    configs: {
      'transactional.id.expiration.ms': 5_000,
      'transaction.remove.expired.transaction.cleanup.interval.ms': 1_000,
    },
  })
  const payments = await begin(cluster, 'payments')
  await write(payments, ['t', 0])
  await end(payments, true)
  await cluster.clock.advance(10_000)
  const { producerId } = payments
  const common = {
    producerId,
    previousProducerId: producerId,
    nextProducerId: -1,
    nextProducerEpoch: -1,
    transactionTimeoutMs: 60_000,
  }
  const written = await writtenOf('payments')
  const started = written[1]!.transactionStartTimestampMs
  expect(written).toEqual([
    {
      ...common,
      producerEpoch: 0,
      transactionStatus: 0,
      transactionPartitions: null,
      transactionStartTimestampMs: -1,
      transactionLastUpdateTimestampMs: expect.any(Number),
      clientTransactionVersion: 0,
    },
    {
      ...common,
      producerEpoch: 0,
      transactionStatus: 1,
      transactionPartitions: [{ topic: 't', partitionIds: [0] }],
      transactionStartTimestampMs: started,
      transactionLastUpdateTimestampMs: started,
      clientTransactionVersion: 2,
    },
    {
      ...common,
      producerEpoch: 1,
      transactionStatus: 2,
      transactionPartitions: [{ topic: 't', partitionIds: [0] }],
      transactionStartTimestampMs: started,
      transactionLastUpdateTimestampMs: expect.any(Number),
      clientTransactionVersion: 2,
    },
    {
      ...common,
      producerEpoch: 1,
      transactionStatus: 4,
      transactionPartitions: [],
      transactionStartTimestampMs: started,
      transactionLastUpdateTimestampMs: expect.any(Number),
      clientTransactionVersion: 2,
    },
    null,
  ])
})

// --- InitProducerId --------------------------------------------------------------------------------------------------

test('T-10, T-11: an empty id, half an identity and a timeout out of range are refused', async () => {
  await start()
  await begin(cluster, 'payments')
  const errorOf = async (transactionalId: string, options: Parameters<typeof initialize>[1]) =>
    (await initialize({ cluster, transactionalId }, { to: transactionCoordinatorOf(cluster, 'payments'), ...options }))
      .error
  expect(await errorOf('', {})).toBe('INVALID_REQUEST')
  expect(await errorOf('payments', { producerId: 5, producerEpoch: -1 })).toBe('INVALID_REQUEST')
  expect(await errorOf('payments', { producerId: -1, producerEpoch: 5 })).toBe('INVALID_REQUEST')
  expect(await errorOf('payments', { timeoutMs: 0 })).toBe('INVALID_TRANSACTION_TIMEOUT')
  expect(await errorOf('payments', { timeoutMs: -1 })).toBe('INVALID_TRANSACTION_TIMEOUT')
  expect(await errorOf('payments', { timeoutMs: 900_001 })).toBe('INVALID_TRANSACTION_TIMEOUT')
  expect(await errorOf('payments', { timeoutMs: 900_000 })).toBe('NONE')
})

test('T-13: whoever lost the answer asks again with what it was and gets the same; two behind it is fenced', async () => {
  await start()
  const { producerId } = await begin(cluster, 'payments')
  const ask = (producerEpoch: number, version = 5) =>
    initialize({ cluster, transactionalId: 'payments' }, { producerId, producerEpoch, version })
  expect(await ask(0)).toEqual({ error: 'NONE', producerId, producerEpoch: 1 })
  expect(await ask(0)).toEqual({ error: 'NONE', producerId, producerEpoch: 1 })
  expect(await ask(1)).toEqual({ error: 'NONE', producerId, producerEpoch: 2 })
  expect(await ask(0)).toMatchObject({ error: 'PRODUCER_FENCED' })
  expect(await ask(0, 3)).toMatchObject({ error: 'INVALID_PRODUCER_EPOCH' })
  // Who begins anew makes the coordinator forget.
  expect(await initialize({ cluster, transactionalId: 'payments' })).toEqual({
    error: 'NONE',
    producerId,
    producerEpoch: 3,
  })
  expect(await ask(2)).toMatchObject({ error: 'PRODUCER_FENCED' })
})

test('T-12, T-13: of an open transaction only the producer id is asked; whoever had the epoch before is still known', async () => {
  await start()
  const open = await begin(cluster, 'payments')
  await addPartitions(open, [['t', 0]])
  const { producerId } = open
  const ask = (producerEpoch: number) =>
    initialize({ cluster, transactionalId: 'payments' }, { producerId, producerEpoch })
  expect(await ask(7)).toMatchObject({ error: 'CONCURRENT_TRANSACTIONS' })
  await settledIn(cluster, 'payments', 'CompleteAbort')
  expect(await ask(7)).toMatchObject({ error: 'PRODUCER_FENCED' })
  expect(await ask(0)).toEqual({ error: 'NONE', producerId, producerEpoch: 1 })
})

// --- partitions ------------------------------------------------------------------------------------------------------

test('T-15: with one partition that is not there none is added', async () => {
  await start()
  const payments = await begin(cluster, 'payments')
  expect(
    await addPartitions(payments, [
      ['nope', 0],
      ['t', 99],
      ['t', 0],
    ]),
  ).toEqual(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_OR_PARTITION', 'OPERATION_NOT_ATTEMPTED'])
  expect(await describeTransaction(cluster, 'payments')).toMatchObject({ state: 'Empty', topics: [] })
  expect(await addPartitions(payments, [['__consumer_offsets', 0]])).toEqual(['TOPIC_AUTHORIZATION_FAILED'])
  expect(await addPartitions({ ...payments, transactionalId: '' }, [['t', 0]])).toEqual(['INVALID_REQUEST'])
  expect(await addPartitions(payments, [])).toEqual([])
  expect(await describeTransaction(cluster, 'payments')).toMatchObject({ state: 'Ongoing', topics: [] })
})

test('T-15: of several transactions in one request, one that cannot be added to spoils no other', async () => {
  await start()
  const { producerId, producerEpoch } = await begin(cluster, 'payments')
  const topics = [{ name: 't', partitions: [1] }]
  const { resultsByTransaction } = await ask(cluster, 1, addPartitionsToTxn, {
    transactions: [
      { transactionalId: 'payments', producerId, producerEpoch, topics },
      { transactionalId: 'nope', producerId, producerEpoch, topics },
    ],
  })
  expect(
    resultsByTransaction.map(({ transactionalId, topicResults }) => [
      transactionalId,
      nameOf(topicResults[0]!.resultsByPartition[0]!.partitionErrorCode),
    ]),
  ).toEqual([
    ['payments', 'NONE'],
    ['nope', 'INVALID_PRODUCER_ID_MAPPING'],
  ])
})

test('T-16: offsets of a group take its partition of __consumer_offsets into the transaction, also of an empty name', async () => {
  await start()
  const payments = await begin(cluster, 'payments')
  expect(await addOffsets(payments, '')).toBe('NONE')
  expect(await addOffsets({ ...payments, transactionalId: '' }, 'g')).toBe('INVALID_REQUEST')
  expect(await describeTransaction(cluster, 'payments')).toMatchObject({
    state: 'Ongoing',
    topics: [{ topic: '__consumer_offsets', partitions: [0] }],
  })
})
