import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  type Cluster,
  ConfigError,
  type Consumer,
  type ConsumerOptions,
  createCluster,
  cut,
  IllegalStateError,
  SyncGroup,
  WaitTimeoutError,
} from '../../src/index.ts'

let cluster: Cluster
beforeEach(async () => {
  cluster = await createCluster({
    topics: { orders: { partitions: 2, replicationFactor: 3 } },
    configs: { 'offsets.topic.num.partitions': 3 },
  })
})
afterEach(() => cluster.close())

async function write(...values: string[]): Promise<void> {
  const producer = cluster.producer({ acks: 'all' })
  for (const value of values) await producer.send({ topic: 'orders', partition: 0, value })
}

function member(options: ConsumerOptions = {}): Consumer {
  const consumer = cluster.consumer({ 'group.id': 'billing', 'auto.offset.reset': 'earliest', ...options })
  consumer.subscribe(['orders'])
  return consumer
}

/** Reads in the background, and commits what it has done, until it is closed. */
async function work(consumer: Consumer): Promise<void> {
  for await (const _ of consumer) await consumer.commit()
}

async function failure(run: () => Promise<unknown>): Promise<Error> {
  return run().then(
    () => new Error('it passed'),
    error => error,
  )
}

// --- the coordinator -----------------------------------------------------------------------------------------------------

test('a group has no coordinator before a client has looked for one, and the error says so', () => {
  const text =
    "group 'billing' has no coordinator: there is no topic __consumer_offsets yet, it is made when a client first looks for a coordinator"
  expect(() => cluster.coordinatorOf({ group: 'billing' })).toThrow(new IllegalStateError(text))
})

test('the coordinator of a group leads its partition of __consumer_offsets (G-1)', async () => {
  await cluster.admin().alterConsumerGroupOffsets('billing', [{ topic: 'orders', partition: 0, offset: 0 }])
  // Java: "billing".hashCode() is -109829509
  expect(cluster.coordinatorOf({ group: 'billing' })).toBe(cluster.leaderOf('__consumer_offsets', 109_829_509 % 3))
  expect(cluster.group('billing').coordinator).toBe(cluster.coordinatorOf({ group: 'billing' }))
})

test('who is coordinated has to be said', () => {
  expect(() => cluster.coordinatorOf({ groupId: 'billing' } as never)).toThrow(
    new ConfigError("unknown field of coordinatorOf 'groupId': did you mean 'group'?"),
  )
  expect(() => cluster.coordinatorOf({} as never)).toThrow(
    new ConfigError(
      "coordinatorOf takes a group by its id, { group: 'billing' }, or a transactional id, { transactionalId: 'payments' }",
    ),
  )
})

test('without a leader of its partition a group has no coordinator, and the error names the partition', async () => {
  await cluster.close()
  cluster = await createCluster({
    topics: { orders: { partitions: 1, replicationFactor: 3 } },
    configs: { 'offsets.topic.num.partitions': 3, 'offsets.topic.replication.factor': 1 },
  })
  await cluster.admin().alterConsumerGroupOffsets('billing', [{ topic: 'orders', partition: 0, offset: 0 }])
  const coordinator = cluster.coordinatorOf({ group: 'billing' })
  await coordinator.crash()
  expect(() => cluster.group('billing').state).toThrow(
    `group 'billing' cannot be seen now: its coordinator ${coordinator.name} is crashed`,
  )
  await cluster.runUntil(() => cluster.partition('__consumer_offsets', 1).leader === undefined)

  expect(() => cluster.coordinatorOf({ group: 'billing' })).toThrow(
    `group 'billing' has no coordinator now: __consumer_offsets-1 has no leader (in sync: nobody)`,
  )
  expect(() => cluster.group('billing').lag).toThrow(IllegalStateError)
  expect(cluster.group('billing').exists).toBe(false)
})

