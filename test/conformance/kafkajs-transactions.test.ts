/** Transactions of kafkajs, a client that adds its partitions itself (transactions as before KIP-890). */
import { CompressionTypes, type Producer } from 'kafkajs'
import { afterEach, describe, expect, test } from 'vitest'
import { transactionsOn } from '../apis/transacting.ts'
import { carriers, durable, KafkajsWorld } from './kafkajs-world.ts'

let world: KafkajsWorld
afterEach(() => world[Symbol.asyncDispose]())

const TRANSACTIONAL = { transactionalId: 'payments', maxInFlightRequests: 1, idempotent: true } as const

/** Broker 1 coordinates all transactions. */
function start(carrier: (typeof carriers)[number]) {
  return KafkajsWorld.start(carrier, { topics: { orders: durable, audit: durable, ...transactionsOn(1, 2, 3) } })
}

/** The answer to a commit comes before the markers. */
function complete() {
  return world.until(() => /^Complete/.test(world.cluster.transaction('payments').state))
}

/** One transaction over two topics. */
async function pay(producer: Producer, value: string, how: 'commit' | 'abort') {
  const transaction = await producer.transaction()
  await transaction.send({ topic: 'orders', messages: [{ key: value, value }] })
  await transaction.send({ topic: 'audit', messages: [{ value }], compression: CompressionTypes.GZIP })
  await transaction[how]()
}

async function valuesOf(topic: string, isolation: 'read_committed' | 'read_uncommitted' = 'read_committed') {
  return (await world.cluster.topic(topic).records({ as: 'text', isolation })).map(({ value }) => value).sort()
}

describe.each(carriers)('kafkajs over %s', carrier => {
  test('what is committed is read from both topics, what is aborted from none', async () => {
    world = await start(carrier)
    const producer = await world.producer(TRANSACTIONAL)
    await pay(producer, 'a', 'commit')
    await pay(producer, 'b', 'abort')
    await pay(producer, 'c', 'commit')
    await complete()
    expect(await valuesOf('orders')).toEqual(['a', 'c'])
    expect(await valuesOf('audit')).toEqual(['a', 'c'])
    expect(await valuesOf('orders', 'read_uncommitted')).toEqual(['a', 'b', 'c'])
    const reader = await world.member('orders', { readUncommitted: false })
    await world.until(() => reader.values.length === 2)
    expect(reader.values.sort()).toEqual(['a', 'c'])
  })

  test('offsets of a group are committed with the records, or not at all', async () => {
    world = await start(carrier)
    const producer = await world.producer(TRANSACTIONAL)
    const plain = await world.producer()
    await plain.send({ topic: 'orders', messages: [{ key: 'k', value: '1', partition: 0 }] })
    for (const [how, offset] of [
      ['abort', '-1'],
      ['commit', '1'],
    ] as const) {
      const transaction = await producer.transaction()
      await transaction.send({ topic: 'audit', messages: [{ value: how }] })
      const topics = [{ topic: 'orders', partitions: [{ partition: 0, offset: '1' }] }]
      await transaction.sendOffsets({ consumerGroupId: 'billing', topics })
      await transaction[how]()
      await complete()
      const [committed] = await world.admin.fetchOffsets({ groupId: 'billing', topics: ['orders'] })
      expect(committed!.partitions.find(({ partition }) => partition === 0)!.offset).toBe(offset)
    }
    expect(await valuesOf('audit')).toEqual(['commit'])
  })

  test('a second producer on the id fences the first', async () => {
    world = await start(carrier)
    const zombie = await world.producer(TRANSACTIONAL)
    const open = await zombie.transaction()
    await open.send({ topic: 'orders', messages: [{ value: 'zombie' }] })
    const next = await world.producer(TRANSACTIONAL)
    await pay(next, 'next', 'commit')
    await expect(open.commit()).rejects.toThrow(/fenced|newer|epoch/i)
    await complete()
    expect(await valuesOf('orders')).toEqual(['next'])
  })

  test('a coordinator that dies before the markers are written loses no commit', async () => {
    world = await start(carrier)
    const producer = await world.producer(TRANSACTIONAL)
    const stop = world.cluster.transaction('payments').stop('after PREPARE')
    await pay(producer, 'a', 'commit')
    await stop.reached
    expect(await valuesOf('orders')).toEqual([])
    await world.cluster.broker(1).crash()
    await world.until(
      () =>
        world.cluster.transaction('payments').exists &&
        world.cluster.transaction('payments').state === 'CompleteCommit',
    )
    expect(await valuesOf('orders')).toEqual(['a'])
    await pay(producer, 'b', 'commit')
    await complete()
    expect(await valuesOf('orders')).toEqual(['a', 'b'])
    expect(await valuesOf('audit')).toEqual(['a', 'b'])
  })
})
