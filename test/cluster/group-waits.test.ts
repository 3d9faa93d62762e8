/** What waits for groups count and say where a test forgot something. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Cluster, ConfigError, type Consumer, type ConsumerOptions, createCluster } from '../../src/index.ts'
import { CommitFailedError } from '../../src/wire/errors.ts'

let cluster: Cluster
beforeEach(async () => {
  cluster = await createCluster({
    topics: { orders: {} },
    configs: { 'auto.create.topics.enable': false, 'group.initial.rebalance.delay.ms': 0 },
  })
})
afterEach(() => cluster.close())

function member(options: ConsumerOptions = {}): Consumer {
  return cluster.consumer({ 'group.id': 'billing', 'auto.offset.reset': 'earliest', ...options })
}

async function work(consumer: Consumer): Promise<void> {
  for await (const _ of consumer) await consumer.commit()
}

async function failure(run: () => Promise<unknown>): Promise<string> {
  return run().then(
    () => 'it passed',
    error => error.message,
  )
}

const billing = () => cluster.group('billing')
const modern = { 'group.protocol': 'consumer' } as const

test('a consumer that was never polled is named, with what it subscribes to', async () => {
  const consumer = member()
  member()
  consumer.subscribe(['orders'])
  const text = await failure(() => billing().waitForMembers(1, { timeoutMs: 1_000 }))
  expect(text).toContain(
    '  consumer-1 subscribes to topics orders and has never been polled: members join and rebalance inside poll or for await',
  )
  expect(text).toContain('  consumer-2 subscribes to nothing: it joins after subscribe(…), inside poll or for await')
})

test('a rebalance that waits for a poll says whose', async () => {
  const [first, second] = [member(), member()]
  first.subscribe(['orders'])
  await first.poll({ timeoutMs: 1_000 })
  second.subscribe(['orders'])
  const working = work(second)
  const text = await failure(() => billing().waitForStable({ members: 2, timeoutMs: 7_000 }))
  expect(text).toMatch(
    /\n {2}consumer-1 subscribes to topics orders and was last polled 7(\.\d)? s ago: the rebalance waits for its next poll\n/,
  )
  await second.close()
  await working
})

test('what was handed out and is not committed is told apart from what nobody read, and so is how it is committed', async () => {
  await cluster.producer().send({ topic: 'orders', value: 'a' })
  const consumer = member()
  consumer.subscribe(['orders'])
  await consumer.poll({ timeoutMs: 5_000 })
  const text = await failure(() => billing().waitForLag(0, { timeoutMs: 1_000 }))
  expect(text).toMatch(/^a wait for a lag of 0 of group 'billing' waited 1000 ms: /)
  expect(text).toContain(
    '  consumer-1 was handed out orders-0 up to 1, which is not committed: that is done by a later poll (auto-commit), or by commit()',
  )
  await consumer.commit()
  expect(billing().describe()).not.toContain('handed out')
})

test('records that a reset skipped count as read once the group has committed, and the description says so', async () => {
  await cluster.producer().send({ topic: 'orders', value: 'unseen' })
  const consumer = member({ 'auto.offset.reset': 'latest' })
  consumer.subscribe(['orders'])
  await consumer.poll({ timeoutMs: 1_000 })
  await consumer.commit()
  await billing().waitForLag(0)
  expect(billing().describe()).toContain(
    "  consumer-1 skipped the records of orders-0 below 1: nothing was committed, and auto.offset.reset (default 'latest') or a seek said so",
  )
})

test('a group without members is waited for by another name', async () => {
  await expect(billing().waitForStable({ members: 0 })).rejects.toThrow(
    new ConfigError('a group without members is never stable: waitForMembers(0) waits until all have left'),
  )
})

test.each([
  ['a RegExp', {}, /^orders/, 'every 20 s (metadata.max.age.ms)'],
  ["the coordinator's pattern", modern, { pattern: 'orders.*' }, 'by the coordinator: at a heartbeat after'],
] as const)('a topic that %s matches counts as soon as it is there', async (_, protocol, topics, when) => {
  const consumer = member({ ...protocol, 'metadata.max.age.ms': 20_000 })
  consumer.subscribe(topics)
  const working = work(consumer)
  await billing().waitForStable({ members: 1 })
  await billing().waitForLag(0)

  await cluster.createTopic({ name: 'orders-eu' })
  await cluster.producer().send({ topic: 'orders-eu', value: 'a' })
  expect(billing().lag).toBe(1)
  expect(await failure(() => billing().waitForLag(0, { timeoutMs: 10 }))).toContain(when)
  await billing().waitForLag(0)
  expect(billing().committed('orders-eu', 0)?.offset).toBe(1)
  await consumer.close()
  await working
})

test.each([
  ['topics by name', ['orders']],
  ["the coordinator's pattern", { pattern: 'ord.*' }],
] as const)('once a group is stable, whoever is polled has what it was given: %s', async (_, topics) => {
  const consumer = member(modern)
  consumer.subscribe(topics)
  const working = work(consumer)
  await billing().waitForStable({ members: 1 })
  expect(consumer.assignment()).toEqual([{ topic: 'orders', partition: 0 }])
  await consumer.close()
  await working
})

test.each([
  ['classic', {}],
  ['consumer', modern],
] as const)(
  'a member that did not poll for max.poll.interval.ms is told so when it commits: %s protocol',
  async (_, protocol) => {
    await cluster.producer().send({ topic: 'orders', value: 'a' })
    const consumer = member({ ...protocol, 'max.poll.interval.ms': 10_000 })
    consumer.subscribe(['orders'])
    await consumer.poll({ timeoutMs: 10_000 })
    await cluster.clock.advance(11_000)
    const error = await consumer.commit().catch(thrown => thrown)
    expect(error).toBeInstanceOf(CommitFailedError)
    expect(error.message).toContain('the consumer is not part of an active group')
    expect(error.message).toContain('the time between two polls was longer than max.poll.interval.ms (10000)')
  },
)

test('the trace says why a member left (KIP-800)', async () => {
  const [slow, quick] = [member({ 'max.poll.interval.ms': 10_000 }), member()]
  for (const each of [slow, quick]) each.subscribe(['orders'])
  const working = work(quick)
  await slow.poll({ timeoutMs: 5_000 })
  await cluster.clock.advance(11_000)
  const events = cluster.trace.events().filter(({ kind }) => kind === 'group')
  const reasons = events.map(({ fields }) => fields.reason)
  expect(reasons).toContainEqual(expect.stringMatching(/^consumer-1-\S+ left: consumer poll timeout has expired\.$/))
  await quick.close()
  await working
})

test('on real time a wait gives up before a runner does, so that it can say what it saw', async () => {
  await cluster.close()
  cluster = await createCluster({ time: 'real', topics: { orders: {} } })
  const [never, group] = await Promise.all([
    failure(() => cluster.runUntil(() => false, { describe: 'never' })),
    failure(() => billing().waitForMembers(1)),
  ])
  expect(never).toBe('runUntil() waited 3000 ms: never')
  expect(group).toMatch(/^a wait for group 'billing' to have 1 member waited 3000 ms: /)
})
