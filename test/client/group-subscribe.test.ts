import { afterEach, expect, test } from 'vitest'
import type { Cluster } from '../../src/index.ts'
import { assigned, diary, fill, isShared, member, pollUntil, startCluster } from './group-story.ts'

let cluster: Cluster
afterEach(() => cluster?.close())

test('a member alone gets all partitions, and reads each from its beginning', async () => {
  cluster = await startCluster()
  await fill(cluster, 2)
  const consumer = member(cluster)
  consumer.subscribe(['orders'])
  expect(consumer.subscription()).toEqual(['orders'])
  expect(consumer.assignment()).toEqual([])
  let count = 0
  const found = await pollUntil([consumer], () => count++ > 2)
  expect(assigned(consumer)).toBe('orders-0 orders-1 orders-2 orders-3')
  expect(found.get(consumer)!.toSorted()).toEqual([
    'orders-0#0',
    'orders-0#1',
    'orders-1#0',
    'orders-1#1',
    'orders-2#0',
    'orders-2#1',
    'orders-3#0',
    'orders-3#1',
  ])
})

test('a first member waits 3 s for others, two share: the range assignor gives neighbours (G-12, G-13, X-34)', async () => {
  cluster = await startCluster({ configs: { 'auto.create.topics.enable': false } })
  const [one, two] = [member(cluster), member(cluster)]
  one.subscribe(['orders'])
  two.subscribe(['orders'])
  const began = cluster.clock.now()
  await pollUntil([one, two], () => isShared([one, two]))
  expect([assigned(one), assigned(two)].sort()).toEqual(['orders-0 orders-1', 'orders-2 orders-3'])
  // Both came within the first 3 s, so the group waits for another 3.
  expect(cluster.clock.now() - began).toBeGreaterThanOrEqual(6_000)
  expect(cluster.clock.now() - began).toBeLessThan(8_000)
  expect(one.groupMetadata()).toMatchObject({ groupId: 'billing', generationId: 1, groupInstanceId: null })
  expect(one.groupMetadata().memberId).toMatch(new RegExp(`^${one.name}-`))
})

test('a member begins where its group left off, and where it never was auto.offset.reset decides (M-50, G-33)', async () => {
  cluster = await startCluster()
  await fill(cluster, 3)
  const first = member(cluster, { 'enable.auto.commit': false })
  first.subscribe(['orders'])
  await pollUntil([first], () => assigned(first) !== '')
  await first.commit([{ topic: 'orders', partition: 1, offset: 2 }])
  await first.close()
  const second = member(cluster, { 'auto.offset.reset': 'latest' })
  second.subscribe(['orders'])
  const found = await pollUntil([second], () => assigned(second) !== '')
  const positions = await Promise.all(second.assignment().map(partition => second.position(partition)))
  expect(positions).toEqual([3, 3, 3, 3])
  expect(found.get(second)).toEqual(['orders-1#2'])
})

test('a RegExp stands for the topics that match, those too that come later (ConsumerCoordinator)', async () => {
  cluster = await startCluster({ topics: { 'orders-eu': { partitions: 1 }, payments: { partitions: 1 } } })
  const consumer = member(cluster, { 'metadata.max.age.ms': 10_000 })
  consumer.subscribe(/^orders-/)
  await pollUntil([consumer], () => assigned(consumer) === 'orders-eu-0')
  expect(consumer.subscription()).toEqual(['orders-eu'])
  await cluster.createTopic({ name: 'orders-us', partitions: 2 })
  const began = cluster.clock.now()
  await pollUntil([consumer], () => assigned(consumer) === 'orders-eu-0 orders-us-0 orders-us-1')
  expect(cluster.clock.now() - began).toBeLessThan(15_000)
  await cluster.admin().deleteTopics(['orders-us'])
  await pollUntil([consumer], () => assigned(consumer) === 'orders-eu-0')
})

test('a RegExp that matches everything leaves the internal topics out (exclude.internal.topics)', async () => {
  cluster = await startCluster()
  const plain = member(cluster)
  plain.subscribe(/^/)
  await pollUntil([plain], () => assigned(plain) !== '')
  expect(assigned(plain)).toBe('orders-0 orders-1 orders-2 orders-3')
  await plain.close()
  const curious = member(cluster, { 'exclude.internal.topics': false, 'group.id': 'curious' })
  curious.subscribe(/^__consumer/g)
  await pollUntil([curious], () => curious.assignment().length === 50)
})

test('a topic that does not exist yet is read once it does', async () => {
  cluster = await startCluster()
  const consumer = member(cluster)
  consumer.subscribe(['orders', 'refunds'])
  await pollUntil([consumer], () => assigned(consumer) === 'orders-0 orders-1 orders-2 orders-3')
  await cluster.createTopic({ name: 'refunds', partitions: 1 })
  await pollUntil([consumer], () => assigned(consumer).endsWith('refunds-0'), 10_000)
})

