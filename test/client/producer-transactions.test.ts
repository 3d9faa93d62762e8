import { afterEach, describe, expect, test } from 'vitest'
import type { Cluster, ClusterOptions } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import '../../src/vitest.ts'
import { keptOn } from '../apis/committing.ts'
import { transactionsOn } from '../apis/transacting.ts'

let cluster: Cluster

async function start(version: 1 | 2, options: ClusterOptions = {}): Promise<Cluster> {
  cluster = await createCluster({
    features: { 'transaction.version': version },
    topics: {
      orders: { partitions: 2, replicationFactor: 3 },
      audit: { partitions: 1 },
      ...transactionsOn(1, 2, 3),
      ...keptOn(2, 3, 1),
    },
    ...options,
  })
  return cluster
}

afterEach(() => cluster.close())

async function valuesOf(topic: string) {
  return (await cluster.topic(topic).records({ as: 'text', isolation: 'read_committed' })).map(({ value }) => value)
}

/** C-50, C-51: states and requests as the Java producer's; situation by situation in producer/timeline/transactions. */
describe.each([1, 2] as const)('C-60: with transaction.version %i', version => {
  test('what is committed is seen together, what is aborted never', async () => {
    await start(version)
    const producer = cluster.producer({ 'transactional.id': 'payments' })
    await producer.initTransactions()
    for (const [value, end] of [
      ['a', 'commitTransaction'],
      ['b', 'abortTransaction'],
      ['c', 'commitTransaction'],
    ] as const) {
      await producer.beginTransaction()
      const sent = producer.send({ topic: 'orders', partition: 0, value })
      await producer.send({ topic: 'audit', value })
      await sent
      await producer[end]()
    }
    await expect(cluster).toHaveCommitted('payments')
    expect(await valuesOf('orders')).toEqual(['a', 'c'])
    expect(await valuesOf('audit')).toEqual(['a', 'c'])
  })

  test('offsets of a group go with the transaction', async () => {
    await start(version)
    await cluster.producer().send({ topic: 'orders', partition: 0, value: 'in' })
    const consumer = cluster.consumer({ 'group.id': 'g', 'auto.offset.reset': 'earliest', 'enable.auto.commit': false })
    consumer.subscribe(['orders'])
    while ((await consumer.poll({ timeoutMs: 100 })).length === 0);
    const producer = cluster.producer({ 'transactional.id': 'payments' })
    await producer.initTransactions()
    for (const [end, offset] of [
      ['abortTransaction', undefined],
      ['commitTransaction', 1],
    ] as const) {
      await producer.beginTransaction()
      await producer.send({ topic: 'audit', value: end })
      await producer.sendOffsetsToTransaction([{ topic: 'orders', partition: 0, offset: 1 }], consumer.groupMetadata())
      await producer[end]()
      await cluster.transaction('payments').waitFor(offset === undefined ? 'CompleteAbort' : 'CompleteCommit')
      await cluster.settle()
      expect(cluster.group('g').committed('orders', 0)?.offset).toBe(offset)
    }
    expect(await valuesOf('audit')).toEqual(['commitTransaction'])
  })

  test('a second producer fences the first', async () => {
    await start(version)
    const zombie = cluster.producer({ 'transactional.id': 'payments' })
    await zombie.initTransactions()
    await zombie.beginTransaction()
    await zombie.send({ topic: 'orders', value: 'zombie' })
    const next = cluster.producer({ 'transactional.id': 'payments' })
    await next.initTransactions()
    await expect(zombie.commitTransaction()).rejects.toMatchObject({ errorName: 'PRODUCER_FENCED' })
    await expect(zombie.beginTransaction()).rejects.toMatchObject({ errorName: 'PRODUCER_FENCED' })
    await next.beginTransaction()
    await next.send({ topic: 'orders', value: 'next' })
    await next.commitTransaction()
    await expect(cluster).toHaveCommitted('payments')
    expect(await valuesOf('orders')).toEqual(['next'])
  })

  test('a coordinator’s death between two steps loses nothing and doubles nothing', async () => {
    await start(version)
    const producer = cluster.producer({ 'transactional.id': 'payments' })
    await producer.initTransactions()
    await producer.beginTransaction()
    await producer.send({ topic: 'orders', partition: 0, value: 'a' })
    const stop = cluster.transaction('payments').stop('after PREPARE')
    await producer.commitTransaction()
    await stop.reached
    await cluster.broker(1).crash()
    await producer.beginTransaction()
    await producer.send({ topic: 'orders', partition: 0, value: 'b' })
    await producer.commitTransaction()
    await expect(cluster).toHaveCommitted('payments')
    expect(await valuesOf('orders')).toEqual(['a', 'b'])
  })
})

describe.each(['classic', 'consumer'] as const)('KIP-447: in the %s protocol', protocol => {
  test('who lost his membership without knowing it cannot commit offsets in a transaction', async () => {
    await start(2)
    await cluster.producer().send({ topic: 'orders', partition: 0, value: 'in' })
    const consumer = cluster.consumer({
      'group.id': 'g',
      'group.protocol': protocol,
      'auto.offset.reset': 'earliest',
      'enable.auto.commit': false,
      'max.poll.interval.ms': 10_000,
    })
    expect(consumer.groupMetadata()).toMatchObject({ memberId: '', generationId: -1 })
    consumer.subscribe(['orders'])
    while ((await consumer.poll({ timeoutMs: 100 })).length === 0);
    const { memberId, generationId } = consumer.groupMetadata()
    expect(generationId).toBeGreaterThan(0)
    const producer = cluster.producer({ 'transactional.id': 'payments' })
    await producer.initTransactions()
    await producer.beginTransaction()
    await producer.send({ topic: 'audit', value: 'out' })
    await cluster.clock.advance(12_000)
    expect(cluster.group('g').members).toHaveLength(0)
    expect(consumer.groupMetadata()).toMatchObject({ memberId, generationId })
    const offsets = [{ topic: 'orders', partition: 0, offset: 1 }]
    await expect(producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata())).rejects.toMatchObject({
      errorName: 'UNKNOWN_MEMBER_ID',
    })
    await producer.abortTransaction()
    expect(await valuesOf('audit')).toEqual([])
    await consumer.unsubscribe()
    const left = protocol === 'classic' ? { memberId, generationId } : { memberId: '', generationId: -1 }
    expect(consumer.groupMetadata()).toMatchObject(left)
  })
})
