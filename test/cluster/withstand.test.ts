import { createCluster, faultyLogs, memoryLogs, Produce } from 'mini-kafka'
import { expect, test } from 'vitest'
import '../../src/vitest.ts'
import { fetch } from '../../src/apis/fetch.ts'
import { METADATA_TOPIC, METADATA_TOPIC_ID } from '../../src/metadata/metadata-batch.ts'
import { ask } from '../apis/asking.ts'

const replicated = { t: { replicationFactor: 3, configs: { 'flush.messages': 1 } } }

test('a Fetch of any version to the controller is answered, and hurts nobody (W-5, W-41)', async () => {
  await using cluster = await createCluster({ topics: { t: { replicationFactor: 3 } } })
  for (let version = fetch.versions.min; version <= fetch.versions.max; version++) {
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
    const body = {
      maxWaitMs: 0,
      minBytes: 0,
      topics: [{ topic: METADATA_TOPIC, topicId: METADATA_TOPIC_ID, partitions }],
      forgottenTopicsData: [],
    }
    const { responses } = await ask(cluster, 1000, fetch, body, version)
    expect(responses, `version ${version}`).toHaveLength(1)
  }
  await cluster.producer().send({ topic: 't', value: 'x' })
})

test('a replica whose log cannot be opened is offline for a while, the others go on, and it is back in sync', async () => {
  const stores = faultyLogs(memoryLogs())
  await using cluster = await createCluster({ logs: stores, topics: replicated })
  const producer = cluster.producer()
  await producer.send({ topic: 't', value: 'before' })
  const follower = cluster.followersOf('t', 0)[0]!
  const rule = stores.rule({ fault: 'failing', operation: 'open', broker: follower.id, times: 2 })
  await follower.crash()
  await follower.restart()
  await producer.send({ topic: 't', value: 'meanwhile' })
  await cluster.runUntil(() => cluster.partition('t', 0).inSyncReplicas.length === 3)
  expect(rule.hits).toBe(2)
  await expect(cluster).toHaveDelivered('t', [{ value: 'before' }, { value: 'meanwhile' }])
})

test('a broker that cannot flush when it is told to stop says so, has crashed, and heals', async () => {
  const stores = faultyLogs(memoryLogs())
  await using cluster = await createCluster({ logs: stores, topics: { t: { replicationFactor: 3 } } })
  await cluster.producer().send({ topic: 't', value: 'x' })
  stores.rule({ fault: 'failing', broker: 2, operation: 'flush', times: 1 })
  await expect(cluster.broker(2).stop()).rejects.toThrow(/flush of t-0 on broker 2/)
  expect(cluster.broker(2).state).toBe('crashed')
  await cluster.heal()
  await expect(cluster).toBeInSync('t')
  expect(cluster.partition('t', 0).inSyncReplicas).toIncludeSameMembers([1, 2, 3])
})

test('an interceptor that answers what is no response is told so by name', async () => {
  await using cluster = await createCluster({ topics: { t: {} } })
  cluster.intercept(Produce, () => null as never)
  await expect(cluster.producer().send({ topic: 't', value: 'x' })).rejects.toThrow(/interceptor of Produce/)
})

test('a look at a partition that a condition takes after every event stays cheap with a long log', async () => {
  await using cluster = await createCluster({ topics: { t: { replicationFactor: 3 } } })
  const producer = cluster.producer({ 'linger.ms': 0 })
  for (let i = 0; i < 300; i++) await producer.send({ topic: 't', value: 'x' })
  const view = cluster.partition('t', 0)
  expect(view.endOffset).toBe(300)
  // Segments are read when they are asked for, and then once.
  const replica = view.replicaLogs.get(view.leader!)!
  expect(replica.segments).toBe(replica.segments)
  expect(replica.segments[0]!.batches).toHaveLength(300)
})

test('a deserializer that answers with a promise is refused by name, and the record stays where it is', async () => {
  await using cluster = await createCluster({ topics: { t: {} } })
  await cluster.producer().send({ topic: 't', value: 'x' })
  const later = (_topic: string, bytes: Uint8Array | null) => Promise.resolve(bytes)
  const consumer = cluster.consumer({ 'value.deserializer': later, 'auto.offset.reset': 'earliest' })
  consumer.assign([{ topic: 't', partition: 0 }])
  await expect(consumer.poll({ timeoutMs: 1000 })).rejects.toThrow(/not with a promise/)
  expect(await consumer.position({ topic: 't', partition: 0 })).toBe(0)
})
