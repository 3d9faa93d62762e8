import { afterEach, expect, test } from 'vitest'
import { type Cluster, FindCoordinator, OffsetCommit, OffsetFetch } from '../../src/index.ts'
import { CommitFailedError, RebalanceInProgressError, RetriableCommitFailedError } from '../../src/wire/errors.ts'
import {
  assigned,
  fill,
  isShared,
  type Member,
  type MemberConfig,
  member,
  pollUntil,
  startCluster,
} from './group-story.ts'

let cluster: Cluster
afterEach(() => cluster?.close())

const first = { topic: 'orders', partition: 0 }
const byHand = { 'enable.auto.commit': false }

/** A member that has been assigned everything of a topic of one partition with `count` records. */
async function reader(count: number, config: MemberConfig = {}): Promise<Member> {
  cluster = await startCluster({ topics: { orders: { partitions: 1, replicationFactor: 3 } } })
  await fill(cluster, count, 'orders', 1)
  const consumer = member(cluster, config)
  consumer.subscribe(['orders'])
  return consumer
}

/** Polls until so many records have come. */
async function take(consumer: Member, count: number): Promise<string[]> {
  const values: string[] = []
  while (values.length < count) values.push(...(await consumer.poll({ timeoutMs: 1_000 })).map(({ value }) => value))
  return values
}

const committed = async (consumer: Pick<Member, 'committed'>) => (await consumer.committed([first])).get(first)

test('commit says where to go on: behind all that was handed out, with the leader epoch of the record before', async () => {
  const consumer = await reader(5, { ...byHand, 'max.poll.records': 2 })
  await take(consumer, 2)
  await consumer.commit()
  expect(await committed(consumer)).toEqual({ offset: 2, leaderEpoch: 0, metadata: '' })
  await take(consumer, 2)
  expect(await committed(consumer)).toEqual({ offset: 2, leaderEpoch: 0, metadata: '' })
  await consumer.close()
  const next = member(cluster, byHand)
  next.subscribe(['orders'])
  expect(await take(next, 3)).toEqual(['orders-0#2', 'orders-0#3', 'orders-0#4'])
})

test('offsets come in a list or a map, with text of the application, and are told by the objects that were given', async () => {
  const consumer = await reader(5, byHand)
  await take(consumer, 5)
  expect(await consumer.committed([first, { topic: 'orders', partition: 7 }])).toEqual(
    new Map([
      [first, null],
      [{ topic: 'orders', partition: 7 }, null],
    ]),
  )
  await consumer.commit([{ ...first, offset: 4, leaderEpoch: 0, metadata: 'by the nightly job' }])
  expect(await committed(consumer)).toEqual({ offset: 4, leaderEpoch: 0, metadata: 'by the nightly job' })
  await consumer.commit(new Map([[first, { offset: 3 }]]))
  expect(await committed(consumer)).toEqual({ offset: 3, leaderEpoch: -1, metadata: '' })
  await consumer.commit(new Map([[first, 2]]))
  expect(await committed(consumer)).toMatchObject({ offset: 2 })
  consumer.seek(first, (await committed(consumer))!)
  expect(await take(consumer, 3)).toEqual(['orders-0#2', 'orders-0#3', 'orders-0#4'])
})

test('auto-commit: every 5 s, in poll, what earlier polls handed out (M-50)', async () => {
  const consumer = await reader(3, { 'max.poll.records': 1 })
  await take(consumer, 1)
  const commits = () => cluster.requests({ api: 'OffsetCommit' }).length
  const before = commits()
  await cluster.clock.advance(6_000)
  expect(commits()).toBe(before)
  expect(await take(consumer, 1)).toEqual(['orders-0#1'])
  expect(await committed(consumer)).toMatchObject({ offset: 1 })
  await take(consumer, 1)
  expect(await committed(consumer)).toMatchObject({ offset: 1 })
  await consumer.poll({ timeoutMs: 20_000 })
  expect(await committed(consumer)).toMatchObject({ offset: 3 })
  expect(commits() - before).toBe(5)
})

test('auto-commit, before partitions are given back: whoever gets them begins behind what was handed out', async () => {
  cluster = await startCluster()
  await fill(cluster, 5)
  const [one, two] = [member(cluster, { 'auto.commit.interval.ms': 3_600_000 }), member(cluster)]
  one.subscribe(['orders'])
  expect((await take(one, 20)).length).toBe(20)
  two.subscribe(['orders'])
  const found = await pollUntil([one, two], () => isShared([one, two]))
  await pollUntil([two], () => cluster.group('billing').lag === 0)
  expect([...found.values()].flat()).toEqual([])
  expect((await two.poll({ timeoutMs: 2_000 })).length).toBe(0)
})

