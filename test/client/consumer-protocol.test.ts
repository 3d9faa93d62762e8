import { afterEach, expect, test } from 'vitest'
import { consumerGroupHeartbeat } from '../../src/apis/consumer-group-heartbeat.ts'
import { type Cluster, delay } from '../../src/index.ts'
import { heartbeatsOf, newMember, said } from './consumer-protocol.ts'
import { assigned, diary, fill, isShared, pollUntil, startCluster } from './group-story.ts'

let cluster: Cluster
afterEach(() => cluster?.close())

test('a member says everything as it joins, then what it owns, then every 5 s only that it is there (G-50, G-56)', async () => {
  cluster = await startCluster()
  // With a rule in force, time does not leap over heartbeats that would change nothing.
  cluster.network.rule(delay(0))
  const consumer = newMember(cluster, { 'client.rack': 'west', 'group.remote.assignor': 'range' })
  consumer.subscribe(['orders'])
  await pollUntil([consumer], () => consumer.assignment().length === 4)
  await cluster.clock.advance(12_000)
  const [join, acknowledgement, ...others] = heartbeatsOf(cluster, consumer)
  expect(join).toMatchObject({
    groupId: 'billing',
    memberEpoch: 0,
    instanceId: null,
    rackId: 'west',
    rebalanceTimeoutMs: 300_000,
    subscribedTopicNames: ['orders'],
    subscribedTopicRegex: null,
    serverAssignor: 'range',
    topicPartitions: [],
  })
  // 16 random bytes in URL-safe base64, as Java's Uuid has them.
  expect(join!.memberId).toMatch(/^[\w-]{22}$/)
  expect(said(acknowledgement!)).toBe('topicPartitions')
  expect(acknowledgement!.memberEpoch).toBe(2)
  expect(acknowledgement!.topicPartitions!.map(({ partitions }) => partitions)).toEqual([[0, 1, 2, 3]])
  expect(others.map(said)).toEqual(['', ''])
  expect(new Set(heartbeatsOf(cluster, consumer).map(({ memberId }) => memberId)).size).toBe(1)
  const [second, third] = cluster.requests({ api: consumerGroupHeartbeat }).slice(2)
  expect(third!.at - second!.answeredAt!).toBeGreaterThanOrEqual(5000)
  expect(third!.at - second!.answeredAt!).toBeLessThan(5010)
})

test('another member takes its share: only that is revoked, and the first hears of nothing new (G-54)', async () => {
  cluster = await startCluster()
  await fill(cluster, 5)
  const [one, two] = [newMember(cluster), newMember(cluster)]
  const [first, second] = [diary(), diary()]
  one.subscribe(['orders'], { listener: first.listener })
  await pollUntil([one], () => one.assignment().length === 4)
  two.subscribe(['orders'], { listener: second.listener })
  await pollUntil([one, two], () => isShared([one, two]))
  // As Kafka's consumers are told (4.3.1): the new one of nothing first, the old one of nothing new.
  expect(first.entries).toEqual(['+ orders-0 orders-1 orders-2 orders-3', '- orders-2 orders-3', '+'])
  expect(second.entries).toEqual(['+', '+ orders-2 orders-3'])
  await one.close()
  await pollUntil([two], () => two.assignment().length === 4)
  expect(first.entries.at(-1)).toBe('- orders-0 orders-1')
  expect(second.entries.at(-1)).toBe('+ orders-0 orders-1')
  expect(heartbeatsOf(cluster, one).at(-1)).toMatchObject({ memberEpoch: -1, topicPartitions: null })
})

test('what stays is read on while the rest moves, and nothing is read twice', async () => {
  cluster = await startCluster()
  const [one, two] = [newMember(cluster), newMember(cluster)]
  one.subscribe(['orders'])
  await pollUntil([one], () => one.assignment().length === 4)
  await fill(cluster, 50)
  two.subscribe(['orders'])
  let seen = 0
  const found = await pollUntil([one, two], () => isShared([one, two]) && ++seen > 6)
  const values = [...found.values()].flat()
  expect(values.length).toBe(200)
  expect(new Set(values).size).toBe(200)
})

test('what has been read is committed before it is given back, so that the next owner begins behind it', async () => {
  cluster = await startCluster()
  await fill(cluster, 10)
  // The regular commit is far off: it is the one before the revocation that counts.
  const [one, two] = [
    newMember(cluster, { 'auto.commit.interval.ms': 3_600_000 }),
    newMember(cluster, { 'auto.commit.interval.ms': 3_600_000 }),
  ]
  one.subscribe(['orders'])
  let read = 0
  await pollUntil([one], () => ++read > 8)
  two.subscribe(['orders'])
  await pollUntil([one, two], () => isShared([one, two]))
  expect(
    two.assignment().map(({ partition }) => cluster.group('billing').committed('orders', partition)?.offset),
  ).toEqual([10, 10])
  expect(await two.position({ topic: 'orders', partition: 3 })).toBe(10)
})

