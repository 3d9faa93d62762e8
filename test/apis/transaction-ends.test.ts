import { afterEach, expect, test } from 'vitest'
import { describeTransactions } from '../../src/apis/describe-transactions.ts'
import { listTransactions } from '../../src/apis/list-transactions.ts'
import { recordOf } from '../../src/coordinators/transactions/transaction.ts'
import { transactionCodec } from '../../src/coordinators/transactions/transaction-records.ts'
import type { Cluster, ClusterOptions } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { recordsOf } from '../../src/wire/record.ts'
import { ask, nameOf, plantOf } from './asking.ts'
import {
  addOffsets,
  addPartitions,
  begin,
  describeTransaction,
  end,
  initialize,
  settledIn,
  TRANSACTIONS_TOPIC,
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

// --- ends ------------------------------------------------------------------------------------------------------------

test('X-20, T-20: every transaction has an epoch of its own, and its marker the next', async () => {
  await start()
  let producer = await begin(cluster, 'payments')
  for (const epoch of [1, 2]) {
    await write(producer, ['t', 0])
    const { producerEpoch } = await end(producer, true)
    expect(producerEpoch).toBe(epoch)
    producer = { ...producer, producerEpoch }
    await settledIn(cluster, 'payments', 'CompleteCommit')
  }
  const all = await cluster.topic('t').records({ partition: 0, control: true })
  expect(all.map(({ marker }) => marker?.producerEpoch)).toEqual([undefined, 1, undefined, 2])
})

test('X-21, T-19: an old client that commits again is told NONE, and one that then aborts INVALID_TXN_STATE', async () => {
  await start()
  const producer = await begin(cluster, 'payments')
  await addPartitions(producer, [['t', 0]])
  await write(producer, ['t', 0], { version: 11 })
  expect(await end(producer, true, 4)).toMatchObject({ error: 'NONE' })
  await settledIn(cluster, 'payments', 'CompleteCommit')
  expect(await end(producer, true, 4)).toMatchObject({ error: 'NONE' })
  expect(await end(producer, false, 4)).toMatchObject({ error: 'INVALID_TXN_STATE' })
})

test('T-18: an empty id, and one that nobody has used', async () => {
  await start()
  const producer = await begin(cluster, 'payments')
  for (const version of [4, 5]) {
    expect(await end({ ...producer, transactionalId: '' }, true, version)).toMatchObject({ error: 'INVALID_REQUEST' })
    expect(await end({ ...producer, transactionalId: 'nope' }, true, version)).toMatchObject({
      error: 'INVALID_PRODUCER_ID_MAPPING',
    })
  }
})

test('T-21: a transaction that nothing has come of is aborted without a marker, and its epoch is over', async () => {
  await start()
  const producer = await begin(cluster, 'payments')
  expect(await end(producer, false)).toMatchObject({ error: 'NONE', producerEpoch: 1 })
  await settledIn(cluster, 'payments', 'CompleteAbort')
  expect(await write(producer, ['t', 0])).toMatchObject({ error: 'INVALID_PRODUCER_EPOCH' })
  expect(await cluster.topic('t').records({ control: true })).toEqual([])
})

test('T-20, I-16: when the epochs are used up the next transaction has another producer id', async () => {
  await start()
  let producer = await begin(cluster, 'payments')
  const first = producer.producerId
  // As many producers have come and gone.
  const { shard } = cluster.broker(1).broker!.transactions.shards.get(0)!
  await shardAtEpoch(32_765)
  producer = { ...producer, producerEpoch: 32_765 }
  await write(producer, ['t', 0])
  producer = { ...producer, ...(await end(producer, true)) }
  expect(producer).toMatchObject({ producerId: first, producerEpoch: 32_766 })
  await settledIn(cluster, 'payments', 'CompleteCommit')
  await write(producer, ['t', 0])
  const last = producer
  const next = await end(last, true)
  expect(next).toMatchObject({ error: 'NONE', producerEpoch: 0 })
  expect(next.producerId).toBeGreaterThan(first)
  await settledIn(cluster, 'payments', 'CompleteCommit')
  expect(await end(last, true)).toEqual(next)
  expect(await end(last, false)).toMatchObject({ error: 'INVALID_TXN_STATE' })
  expect(await write(last, ['t', 0])).toMatchObject({ error: 'INVALID_PRODUCER_EPOCH' })
  expect(await initialize({ cluster, transactionalId: 'payments' }, last)).toEqual(next)
  const markers = (await cluster.topic('t').records({ partition: 0, control: true })).flatMap(
    ({ marker }) => marker ?? [],
  )
  expect(markers.map(({ producerId, producerEpoch }) => [producerId, producerEpoch])).toEqual([
    [first, 32_766],
    [first, 32_767],
  ])
  const { producerId: second } = next
  expect((await writtenOf('payments')).slice(-3)).toMatchObject([
    {
      producerId: first,
      previousProducerId: first,
      nextProducerId: second,
      producerEpoch: 32_767,
      transactionStatus: 2,
    },
    { producerId: second, previousProducerId: first, nextProducerId: -1, producerEpoch: 0, transactionStatus: 4 },
    { producerId: second, previousProducerId: second, producerEpoch: 0, transactionStatus: 0 },
  ])

  /** What a long life would have written. */
  async function shardAtEpoch(producerEpoch: number) {
    const { transactions } = shard.latest
    const record = recordOf({ ...transactions.get('payments')!, producerEpoch, updatedAt: 1 }, 2)
    await plantOf(cluster).runtime.drive('a record', () =>
      shard.write(() => ({ records: [record], response: undefined })),
    )
  }
})

// --- time ------------------------------------------------------------------------------------------------------------

test('X-24, T-26: a transaction that takes too long is aborted by the next check, and its producer may go on after abort', async () => {
  await start()
  const slow = await begin(cluster, 'payments', { timeoutMs: 15_000 })
  await write(slow, ['t', 0])
  await cluster.clock.advance(15_000)
  expect(cluster.transaction('payments').state).toBe('Ongoing')
  await cluster.clock.advance(10_100)
  expect(cluster.transaction('payments').state).toBe('CompleteAbort')
  expect(await write(slow, ['t', 0], { sequence: 1 })).toMatchObject({ error: 'INVALID_PRODUCER_EPOCH' })
  expect(await end(slow, true)).toMatchObject({ error: 'INVALID_TXN_STATE' })
  expect(await end(slow, false)).toEqual({ error: 'NONE', producerId: slow.producerId, producerEpoch: 1 })
  const next = { ...slow, producerEpoch: 1 }
  expect(await write(next, ['t', 0])).toMatchObject({ error: 'NONE' })
  expect(await end(next, true)).toMatchObject({ error: 'NONE', producerEpoch: 2 })
})

test('T-26: an old client is fenced by a timeout, in its own words', async () => {
  await start()
  const slow = await begin(cluster, 'payments', { timeoutMs: 1_000 })
  await addPartitions(slow, [['t', 0]])
  await cluster.clock.advance(11_000)
  expect(await end(slow, true, 4)).toMatchObject({ error: 'PRODUCER_FENCED' })
  expect(await end(slow, false, 1)).toMatchObject({ error: 'INVALID_PRODUCER_EPOCH' })
  expect(await addPartitions(slow, [['t', 1]])).toEqual(['PRODUCER_FENCED'])
  expect(await addOffsets(slow, 'g', 1)).toBe('INVALID_PRODUCER_EPOCH')
  expect(await initialize(slow, slow)).toMatchObject({ error: 'NONE', producerEpoch: 1 })
})

test('T-27: an id that nobody has used for a week is forgotten, one with an open transaction is not', async () => {
  await start({ configs: { 'transaction.max.timeout.ms': 2_000_000_000 } })
  const old = await begin(cluster, 'old')
  const open = await begin(cluster, 'open', { timeoutMs: 1_900_000_000 })
  await addPartitions(open, [['t', 0]])
  const week = 604_800_000
  await cluster.clock.advance(week - 3_600_000)
  expect(await describeTransaction(cluster, 'old')).toMatchObject({ error: 'NONE', state: 'Empty' })
  await cluster.clock.advance(2 * 3_600_000)
  expect(await describeTransaction(cluster, 'old')).toMatchObject({ error: 'TRANSACTIONAL_ID_NOT_FOUND', state: '' })
  expect(await describeTransaction(cluster, 'open')).toMatchObject({ state: 'Ongoing' })
  expect(await end(old, true)).toMatchObject({ error: 'INVALID_PRODUCER_ID_MAPPING' })
  expect(await initialize(old, old)).toMatchObject({ error: 'NONE', producerEpoch: 0 })
})

// --- views -----------------------------------------------------------------------------------------------------------

test('T-37: transactional ids are listed by state, producer, age and pattern; unknown states are named', async () => {
  await start()
  const a = await begin(cluster, 'a')
  const open = await begin(cluster, 'payments-1')
  await addPartitions(open, [['t', 0]])
  const list = async (filter: { states?: string[]; producerIds?: number[]; durationMs?: number; pattern?: string }) => {
    const { states: stateFilters = [], producerIds: producerIdFilters = [], durationMs, pattern } = filter
    const answer = await ask(cluster, 1, listTransactions, {
      stateFilters,
      producerIdFilters,
      ...(durationMs === undefined ? {} : { durationFilter: durationMs }),
      ...(pattern === undefined ? {} : { transactionalIdPattern: pattern }),
    })
    const ids = answer.transactionStates.map(({ transactionalId }) => transactionalId).sort()
    return [nameOf(answer.errorCode), answer.unknownStateFilters, ids]
  }
  expect(await list({})).toEqual(['NONE', [], ['a', 'payments-1']])
  expect(await list({ states: ['Ongoing'] })).toEqual(['NONE', [], ['payments-1']])
  expect(await list({ states: ['ongoing', 'Bogus'] })).toEqual(['NONE', ['ongoing', 'Bogus'], []])
  expect(await list({ producerIds: [a.producerId] })).toEqual(['NONE', [], ['a']])
  // One that has begun none counts as begun long ago.
  expect(await list({ durationMs: 3_600_000 })).toEqual(['NONE', [], ['a']])
  expect(await list({ durationMs: -5 })).toEqual(['NONE', [], ['a', 'payments-1']])
  expect(await list({ pattern: 'payments-.*' })).toEqual(['NONE', [], ['payments-1']])
  expect(await list({ pattern: 'payments' })).toEqual(['NONE', [], []])
  expect(await list({ pattern: '' })).toEqual(['NONE', [], ['a', 'payments-1']])
  expect(await list({ pattern: '(' })).toEqual(['INVALID_REGULAR_EXPRESSION', [], []])
})

test('T-37: an id that nobody has used, and an empty one, are described by an error', async () => {
  await start()
  const { transactionStates } = await ask(cluster, 1, describeTransactions, { transactionalIds: ['nope', ''] })
  expect(transactionStates.map(({ errorCode, transactionState }) => [nameOf(errorCode), transactionState])).toEqual([
    ['TRANSACTIONAL_ID_NOT_FOUND', ''],
    ['INVALID_REQUEST', ''],
  ])
})