test('auto-commit, at close: and without it, nothing is committed', async () => {
  const one = await reader(3)
  await take(one, 3)
  await one.close()
  expect(cluster.group('billing').committed('orders', 0)).toMatchObject({ offset: 3 })
  const two = member(cluster, { ...byHand, 'group.id': 'audit' })
  two.subscribe(['orders'])
  await take(two, 3)
  await two.close()
  expect(cluster.group('audit').committed('orders', 0)).toBeUndefined()
})

test('an iteration commits what its body is done with, not what has been fetched', async () => {
  const consumer = await reader(10, byHand)
  const seen: string[] = []
  const reading = (async () => {
    for await (const { value } of consumer) {
      seen.push(value)
      if (seen.length === 4) break
      if (seen.length === 3) await consumer.commit()
    }
  })()
  await cluster.runUntil(() => seen.length === 4)
  await reading
  expect(await committed(consumer)).toMatchObject({ offset: 3 })
  expect(await consumer.position(first)).toBe(4)
  expect(await take(consumer, 6)).toHaveLength(6)
})

test('an iteration with auto-commit commits what is done, never the record that the body has in hand', async () => {
  const consumer = await reader(10)
  const offsets: (number | undefined)[] = []
  const reading = (async () => {
    for await (const { offset } of consumer) {
      offsets.push((await committed(consumer))?.offset)
      if (offset === 3) break
      await cluster.clock.advance(6_000)
    }
  })()
  await cluster.runUntil(() => offsets.length === 4)
  await reading
  expect(offsets).toEqual([undefined, 1, 2, 3])
  await consumer.close()
  expect(cluster.group('billing').committed('orders', 0)).toMatchObject({ offset: 4 })
})

test('commitAsync does not wait; its callback is called by a later poll, in the order of the commits', async () => {
  const consumer = await reader(3, byHand)
  await take(consumer, 3)
  const told: unknown[] = []
  consumer.commitAsync([{ ...first, offset: 1 }], (offsets, error) => void told.push([...offsets], error))
  consumer.commitAsync(undefined, offsets => void told.push([...offsets]))
  await cluster.clock.advance(1_000)
  expect(told).toEqual([])
  await consumer.poll({ timeoutMs: 0 })
  expect(told).toEqual([
    [[first, { offset: 1, leaderEpoch: -1, metadata: '' }]],
    undefined,
    [[first, { offset: 3, leaderEpoch: 0, metadata: '' }]],
  ])
  expect(await committed(consumer)).toMatchObject({ offset: 3 })
})

test('commitAsync is not tried again: its callback hears that it could be', async () => {
  const consumer = await reader(1, byHand)
  await take(consumer, 1)
  const errors: unknown[] = []
  cluster.failNext(OffsetCommit, { error: 'COORDINATOR_LOAD_IN_PROGRESS' })
  consumer.commitAsync(undefined, (_, error) => void errors.push(error))
  await cluster.clock.advance(1_000)
  await consumer.commit()
  expect(errors).toHaveLength(1)
  expect(errors[0]).toBeInstanceOf(RetriableCommitFailedError)
  expect((errors[0] as Error).cause).toMatchObject({ errorName: 'COORDINATOR_LOAD_IN_PROGRESS' })
})

test.each([
  ['COORDINATOR_LOAD_IN_PROGRESS', 'before'],
  ['COORDINATOR_NOT_AVAILABLE', 'before'],
  ['NOT_COORDINATOR', 'before'],
  ['REQUEST_TIMED_OUT', 'after'],
  ['UNKNOWN_TOPIC_OR_PARTITION', 'before'],
  ['disconnect', 'after'],
] as const)('commit tries again after %s (%s it happened)', async (error, when) => {
  const consumer = await reader(2, byHand)
  await take(consumer, 2)
  const fault = cluster.failNext(OffsetCommit, { error, when, times: 2 })
  await consumer.commit()
  expect(fault.hits).toBe(2)
  expect(await committed(consumer)).toMatchObject({ offset: 2 })
})

test('commit gives up after its timeout, with the last refusal as the cause', async () => {
  const consumer = await reader(2, byHand)
  await take(consumer, 2)
  using fault = cluster.failNext(OffsetCommit, { error: 'COORDINATOR_LOAD_IN_PROGRESS', times: 1_000, optional: true })
  const before = cluster.clock.now()
  const error = await consumer.commit(undefined, { timeoutMs: 5_000 }).catch(thrown => thrown)
  expect(error).toMatchObject({
    errorName: 'REQUEST_TIMED_OUT',
    message: 'Timeout of 5000ms expired before successfully committing offsets orders-0: 2',
    details: { cause: { errorName: 'COORDINATOR_LOAD_IN_PROGRESS' } },
  })
  expect(cluster.clock.now() - before).toBeGreaterThan(3_000)
  expect(fault.hits).toBeGreaterThan(3)
})

