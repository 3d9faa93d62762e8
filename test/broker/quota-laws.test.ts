/** What must hold whatever is sent, and however much of it is allowed. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { metadata } from '../../src/apis/metadata.ts'
import { produce } from '../../src/apis/produce.ts'
import { createCluster } from '../../src/index.ts'
import { produceOf, rudeClient } from './quota-story.ts'

const LIMIT = 10_000

/** Sends all requests in one breath, and heeds nothing that it is told. Answers in how many seconds they were taken. */
async function flood(sizes: readonly number[], acks: number, mutants: readonly string[] = []) {
  await using cluster = await createCluster({
    brokers: 1,
    topics: { orders: {} },
    quotas: [{ clientId: null, producerByteRate: LIMIT }],
    mutants,
  })
  const client = await rudeClient(cluster, 'p')
  const before = cluster.clock.now()
  const bodies = sizes.map(size => produceOf('p', size, { acks }))
  if (acks === 0) {
    for (const body of bodies) client.sendOnly(produce, body, 12)
    await client.ask(metadata, { topics: [] })
  } else await Promise.all(bodies.map(body => client.ask(produce, body, 12)))
  const records = await cluster.topic('orders').records({ as: 'bytes' })
  const { topicData } = { topicData: bodies.map(({ topicData }) => topicData[0]!.partitionData[0]!.records) }
  return {
    seconds: (cluster.clock.now() - before) / 1000,
    appended: records.map(({ value }) => value!.length),
    sent: topicData.map(each => each!.byteLength),
  }
}

/** Requests of at most a second's worth. */
const sizes = fc.array(fc.integer({ min: 300, max: LIMIT }), { minLength: 1, maxLength: 40, size: 'max' })
const acks = fc.constantFrom(0, 1, -1)

/** The last request's own pause is behind it: it is answered before. */
const isWithinRate = (sizes: readonly number[], seconds: number) => {
  const sum = sizes.reduce((all, size) => all + size, 0)
  return sum <= LIMIT * (seconds + 11) + LIMIT
}

test('nobody gets more than his rate but for one burst, whether he heeds it or not; nothing is lost, nothing overtakes', async () => {
  await fc.assert(
    fc.asyncProperty(sizes, acks, async (wanted, acks) => {
      const { seconds, appended, sent } = await flood(wanted, acks)
      expect(isWithinRate(wanted, seconds)).toBe(true)
      expect(appended).toHaveLength(wanted.length)
      // A batch is its value and 68 to 74 bytes besides.
      for (const [index, bytes] of sent.entries()) {
        expect(bytes - appended[index]!).toBeGreaterThanOrEqual(68)
        expect(bytes - appended[index]!).toBeLessThanOrEqual(74)
      }
    }),
    { numRuns: 20 },
  )
})

test('…and a broker that only says that it throttles is found out', async () => {
  const law = fc.asyncProperty(sizes, async wanted => {
    const { seconds } = await flood(wanted, 1, ['no-mute'])
    return isWithinRate(wanted, seconds)
  })
  expect((await fc.check(law, { numRuns: 20, endOnFailure: true })).failed).toBe(true)
})

test('our own clients lose nothing and mix up nothing, however slow they are made', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 2000, max: 20_000 }),
      fc.integer({ min: 2000, max: 20_000 }),
      async (values, producerByteRate, consumerByteRate) => {
        await using cluster = await createCluster({
          brokers: 2,
          topics: { orders: { partitions: 2, replicationFactor: 2 } },
          quotas: [{ user: null, producerByteRate, consumerByteRate, requestPercentage: 5 }],
        })
        const producer = cluster.producer()
        const sent = values.map((length, index) => ({ partition: index % 2, value: `${index}:`.padEnd(length, 'x') }))
        await Promise.all(sent.map(({ partition, value }) => producer.send({ topic: 'orders', partition, value })))
        const consumer = cluster.consumer({ 'group.id': 'g', 'auto.offset.reset': 'earliest' })
        await consumer.subscribe(['orders'])
        const found: { partition: number; value: string }[] = []
        for (let polls = 0; found.length < sent.length && polls < 1000; polls++) {
          for (const { partition, value } of await consumer.poll({ timeoutMs: 1000 })) {
            found.push({ partition, value: String(value) })
          }
        }
        for (const partition of [0, 1]) {
          const of = (all: typeof found) => all.filter(each => each.partition === partition)
          expect(of(found)).toEqual(of(sent))
        }
      },
    ),
    { numRuns: 10 },
  )
})

test('clients say how long they were throttled, and 0 where nobody is', async () => {
  await using cluster = await createCluster({ brokers: 1, topics: { orders: {} } })
  const producer = cluster.producer({ 'client.id': 'p', 'batch.size': 1 })
  await producer.send({ topic: 'orders', value: 'x'.repeat(5000) })
  expect(producer.metrics()['produce-throttle-time-max']).toBe(0)
  await cluster.quota({ clientId: 'p' }, { producerByteRate: 1000 })
  await producer.send({ topic: 'orders', value: 'x'.repeat(15_000) })
  const throttled = producer.metrics()['produce-throttle-time-max']!
  expect(throttled).toBeGreaterThan(5000)
  expect(throttled).toBeLessThan(5200)
  expect(producer.metrics()['produce-throttle-time-avg']).toBeGreaterThan(0)
  // The client keeps still by itself.
  const before = cluster.clock.now()
  await producer.send({ topic: 'orders', value: 'x' })
  expect(cluster.clock.now() - before).toBeGreaterThan(5000)
})

test('a consumer says it too', async () => {
  await using cluster = await createCluster({ brokers: 1, topics: { orders: {} } })
  const producer = cluster.producer()
  for (let i = 0; i < 30; i++) await producer.send({ topic: 'orders', value: 'x'.repeat(900) })
  await cluster.quota({ clientId: 'c' }, { consumerByteRate: 1000 })
  const consumer = cluster.consumer({ 'client.id': 'c', 'group.id': 'g', 'auto.offset.reset': 'earliest' })
  await consumer.subscribe(['orders'])
  const before = cluster.clock.now()
  let found = 0
  while (found < 30) found += [...(await consumer.poll({ timeoutMs: 1000 }))].length
  // Ten of the thirty seconds are free.
  expect(cluster.clock.now() - before).toBeGreaterThan(15_000)
  expect(consumer.metrics()['fetch-throttle-time-max']).toBeGreaterThan(0)
})