test('a group that nobody knows is an error with the nearest name', async () => {
  expect(() => cluster.group('billing').state).toThrow(new RangeError("there is no group 'billing': there are none"))
  await cluster.admin().alterConsumerGroupOffsets('billing', [{ topic: 'orders', partition: 0, offset: 0 }])
  await cluster.admin().alterConsumerGroupOffsets('audit', [{ topic: 'orders', partition: 0, offset: 0 }])
  expect(() => cluster.group('biling').members).toThrow(
    new RangeError("there is no group 'biling': did you mean 'billing'? There are: audit, billing"),
  )
  expect(() => cluster.group(7 as never)).toThrow(
    new ConfigError("group() takes the id of a group, as in 'billing', not 7"),
  )
})

// --- what there is to see ------------------------------------------------------------------------------------------------

test('a group shows who is in, what each has, what is committed and what is left', async () => {
  await write('a', 'b', 'c')
  const consumer = member({ 'client.id': 'worker', 'enable.auto.commit': false })
  const [first] = await consumer.poll({ timeoutMs: 10_000 })
  await consumer.commit([{ topic: 'orders', partition: 0, offset: first!.offset + 1, metadata: 'halfway' }])

  const billing = cluster.group('billing')
  expect(billing).toMatchObject({
    id: 'billing',
    exists: true,
    type: 'classic',
    state: 'Stable',
    protocolType: 'consumer',
    protocol: 'range',
    generation: 1,
    lag: 2,
  })
  expect(billing.members).toEqual([
    {
      memberId: expect.stringMatching(/^worker-/),
      groupInstanceId: undefined,
      clientId: 'worker',
      host: expect.stringMatching(/^\//),
      assignment: [
        { topic: 'orders', partition: 0 },
        { topic: 'orders', partition: 1 },
      ],
      subscribedTopics: ['orders'],
      memberEpoch: undefined,
    },
  ])
  const owner = billing.members[0]!.memberId
  expect(billing.partitions).toEqual([
    {
      topic: 'orders',
      partition: 0,
      committedOffset: 1,
      committedLeaderEpoch: -1,
      metadata: 'halfway',
      endOffset: 3,
      lag: 2,
      owner,
    },
    {
      topic: 'orders',
      partition: 1,
      committedOffset: undefined,
      committedLeaderEpoch: -1,
      metadata: '',
      endOffset: 0,
      lag: 0,
      owner,
    },
  ])
  expect(billing.committed('orders', 0)).toEqual({ offset: 1, leaderEpoch: -1, metadata: 'halfway' })
  expect(billing.committed('orders', 1)).toBeUndefined()
  expect((await billing.consumed('orders')).map(({ offset }) => offset)).toEqual([0])
})

test('a group of the new protocol shows its epochs and what its members have (KIP-848)', async () => {
  await write('a', 'b')
  const options = { 'group.protocol': 'consumer', 'group.instance.id': 'till-1', 'client.rack': 'here' } as const
  const consumer = member({ ...options, 'client.id': 'worker' })
  await consumer.poll({ timeoutMs: 10_000 })
  await consumer.commit()

  const billing = cluster.group('billing')
  expect(billing).toMatchObject({
    type: 'consumer',
    state: 'Stable',
    protocolType: 'consumer',
    protocol: 'uniform',
    generation: 2,
    lag: 0,
  })
  expect(billing.members).toMatchObject([
    {
      groupInstanceId: 'till-1',
      clientId: 'worker',
      assignment: [{ partition: 0 }, { partition: 1 }],
      subscribedTopics: ['orders'],
      memberEpoch: 2,
    },
  ])
  expect(billing.partitions).toMatchObject([
    { partition: 0, committedOffset: 2, lag: 0, owner: billing.members[0]!.memberId },
    { partition: 1, lag: 0 },
  ])
  expect(billing.describe()).toContain('group epoch 2, assigned by uniform')
  expect(billing.describe()).toContain('instance till-1, epoch 2) has orders-0, orders-1')
})

test('a pattern stands for the topics that it matches', async () => {
  const consumer = cluster.consumer({ 'group.id': 'billing' })
  consumer.subscribe(/^ord/)
  await consumer.poll({ timeoutMs: 10_000 })

  expect(cluster.group('billing').members).toMatchObject([{ subscribedTopics: ['orders'] }])
})

test('a handle looks at the present: a member that leaves is gone from it', async () => {
  const billing = cluster.group('billing')
  const consumer = member()
  await consumer.poll({ timeoutMs: 10_000 })
  expect(billing.members).toHaveLength(1)

  await consumer.close()
  expect(billing).toMatchObject({ state: 'Empty', members: [], generation: 2 })
})

test('a static member is known by its instance (KIP-345)', async () => {
  const consumer = member({ 'group.instance.id': 'till-1' })
  await consumer.poll({ timeoutMs: 10_000 })

  expect(cluster.group('billing').members).toMatchObject([{ groupInstanceId: 'till-1' }])
})

// --- waits ---------------------------------------------------------------------------------------------------------------

test('a cooperative group is stable once everybody has given up what others are to have (KIP-429)', async () => {
  const consumers = [member({ 'partition.assignment.strategy': 'cooperative-sticky' })]
  const working = consumers.map(work)
  const billing = cluster.group('billing')
  await billing.waitForStable({ members: 1 })
  expect(billing).toMatchObject({ generation: 1, protocol: 'cooperative-sticky' })

  consumers.push(member({ 'partition.assignment.strategy': 'cooperative-sticky' }))
  working.push(work(consumers[1]!))
  await billing.waitForStable({ members: 2 })
  expect(billing.generation).toBe(3)
  expect(billing.members.map(({ assignment }) => assignment.length)).toEqual([1, 1])
  expect(consumers.map(consumer => consumer.assignment().length)).toEqual([1, 1])
  await Promise.all(consumers.map(consumer => consumer.close()))
  await Promise.all(working)
})

test('a group is waited for before anybody has joined, until its members are in and have their share', async () => {
  const consumers = [member(), member()]
  const working = consumers.map(work)
  await cluster.group('billing').waitForStable({ members: 2 })

  expect(cluster.group('billing').members.map(({ assignment }) => assignment.length)).toEqual([1, 1])
  await Promise.all(consumers.map(consumer => consumer.close()))
  await Promise.all(working)
  await cluster.group('billing').waitForMembers(0)
})

test('the first rebalance waits 3 s of virtual time for others, and no real time (G-12)', async () => {
  const started = cluster.clock.now()
  const consumer = member()
  const working = work(consumer)
  await cluster.group('billing').waitForStable({ members: 1 })
  expect(cluster.clock.now() - started).toBeGreaterThanOrEqual(3_000)
  await consumer.close()
  await working

  await cluster.close()
  cluster = await createCluster({ time: 'real', topics: { orders: { partitions: 2, replicationFactor: 3 } } })
  const real = member()
  const reading = work(real)
  const begun = cluster.clock.now()
  await cluster.group('billing').waitForStable({ members: 1 })
  expect(cluster.clock.now() - begun).toBeLessThan(2_500)
  await real.close()
  await reading
})

test('a group is not stable before its assignment is committed: nobody has been told of it (G-15)', async () => {
  let followers: { dispose(): void }[] = []
  const watch = cluster.intercept(SyncGroup, (_, next) => {
    const coordinator = cluster.coordinatorOf({ group: 'billing' })
    followers = cluster.followersOf('__consumer_offsets', 1).map(each => cluster.network.rule(cut(coordinator, each)))
    watch.dispose()
    return next()
  })
  const consumer = member()
  const working = work(consumer)
  const error = await failure(() => cluster.group('billing').waitForStable({ timeoutMs: 5_000 }))
  expect(error).toBeInstanceOf(WaitTimeoutError)
  expect(cluster.group('billing').members).toHaveLength(1)

  for (const rule of followers) rule.dispose()
  await cluster.group('billing').waitForStable({ members: 1 })
  await consumer.close()
  await working
})

test('a wait for a lag of 0 lets time run until everything is committed', async () => {
  await write('a', 'b', 'c')
  const consumer = member()
  const working = work(consumer)
  await cluster.group('billing').waitForLag(0)

  expect(cluster.group('billing').committed('orders', 0)?.offset).toBe(3)
  await consumer.close()
  await working
})

test('a wait for a lag counts records of partitions that nobody has committed anything of', async () => {
  await write('a', 'b', 'c')
  const consumer = member({ 'enable.auto.commit': false })
  await consumer.poll({ timeoutMs: 10_000 })
  const error = await failure(() => cluster.group('billing').waitForLag(2, { timeoutMs: 1_000 }))

  expect(error).toBeInstanceOf(WaitTimeoutError)
  expect(error.message).toContain(
    "a wait for a lag of 2 of group 'billing' waited 1000 ms: group 'billing' (classic): Stable",
  )
  expect(error.message).toMatch(/\n {2}orders-0: nothing committed of 3, 3 records left, read by consumer-1-/)
})

test('a wait that fails says who is in, what each has, and what happened', async () => {
  await write('a')
  const consumer = member({ 'client.id': 'worker' })
  await consumer.poll({ timeoutMs: 10_000 })
  const error = await failure(() => cluster.group('billing').waitForStable({ members: 2, timeoutMs: 2_000 }))

  expect(error).toBeInstanceOf(WaitTimeoutError)
  const lines = error.message.replaceAll(/worker-[-0-9a-f]{36}/g, 'worker-…').split('\n')
  expect(lines.slice(0, 8)).toEqual([
    `a wait for group 'billing' to be stable with 2 members waited 2000 ms: group 'billing' (classic): Stable, generation 1, assigned by range, coordinator ${cluster.coordinatorOf({ group: 'billing' }).name}`,
    expect.stringMatching(/^ {2}member worker-… \(client worker at \/[^)]+\) has orders-0, orders-1$/),
    '  orders-0: nothing committed of 1, 1 record left, read by worker-…',
    '  orders-1: nothing committed of 0, 0 records left, read by worker-…',
    'consumers of this cluster:',
    expect.stringMatching(/^ {2}consumer-1 subscribes to topics orders and was last polled [\d.]+ s ago$/),
    '  consumer-1 was handed out orders-0 up to 1, which is not committed: that is done by a later poll (auto-commit), or by commit()',
    'what happened last:',
  ])
  expect(error.message).toMatch(/ group +billing state=Stable generation=1 members=1/)
  expect(error.message).not.toContain('__consumer_offsets-0 ')
})

