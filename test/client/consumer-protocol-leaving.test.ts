import { afterEach, expect, test } from 'vitest'
import type { Cluster } from '../../src/index.ts'
import { CommitFailedError } from '../../src/wire/errors.ts'
import { heartbeatsOf, newMember } from './consumer-protocol.ts'
import { assigned, diary, fill, isShared, pollUntil, startCluster } from './group-story.ts'

let cluster: Cluster
afterEach(() => cluster?.close())

const epochs = (consumer: Parameters<typeof heartbeatsOf>[1]) =>
  heartbeatsOf(cluster, consumer)
    .map(({ memberEpoch }) => memberEpoch)
    .filter(epoch => epoch <= 0)

test('a static member that closes steps away, and finds what it had when it comes back; nobody else is moved (G-50)', async () => {
  cluster = await startCluster()
  const config = { 'group.instance.id': 'desk-1' }
  const [one, two] = [newMember(cluster, config), newMember(cluster)]
  const { entries, listener } = diary()
  one.subscribe(['orders'])
  two.subscribe(['orders'], { listener })
  await pollUntil([one, two], () => isShared([one, two]))
  const [had, toldOf] = [assigned(one), entries.length]
  await one.close()
  expect(epochs(one)).toEqual([0, -2])
  const back = newMember(cluster, config)
  back.subscribe(['orders'])
  await pollUntil([back, two], () => isShared([back, two]))
  expect(assigned(back)).toBe(had)
  expect(entries.length).toBe(toldOf)
})

test('a static member that leaves for good says −1, and its partitions go to the others at once (KIP-1092)', async () => {
  cluster = await startCluster()
  const [one, two] = [newMember(cluster, { 'group.instance.id': 'desk-1' }), newMember(cluster)]
  one.subscribe(['orders'])
  two.subscribe(['orders'])
  await pollUntil([one, two], () => isShared([one, two]))
  const leftAt = cluster.clock.now()
  await one.close({ groupMembership: 'leave' })
  await pollUntil([two], () => two.assignment().length === 4)
  expect(epochs(one)).toEqual([0, -1])
  expect(cluster.clock.now() - leftAt).toBeLessThan(15_000)
})

test('a member that remains says nothing as it closes: its session has to end before others get its partitions (KIP-1092)', async () => {
  cluster = await startCluster()
  const [one, two] = [newMember(cluster), newMember(cluster)]
  one.subscribe(['orders'])
  two.subscribe(['orders'])
  await pollUntil([one, two], () => isShared([one, two]))
  const closedAt = cluster.clock.now()
  await one.close({ groupMembership: 'remain' })
  expect(epochs(one)).toEqual([0])
  await pollUntil([two], () => two.assignment().length === 4)
  // group.consumer.session.timeout.ms
  expect(cluster.clock.now() - closedAt).toBeGreaterThan(40_000)
})

test('a member that nobody polls leaves after max.poll.interval.ms; the next poll loses what it had, and joins again', async () => {
  cluster = await startCluster()
  const [one, two] = [newMember(cluster), newMember(cluster, { 'max.poll.interval.ms': 60_000 })]
  const { entries, listener } = diary()
  one.subscribe(['orders'], { listener })
  two.subscribe(['orders'])
  await pollUntil([one, two], () => isShared([one, two]))
  const had = assigned(one)
  // Until then it is a member: its heartbeats go on without anybody polling.
  await cluster.clock.advance(295_000)
  expect(cluster.group('billing').members).toHaveLength(1)
  await cluster.clock.advance(10_000)
  expect(epochs(one)).toEqual([0, -1])
  expect(cluster.group('billing').exists).toBe(true)
  // It still believes that it has them, and cannot commit them.
  expect(assigned(one)).toBe(had)
  const offsets = new Map(one.assignment().map(partition => [partition, { offset: 1 }]))
  await expect(one.commit(offsets)).rejects.toThrow(CommitFailedError)
  await pollUntil([one, two], () => epochs(one).length === 3 && isShared([one, two]))
  expect(entries).toContain(`lost ${had}`)
  expect(epochs(one)).toEqual([0, -1, 0])
})

test('a static member that nobody polls steps away with −2', async () => {
  cluster = await startCluster()
  const one = newMember(cluster, { 'max.poll.interval.ms': 10_000, 'group.instance.id': 'desk-1' })
  one.subscribe(['orders'])
  await pollUntil([one], () => one.assignment().length === 4)
  await cluster.clock.advance(11_000)
  expect(epochs(one)).toEqual([0, -2])
  await pollUntil([one], () => epochs(one).length === 3 && one.assignment().length === 4)
})

test('a consumer that closes while its coordinator is away gives up in time', async () => {
  cluster = await startCluster({ brokers: 1, topics: { orders: { partitions: 1, replicationFactor: 1 } } })
  const one = newMember(cluster)
  one.subscribe(['orders'])
  await pollUntil([one], () => one.assignment().length === 1)
  await cluster.coordinatorOf({ group: 'billing' }).crash()
  const before = cluster.clock.now()
  await one.close({ timeoutMs: 5000 })
  expect(cluster.clock.now() - before).toBeLessThanOrEqual(5000)
})

test('a consumer that closes before its first poll has nothing to say to the group', async () => {
  cluster = await startCluster()
  const one = newMember(cluster)
  one.subscribe(['orders'])
  await one.close()
  expect(heartbeatsOf(cluster, one)).toEqual([])
})

test('a consumer that closes in the middle of joining leaves nobody behind', async () => {
  cluster = await startCluster()
  await fill(cluster, 1)
  const one = newMember(cluster)
  one.subscribe(['orders'])
  // Long enough to send the join, too short to hear of it.
  await one.poll({ timeoutMs: 1 })
  while (heartbeatsOf(cluster, one).length === 0) await cluster.clock.advance(1)
  await one.close()
  await cluster.clock.advance(10)
  expect(cluster.group('billing').members).toEqual([])
})
