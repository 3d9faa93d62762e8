import { expect, test } from 'vitest'
import { apis } from '../../src/apis/registry.ts'
import * as doors from '../../src/index.ts'
import { createCluster, disconnect, Fetch, Metadata, Produce } from '../../src/index.ts'

const orders = { orders: { partitions: 2, replicationFactor: 3 } }

test("a refused Produce is not appended, and the producer's retry is (P-22)", async () => {
  await using cluster = await createCluster({ topics: orders })
  const fault = cluster.failNext(Produce, { error: 'NOT_LEADER_OR_FOLLOWER' })

  const { offset } = await cluster.producer().send({ topic: 'orders', partition: 0, value: 'paid' })
  expect(offset).toBe(0)
  expect(fault.hits).toBe(1)
  const produced = cluster.requests({ api: Produce })
  expect(produced.map(request => request.errors)).toEqual([['NOT_LEADER_OR_FOLLOWER'], []])
  expect((await cluster.topic('orders').records()).map(record => record.value)).toEqual(['paid'])
})

test('a Produce that is applied and then fails is a duplicate when it is sent again: one record, not two (I-4)', async () => {
  await using cluster = await createCluster({ topics: orders })
  cluster.failNext(Produce, { error: 'REQUEST_TIMED_OUT', when: 'after' })

  await cluster.producer().send({ topic: 'orders', partition: 0, value: 'paid' })
  expect(cluster.requests({ api: 'Produce' })).toHaveLength(2)
  expect(await cluster.topic('orders').records()).toHaveLength(1)
  cluster.assertFaultsFired()
})

test('without idempotence the same fault makes two records of one', async () => {
  await using cluster = await createCluster({ topics: orders })
  cluster.failNext(Produce, { error: 'REQUEST_TIMED_OUT', when: 'after' })

  const producer = cluster.producer({ 'enable.idempotence': false })
  await producer.send({ topic: 'orders', partition: 0, value: 'paid' })
  expect(await cluster.topic('orders').records()).toHaveLength(2)
})

test.for(['before', 'after'] as const)('a connection that is lost %s the append is opened again', async when => {
  await using cluster = await createCluster({ topics: orders })
  cluster.failNext(Produce, { error: 'disconnect', when })

  await cluster.producer({ 'enable.idempotence': false }).send({ topic: 'orders', partition: 0, value: 'paid' })
  expect(cluster.requests({ api: Produce }).map(request => request.outcome)).toEqual(['disconnected', 'answered'])
  expect(await cluster.topic('orders').records()).toHaveLength(when === 'before' ? 1 : 2)
})

test('only the partition that is named is refused, the others of the same request are appended', async () => {
  await using cluster = await createCluster({ brokers: 1, topics: { orders: { partitions: 2 } } })
  cluster.failNext(Produce, { error: 'NOT_ENOUGH_REPLICAS', topic: 'orders', partition: 1 })
  const producer = cluster.producer({ 'linger.ms': 20 })

  await Promise.all([0, 1].map(partition => producer.send({ topic: 'orders', partition, value: `${partition}` })))
  const [first, second] = cluster.requests({ api: Produce })
  const answers = first?.answer?.responses[0]?.partitionResponses
  expect(answers?.map(({ index, errorCode, baseOffset }) => [index, errorCode, baseOffset])).toEqual([
    [0, 0, 0],
    [1, 19, -1],
  ])
  expect(second?.body.topicData[0]?.partitionData.map(({ index }) => index)).toEqual([1])
  expect(await cluster.topic('orders').records()).toHaveLength(2)
})

