import { afterEach, expect, test } from 'vitest'
import { type Cluster, delay, Heartbeat, hold, isolate, JoinGroup, LeaveGroup, SyncGroup } from '../../src/index.ts'
import { KafkaError } from '../../src/wire/errors.ts'
import { assigned, diary, isShared, member, pollUntil, startCluster } from './group-story.ts'

let cluster: Cluster
afterEach(() => cluster?.close())

const beats = (clientId?: string) => cluster.requests({ api: 'Heartbeat', ...(clientId && { from: clientId }) })

test('a member says every 3 s that it is there, whether or not anybody polls (M-50, G-16)', async () => {
  cluster = await startCluster()
  const consumer = member(cluster)
  consumer.subscribe(['orders'])
  await pollUntil([consumer], () => assigned(consumer) !== '')
  // While a rule is in force, time does not leap over heartbeats.
  cluster.network.rule(delay(0), { optional: true })
  const before = beats().length
  await cluster.clock.advance(60_000)
  expect(beats().length - before).toBe(20)
  expect(beats().at(-1)).toMatchObject({ body: consumer.groupMetadata() })
  await consumer.poll({ timeoutMs: 0 })
  expect(consumer.groupMetadata().generationId).toBe(1)
})

test('heartbeat.interval.ms and session.timeout.ms are the member’s to choose (G-10)', async () => {
  cluster = await startCluster()
  const quick = member(cluster, { 'heartbeat.interval.ms': 500, 'session.timeout.ms': 6_000 })
  const other = member(cluster)
  quick.subscribe(['orders'])
  other.subscribe(['orders'])
  await pollUntil([quick, other], () => isShared([quick, other]))
  const before = beats(quick.name).length
  await cluster.clock.advance(5_000)
  expect(beats(quick.name).length - before).toBe(10)
  using _ = cluster.network.rule(isolate(quick.name))
  const began = cluster.clock.now()
  await pollUntil([other], () => other.assignment().length === 4)
  expect(cluster.clock.now() - began).toBeLessThan(11_000)
})

test('a session timeout that the broker does not allow is refused (INVALID_SESSION_TIMEOUT, G-10)', async () => {
  cluster = await startCluster()
  const consumer = member(cluster, { 'session.timeout.ms': 5_000 })
  consumer.subscribe(['orders'])
  await expect(consumer.poll({ timeoutMs: 5_000 })).rejects.toMatchObject({
    errorName: 'INVALID_SESSION_TIMEOUT',
    message: expect.stringContaining('group.min.session.timeout.ms to group.max.session.timeout.ms'),
  })
})

test('while a join waits for the others there are no heartbeats; the connection waits with it (W-4)', async () => {
  cluster = await startCluster({ configs: { 'auto.create.topics.enable': false } })
  const consumer = member(cluster, { 'heartbeat.interval.ms': 300, 'session.timeout.ms': 6_000 })
  consumer.subscribe(['orders'])
  await consumer.poll({ timeoutMs: 2_500 })
  expect(cluster.requests({ api: 'JoinGroup' })).toHaveLength(2)
  expect(beats()).toEqual([])
  await pollUntil([consumer], () => assigned(consumer) !== '')
})

test('a heartbeat says that others join, and the next poll joins with them (REBALANCE_IN_PROGRESS, G-16)', async () => {
  cluster = await startCluster()
  const [one, two] = [member(cluster), member(cluster)]
  one.subscribe(['orders'])
  await pollUntil([one], () => one.assignment().length === 4)
  two.subscribe(['orders'])
  // Nobody polls the first one: the second waits for it.
  const joining = two.poll({ timeoutMs: 20_000 })
  await cluster.clock.advance(10_000)
  expect(two.assignment()).toEqual([])
  expect(cluster.group('billing').state).toBe('PreparingRebalance')
  await pollUntil([one], () => one.assignment().length === 2, 5_000)
  await joining
  expect(isShared([one, two])).toBe(true)
})

test('a member that the coordinator does not know any more loses what it has, at its next poll (UNKNOWN_MEMBER_ID, G-16)', async () => {
  cluster = await startCluster()
  const consumer = member(cluster)
  const { entries, listener } = diary()
  consumer.subscribe(['orders'], { listener })
  await pollUntil([consumer], () => assigned(consumer) !== '')
  const { memberId } = consumer.groupMetadata()
  const fault = cluster.failNext(Heartbeat, { error: 'UNKNOWN_MEMBER_ID' })
  await fault.wait()
  await cluster.clock.advance(10)
  expect(consumer.groupMetadata()).toMatchObject({ memberId, generationId: 1 })
  expect(entries).toHaveLength(1)
  await pollUntil([consumer], () => entries.length === 3)
  expect(entries.map(entry => entry.split(' ')[0])).toEqual(['+', 'lost', '+'])
  expect(consumer.groupMetadata().memberId).not.toBe(memberId)
})

test('after ILLEGAL_GENERATION it keeps its member id, and loses its partitions all the same', async () => {
  cluster = await startCluster()
  const consumer = member(cluster)
  const { entries, listener } = diary()
  consumer.subscribe(['orders'], { listener })
  await pollUntil([consumer], () => assigned(consumer) !== '')
  const { memberId } = consumer.groupMetadata()
  await cluster.failNext(Heartbeat, { error: 'ILLEGAL_GENERATION' }).wait()
  await pollUntil([consumer], () => entries.length === 3)
  expect(entries[1]).toBe('lost orders-0 orders-1 orders-2 orders-3')
  expect(consumer.groupMetadata().memberId).toBe(memberId)
})