test('a wait for a group that never comes names the nearest one', async () => {
  await cluster.admin().alterConsumerGroupOffsets('billing', [{ topic: 'orders', partition: 0, offset: 0 }])
  const error = await failure(() => cluster.group('biling').waitForLag(0, { timeoutMs: 500 }))

  expect(error.message).toContain("there is no group 'biling': did you mean 'billing'?")
})

test('a wait goes on over the crash of the coordinator', async () => {
  await write('a', 'b')
  const consumer = member({ 'enable.auto.commit': false })
  const seen = await consumer.poll({ timeoutMs: 10_000 })
  expect(seen).toHaveLength(2)
  const working = work(consumer)
  const before = cluster.coordinatorOf({ group: 'billing' })
  await before.crash()
  await write('c')
  await cluster.group('billing').waitForLag(0)

  expect(cluster.group('billing').coordinator).not.toBe(before)
  expect(cluster.group('billing').committed('orders', 0)?.offset).toBe(3)
  await consumer.close()
  await working
})

test('what a wait is not told is refused, with what would be right', async () => {
  const billing = cluster.group('billing')
  await expect(billing.waitForStable({ member: 2 } as never)).rejects.toThrow(
    new ConfigError("unknown option of waitForStable 'member': did you mean 'members'?"),
  )
  await expect(billing.waitForLag(-1)).rejects.toThrow('waitForLag() takes a whole number from 0 on, not -1')
  await expect(billing.waitForStable({ members: 1.5 })).rejects.toThrow(
    'members takes a whole number from 0 on, not 1.5',
  )
  await expect(billing.waitForMembers('2' as never)).rejects.toThrow(ConfigError)
})
