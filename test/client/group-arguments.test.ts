/** What the calls of a member are handed: what is taken, and how the rest is refused. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Cluster, RebalanceListener, TopicPartition } from '../../src/index.ts'
import { IllegalArgumentError } from '../../src/wire/errors.ts'
import { fill, member, pollUntil, startCluster } from './group-story.ts'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster?.close())

const first = { topic: 'orders', partition: 0 }
const loosely = (value: unknown) => value as never

async function refusal(call: () => unknown): Promise<string> {
  const error = await (async () => call())().then(
    () => new Error('accepted'),
    reason => reason,
  )
  expect(error).toBeInstanceOf(IllegalArgumentError)
  return error.message
}

test('seek takes what offsetsForTimes told, and goes there', async () => {
  const producer = cluster.producer()
  for (const timestamp of [10, 20, 30]) await producer.send({ ...first, value: `at ${timestamp}`, timestamp })
  const consumer = member(cluster)
  consumer.assign([first])
  const found = await consumer.offsetsForTimes(new Map([[first, 15]]))
  consumer.seek(first, found.get(first)!)
  const records = await consumer.poll({ timeoutMs: 1_000 })
  expect(records.map(({ value }) => value)).toEqual(['at 20', 'at 30'])
})

test('offsetsForTimes takes a Map from partitions to milliseconds', async () => {
  const consumer = member(cluster)
  const ask = (times: unknown) => refusal(() => consumer.offsetsForTimes(loosely(times)))
  const time = 'offsetsForTimes: the time for orders-0 is a number of milliseconds since the epoch, from 0 on'
  expect(await ask({ 'orders-0': 5 })).toBe(
    'offsetsForTimes takes a Map from partitions to times, ' +
      'as in new Map([[{ topic: \'orders\', partition: 0 }, Date.now()]]), not {"orders-0":5}',
  )
  expect(await ask(new Map([[first, new Date(5)]]))).toBe(`${time}, not a Date: use getTime()`)
  expect(await ask(new Map([[first, '5']]))).toBe(`${time}, not '5'`)
  expect(await ask(new Map([[first, -1]]))).toBe(`${time}, not -1`)
  expect(await ask(new Map([['orders-0', 5]]))).toContain('a partition')
})

test('text where a number is expected is shown as text', async () => {
  const consumer = member(cluster)
  consumer.assign([first])
  expect(await refusal(() => consumer.seek(first, loosely('2')))).toContain("not '2'")
  expect(await refusal(() => consumer.seek(first, { offset: loosely('2') }))).toBe(
    "the offset to seek to must be a number from 0 on, not '2'",
  )
  expect(await refusal(() => consumer.commit([{ ...first, offset: loosely('2') }]))).toBe(
    "the offset of orders-0 to commit must be a number from 0 on, not '2'",
  )
  expect(await refusal(() => consumer.assign([{ topic: 'orders', partition: loosely('0') }]))).toBe(
    "the partition of topic 'orders' must be a number from 0 on, not '0'",
  )
  expect(await refusal(() => consumer.poll({ timeoutMs: loosely('5') }))).toBe(
    "poll({ timeoutMs }) takes milliseconds from 0 on, not '5'",
  )
})

test('a listener may answer with anything', async () => {
  const counts: number[] = []
  const listener: RebalanceListener = { onPartitionsAssigned: partitions => counts.push(partitions.length) }
  const consumer = member(cluster)
  consumer.subscribe(['orders'], { listener })
  await pollUntil([consumer], () => consumer.assignment().length === 4)
  expect(counts).toEqual([4])
})

test('a callback that would never be called is refused, with the one that was meant', async () => {
  const consumer = member(cluster)
  const subscribe = (options: unknown) => refusal(() => consumer.subscribe(['orders'], loosely(options)))
  const call = () => {}
  expect(await subscribe({ listener: { onPartitionRevoked: call } })).toBe(
    "the listener of subscribe: unknown field 'onPartitionRevoked': did you mean 'onPartitionsRevoked'?",
  )
  expect(await subscribe({ listener: { onAssignment: call } })).toContain(
    "unknown field 'onAssignment': there are onPartitionsRevoked, onPartitionsAssigned, onPartitionsLost",
  )
  const level = 'subscribe(topics, { listener }):'
  expect(await subscribe({ onPartitionsRevoked: call })).toBe(
    `${level} 'onPartitionsRevoked' belongs in the listener: { listener: { onPartitionsRevoked } }`,
  )
  expect(await subscribe({ onPartitionAssigned: call })).toBe(
    `${level} 'onPartitionAssigned' belongs in the listener: { listener: { onPartitionsAssigned } }`,
  )
  expect(await subscribe({ listner: {} })).toBe(`${level} unknown field 'listner': did you mean 'listener'?`)
  expect(await subscribe({ listener: call })).toContain(
    'the listener of subscribe is an object with onPartitionsRevoked',
  )
  expect(await subscribe({ listener: { onPartitionsLost: 'x' } })).toBe(
    "the listener of subscribe: onPartitionsLost is a function, not 'x'",
  )
  class Misspelt {
    onPartitionsAsigned() {}
  }
  expect(await subscribe({ listener: new Misspelt() })).toContain("did you mean 'onPartitionsAssigned'?")
  expect(consumer.subscription()).toEqual([])
})

test('a listener may be of a class, with methods and state of its own', async () => {
  class Base {
    readonly seen: TopicPartition[] = []
    onPartitionsAssigned(partitions: TopicPartition[]) {
      this.seen.push(...partitions)
    }
  }
  class Listener extends Base {
    onClose() {}
    once() {}
  }
  const listener = new Listener()
  const consumer = member(cluster)
  consumer.subscribe(['orders'], { listener })
  await pollUntil([consumer], () => consumer.assignment().length === 4)
  expect(listener.seen).toHaveLength(4)
})

test('alterConsumerGroupOffsets takes a Map, as commit does', async () => {
  await fill(cluster, 3)
  const admin = cluster.admin()
  await admin.alterConsumerGroupOffsets(
    'billing',
    new Map<TopicPartition, number | { offset: number; metadata: string }>([
      [first, 2],
      [
        { topic: 'orders', partition: 1 },
        { offset: 1, metadata: 'by hand' },
      ],
    ]),
  )
  const group = cluster.group('billing')
  expect(group.committed('orders', 0)).toEqual({ offset: 2, leaderEpoch: -1, metadata: '' })
  expect(group.committed('orders', 1)).toEqual({ offset: 1, leaderEpoch: -1, metadata: 'by hand' })
  const alter = (offsets: unknown) => refusal(() => admin.alterConsumerGroupOffsets('billing', loosely(offsets)))
  expect(await alter(new Map([[first, '2']]))).toBe(
    "alterConsumerGroupOffsets of orders-0: the offset is a number from 0 on, not '2'",
  )
  expect(await alter(new Map([['orders-0', 2]]))).toContain('a partition')
})

test('a look at a topic or partition that is not there names what is', async () => {
  await fill(cluster, 1)
  await cluster.admin().alterConsumerGroupOffsets('billing', [{ ...first, offset: 1 }])
  const group = cluster.group('billing')
  const unknown = new RangeError(
    "there is no topic 'order': did you mean 'orders'? There are: orders, __consumer_offsets",
  )
  expect(() => group.committed('order', 0)).toThrow(unknown)
  await expect(group.consumed('order')).rejects.toThrow(unknown)
  expect(() => group.committed('orders', 7)).toThrow(new RangeError("'orders' has partitions 0 to 3, not 7"))
  expect(group.committed('orders', 3)).toBeUndefined()
})