test.each(['COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR', 'disconnect'] as const)(
  'after %s a heartbeat goes out again, to whoever coordinates then; the member stays in',
  async error => {
    cluster = await startCluster()
    const consumer = member(cluster)
    consumer.subscribe(['orders'])
    await pollUntil([consumer], () => assigned(consumer) !== '')
    const lookups = cluster.requests({ api: 'FindCoordinator' }).length
    const fault = cluster.failNext(Heartbeat, { error, times: 3 })
    await fault.wait(3)
    const count = beats().length
    await cluster.clock.advance(6_000)
    expect(beats().length).toBeGreaterThan(count)
    expect(cluster.requests({ api: 'FindCoordinator' }).length).toBeGreaterThan(lookups)
    await consumer.commit()
    expect(consumer.groupMetadata().generationId).toBe(1)
  },
)

test('a coordinator that is silent for a whole session is looked up anew (Heartbeat.sessionTimeoutExpired)', async () => {
  cluster = await startCluster()
  const consumer = member(cluster, { 'session.timeout.ms': 8_000, 'heartbeat.interval.ms': 1_000 })
  consumer.subscribe(['orders'])
  await pollUntil([consumer], () => assigned(consumer) !== '')
  const lookups = cluster.requests({ api: 'FindCoordinator' }).length
  const { coordinator } = cluster.group('billing')
  const rule = cluster.network.rule(hold({ from: coordinator, to: consumer.name, api: 'Heartbeat' }))
  await cluster.clock.advance(12_000)
  expect(cluster.requests({ api: 'FindCoordinator' }).length).toBeGreaterThan(lookups)
  rule.dispose()
  await pollUntil([consumer], () => assigned(consumer) !== '')
})

test.each([
  ['JoinGroup', 'COORDINATOR_LOAD_IN_PROGRESS'],
  ['JoinGroup', 'NOT_COORDINATOR'],
  ['JoinGroup', 'UNKNOWN_MEMBER_ID'],
  ['JoinGroup', 'REBALANCE_IN_PROGRESS'],
  ['JoinGroup', 'disconnect'],
  ['SyncGroup', 'COORDINATOR_NOT_AVAILABLE'],
  ['SyncGroup', 'REBALANCE_IN_PROGRESS'],
  ['SyncGroup', 'ILLEGAL_GENERATION'],
  ['SyncGroup', 'UNKNOWN_MEMBER_ID'],
  ['SyncGroup', 'disconnect'],
] as const)('a join goes on after %s was answered with %s (AbstractCoordinator)', async (name, error) => {
  cluster = await startCluster()
  // Where it forgets its id, the group waits for whoever it was until that session is over.
  const consumer = member(cluster, { 'session.timeout.ms': 6_000 })
  const { entries, listener } = diary()
  consumer.subscribe(['orders'], { listener })
  const fault = cluster.failNext(name === 'JoinGroup' ? JoinGroup : SyncGroup, { error, times: 2 })
  await pollUntil([consumer], () => assigned(consumer) !== '')
  expect(fault.hits).toBe(2)
  expect(entries).toEqual(['+ orders-0 orders-1 orders-2 orders-3'])
  await consumer.commit()
})

test('what no retry helps against comes out of poll: GROUP_AUTHORIZATION_FAILED', async () => {
  cluster = await startCluster()
  const consumer = member(cluster)
  consumer.subscribe(['orders'])
  const fault = cluster.failNext(JoinGroup, { error: 'GROUP_AUTHORIZATION_FAILED' })
  const error = await consumer.poll({ timeoutMs: 10_000 }).catch(thrown => thrown)
  expect(error).toBeInstanceOf(KafkaError)
  expect(error.errorName).toBe('GROUP_AUTHORIZATION_FAILED')
  expect(fault.hits).toBe(1)
  await pollUntil([consumer], () => assigned(consumer) !== '')
})

test('close leaves the group and says why; a lost answer does not hold it up for long (G-19)', async () => {
  cluster = await startCluster()
  const [one, two] = [member(cluster), member(cluster)]
  one.subscribe(['orders'])
  two.subscribe(['orders'])
  await pollUntil([one, two], () => isShared([one, two]))
  await one.close()
  expect(cluster.requests({ api: 'LeaveGroup' }).at(-1)?.body).toMatchObject({
    members: [{ groupInstanceId: null, reason: 'the consumer is being closed' }],
  })
  await pollUntil([two], () => two.assignment().length === 4, 5_000)
  cluster.failNext(LeaveGroup, { error: 'disconnect', when: 'after' })
  const before = cluster.clock.now()
  await two.close()
  expect(cluster.clock.now() - before).toBeLessThan(1_000)
  expect(cluster.group('billing').state).toBe('Empty')
})

test('close waits for its coordinator at most as long as it may', async () => {
  cluster = await startCluster()
  const consumer = member(cluster)
  consumer.subscribe(['orders'])
  await pollUntil([consumer], () => assigned(consumer) !== '')
  using _ = cluster.network.rule(isolate(consumer.name))
  const before = cluster.clock.now()
  await consumer.close({ timeoutMs: 4_000 })
  expect(cluster.clock.now() - before).toBeLessThanOrEqual(4_001)
  await expect(consumer.poll({ timeoutMs: 0 })).rejects.toThrow('has already been closed')
})
