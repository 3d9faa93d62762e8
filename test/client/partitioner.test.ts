import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LeaderAvailability } from '../../src/client/producer/leader-availability.ts'
import { PartitionQueue } from '../../src/client/producer/partition-queue.ts'
import { partitionerOf, roundRobin, StickyPartitioner } from '../../src/client/producer/partitioner.ts'
import { VirtualRuntime } from '../../src/runtime/virtual.ts'
import { ConfigError } from '../../src/wire/errors.ts'
import { partitionOfKey } from '../../src/wire/murmur2.ts'

function sticky(
  queueLengths: readonly (number | undefined)[],
  available: readonly number[],
  isAdaptive = true,
  availability?: LeaderAvailability,
) {
  const queues = queueLengths.map((length, partition) => {
    if (length === undefined) return undefined
    const queue = new PartitionQueue('orders', partition)
    // Only the length of a queue counts here.
    for (let i = 0; i < length; i++) queue.batches.push(undefined as never)
    return queue
  })
  const topic = { name: 'orders', partitionCount: queueLengths.length, available, queues, leaderOf }
  const options = { runtime: new VirtualRuntime({ seed: 7 }), stickyBytes: 100, isAdaptive }
  return new StickyPartitioner(topic, availability === undefined ? options : { ...options, availability })
}

/** Partition n is led by broker n. */
function leaderOf(partition: number): number {
  return partition
}

function shares(partitioner: StickyPartitioner, partitions: number): number[] {
  const counts = Array.from({ length: partitions }, () => 0)
  for (let i = 0; i < 20_000; i++) {
    partitioner.produced(200, true)
    counts[partitioner.current()]!++
  }
  return counts.map(count => Math.round(count / 200))
}

test('a key goes to the partition that the Java client would choose (C-10, C-11)', () => {
  const partition = (key: string, count: number) => partitionOfKey(new TextEncoder().encode(key), count)
  // murmur2('21') = -973932308 and murmur2('foobar') = -790332482: the sign bit is cleared, not negated.
  expect(partition('21', 1000)).toBe((-973932308 & 0x7fffffff) % 1000)
  expect([partition('21', 10), partition('foobar', 10), partition('abc', 10)]).toEqual([0, 6, 7])
})

test('without load to go by, every partition with a leader is as likely as the others (C-13)', () => {
  expect(shares(sticky([undefined, undefined, undefined], [0, 2]), 3)[1]).toBe(0)
  for (const share of shares(sticky([0, 0, 0], [0, 1, 2]), 3)) expect(Math.abs(share - 33)).toBeLessThanOrEqual(2)
})

test('the longer a queue, the less likely its partition: queues 0, 3, 1 get 50, 13 and 37 % (C-13)', () => {
  const expected = [50, 13, 37]
  const got = shares(sticky([0, 3, 1], [0, 1, 2]), 3)
  for (const [partition, share] of got.entries()) expect(Math.abs(share - expected[partition]!)).toBeLessThanOrEqual(2)
  const plain = shares(sticky([0, 3, 1], [0, 1, 2], false), 3)
  for (const share of plain) expect(Math.abs(share - 33)).toBeLessThanOrEqual(2)
})

const { internals } = JSON.parse(readFileSync(new URL('../data/kafka/producer-timeline.json', import.meta.url), 'utf8'))
const observed: readonly { queues: number[]; percent: number[]; unavailable?: number[] }[] = internals.partitioner

test.for(observed)(
  'queues $queues get the shares that the Java partitioner gave them: $percent % (C-13)',
  async ({ queues, percent, unavailable = [] }) => {
    const runtime = new VirtualRuntime({ seed: 1 })
    const availability = new LeaderAvailability(runtime, 10)
    for (const broker of unavailable) availability.tried(broker, false)
    await runtime.drive('a while', () => runtime.sleep(11))
    const got = shares(sticky(queues, [0, 1, 2], true, availability), 3)
    for (const [partition, share] of got.entries()) expect(Math.abs(share - percent[partition]!)).toBeLessThanOrEqual(2)
  },
)

test('a partition keeps its records until batch.size of them and a full batch, or twice batch.size (C-12)', () => {
  const partitioner = sticky([1, 1, 1, 1, 1, 1, 1, 1], [0, 1, 2, 3, 4, 5, 6, 7])
  const first = partitioner.current()
  expect(partitioner.produced(99, true)).toBe(false)
  expect(partitioner.produced(1, false)).toBe(false)
  expect(partitioner.produced(99, false)).toBe(false)
  expect(partitioner.current()).toBe(first)
  partitioner.produced(1, false)
  const second = partitioner.current()
  expect(partitioner.produced(99, true)).toBe(false)
  expect(partitioner.current()).toBe(second)
})

test('round robin goes through the partitions that have a leader, for each topic from the start (C-14)', () => {
  const next = roundRobin()
  const input = { key: null, keyBytes: null, value: null, valueBytes: null, partitionCount: 3 }
  const orders = () => next({ ...input, topic: 'orders', available: [0, 2] })
  expect([orders(), orders(), orders()]).toEqual([0, 2, 0])
  expect(next({ ...input, topic: 'audit', available: [] })).toBe(0)
  expect(next({ ...input, topic: 'audit', available: [] })).toBe(1)
})

test('partitioner.class takes functions, objects and one Java name', () => {
  expect(partitionerOf(null)).toBeUndefined()
  expect(partitionerOf({ partition: () => 2 })?.({} as never)).toBe(2)
  expect(partitionerOf('org.apache.kafka.clients.producer.RoundRobinPartitioner')).toBeDefined()
  expect(() => partitionerOf('com.example.Mine')).toThrow(ConfigError)
})

test('whatever the sticky partitioner does, it stays within the partitions that have a leader', () => {
  const lengths = fc.array(fc.option(fc.nat(9), { nil: undefined }), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(lengths, fc.array(fc.tuple(fc.nat(300), fc.boolean()), { maxLength: 50 }), (queues, steps) => {
      const available = queues.map((_, partition) => partition).filter(partition => partition % 2 === 0)
      const partitioner = sticky(queues, available)
      for (const [bytes, atBoundary] of steps) {
        partitioner.produced(bytes, atBoundary)
        expect(available).toContain(partitioner.current())
      }
    }),
  )
})
