import { afterEach, expect, test } from 'vitest'
import { type Cluster, createCluster } from '../../../src/index.ts'
import type { VirtualRuntime } from '../../../src/runtime/virtual.ts'
import { plantOf } from '../../apis/asking.ts'
import { transactionsOn } from '../../apis/transacting.ts'

/** What time costs on virtual time is events; wall time would be another number on every machine. */

let cluster: Cluster

afterEach(() => cluster.close())

async function eventsOf(run: () => Promise<unknown>): Promise<number> {
  const time = plantOf(cluster).runtime as VirtualRuntime
  const before = time.events
  await run()
  return time.events - before
}

test('T-26: a transaction that is left open for fifteen minutes is aborted, at the cost of some hundred events', async () => {
  cluster = await createCluster({ topics: { t: { partitions: 1, replicationFactor: 3 }, ...transactionsOn(1, 2, 3) } })
  const producer = cluster.producer({ 'transactional.id': 'payments', 'transaction.timeout.ms': 900_000 })
  await producer.initTransactions()
  await producer.beginTransaction()
  await producer.send({ topic: 't', value: 'left open' })
  const events = await eventsOf(() =>
    cluster.transaction('payments').waitFor('CompleteAbort', { timeoutMs: 1_000_000 }),
  )
  expect(cluster.partition('t', 0).lastStableOffset).toBe(2)
  expect(events).toBeLessThan(2_000)
})

test('T-27: an id that nobody uses for seven days is forgotten, at the cost of some hundred events', async () => {
  cluster = await createCluster({ topics: { t: { partitions: 1, replicationFactor: 3 }, ...transactionsOn(1, 2, 3) } })
  const producer = cluster.producer({ 'transactional.id': 'payments' })
  await producer.initTransactions()
  await producer.beginTransaction()
  await producer.send({ topic: 't', value: 'a' })
  await producer.commitTransaction()
  await cluster.transaction('payments').waitFor('CompleteCommit')
  await producer.close()
  const day = 86_400_000
  await cluster.clock.advance(6 * day)
  expect(cluster.transaction('payments').exists).toBe(true)
  const events = await eventsOf(() => cluster.clock.advance(2 * day))
  expect(cluster.transaction('payments').exists).toBe(false)
  expect(events).toBeLessThan(2_000)
})
