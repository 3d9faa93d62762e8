import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { addPartitions, begin, end, initialize, transactionsOn, write } from '../apis/transacting.ts'

let cluster: Cluster

beforeEach(async () => {
  cluster = await createCluster({ topics: { t: { partitions: 2 }, ...transactionsOn(2, 3, 1) } })
})

afterEach(() => cluster.close())

test('T-37: transactional ids are listed and described in the words of the Java client', async () => {
  const admin = cluster.admin()
  const idle = await begin(cluster, 'idle')
  const open = await begin(cluster, 'open', { timeoutMs: 30_000 })
  await addPartitions(open, [
    ['t', 0],
    ['t', 1],
  ])
  expect(await admin.listTransactions()).toEqual([
    { transactionalId: 'idle', producerId: idle.producerId, state: 'Empty' },
    { transactionalId: 'open', producerId: open.producerId, state: 'Ongoing' },
  ])
  expect(await admin.listTransactions({ states: ['Ongoing'] })).toMatchObject([{ transactionalId: 'open' }])
  expect(await admin.listTransactions({ transactionalIdPattern: 'id.*' })).toMatchObject([{ transactionalId: 'idle' }])
  expect(await admin.listTransactions({ producerIds: [open.producerId], durationMs: 60_000 })).toEqual([])
  expect((await admin.describeTransactions(['open', 'idle'])).get('open')).toEqual({
    coordinatorId: 2,
    state: 'Ongoing',
    producerId: open.producerId,
    producerEpoch: 0,
    transactionTimeoutMs: 30_000,
    transactionStartTimeMs: cluster.transaction('open').startedAt,
    partitions: [
      { topic: 't', partition: 0 },
      { topic: 't', partition: 1 },
    ],
  })
  expect((await admin.describeTransactions(['idle'])).get('idle')?.transactionStartTimeMs).toBeUndefined()
  await expect(admin.describeTransactions(['nope'])).rejects.toThrow(/transactional id 'nope'/)
  await expect(admin.describeTransactions([''])).rejects.toThrow(
    "describeTransactions takes transactional ids, as in ['payments']",
  )
  await expect(admin.listTransactions({ transactionalIdPattern: '(' })).rejects.toMatchObject({
    errorName: 'INVALID_REGULAR_EXPRESSION',
  })
})

test('T-38: fencing aborts the open transaction, and whoever had the id hears of it', async () => {
  const admin = cluster.admin()
  const zombie = await begin(cluster, 'payments')
  await write(zombie, ['t', 0])
  const fenced = await admin.fenceProducers(['payments'])
  expect(fenced.get('payments')).toEqual({ producerId: zombie.producerId, producerEpoch: 2 })
  expect(cluster.transaction('payments').state).toBe('Empty')
  expect(await end(zombie, true)).toMatchObject({ error: 'PRODUCER_FENCED' })
  expect(await write(zombie, ['t', 0], { sequence: 1 })).toMatchObject({ error: 'INVALID_PRODUCER_EPOCH' })
  expect(await cluster.topic('t').records()).toEqual([])
  await admin.forceTerminateTransaction('payments')
  expect(cluster.transaction('payments').producerEpoch).toBe(3)
})

test('T-38, KIP-664: a transaction that hangs in one partition is aborted there with what describeProducers says', async () => {
  const admin = cluster.admin()
  const hanging = await begin(cluster, 'payments')
  await write(hanging, ['t', 0])
  const partition = { topic: 't', partition: 0 }
  const producers = await admin.describeProducers([partition])
  const { producerId, producerEpoch, coordinatorEpoch, currentTransactionStartOffset } = [...producers.values()][0]![0]!
  expect(currentTransactionStartOffset).toBe(0)
  await admin.abortTransaction({ ...partition, producerId, producerEpoch, coordinatorEpoch: coordinatorEpoch ?? 0 })
  await cluster.settle()
  expect(cluster.partition('t', 0).lastStableOffset).toBe(2)
  expect(await cluster.topic('t').records({ control: true })).toMatchObject([{ control: 'ABORT' }])
  // The coordinator knows nothing of it: its own end still succeeds, and what was aborted stays so.
  expect(await initialize(hanging, hanging)).toMatchObject({ error: 'CONCURRENT_TRANSACTIONS' })
})