test('a subscription that changes goes along with the next regular heartbeat, and nothing else does', async () => {
  cluster = await startCluster()
  await cluster.createTopic({ name: 'refunds', partitions: 2, replicationFactor: 1 })
  const consumer = newMember(cluster)
  consumer.subscribe(['orders'])
  await pollUntil([consumer], () => consumer.assignment().length === 4)
  const before = heartbeatsOf(cluster, consumer).length
  consumer.subscribe(['orders', 'refunds'])
  await pollUntil([consumer], () => consumer.assignment().length === 6)
  const [changed] = heartbeatsOf(cluster, consumer).slice(before)
  expect(said(changed!)).toBe('subscribedTopicNames')
  expect(changed!.subscribedTopicNames).toEqual(['orders', 'refunds'])
  expect(assigned(consumer)).toBe('orders-0 orders-1 orders-2 orders-3 refunds-0 refunds-1')
})

test('a RegExp is matched by the consumer, and takes in topics that come later', async () => {
  cluster = await startCluster()
  const consumer = newMember(cluster, { 'metadata.max.age.ms': 10_000 })
  consumer.subscribe(/^order/)
  await pollUntil([consumer], () => consumer.assignment().length === 4)
  expect(heartbeatsOf(cluster, consumer)[0]).toMatchObject({
    subscribedTopicNames: ['orders'],
    subscribedTopicRegex: null,
  })
  await cluster.createTopic({ name: 'order-changes', partitions: 1, replicationFactor: 1 })
  await cluster.createTopic({ name: 'refunds', partitions: 1, replicationFactor: 1 })
  await pollUntil([consumer], () => consumer.assignment().length === 5)
  expect(assigned(consumer)).toContain('order-changes-0')
})

test('a pattern goes to the coordinator, and its topics come back by their ids (KIP-848)', async () => {
  cluster = await startCluster({
    configs: { 'group.initial.rebalance.delay.ms': 0, 'auto.create.topics.enable': false },
  })
  await fill(cluster, 1)
  const consumer = newMember(cluster)
  consumer.subscribe({ pattern: 'ord.*|payments' })
  const found = await pollUntil([consumer], () => consumer.assignment().length === 4)
  expect(heartbeatsOf(cluster, consumer)[0]).toMatchObject({
    subscribedTopicNames: [],
    subscribedTopicRegex: 'ord.*|payments',
  })
  await cluster.createTopic({ name: 'payments', partitions: 2, replicationFactor: 1 })
  await fill(cluster, 1, 'payments', 2)
  const later = await pollUntil([consumer], () => consumer.assignment().length === 6)
  let rounds = 0
  const last = await pollUntil([consumer], () => ++rounds > 4)
  const values = [found, later, last].flatMap(each => each.get(consumer)!)
  expect(values.sort()).toEqual([
    'orders-0#0',
    'orders-1#0',
    'orders-2#0',
    'orders-3#0',
    'payments-0#0',
    'payments-1#0',
  ])
})

test('from a pattern a consumer goes over to topics by unsubscribing, and says that there is none any more', async () => {
  cluster = await startCluster()
  await cluster.createTopic({ name: 'refunds', partitions: 1, replicationFactor: 1 })
  const consumer = newMember(cluster)
  consumer.subscribe({ pattern: 'refunds' })
  await pollUntil([consumer], () => assigned(consumer) === 'refunds-0')
  await consumer.unsubscribe()
  consumer.subscribe(['orders'])
  await pollUntil([consumer], () => consumer.assignment().length === 4)
  const epochs = heartbeatsOf(cluster, consumer).map(({ memberEpoch }) => memberEpoch)
  expect(epochs.filter(epoch => epoch <= 0)).toEqual([0, -1, 0])
})

test('without a topic to read it waits, and reads as soon as there is one', async () => {
  cluster = await startCluster()
  const consumer = newMember(cluster, { 'metadata.max.age.ms': 5000 })
  const { entries, listener } = diary()
  consumer.subscribe(['shipments'], { listener })
  let rounds = 0
  await pollUntil([consumer], () => ++rounds > 8)
  expect(entries).toEqual(['+'])
  await cluster.createTopic({ name: 'shipments', partitions: 1, replicationFactor: 1 })
  await pollUntil([consumer], () => consumer.assignment().length === 1)
  expect(entries).toEqual(['+', '+ shipments-0'])
})

test('a topic that metadata forgets for a while is not given back for that', async () => {
  cluster = await startCluster()
  await cluster.createTopic({ name: 'refunds', partitions: 1, replicationFactor: 1 })
  const consumer = newMember(cluster)
  const { entries, listener } = diary()
  consumer.subscribe(['orders'], { listener })
  await pollUntil([consumer], () => consumer.assignment().length === 4)
  const error = 'UNKNOWN_TOPIC_OR_PARTITION'
  const fault = cluster.failNext('Metadata', { error, topic: 'orders', times: 1000 })
  consumer.subscribe(['orders', 'refunds'], { listener })
  await pollUntil([consumer], () => consumer.assignment().length === 5)
  expect(fault.hits).toBeGreaterThan(0)
  expect(entries).toEqual(['+ orders-0 orders-1 orders-2 orders-3', '+ refunds-0'])
})
