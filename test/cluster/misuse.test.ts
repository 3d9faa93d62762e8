/** Whatever a test gets wrong is said at once, with what would be right. */
import { expect, test } from 'vitest'
import {
  type ClusterOptions,
  ConfigError,
  createCluster,
  cut,
  IllegalStateError,
  KafkaError,
  Produce,
} from '../../src/index.ts'

const orders = { orders: { partitions: 2, replicationFactor: 2 } }

async function mistake(run: () => unknown): Promise<unknown> {
  try {
    await run()
  } catch (error) {
    return error
  }
  return undefined
}

test.for([
  [{ broker: 3 }, ConfigError, "unknown option of createCluster 'broker': did you mean 'brokers'?"],
  [{ brokers: 0 }, ConfigError, 'brokers must be a whole number from 1 to 999, not 0'],
  [{ brokers: [{ id: 1 }, { id: 1 }] }, ConfigError, 'broker 1 is named twice'],
  [{ seed: -1 }, ConfigError, 'a seed must be a whole number from 0 to 2^53, not -1'],
  [{ time: 'fast' }, ConfigError, `time must be 'virtual' or 'real', not "fast"`],
  [
    { topics: { a: { partition: 1 } } },
    ConfigError,
    "unknown option of the topic 'a' 'partition': did you mean 'partitions'?",
  ],
] as const)('createCluster(%j) says what is wrong', async ([options, kind, message]) => {
  const error = await mistake(() => createCluster(options as unknown as ClusterOptions))
  expect(error).toBeInstanceOf(kind)
  expect((error as Error).message).toBe(message)
})

test('a topic with more replicas than there are brokers is refused with its name', async () => {
  const options = { brokers: 2, topics: { orders: { replicationFactor: 3 } } }
  const error = (await mistake(() => createCluster(options))) as KafkaError
  expect(error).toBeInstanceOf(KafkaError)
  expect(error.errorName).toBe('INVALID_REPLICATION_FACTOR')
  expect(error.message).toMatch(/^topic 'orders': /)
})

