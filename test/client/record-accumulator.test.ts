import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BufferPool } from '../../src/client/producer/buffer-pool.ts'
import { RecordAccumulator } from '../../src/client/producer/record-accumulator.ts'
import { TopicQueues } from '../../src/client/producer/topic-queues.ts'
import { VirtualRuntime } from '../../src/runtime/virtual.ts'
import { estimateSizeUpperBound, recordsOf } from '../../src/wire/record.ts'

interface Setup {
  readonly batchBytes?: number
  readonly lingerMs?: number
  readonly memory?: number
  readonly partitions?: number
}

function accumulator({ batchBytes = 200, lingerMs = 50, memory = 10_000, partitions = 1 }: Setup = {}) {
  const runtime = new VirtualRuntime({ seed: 1 })
  const pool = new BufferPool(runtime, memory)
  const wakes: boolean[] = []
  let pending = 0
  const records = new RecordAccumulator({
    runtime,
    pool,
    batchBytes,
    lingerMs,
    wake: isFull => wakes.push(isFull),
    counted: change => {
      pending += change
    },
  })
  const topic = new TopicQueues('orders', { runtime, stickyBytes: batchBytes, isAdaptive: true }, false)
  const view = (partition: number) => ({
    topic: 'orders',
    partition,
    leaderId: 1,
    leaderEpoch: 0,
    replicas: [1],
    inSyncReplicas: [1],
    offlineReplicas: [],
  })
  topic.view = {
    name: 'orders',
    id: 'AAAAAAAAAAAAAAAAAAAAAQ',
    isInternal: false,
    partitions: Array.from({ length: partitions }, (_, partition) => view(partition)),
  }
  const append = (value: Uint8Array | null, partition: number | undefined = 0) =>
    records.append(topic, partition, runtime.now(), null, value, [])
  return { runtime, pool, records, topic, append, wakes, pending: () => pending }
}

test('records join the open batch of their partition until batch.size; the next opens another (C-30)', () => {
  const { append, topic } = accumulator()
  for (let i = 0; i < 4; i++) append(new Uint8Array(60))
  expect(topic.queue(0).batches.map(({ count }) => count)).toEqual([2, 2])
})

test('a record larger than batch.size gets a batch of its own, which is not full and lingers (C-30, C-32)', () => {
  const { append, topic, records, runtime } = accumulator()
  append(new Uint8Array(500))
  const queue = topic.queue(0)
  expect([queue.batches.length, queue.isFull]).toEqual([1, false])
  expect(records.sendableIn(queue, runtime.now(), 0)).toBe(50)
  append(new Uint8Array(100))
  expect(queue.batches.map(({ count }) => count)).toEqual([1, 1])
  expect(records.sendableIn(queue, runtime.now(), 0)).toBe(0)
})

test('a batch may go when it has lingered, is full, is flushed, closes, or memory is short (C-32)', () => {
  const { append, topic, records, runtime, pool } = accumulator({ memory: 200 })
  append(new Uint8Array(10))
  const queue = topic.queue(0)
  const now = runtime.now()
  expect([0, 20, 50, 60].map(ms => records.sendableIn(queue, now + ms, 0))).toEqual([50, 30, 0, 0])
  records.flushing = 1
  expect(records.sendableIn(queue, now, 0)).toBe(0)
  records.flushing = 0
  expect(append(new Uint8Array(190))).toBeUndefined()
  const wait = pool.wait(200, 1_000)
  expect(records.sendableIn(queue, now, 0)).toBe(0)
  pool.refuse(new Error('enough'))
  expect(records.isClosed).toBe(false)
  records.isClosed = true
  expect(records.sendableIn(queue, now, 0)).toBe(0)
  return expect(wait).rejects.toThrow('enough')
})

test('a batch that is sent again waits for its backoff, unless the leader is another one by now (C-36)', () => {
  const { append, topic, records, runtime } = accumulator()
  append(new Uint8Array(10))
  const queue = topic.queue(0)
  const batch = records.take(queue)
  batch.attempts = 1
  batch.retryAt = runtime.now() + 100
  batch.leaderEpochAtAttempt = 4
  records.putBack(batch)
  expect(records.sendableIn(queue, runtime.now(), 4)).toBe(100)
  expect(records.sendableIn(queue, runtime.now(), 5)).toBe(0)
  expect(records.sendableIn(queue, runtime.now() + 100, 4)).toBe(0)
})