test('without a coordinator for long enough, commit names what it waited for', async () => {
  const consumer = await reader(1, byHand)
  await take(consumer, 1)
  using _ = cluster.failNext(FindCoordinator, { error: 'COORDINATOR_NOT_AVAILABLE', times: 1_000, optional: true })
  using __ = cluster.failNext(OffsetCommit, { error: 'NOT_COORDINATOR' })
  const error = await consumer.commit(undefined, { timeoutMs: 2_000 }).catch(thrown => thrown)
  expect(error.errorName).toBe('REQUEST_TIMED_OUT')
})

test('a generation that is over: CommitFailedError, the partitions are lost, and the next poll joins again (X-35, G-30)', async () => {
  const consumer = await reader(3, byHand)
  await take(consumer, 3)
  cluster.failNext(OffsetCommit, { error: 'ILLEGAL_GENERATION' })
  const error = await consumer.commit().catch(thrown => thrown)
  expect(error).toBeInstanceOf(CommitFailedError)
  expect(error.cause).toMatchObject({ errorName: 'ILLEGAL_GENERATION' })
  expect(assigned(consumer)).toBe('orders-0')
  await expect(consumer.commit()).rejects.toThrow(CommitFailedError)
  await take(consumer, 3)
  await consumer.commit()
  expect(await committed(consumer)).toMatchObject({ offset: 3 })
})

test('in the middle of a rebalance: RebalanceInProgressError, and after polling it works (ConsumerCoordinator)', async () => {
  const consumer = await reader(3, byHand)
  await take(consumer, 3)
  cluster.failNext(OffsetCommit, { error: 'REBALANCE_IN_PROGRESS' })
  const error = await consumer.commit().catch(thrown => thrown)
  expect(error).toBeInstanceOf(RebalanceInProgressError)
  expect(error.message).toContain('Complete it by calling poll(), then commit again')
  await take(consumer, 3)
  await consumer.commit()
  expect(await committed(consumer)).toMatchObject({ offset: 3 })
})

test('what the broker refuses for good is thrown as it is (OFFSET_METADATA_TOO_LARGE, G-32)', async () => {
  const consumer = await reader(1, byHand)
  await take(consumer, 1)
  const metadata = 'x'.repeat(4_097)
  await expect(consumer.commit([{ ...first, offset: 1, metadata }])).rejects.toMatchObject({
    name: 'OffsetMetadataTooLargeError',
    errorName: 'OFFSET_METADATA_TOO_LARGE',
  })
})

test('positions wait for offsets of open transactions to be decided (UNSTABLE_OFFSET_COMMIT, KIP-447, G-33)', async () => {
  const consumer = await reader(3, byHand)
  const fault = cluster.failNext(OffsetFetch, { error: 'UNSTABLE_OFFSET_COMMIT', times: 3 })
  expect(await take(consumer, 3)).toHaveLength(3)
  expect(fault.hits).toBe(3)
  const [asked] = cluster.requests({ api: 'OffsetFetch' })
  expect(asked?.body).toMatchObject({ requireStable: true })
})

test('a member commits by topic id where it knows them, and by name where the broker is older (W-44)', async () => {
  const consumer = await reader(1, byHand)
  await take(consumer, 1)
  await consumer.commit()
  expect(cluster.requests({ api: 'OffsetCommit' })[0]).toMatchObject({ version: 10 })
  await cluster.close()
  cluster = await startCluster({ topics: { orders: { partitions: 1 } } })
  const stranger = member(cluster, byHand)
  await stranger.commit([{ ...first, offset: 1 }])
  expect(cluster.requests({ api: 'OffsetCommit' })[0]).toMatchObject({ version: 9 })
  expect(await committed(stranger)).toMatchObject({ offset: 1 })
})

test('who assigns partitions by hand may not commit to a group that has members (G-30)', async () => {
  const consumer = await reader(3, byHand)
  await take(consumer, 1)
  const stranger = member(cluster, byHand)
  stranger.assign([first])
  stranger.seek(first, 1)
  const error = await stranger.commit().catch(thrown => thrown)
  expect(error).toBeInstanceOf(CommitFailedError)
  expect(error.message).toContain('may commit only to groups without members')
})
