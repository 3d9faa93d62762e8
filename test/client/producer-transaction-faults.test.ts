import { afterEach, expect, test } from 'vitest'
import { type Cluster, createCluster, hold } from '../../src/index.ts'

let cluster: Cluster

afterEach(() => cluster.close())

test('C-21: a record that is refused while its transaction is being committed is not left out: nothing is committed', async () => {
  cluster = await createCluster({ topics: { orders: { partitions: 1 } } })
  const producer = cluster.producer({ 'transactional.id': 'payments', 'max.block.ms': 3_000 })
  await producer.initTransactions()
  await producer.beginTransaction()
  // It waits to learn where the topic is, and never does.
  const cutOff = cluster.network.rule(hold({ from: producer, api: 'Metadata' }))
  const sent = producer.send({ topic: 'orders', value: 'a' })
  sent.catch(() => {})
  await cluster.clock.advance(1_000)
  const committed = producer.commitTransaction()
  await expect(sent).rejects.toMatchObject({ errorName: 'REQUEST_TIMED_OUT' })
  await expect(committed).rejects.toMatchObject({ errorName: 'TRANSACTION_ABORTABLE' })
  await expect(producer.commitTransaction()).rejects.toThrow('error state')
  cutOff.dispose()
  await producer.abortTransaction()
  await producer.beginTransaction()
  await producer.send({ topic: 'orders', value: 'b' })
  await producer.commitTransaction()
  const records = await cluster.topic('orders').records()
  expect(records.map(({ value }) => value)).toEqual(['b'])
})

test('C-71: a commit whose producer is closed does not end well without the records that were given up', async () => {
  cluster = await createCluster({ topics: { orders: { partitions: 1 } } })
  const producer = cluster.producer({ 'transactional.id': 'payments' })
  await producer.initTransactions()
  await producer.beginTransaction()
  cluster.network.rule(hold({ from: producer, api: 'Metadata' }))
  const sent = producer.send({ topic: 'orders', value: 'a' })
  sent.catch(() => {})
  const committed = producer.commitTransaction()
  committed.catch(() => {})
  await cluster.clock.advance(1_000)
  await producer.close({ timeoutMs: 0 })
  await expect(sent).rejects.toThrow('Producer closed while send in progress')
  await expect(committed).rejects.toThrow('is closed')
})
