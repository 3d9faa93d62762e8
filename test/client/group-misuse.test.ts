import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Cluster } from '../../src/index.ts'
import { ConfigError, IllegalArgumentError, IllegalStateError, InvalidGroupIdError } from '../../src/wire/errors.ts'
import { fill, type Member, member, pollUntil, startCluster } from './group-story.ts'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster?.close())

const first = { topic: 'orders', partition: 0 }
const loosely = (value: unknown) => value as never

test('assign and subscribe exclude each other, in either order, until unsubscribe', async () => {
  const consumer = member(cluster)
  consumer.subscribe(['orders'])
  expect(() => consumer.assign([first])).toThrow(IllegalStateError)
  expect(() => consumer.assign([first])).toThrow(
    'Subscription to topics, partitions and pattern are mutually exclusive: it is subscribed to topics orders; ' +
      'await unsubscribe() first',
  )
  expect(() => consumer.subscribe(/orders/)).toThrow('it is subscribed to topics orders; await unsubscribe() first')
  await consumer.unsubscribe()
  consumer.assign([first])
  expect(() => consumer.subscribe(['orders'])).toThrow('partitions are assigned by hand; await unsubscribe() first')
  await consumer.unsubscribe()
  consumer.subscribe(/orders/)
  expect(() => consumer.subscribe(['orders'])).toThrow('it is subscribed to the pattern /orders/')
})

test('without group.id: who subscribes or commits is told what is missing', async () => {
  const consumer = cluster.consumer()
  for (const call of [
    () => consumer.subscribe(['orders']),
    () => consumer.commitAsync(),
    () => consumer.groupMetadata(),
  ]) {
    expect(call).toThrow(InvalidGroupIdError)
    expect(call).toThrow("you must provide a valid group.id in the consumer configuration, as in { 'group.id': ")
  }
  await expect(consumer.commit()).rejects.toThrow(InvalidGroupIdError)
  await expect(consumer.committed([first])).rejects.toThrow(InvalidGroupIdError)
  expect(() => consumer.enforceRebalance()).toThrow('Tried to force a rebalance but consumer does not have a group.')
  expect(() => cluster.consumer({ 'group.id': ' ' })).toThrow('should not be an empty string or whitespace')
  expect(() => cluster.consumer({ 'enable.auto.commit': true })).toThrow(ConfigError)
})

test('an assignor that is not known, or none', () => {
  expect(() => member(cluster, { 'partition.assignment.strategy': loosely(['rnge']) })).toThrow(
    "partition.assignment.strategy 'rnge' is not known: known are range, roundrobin, sticky, cooperative-sticky; " +
      "did you mean 'range'?",
  )
  const none = member(cluster, { 'partition.assignment.strategy': [] })
  expect(() => none.subscribe(['orders'])).toThrow('Must configure at least one assignor')
})

test('values that do not go together', () => {
  expect(() => member(cluster, { 'heartbeat.interval.ms': 45_000 })).toThrow(
    'Heartbeat must be set lower than the session timeout',
  )
  expect(() => member(cluster, { 'group.remote.assignor': 'uniform' })).toThrow(ConfigError)
  expect(() => member(cluster, { 'group.protocol': 'consumer', 'session.timeout.ms': 10_000 })).toThrow(ConfigError)
})

test('topics and patterns that are none', () => {
  const consumer = member(cluster)
  const bad: [unknown, string][] = [
    ['orders', "subscribe takes topics, as in ['orders'], a RegExp, or { pattern: 'orders-.*' }, not \"orders\""],
    [[''], 'holds names of topics, not an empty one'],
    [['orders', 7], 'holds names of topics, not 7'],
    [[/orders/], 'holds names of topics'],
    [null, 'subscribe takes topics'],
    [/(?:)/, 'Topic pattern to subscribe to cannot be empty'],
    [{ pattern: '' }, 'Topic pattern to subscribe to cannot be empty'],
    [{ pattern: /orders/ }, 'its syntax is that of RE2/J'],
    [{ patern: 'x' }, "did you mean 'pattern'?"],
  ]
  for (const [topics, text] of bad) {
    expect(() => consumer.subscribe(loosely(topics)), String(topics)).toThrow(IllegalArgumentError)
    expect(() => consumer.subscribe(loosely(topics)), String(topics)).toThrow(text)
  }
  expect(() => consumer.subscribe({ pattern: 'orders-.*' })).toThrow(
    "is not supported when using the CLASSIC group protocol: set group.protocol to 'consumer', or subscribe with a RegExp",
  )
  expect(() => consumer.subscribe(['orders'], loosely({ onPartitionsRevoked() {} }))).toThrow(
    'belongs in the listener: { listener: { onPartitionsRevoked } }',
  )
  expect(consumer.subscription()).toEqual([])
})