test('the leader sees new partitions of any member’s topic, and the group shares them out', async () => {
  cluster = await startCluster({ topics: { orders: { partitions: 2 }, refunds: { partitions: 1 } } })
  const leader = member(cluster, { 'metadata.max.age.ms': 10_000 })
  leader.subscribe(['orders'])
  await pollUntil([leader], () => assigned(leader) === 'orders-0 orders-1')
  const other = member(cluster)
  other.subscribe(['refunds'])
  await pollUntil([leader, other], () => assigned(other) === 'refunds-0' && assigned(leader) === 'orders-0 orders-1')
  await cluster.admin().createPartitions({ refunds: { count: 3 } })
  await pollUntil([leader, other], () => assigned(other) === 'refunds-0 refunds-1 refunds-2', 30_000)
  expect(assigned(leader)).toBe('orders-0 orders-1')
})

test('subscribing to something else moves the member over at its next poll', async () => {
  cluster = await startCluster({ topics: { orders: { partitions: 1 }, refunds: { partitions: 1 } } })
  const consumer = member(cluster)
  const { entries, listener } = diary()
  consumer.subscribe(['orders'], { listener })
  await pollUntil([consumer], () => assigned(consumer) === 'orders-0')
  consumer.subscribe(['refunds'], { listener })
  expect(assigned(consumer)).toBe('orders-0')
  await pollUntil([consumer], () => assigned(consumer) === 'refunds-0')
  expect(entries).toEqual(['+ orders-0', '- orders-0', '+ refunds-0'])
})

test.each([
  ['unsubscribe()', (consumer: ReturnType<typeof member>) => consumer.unsubscribe()],
  ['subscribe([])', (consumer: ReturnType<typeof member>) => consumer.subscribe([])],
])(
  '%s gives everything back and leaves: the others need not wait for a session to time out (G-19)',
  async (_, leave) => {
    cluster = await startCluster()
    const [one, two] = [member(cluster), member(cluster)]
    const { entries, listener } = diary()
    one.subscribe(['orders'], { listener })
    two.subscribe(['orders'])
    await pollUntil([one, two], () => isShared([one, two]))
    const had = assigned(one)
    await leave(one)
    await pollUntil([two], () => two.assignment().length === 4, 5_000)
    expect(entries.at(-1)).toBe(`- ${had}`)
    expect(one.assignment()).toEqual([])
    expect(one.subscription()).toEqual([])
    await expect(one.poll({ timeoutMs: 0 })).rejects.toThrow('Consumer is not subscribed to any topics')
    one.subscribe(['orders'])
    await pollUntil([one, two], () => isShared([one, two]))
  },
)

test('unsubscribing while a poll is pending, even in the middle of a rebalance, leaves no member behind', async () => {
  cluster = await startCluster()
  const [one, two] = [member(cluster), member(cluster)]
  let asked = 0
  const listener = {
    onPartitionsRevoked: () => {
      if (asked++ === 0) void one.unsubscribe()
    },
  }
  one.subscribe(['orders'], { listener })
  await pollUntil([one], () => one.assignment().length === 4)
  two.subscribe(['orders'])
  const pending = one.poll({ timeoutMs: 20_000 })
  await pollUntil([two], () => two.assignment().length === 4)
  expect(await pending).toHaveLength(0)
  expect(cluster.group('billing').members.map(({ clientId }) => clientId)).toEqual([two.name])
})

test('partitions assigned by hand begin at the group’s offsets, and are committed without being a member', async () => {
  cluster = await startCluster()
  await fill(cluster, 3)
  const first = { topic: 'orders', partition: 0 }
  const consumer = member(cluster, { 'enable.auto.commit': false })
  consumer.assign([first])
  expect((await consumer.poll({ timeoutMs: 1_000 })).map(({ offset }) => offset)).toEqual([0, 1, 2])
  await consumer.commit([{ ...first, offset: 1 }])
  expect(consumer.groupMetadata()).toEqual({
    groupId: 'billing',
    memberId: '',
    generationId: -1,
    groupInstanceId: null,
  })
  await consumer.close()
  const later = member(cluster)
  later.assign([first])
  expect((await later.poll({ timeoutMs: 1_000 })).map(({ offset }) => offset)).toEqual([1, 2])
  later.assign([])
  await expect(later.poll({ timeoutMs: 0 })).rejects.toThrow('Consumer is not subscribed')
  expect(cluster.requests({ api: 'JoinGroup' })).toEqual([])
})

test('without a committed offset and with auto.offset.reset none, poll says so each time (M-50)', async () => {
  cluster = await startCluster()
  const consumer = member(cluster, { 'auto.offset.reset': 'none' })
  consumer.subscribe(['orders'])
  const poll = () => consumer.poll({ timeoutMs: 10_000 })
  await expect(poll()).rejects.toThrow('Undefined offset with no reset policy for partition orders-0')
  await expect(poll()).rejects.toThrow('Undefined offset with no reset policy')
  for (const partition of consumer.assignment()) consumer.seek(partition, 0)
  expect(await consumer.poll({ timeoutMs: 100 })).toHaveLength(0)
})
