import { afterEach, expect, test } from 'vitest'
import type { ConsumerInterceptor } from '../../src/client/consumer/consumer-interceptors.ts'
import { type Cluster, ConfigError } from '../../src/index.ts'
import { fill, member, pollUntil, startCluster, textOf } from './group-story.ts'

let cluster: Cluster
afterEach(() => cluster?.close())

const orders = { brokers: 1, topics: { orders: { partitions: 1, replicationFactor: 1 } } } as const

/** Writes down what it is told. */
function witness(seen: string[], name = '') {
  return {
    onConsume: records => {
      seen.push(`${name}consume ${records.length}`)
      return records
    },
    onCommit: offsets => {
      for (const [partition, { offset }] of offsets) seen.push(`${name}commit ${textOf([partition])} ${offset}`)
    },
    close: () => {
      seen.push(`${name}close`)
    },
  } satisfies ConsumerInterceptor
}

test('an interceptor sees what was read before the application does, what was committed, and the end', async () => {
  cluster = await startCluster(orders)
  await fill(cluster, 3, 'orders', 1)
  const seen: string[] = []
  const consumer = member(cluster, { 'interceptor.classes': [witness(seen)], 'enable.auto.commit': false })
  consumer.subscribe(['orders'])
  const found = await pollUntil([consumer], () => seen.length > 0)
  expect(found.get(consumer)).toHaveLength(3)
  // Of a poll that found nothing it is told nothing.
  await consumer.poll({ timeoutMs: 100 })
  expect(seen).toEqual(['consume 3'])
  await consumer.commit()
  expect(seen).toEqual(['consume 3', 'commit orders-0 3'])
  await consumer.close()
  expect(seen).toEqual(['consume 3', 'commit orders-0 3', 'close'])
})

test('automatic commits are told, too, also the last one', async () => {
  cluster = await startCluster(orders)
  await fill(cluster, 2, 'orders', 1)
  const seen: string[] = []
  const consumer = member(cluster, { 'interceptor.classes': [witness(seen)] })
  consumer.subscribe(['orders'])
  await pollUntil([consumer], () => seen.length > 0)
  await consumer.close()
  expect(seen).toEqual(['consume 2', 'commit orders-0 2', 'close'])
})

test('each interceptor gets what the one before it made; one that throws changes nothing, and is noted', async () => {
  cluster = await startCluster(orders)
  await fill(cluster, 4, 'orders', 1)
  const seen: string[] = []
  const even: ConsumerInterceptor = { onConsume: records => records.filter(({ offset }) => offset % 2 === 0) }
  class Broken implements ConsumerInterceptor {
    onConsume(): never {
      throw new Error('broken')
    }
    close() {
      throw new Error('still broken')
    }
  }
  const consumer = member(cluster, { 'interceptor.classes': [even, Broken, witness(seen)] })
  consumer.assign([{ topic: 'orders', partition: 0 }])
  const records = await consumer.poll({ timeoutMs: 1000 })
  expect(records.map(({ offset }) => offset)).toEqual([0, 2])
  expect(records.recordsOf('orders', 0)).toHaveLength(2)
  expect(seen).toEqual(['consume 2'])
  // What was left out counts as read.
  expect(await consumer.position({ topic: 'orders', partition: 0 })).toBe(4)
  await consumer.close()
  expect(seen).toContain('close')
  const noted = cluster.trace.text().split('\n')
  expect(noted.some(line => line.includes('interceptor onConsume threw Error: broken'))).toBe(true)
  expect(noted.some(line => line.includes('interceptor close threw Error: still broken'))).toBe(true)
})

test('an iteration is intercepted record by record or in batches, and hands out the same', async () => {
  cluster = await startCluster(orders)
  await fill(cluster, 3, 'orders', 1)
  const shout: ConsumerInterceptor = {
    onConsume: records => records.map(record => ({ ...record, value: `${record.value}!` })),
  }
  const consumer = member(cluster, { 'interceptor.classes': [shout] })
  consumer.assign([{ topic: 'orders', partition: 0 }])
  const values: string[] = []
  const reading = (async () => {
    for await (const { value } of consumer) {
      values.push(value)
      if (values.length === 3) return
    }
  })()
  await cluster.runUntil(() => values.length === 3)
  await reading
  expect(values).toEqual(['orders-0#0!', 'orders-0#1!', 'orders-0#2!'])
})

test('what cannot intercept is refused', async () => {
  cluster = await startCluster(orders)
  const refused = () => cluster.consumer({ 'interceptor.classes': ['com.example.Tracing'] as never })
  expect(refused).toThrow(
    new ConfigError('interceptor.classes takes objects with onConsume, onCommit and close, or classes of such'),
  )
})
