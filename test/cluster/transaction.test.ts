import { afterEach, expect, test } from 'vitest'
import { apiVersions } from '../../src/apis/api-versions.ts'
import type { Cluster, ClusterOptions } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import '../../src/vitest.ts'
import { ask } from '../apis/asking.ts'
import { addPartitions, begin, end, initialize, transactionsOn, write } from '../apis/transacting.ts'

let cluster: Cluster

async function start(options: ClusterOptions = {}): Promise<Cluster> {
  cluster = await createCluster({ topics: { orders: { partitions: 2 }, ...transactionsOn(2, 1, 3) }, ...options })
  return cluster
}

afterEach(() => cluster.close())

test('a transactional id shows its state, its producer and where it writes', async () => {
  await start()
  const producer = await begin(cluster, 'payments', { timeoutMs: 30_000 })
  const transaction = cluster.transaction('payments')
  expect(transaction.exists).toBe(true)
  expect(transaction.state).toBe('Empty')
  expect(transaction.startedAt).toBeUndefined()
  expect(transaction.timeoutMs).toBe(30_000)
  expect(transaction.coordinator).toBe(cluster.broker(2))
  await write(producer, ['orders', 1])
  expect(transaction.state).toBe('Ongoing')
  expect(transaction.partitions).toEqual([{ topic: 'orders', partition: 1 }])
  expect([transaction.producerId, transaction.producerEpoch]).toEqual([producer.producerId, 0])
  expect(transaction.startedAt).toBeGreaterThan(0)
  expect(transaction.describe()).toBe(
    `Ongoing on broker-2, producer ${producer.producerId} epoch 0, writes to orders-1`,
  )
  await end(producer, true)
  await transaction.waitFor('CompleteCommit')
  expect(transaction.partitions).toEqual([])
})

test('an id that nobody has used is an error with the nearest one', async () => {
  await start()
  await begin(cluster, 'payments')
  expect(cluster.transaction('payment').exists).toBe(false)
  expect(() => cluster.transaction('payment').state).toThrow(
    new RangeError("nobody has used transactional id 'payment': did you mean 'payments'? There are: payments"),
  )
  expect(() => cluster.transaction(5 as never)).toThrow(
    "transaction() takes a transactional id, as in 'payments', not 5",
  )
  expect(() => cluster.coordinatorOf({ group: 'g', transactionalId: 'payments' } as never)).toThrow(
    "coordinatorOf takes a group by its id, { group: 'billing' }, or a transactional id",
  )
})

test('where the coordinator is down nobody can say', async () => {
  await start()
  await begin(cluster, 'payments')
  await cluster.broker(2).crash()
  expect(() => cluster.transaction('payments').state).toThrow(
    "transactional id 'payments' cannot be seen now: its coordinator broker-2 is crashed",
  )
})

test('a stop is no step but those that there are, and a healed cluster holds nothing', async () => {
  await start()
  const producer = await begin(cluster, 'payments')
  await write(producer, ['orders', 0])
  expect(() => cluster.transaction('payments').stop('before COMMIT' as never)).toThrow(
    "'before COMMIT' is no step of the end of a transaction: there are 'before PREPARE', 'after PREPARE', 'after marker 1' and so on, and 'before COMPLETE'",
  )
  const stop = cluster.transaction('payments').stop('after PREPARE')
  expect(stop.isReached).toBe(false)
  await end(producer, true)
  await stop.reached
  expect(stop.isReached).toBe(true)
  await cluster.heal()
  await cluster.transaction('payments').waitFor('CompleteCommit')
})

test('toHaveCommitted waits for the last marker, and says how the transaction stands', async () => {
  await start()
  const producer = await begin(cluster, 'payments')
  await write(producer, ['orders', 0])
  await expect(cluster).not.toHaveCommitted('payments')
  await expect(expect(cluster).toHaveCommitted('payments', { timeoutMs: 100 })).rejects.toThrow(
    "expected the last transaction of transactional id 'payments' to have been committed within 100 ms of virtual time; it is Ongoing on broker-2",
  )
  await end(producer, true)
  await expect(cluster).toHaveCommitted('payments')
  await expect(expect(cluster).not.toHaveCommitted('payments')).rejects.toThrow(
    'not to have been committed, but it was',
  )
})

test.each([
  [{ features: { 'transaction.version': 1 } }, 1],
  [{ kafkaVersion: '3.9' }, 0],
  [{}, 2],
] as const)('W-17, T-34: %j finalizes transaction.version %i', async (options, level) => {
  await start(options)
  const { finalizedFeatures } = await ask(cluster, 1, apiVersions, {
    clientSoftwareName: 'test',
    clientSoftwareVersion: '1',
  })
  const found = finalizedFeatures?.find(({ name }) => name === 'transaction.version')
  expect(found?.maxVersionLevel ?? 0).toBe(level)
})

test('T-26: with transaction.version 1 a producer whose transaction took too long is not known any more', async () => {
  await start({ features: { 'transaction.version': 1 } })
  const producer = await begin(cluster, 'payments', { timeoutMs: 1_000 })
  await addPartitions(producer, [['orders', 0]])
  await cluster.clock.advance(12_000)
  expect(cluster.transaction('payments').state).toBe('CompleteAbort')
  expect(await initialize(producer, producer)).toMatchObject({ error: 'PRODUCER_FENCED' })
})

test('a feature that nobody knows, or a level of none, is refused', async () => {
  await start()
  await expect(createCluster({ features: { 'transaction.versions': 1 } })).rejects.toThrow(
    "unknown feature 'transaction.versions': did you mean 'transaction.version'?",
  )
  await expect(createCluster({ features: { 'transaction.version': 3 } })).rejects.toThrow(
    'the feature transaction.version has levels 0 to 2, not 3',
  )
})
