import { expect, test } from 'vitest'
import { createCluster } from '../../src/index.ts'

test('a poll ends in its time while all brokers are down, and reads on when they are back', async () => {
  await using cluster = await createCluster({ topics: { t: { partitions: 4, replicationFactor: 3 } } })
  const consumer = cluster.consumer({ 'group.id': 'g', 'auto.offset.reset': 'earliest' })
  consumer.subscribe(['t'])
  while (consumer.assignment().length === 0) await consumer.poll({ timeoutMs: 1000 })
  for (const broker of cluster.brokers) await broker.crash()
  const from = cluster.clock.now()
  expect(await consumer.poll({ timeoutMs: 30_000 })).toHaveLength(0)
  expect(cluster.clock.now() - from).toBe(30_000)
  await cluster.heal()
  await cluster.producer().send({ topic: 't', value: 'back' })
  const values: string[] = []
  while (values.length === 0) {
    for (const { value } of await consumer.poll({ timeoutMs: 1000 })) values.push(String(value))
  }
  expect(values).toEqual(['back'])
})