test('memory is given back when a batch is settled, but not while a request still carries it (C-31)', () => {
  const { append, topic, records, pool, pending } = accumulator({ memory: 1_000 })
  append(new Uint8Array(10))
  const batch = records.take(topic.queue(0))
  batch.isOnWire = true
  expect([pool.available, pending()]).toEqual([800, 1])
  records.forget(batch)
  expect([pool.available, pending()]).toEqual([800, 0])
  batch.isOnWire = false
  records.free(batch)
  expect(pool.available).toBe(1_000)
})

test('records of a batch resolve in the order of their sends, with offsets that count on from the first (C-27, C-48)', async () => {
  const { append, topic, records } = accumulator({ batchBytes: 1_000 })
  const order: number[] = []
  const sends = Array.from({ length: 5 }, (_, i) =>
    append(new Uint8Array(10))!.then(({ offset }) => {
      order.push(i)
      return offset
    }),
  )
  records.take(topic.queue(0)).complete(100, -1)
  expect(await Promise.all(sends)).toEqual([100, 101, 102, 103, 104])
  expect(order).toEqual([0, 1, 2, 3, 4])
})

test('the parts of a batch keep its records, its order and its promises (C-44)', async () => {
  const { append, topic, records, runtime } = accumulator({ batchBytes: 2_000 })
  const sends = Array.from({ length: 10 }, (_, i) => append(Uint8Array.of(...Array(99).fill(1), i)))
  const batch = records.take(topic.queue(0))
  const parts = batch.split(500, runtime)
  records.replace(batch, parts)
  expect(parts.map(({ count }) => count)).toEqual([4, 4, 2])
  expect(topic.queue(0).batches).toEqual(parts)
  const values = parts.flatMap(part => recordsOf(part.build({})).map(({ value }) => value![99]))
  expect(values).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  parts[1]!.complete(50, -1)
  parts[0]!.complete(0, -1)
  parts[2]!.fail(() => new Error('lost'))
  const settled = await Promise.allSettled(sends)
  const offsets = settled.map(one => (one.status === 'fulfilled' ? one.value?.offset : (one.reason as Error).message))
  expect(offsets).toEqual([0, 1, 2, 3, 50, 51, 52, 53, 'lost', 'lost'])
})

test('whatever is appended comes out once, in order for each partition, in batches of about batch.size at most', async () => {
  const sends = fc.array(fc.record({ partition: fc.option(fc.nat(2), { nil: undefined }), bytes: fc.nat(300) }), {
    maxLength: 60,
  })
  await fc.assert(
    fc.asyncProperty(sends, async items => {
      const { append, topic, records, pool } = accumulator({ partitions: 3, memory: 100_000 })
      const metadata = items.map(({ partition, bytes }, index) => {
        const value = new Uint8Array(bytes + 4)
        new DataView(value.buffer).setInt32(0, index)
        return records.append(topic, partition, 0, null, value, [])!
      })
      expect(append).toBeDefined()
      const found = new Map<string, number>()
      for (let partition = 0; partition < 3; partition++) {
        const queue = topic.queue(partition)
        let next = 0
        let last = -1
        while (queue.batches.length > 0) {
          const batch = records.take(queue)
          const inside = recordsOf(batch.build({}))
          // A first record near batch.size makes room for its upper estimate (B-7), in which a small one may fit.
          const limit = Math.max(200, estimateSizeUpperBound(null, inside[0]!.value))
          expect(batch.size).toBeLessThanOrEqual(limit)
          for (const { value } of inside) {
            const index = new DataView(value!.buffer, value!.byteOffset).getInt32(0)
            expect(index).toBeGreaterThan(last)
            last = index
            found.set(`${partition} ${next++}`, index)
          }
          batch.complete(next - batch.count, -1)
          records.forget(batch)
        }
      }
      for (const [index, { partition, offset }] of (await Promise.all(metadata)).entries()) {
        expect(found.get(`${partition} ${offset}`)).toBe(index)
      }
      expect(found.size).toBe(items.length)
      expect(pool.available).toBe(100_000)
    }),
  )
})