test('a second poll while one is pending, and a poll after close', async () => {
  const consumer = member(cluster)
  consumer.subscribe(['orders'])
  const pending = consumer.poll({ timeoutMs: 5_000 })
  await expect(consumer.poll({ timeoutMs: 0 })).rejects.toThrow(
    'is being polled already: await one poll before the next',
  )
  await pending
  await consumer.close()
  await consumer.close()
  await expect(consumer.poll({ timeoutMs: 0 })).rejects.toThrow(IllegalStateError)
  expect(() => consumer.subscribe(['orders'])).toThrow('subscribe: this consumer (consumer-1) has already been closed.')
  await expect(consumer.commit()).rejects.toThrow('has already been closed')
})

test('close while a poll is pending ends that poll, and leaves nothing behind', async () => {
  const consumer = member(cluster)
  consumer.subscribe(['orders'])
  await pollUntil([consumer], () => consumer.assignment().length === 4)
  const pending = consumer.poll({ timeoutMs: 60_000 }).catch(error => error)
  await consumer.close()
  expect(await pending).toBeInstanceOf(IllegalStateError)
  expect(cluster.group('billing').members).toEqual([])
})

const reading = async (): Promise<Member> => {
  await fill(cluster, 1)
  const consumer = member(cluster, { 'enable.auto.commit': false })
  consumer.subscribe(['orders'])
  await pollUntil([consumer], () => consumer.assignment().length === 4)
  return consumer
}

test('offsets to commit that are none, and records in their place', async () => {
  const consumer = await reading()
  const [record] = await consumer.poll({ timeoutMs: 1_000 })
  const bad: [unknown, string][] = [
    [
      [record],
      'takes offsets, not records: the offset to commit is that of the next record, so offset: record.offset + 1',
    ],
    [[{ ...first, offset: -1 }], 'the offset of orders-0 to commit must be a number from 0 on, not -1'],
    [[{ ...first, offset: '5' }], "must be a number from 0 on, not '5'"],
    [[{ ...first, ofset: 5 }], "did you mean 'offset'?"],
    [{ ...first, offset: 1 }, 'commit takes [{ topic'],
    [[{ partition: 0, offset: 1 }], 'the topic is missing'],
    [new Map([[first, 1.5]]), 'must be a number from 0 on, not 1.5'],
    [[{ ...first, offset: 1, metadata: 7 }], 'must be text, not 7'],
  ]
  for (const [offsets, text] of bad) {
    const error = await consumer.commit(loosely(offsets)).catch(thrown => thrown)
    expect(error, text).toBeInstanceOf(IllegalArgumentError)
    expect(error.message).toContain(text)
  }
  await expect(consumer.commit(undefined, loosely({ timeout: 5 }))).rejects.toThrow("did you mean 'timeoutMs'?")
})

test('a member commits what it is assigned, and nothing else', async () => {
  const consumer = await reading()
  const elsewhere = [{ topic: 'orders', partition: 9, offset: 1 }]
  const error = await consumer.commit(elsewhere).catch(thrown => thrown)
  expect(error).toBeInstanceOf(IllegalStateError)
  expect(error.message).toBe(
    'commit: orders-9 is not assigned (assigned: orders-0, orders-1, orders-2, orders-3): ' +
      'a member of a group commits the partitions it is assigned; poll tells which these are',
  )
  expect(() => consumer.commitAsync(elsewhere)).toThrow(IllegalStateError)
})

test('close takes what it takes', async () => {
  const consumer = member(cluster)
  await expect(consumer.close(loosely({ groupMembership: 'go' }))).rejects.toThrow(
    "close({ groupMembership }) is one of 'default', 'leave', 'remain', not 'go'",
  )
  await expect(consumer.close({ timeoutMs: -1 })).rejects.toThrow(IllegalArgumentError)
})