test('brokers, topics, partitions, APIs and errors that are not there are named, with the nearest ones', async () => {
  await using cluster = await createCluster({ brokers: 2, topics: orders })
  // biome-ignore lint/suspicious/noExplicitAny: what a test without types would write
  const c = cluster as any
  const mistakes: [run: () => unknown, kind: new (...args: never[]) => Error, message: string][] = [
    [() => c.broker(7), RangeError, 'there is no broker 7; there are 1, 2'],
    [() => c.broker(1000), RangeError, '1000 is the controller: cluster.controller; brokers are 1, 2'],
    [() => c.topic('oders'), RangeError, "there is no topic 'oders': did you mean 'orders'? There are: orders"],
    [() => c.partition('orders', 2), RangeError, "'orders' has partitions 0 to 1, not 2"],
    [() => c.leaderOf('orders', -1), RangeError, "'orders' has partitions 0 to 1, not -1"],
    [() => c.topic('orders').records({ partition: -1 }), RangeError, "'orders' has partitions 0 to 1, not -1"],
    [
      () => c.topic('orders').records({ isolatoin: 'read_committed' }),
      ConfigError,
      "unknown option of topic('orders') 'isolatoin': did you mean 'isolation'?",
    ],
    [() => c.topic('orders').records({ as: 'xml' }), ConfigError, "as must be 'text', 'json' or 'bytes', not 'xml'"],
    [() => c.topic('orders').waitForRecords(-1), ConfigError, 'waitForRecords takes a count, 0 or more, not -1'],
    [
      () => c.failNext('Prodcue', { error: 'disconnect' }),
      ConfigError,
      "there is no API 'Prodcue': did you mean 'Produce'?",
    ],
    [
      () => c.failNext(undefined, { error: 'disconnect' }),
      ConfigError,
      'an API is a value such as Produce, or its name, not undefined',
    ],
    [
      () => c.failNext(Produce, { error: 'NOT_A_LEADER_OR_FOLLOWER' }),
      ConfigError,
      "there is no error 'NOT_A_LEADER_OR_FOLLOWER' to answer: did you mean 'NOT_LEADER_OR_FOLLOWER'?",
    ],
    [() => c.failNext(Produce, { error: 'NONE' }), ConfigError, "there is no error 'NONE' to answer"],
    [
      () => c.failNext(Produce, { error: 'disconnect', time: 2 }),
      ConfigError,
      "unknown option of failNext 'time': did you mean 'times'?",
    ],
    [
      () => c.failNext(Produce, { error: 'disconnect', times: 0 }),
      ConfigError,
      'times must be a whole number from 1 on, not 0',
    ],
    [
      () => c.failNext(Produce, { error: 'disconnect', when: 'later' }),
      ConfigError,
      "when must be 'before' or 'after', not 'later'",
    ],
    [() => c.failNext(Produce, { error: 'disconnect', broker: 3 }), RangeError, 'there is no broker 3; there are 1, 2'],
    [
      () => c.failNext(Produce, { error: 'disconnect', partition: 0 }),
      ConfigError,
      'a partition needs its topic: give topic too',
    ],
    [
      () => c.failNext(Produce, { error: 'disconnect', topic: 'order' }),
      RangeError,
      "there is no topic 'order': did you mean 'orders'? There are: orders",
    ],
    [
      () => c.failNext('InitProducerId', { error: 'UNKNOWN_SERVER_ERROR', topic: 'orders' }),
      ConfigError,
      'InitProducerId is not answered by topic: it cannot fail for one of them',
    ],
    [() => c.network.rule(cut(1, 5)), RangeError, 'there is no broker-5; there are brokers 1, 2'],
    [() => c.clock.advance(-1), ConfigError, 'clock.advance() takes milliseconds, 0 or more, not -1'],
    [
      () => c.createTopic({ name: 'x', replicas: 1 }),
      ConfigError,
      "unknown option of createTopic 'replicas': there are name, prefix, partitions, replicationFactor, assignments, configs",
    ],
    [
      () => c.coordinatorOf('nope'),
      ConfigError,
      "coordinatorOf takes a group by its id: coordinatorOf({ group: 'nope' })",
    ],
  ]
  for (const [run, kind, message] of mistakes) {
    const error = (await mistake(run)) as Error
    expect.soft(error?.message).toBe(message)
    expect.soft(error).toBeInstanceOf(kind)
  }
})

test('a wait for more hits than a fault can have is refused, not waited for', async () => {
  await using cluster = await createCluster({ brokers: 2, topics: orders })
  const fault = cluster.failNext(Produce, { error: 'disconnect', times: 2, optional: true })
  await expect(fault.wait(3)).rejects.toThrow(/fires 2 times at most: there is no waiting for 3/)
})

test('a fault that was refused is not in force, and not among those that never fired', async () => {
  await using cluster = await createCluster({ brokers: 2, topics: orders })
  expect(() => cluster.failNext(Produce, { error: 'disconnect', times: -1 })).toThrow(ConfigError)
  cluster.assertFaultsFired()
})

test('after the end everything says that it is over, and closing again is fine', async () => {
  const cluster = await createCluster({ brokers: 2, topics: orders })
  const topic = cluster.topic('orders')
  await cluster.close()
  await cluster.close()

  const uses: (() => unknown)[] = [
    () => cluster.producer(),
    () => cluster.topic('orders'),
    () => cluster.partition('orders', 0),
    () => cluster.createTopic({ name: 'bills' }),
    () => cluster.runUntil(() => true),
    () => cluster.settle(),
    () => cluster.failNext(Produce, { error: 'disconnect' }),
    () => topic.records(),
    () => topic.waitForRecords(1),
  ]
  for (const use of uses) {
    const error = (await mistake(use)) as Error
    expect.soft(error, String(use)).toBeInstanceOf(IllegalStateError)
    expect.soft(error?.message).toMatch(/closed/)
  }
})
