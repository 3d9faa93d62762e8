import { createCluster } from 'mini-kafka'
import { afterEach, expect, test } from 'vitest'

const rejections: unknown[] = []
const noted = (reason: unknown) => rejections.push(reason)
process.on('unhandledRejection', noted)
afterEach(() => {
  expect(rejections).toEqual([])
})

/** How many timers, sockets and handles keep this process alive. The runner's own come and go by ones. */
const resources = () => process.getActiveResourcesInfo().length

/** Closes a cluster while everything that can be pending is, and answers how it ended for each. */
async function closeInTheMiddle(time: 'virtual' | 'real'): Promise<string[]> {
  const cluster = await createCluster({ time, topics: { t: { replicationFactor: 3 } } })
  const producer = cluster.producer()
  await producer.send({ topic: 't', value: 'stored' })
  const consumer = cluster.consumer()
  consumer.assign([{ topic: 't', partition: 0 }])
  for (const broker of cluster.brokers) await broker.pause()
  const pending = [
    producer.send({ topic: 't', value: 'never answered' }),
    cluster.clock.advance(1_000_000_000),
    cluster.runUntil(() => false, { timeoutMs: 1_000_000_000 }),
    cluster.topic('t').waitForRecords(5, { timeoutMs: 1_000_000_000 }),
    cluster.admin().listTopics(),
    consumer.poll({ timeoutMs: 1_000_000_000 }),
  ]
  const settled = Promise.allSettled(pending)
  await cluster.close()
  return (await settled).map(({ status }) => status)
}

for (const time of ['virtual', 'real'] as const) {
  test(`closing on ${time} time leaves no timer, no handle and no pending promise`, async () => {
    const before = resources()
    for (let round = 0; round < 10; round++) {
      const outcomes = await closeInTheMiddle(time)
      expect(outcomes).toSatisfyAll(outcome => outcome === 'rejected')
    }
    expect(resources()).toBeWithin(0, before + 5)
  })

  test(`closing twice on ${time} time is closing once, and every use afterwards says so`, async () => {
    const cluster = await createCluster({ time })
    const producer = cluster.producer()
    await Promise.all([cluster.close(), cluster.close(), cluster[Symbol.asyncDispose]()])
    await cluster.dispose()
    await expect(producer.send({ topic: 't', value: 'late' })).rejects.toThrow(/closed/)
    await expect(cluster.runUntil(() => true)).rejects.toThrow(/closed/)
    await expect(cluster.createTopic({ name: 't' })).rejects.toThrow(/closed/)
    expect(() => cluster.producer()).toThrow(/closed/)
    expect(() => cluster.partition('t', 0)).toThrow(/closed/)
  })
}
