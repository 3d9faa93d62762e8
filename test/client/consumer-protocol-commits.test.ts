import { afterEach, expect, test } from 'vitest'
import { offsetCommit } from '../../src/apis/offset-commit.ts'
import { offsetFetch } from '../../src/apis/offset-fetch.ts'
import { type Cluster, ConfigError } from '../../src/index.ts'
import { CommitFailedError } from '../../src/wire/errors.ts'
import { heartbeatsOf, newMember } from './consumer-protocol.ts'
import { assigned, fill, isShared, pollUntil, startCluster } from './group-story.ts'

let cluster: Cluster
afterEach(() => cluster?.close())

const at = (partition: number, offset: number) => new Map([[{ topic: 'orders', partition }, { offset }]])

test('a member commits and fetches under its member epoch (G-31, G-33)', async () => {
  cluster = await startCluster()
  await fill(cluster, 3)
  const consumer = newMember(cluster, { 'enable.auto.commit': false })
  consumer.subscribe(['orders'])
  await pollUntil([consumer], () => consumer.assignment().length === 4)
  await consumer.commit(at(0, 2))
  const { memberId, generationId } = consumer.groupMetadata()
  expect(generationId).toBe(2)
  const [commit] = cluster.requests({ api: offsetCommit, from: consumer.name })
  expect(commit!.body).toMatchObject({ generationIdOrMemberEpoch: 2, memberId })
  await consumer.committed([{ topic: 'orders', partition: 0 }])
  const fetch = cluster.requests({ api: offsetFetch, from: consumer.name }).at(-1)
  expect(fetch!.body.groups).toMatchObject([{ groupId: 'billing', memberId, memberEpoch: 2 }])
  expect(cluster.group('billing').committed('orders', 0)?.offset).toBe(2)
})

test('a commit under an old epoch is a CommitFailedError, and the member stays (G-31)', async () => {
  cluster = await startCluster()
  const consumer = newMember(cluster, { 'enable.auto.commit': false })
  consumer.subscribe(['orders'])
  await pollUntil([consumer], () => consumer.assignment().length === 4)
  cluster.failNext('OffsetCommit', { error: 'STALE_MEMBER_EPOCH' })
  await expect(consumer.commit(at(0, 1))).rejects.toThrow(CommitFailedError)
  expect(consumer.assignment()).toHaveLength(4)
  await consumer.commit(at(0, 1))
  expect(cluster.group('billing').committed('orders', 0)?.offset).toBe(1)
})

test('the commit before partitions go is tried again under the epoch that is known by then', async () => {
  cluster = await startCluster()
  await fill(cluster, 4)
  const config = { 'auto.commit.interval.ms': 3_600_000 }
  const [one, two] = [newMember(cluster, config), newMember(cluster, config)]
  one.subscribe(['orders'])
  let rounds = 0
  await pollUntil([one], () => ++rounds > 6)
  const fault = cluster.failNext('OffsetCommit', { error: 'STALE_MEMBER_EPOCH' })
  two.subscribe(['orders'])
  await pollUntil([one, two], () => isShared([one, two]))
  expect(fault.hits).toBe(1)
  for (const { partition } of two.assignment()) {
    expect(cluster.group('billing').committed('orders', partition)?.offset).toBe(4)
  }
})

test('offsets are fetched once more where the epoch was an old one (G-33)', async () => {
  cluster = await startCluster()
  const consumer = newMember(cluster, { 'enable.auto.commit': false })
  consumer.subscribe(['orders'])
  await pollUntil([consumer], () => consumer.assignment().length === 4)
  await consumer.commit(at(1, 7))
  cluster.failNext('OffsetFetch', { error: 'STALE_MEMBER_EPOCH' })
  const partition = { topic: 'orders', partition: 1 }
  expect((await consumer.committed([partition])).get(partition)?.offset).toBe(7)
})

test('whoever is out cannot commit what may be read by others by now', async () => {
  cluster = await startCluster()
  const consumer = newMember(cluster, { 'enable.auto.commit': false })
  consumer.subscribe(['orders'])
  await pollUntil([consumer], () => consumer.assignment().length === 4)
  cluster.failNext('ConsumerGroupHeartbeat', { error: 'UNKNOWN_MEMBER_ID' })
  await cluster.clock.advance(6000)
  await expect(consumer.commit(at(0, 1))).rejects.toThrow(
    /not part of an active group .*\(UNKNOWN_MEMBER_ID\)\. Its next poll joins again/,
  )
  await pollUntil([consumer], () => heartbeatsOf(cluster, consumer).filter(each => each.memberEpoch === 0).length === 2)
  await pollUntil([consumer], () => assigned(consumer).length > 0)
  await consumer.commit(at(0, 1))
})

test('keys that the coordinator decides about are refused, with the protocol that does not know them', async () => {
  cluster = await startCluster({ brokers: 1, topics: {} })
  const consumer = (config: object) => () => cluster.consumer({ 'group.id': 'billing', ...config })
  const consumerProtocol = { 'group.protocol': 'consumer' }
  expect(consumer({ ...consumerProtocol, 'session.timeout.ms': 45_000 })).toThrow(
    new ConfigError('session.timeout.ms cannot be set when group.protocol=CONSUMER'),
  )
  expect(
    consumer({ ...consumerProtocol, 'partition.assignment.strategy': ['range'], 'heartbeat.interval.ms': 1 }),
  ).toThrow(
    new ConfigError('heartbeat.interval.ms, partition.assignment.strategy cannot be set when group.protocol=CONSUMER'),
  )
  expect(consumer({ 'group.remote.assignor': 'uniform' })).toThrow(
    new ConfigError('group.remote.assignor cannot be set when group.protocol=CLASSIC'),
  )
  expect(consumer({ 'session.timeout.ms': 1000, 'heartbeat.interval.ms': 1000 })).toThrow(
    new ConfigError('Heartbeat must be set lower than the session timeout'),
  )
  expect(consumer({ 'group.id': ' ' })).toThrow(
    new ConfigError('The configured group.id should not be an empty string or whitespace.'),
  )
  expect(() => cluster.consumer({ 'enable.auto.commit': true })).toThrow(
    new ConfigError('enable.auto.commit cannot be set to true when default group id (null) is used.'),
  )
})
