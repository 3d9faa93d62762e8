import { afterEach, expect, test } from 'vitest'
import { produce } from '../../../src/apis/produce.ts'
import { LeaderAvailability } from '../../../src/client/producer/leader-availability.ts'
import { type Cluster, createCluster, hold } from '../../../src/index.ts'
import { VirtualRuntime } from '../../../src/runtime/virtual.ts'

let cluster: Cluster
afterEach(() => cluster?.close())

test('a leader is out once something has been ready for it for longer than the time-out, until something was sent (C-13)', async () => {
  const runtime = new VirtualRuntime({ seed: 1 })
  const leaders = new LeaderAvailability(runtime, 100)
  const after = (ms: number) => runtime.drive('a while', () => runtime.sleep(ms))
  expect(leaders.isAvailable(1)).toBe(true)
  leaders.tried(1, false)
  await after(100)
  expect(leaders.isAvailable(1)).toBe(true)
  leaders.tried(1, false)
  await after(1)
  expect([leaders.isAvailable(1), leaders.isAvailable(2)]).toEqual([false, true])
  leaders.tried(1, true)
  expect(leaders.isAvailable(1)).toBe(true)
})

test('a time-out of 0 leaves nobody out (C-13)', async () => {
  const runtime = new VirtualRuntime({ seed: 1 })
  const leaders = new LeaderAvailability(runtime, 0)
  leaders.tried(1, false)
  await runtime.drive('a while', () => runtime.sleep(100_000))
  expect(leaders.isAvailable(1)).toBe(true)
})

/** Records without a key, 20 ms apart, while broker 1 takes no Produce; how many each partition got after the first 500 ms. */
async function sharesWith(timeoutMs: number): Promise<number[]> {
  const assignments = [[1], [2], [3]]
  cluster = await createCluster({ topics: { orders: { assignments } } })
  const producer = cluster.producer({
    'partitioner.availability.timeout.ms': timeoutMs,
    'batch.size': 100,
    'linger.ms': 0,
    'max.in.flight.requests.per.connection': 2,
  })
  // All partitions need a queue before load counts.
  for (let partition = 0; partition < 3; partition++) await producer.send({ topic: 'orders', partition, value: 'x' })
  const held = cluster.network.rule(hold({ to: cluster.broker(1), api: produce }))
  // Three, so that the last finds two in flight.
  const stuck = [1, 2, 3].map(() => producer.send({ topic: 'orders', partition: 0, value: 'x'.repeat(60) }))
  await cluster.clock.advance(500)
  const sends = Array.from({ length: 60 }, () => producer.send({ topic: 'orders', value: 'x'.repeat(60) }))
  await cluster.clock.advance(500)
  held.dispose()
  await Promise.all(stuck)
  const shares = [0, 0, 0]
  for (const { partition } of await Promise.all(sends)) shares[partition]!++
  return shares
}

test('partitions of a leader that cannot be sent to get no records without a key (C-13)', async () => {
  const [first, ...others] = await sharesWith(100)
  expect(first).toBe(0)
  for (const share of others) expect(share).toBeGreaterThan(10)
  await cluster.close()
  // Left alone, it gets some: fewer than the others, for its queue is longer.
  expect((await sharesWith(0))[0]).toBeGreaterThan(0)
})