test('a fault on the fetches of followers leaves them behind, and they catch up afterwards', async () => {
  await using cluster = await createCluster({ topics: { orders: { replicationFactor: 3 } } })
  const fault = cluster.failNext(Fetch, {
    error: 'UNKNOWN_SERVER_ERROR',
    from: 'brokers',
    topic: 'orders',
    partition: 0,
    times: 2,
  })
  await cluster.producer({ acks: 'all' }).send({ topic: 'orders', value: 'paid' })
  await fault.wait(2)
  await cluster.runUntil(() =>
    [...cluster.partition('orders', 0).replicaLogs.values()].every(log => log.endOffset === 1),
  )
  // A leader that did not know the topic yet may have refused one before, in its own words.
  const refused = cluster
    .requests({ api: Fetch, from: 'brokers' })
    .filter(each => each.errors.includes('UNKNOWN_SERVER_ERROR'))
  expect(refused).toHaveLength(2)
})

test('what only reads is answered for real, with the error in it: the topic of a Metadata answer', async () => {
  await using cluster = await createCluster({ topics: orders })
  cluster.failNext(Metadata, { error: 'UNKNOWN_TOPIC_OR_PARTITION', topic: 'orders' })

  await cluster.producer().send({ topic: 'orders', value: 'paid' })
  const answers = cluster.requests({ api: Metadata, from: 'clients', topic: 'orders' })
  expect(answers.map(request => request.errors)).toEqual([['UNKNOWN_TOPIC_OR_PARTITION'], []])
})

test('faults can be meant for one broker, or for one client', async () => {
  await using cluster = await createCluster({ topics: orders })
  const leader = cluster.leaderOf('orders', 0)
  const other = cluster.brokers.find(broker => broker !== leader)!
  const elsewhere = cluster.failNext(Produce, { error: 'UNKNOWN_SERVER_ERROR', broker: other, optional: true })
  const theirs = cluster.failNext(Produce, { error: 'NOT_ENOUGH_REPLICAS', clientId: 'billing', times: 2 })

  const send = (id: string) => cluster.producer({ 'client.id': id }).send({ topic: 'orders', partition: 0, value: id })
  await send('shop')
  expect([elsewhere.hits, theirs.hits]).toEqual([0, 0])
  await send('billing')
  expect([elsewhere.hits, theirs.hits]).toEqual([0, 2])
})

test('a fault that fires is an event of the trace, and a fault that is disposed fires no more', async () => {
  await using cluster = await createCluster({ topics: orders })
  const fault = cluster.failNext(Produce, { error: 'NOT_ENOUGH_REPLICAS', times: 5 })
  const sent = cluster.producer().send({ topic: 'orders', partition: 0, value: 'paid' })
  await fault.wait(2)
  fault.dispose()
  await sent

  expect(fault.hits).toBe(2)
  const faults = cluster.trace.events().filter(event => event.kind === 'fault')
  expect(faults.map(({ fields }) => [fields.what, fields.from, fields.time])).toEqual([
    ["failNext(Produce, { error: 'NOT_ENOUGH_REPLICAS', times: 5 })", 'producer-1', 1],
    ["failNext(Produce, { error: 'NOT_ENOUGH_REPLICAS', times: 5 })", 'producer-1', 2],
  ])
})

test('faults that never fired are named, whatever kind they are; optional ones are not', async () => {
  await using cluster = await createCluster({ topics: orders })
  cluster.failNext('Produce', { error: 'disconnect', topic: 'orders' })
  cluster.intercept(Fetch, (_, next) => next(), { optional: true })
  cluster.intercept(Produce, () => disconnect)
  cluster.network.rule({ name: 'lose it', judge: () => 'pass' })
  cluster.network.rule({ name: 'perhaps', judge: () => 'pass' }, { optional: true })

  expect(() => cluster.assertFaultsFired()).toThrow(
    [
      '3 faults never fired, so this test did not test what it says:',
      "  failNext(Produce, { error: 'disconnect', topic: 'orders' })",
      '  intercept(Produce)',
      '  network.rule(lose it)',
      'Say `optional: true` for one that may stay unused.',
    ].join('\n'),
  )
})

test('every API is exported under its name in Kafka', () => {
  const exported = doors as unknown as Record<string, unknown>
  expect(apis.filter(api => exported[api.name] !== api).map(api => api.name)).toEqual([])
})
