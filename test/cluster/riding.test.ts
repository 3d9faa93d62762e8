/** Iterations ride virtual time: what happens where nobody drives it, and how to drive it for the test's own code. */
import { afterEach, expect, test } from 'vitest'
import { type Cluster, type Consumer, createCluster, OutsideError, PatienceError } from '../../src/index.ts'
import { elapsed, realTimer } from '../../src/runtime/real.ts'

let cluster: Cluster
afterEach(() => cluster.close())

const warnings: string[] = []
async function start(options: Parameters<typeof createCluster>[0] = {}): Promise<Consumer> {
  warnings.length = 0
  cluster = await createCluster({ topics: { orders: {} }, warn: text => warnings.push(text), ...options })
  await cluster.producer().send({ topic: 'orders', value: 'a' })
  const consumer = cluster.consumer({ 'auto.offset.reset': 'earliest' })
  consumer.assign([{ topic: 'orders', partition: 0 }])
  return consumer
}

const real = (ms: number) => new Promise<void>(resolve => realTimer(ms, resolve))

async function firstOf(consumer: Consumer): Promise<string> {
  for await (const { value } of consumer) return `${value}`
  return 'closed'
}

const standing =
  /^mini-kafka: virtual time stands still at \d+ ms: consumer-1 waits in a `for await`, which rides time and does not drive it, and no call of yours is pending that drives time: poll\(\), or hand the loop to cluster\.run\(…\), /

test('an iteration that nobody drives time for is named, once, before a runner gives up', async () => {
  const consumer = await start()
  const begun = elapsed()
  const pending = firstOf(consumer)
  while (warnings.length === 0 && elapsed() - begun < 4_800) await real(50)

  expect(warnings).toEqual([expect.stringMatching(standing)])
  expect(elapsed() - begun).toBeLessThan(4_500)
  await real(1_200)
  expect(warnings).toHaveLength(1)
  await consumer.close()
  expect(await pending).toBe('closed')
}, 10_000)

test('what is known of it can be asked for sooner, for a test that has failed; not while real I/O is awaited', async () => {
  const consumer = await start()
  const pending = firstOf(consumer)
  const outside = cluster.outside(real(1_200))
  await real(1_100)
  expect(cluster.standstill()).toBeUndefined()
  await outside
  expect(await cluster.run(pending)).toBe('a')

  const again = firstOf(consumer)
  await real(1_200)
  expect(cluster.standstill()).toMatch(standing)
  expect(cluster.standstill()).toBeUndefined()
  await consumer.close()
  await again
})

test('run drives time until the loop is done, and answers what it answers', async () => {
  const consumer = await start()
  expect(await cluster.run(firstOf(consumer))).toBe('a')
  expect(await cluster.run(() => cluster.consumer().listTopics())).toHaveProperty('size', 1)
  await expect(cluster.run(() => Promise.reject(new Error('its own')))).rejects.toThrow('its own')
})

test('run of what never comes gives up, and says who waits', async () => {
  const consumer = await start()
  await cluster.run(firstOf(consumer))
  const error: Error = await cluster
    .run(() => firstOf(consumer))
    .then(
      () => new Error('it came'),
      thrown => thrown,
    )
  expect(error).toBeInstanceOf(PatienceError)
  expect(error.message).toContain('cluster.run()')
  expect(error.message).toContain('consumer-1 waits in a `for await`')
  await consumer.close()
})

test('on real time run just awaits', async () => {
  const consumer = await start({ time: 'real' })
  expect(await cluster.run(firstOf(consumer))).toBe('a')
  expect(cluster.standstill()).toBeUndefined()
})

test('outside of what waits for the cluster says that it was for run', async () => {
  const consumer = await start({ outsideMs: 50 })
  const loop = firstOf(consumer)
  const error: Error = await cluster.outside(loop).then(
    () => new Error('it came'),
    thrown => thrown,
  )
  expect(error).toBeInstanceOf(OutsideError)
  expect(error.message).toContain('Meanwhile consumer-1 waits in a `for await`, which rides time')
  expect(error.message).toContain('What waits for the cluster itself is for cluster.run(), which drives time.')
  await consumer.close()
  await loop
})
