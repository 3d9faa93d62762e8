import { afterEach, expect, test } from 'vitest'
import { type Cluster, createCluster, Metadata } from '../../src/index.ts'

let cluster: Cluster
afterEach(() => cluster?.close())

test('listTopics tells all topics with their partitions, and what is asked about stays out of what is read', async () => {
  cluster = await createCluster({ topics: { orders: { partitions: 2 }, payments: { assignments: [[2, 3]] } } })
  const consumer = cluster.consumer()
  const topics = await consumer.listTopics()
  expect([...topics.keys()].sort()).toEqual(['orders', 'payments'])
  expect(topics.get('payments')).toEqual([
    {
      topic: 'payments',
      partition: 0,
      leader: 2,
      replicas: [2, 3],
      inSyncReplicas: [2, 3],
      offlineReplicas: [],
    },
  ])
  expect(consumer.assignment()).toEqual([])
})

test('listTopics asks again where an answer was lost', async () => {
  cluster = await createCluster({ topics: { orders: { partitions: 1 } } })
  const consumer = cluster.consumer()
  const fault = cluster.failNext(Metadata, { error: 'disconnect', times: 2 })
  expect([...(await consumer.listTopics()).keys()]).toEqual(['orders'])
  expect(fault.hits).toBe(2)
})
