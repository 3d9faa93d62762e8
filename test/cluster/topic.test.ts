import { expect, test } from 'vitest'
import { createCluster, cut, SerializationError, WaitTimeoutError } from '../../src/index.ts'

const orders = { orders: { partitions: 2, replicationFactor: 3 } }

test('the records of a topic are read from the logs of its leaders, as text, JSON or bytes', async () => {
  await using cluster = await createCluster({ topics: orders })
  const producer = cluster.producer()
  await producer.send({ topic: 'orders', partition: 1, key: 'k', value: '{"n":1}', headers: { a: 'x' }, timestamp: 7 })
  await producer.send({ topic: 'orders', partition: 0, key: null, value: null })

  const topic = cluster.topic('orders')
  expect(await topic.records({ partition: 1 })).toEqual([
    { partition: 1, offset: 0, timestamp: 7, key: 'k', value: '{"n":1}', headers: [{ key: 'a', value: 'x' }] },
  ])
  expect((await topic.records({ as: 'json' })).map(({ partition, value }) => [partition, value])).toEqual([
    [0, null],
    [1, { n: 1 }],
  ])
  const [bytes] = await topic.records({ as: 'bytes', partition: 1 })
  expect(bytes?.key).toEqual(Uint8Array.of(107))
})

test('a value that is no JSON is named with its partition and offset', async () => {
  await using cluster = await createCluster({ topics: orders })
  await cluster.producer().send({ topic: 'orders', partition: 1, value: 'paid' })

  await expect(cluster.topic('orders').records({ as: 'json' })).rejects.toThrow(
    new SerializationError('orders-1, offset 0: the value is no JSON: paid'),
  )
})

test('what is above the high watermark is not among the records (R-10)', async () => {
  await using cluster = await createCluster({ topics: { orders: { partitions: 1, replicationFactor: 3 } } })
  const producer = cluster.producer({ acks: 1 })
  const [first, second] = cluster.followersOf('orders', 0)
  const leader = cluster.leaderOf('orders', 0)
  using _first = cluster.network.rule(cut(leader, first!))
  using _second = cluster.network.rule(cut(leader, second!))
  await producer.send({ topic: 'orders', value: 'not yet' })

  expect(cluster.partition('orders', 0)).toMatchObject({ endOffset: 1, highWatermark: 0 })
  expect(await cluster.topic('orders').records({ isolation: 'read_uncommitted' })).toEqual([])
})

test('a topic says how large it is, and how each of its partitions stands', async () => {
  await using cluster = await createCluster({ topics: orders })
  const topic = cluster.topic('orders')

  expect([topic.name, topic.partitionCount, topic.replicationFactor]).toEqual(['orders', 2, 3])
  expect(topic.partitions.map(view => view.inSyncReplicas.length)).toEqual([3, 3])
})

test('waiting for records ends with the last of them, and says how many are missing when time is up', async () => {
  await using cluster = await createCluster({ topics: orders })
  const producer = cluster.producer({ 'linger.ms': 50 })
  const sent = [0, 1, 1].map(partition => producer.send({ topic: 'orders', partition, value: `${partition}` }))

  const records = await cluster.topic('orders').waitForRecords(3)
  expect(records.map(({ partition, offset, value }) => [partition, offset, value])).toEqual([
    [0, 0, '0'],
    [1, 0, '1'],
    [1, 1, '1'],
  ])
  await Promise.all(sent)
  await expect(cluster.topic('orders').waitForRecords(4, { timeoutMs: 100 })).rejects.toThrow(
    new WaitTimeoutError("'orders' has 3 of 4 records that were waited for"),
  )
})

test('records are still there after the loss of the leader: the reader waits for the next one', async () => {
  await using cluster = await createCluster({ topics: { orders: { replicationFactor: 3 } } })
  await cluster.producer({ acks: 'all' }).send({ topic: 'orders', value: 'paid' })
  await cluster.leaderOf('orders', 0).crash()

  const records = await cluster.topic('orders').waitForRecords(1)
  expect(records.map(record => record.value)).toEqual(['paid'])
})

test('on real time records can be waited for as well', async () => {
  await using cluster = await createCluster({ brokers: 1, time: 'real', topics: { orders: {} } })
  await cluster.producer().send({ topic: 'orders', value: 'paid' })
  expect((await cluster.topic('orders').waitForRecords(1)).map(record => record.value)).toEqual(['paid'])
})
