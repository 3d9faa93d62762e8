import { describe, expect, test } from 'vitest'
import { carriers, durable, KafkajsWorld, Reader } from './kafkajs-world.ts'

const topics = { orders: durable }
const numbered = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ partition: (from + index) % 4, value: `${from + index}` }))
const names = (from: number, count: number) => numbered(from, count).map(({ value }) => value)

describe.each(carriers)('kafkajs groups, %s', carrier => {
  test('two members share the partitions; when one leaves, the other has them all', async () => {
    await using world = await KafkajsWorld.start(carrier, { topics })
    const producer = await world.producer()
    const first = await world.member('orders')
    expect(first.assignments).toEqual([{ orders: [0, 1, 2, 3] }])
    const second = await world.member('orders')
    await world.until(() => first.assignments.length === 2 && second.assignments.length === 1)
    const both = [first, second].flatMap(reader => reader.assignments.at(-1)!.orders!)
    expect(both.sort()).toEqual([0, 1, 2, 3])
    await producer.send({ topic: 'orders', messages: numbered(0, 40) })
    await world.until(() => first.records.length + second.records.length === 40)
    expect([first.records.length, second.records.length]).toEqual([20, 20])
    expect([...first.values, ...second.values].sort()).toEqual(names(0, 40).sort())
    await second.consumer.disconnect()
    await world.until(() => first.assignments.length === 3)
    expect(first.assignments.at(-1)).toEqual({ orders: [0, 1, 2, 3] })
    await producer.send({ topic: 'orders', messages: numbered(40, 8) })
    await world.until(() => first.records.length === 28)
    expect(first.values.slice(20).sort()).toEqual(names(40, 8).sort())
    expect([first.crashes, second.crashes]).toEqual([[], []])
  })

  test('a member begins where the one before it had committed', async () => {
    await using world = await KafkajsWorld.start(carrier, { topics })
    const producer = await world.producer()
    await producer.send({ topic: 'orders', messages: numbered(0, 8) })
    const before = await world.member('orders')
    await world.until(() => before.records.length === 8)
    await before.consumer.disconnect()
    expect(world.cluster.group('billing').lag).toBe(0)
    await producer.send({ topic: 'orders', messages: numbered(8, 4) })
    const after = await world.member('orders')
    await world.until(() => after.records.length === 4)
    expect(after.values.sort()).toEqual(names(8, 4).sort())
  })

  test('a handler that fails gets its record again; what it had done is committed', async () => {
    await using world = await KafkajsWorld.start(carrier, { topics })
    const producer = await world.producer()
    await producer.send({ topic: 'orders', messages: ['a', 'b', 'c'].map(value => ({ partition: 0, value })) })
    const attempts: string[] = []
    const failing = new Reader()
    failing.handle = async ({ message }) => {
      attempts.push(`${message.value}`)
      if (attempts.join('') === 'ab') throw new Error('the database was away')
    }
    await world.member('orders', {}, failing)
    await world.until(() => attempts.length === 4)
    expect(attempts).toEqual(['a', 'b', 'b', 'c'])
    await world.until(() => world.cluster.group('billing').committed('orders', 0)?.offset === 3)
  })

  test('seek reads again; pause stops one partition until it is resumed', async () => {
    await using world = await KafkajsWorld.start(carrier, { topics })
    const producer = await world.producer()
    await producer.send({ topic: 'orders', messages: numbered(0, 8) })
    const reader = await world.member('orders')
    await world.until(() => reader.records.length === 8)
    reader.consumer.seek({ topic: 'orders', partition: 1, offset: '1' })
    await world.until(() => reader.records.length === 9)
    expect(reader.values[8]).toBe('5')
    reader.consumer.pause([{ topic: 'orders', partitions: [2] }])
    expect(reader.consumer.paused()).toEqual([{ topic: 'orders', partitions: [2] }])
    await producer.send({ topic: 'orders', messages: numbered(8, 4) })
    await world.until(() => reader.records.length === 12)
    expect(reader.values.slice(9).sort()).toEqual(['11', '8', '9'])
    reader.consumer.resume([{ topic: 'orders', partitions: [2] }])
    await world.until(() => reader.records.length === 13)
    expect(reader.values[12]).toBe('10')
  })

  test('commits by hand are what counts, without autoCommit', async () => {
    await using world = await KafkajsWorld.start(carrier, { topics })
    const producer = await world.producer()
    await producer.send({ topic: 'orders', messages: numbered(0, 4) })
    const consumer = world.kafka.consumer({ groupId: 'by-hand', maxWaitTimeInMs: 100 })
    await consumer.connect()
    await consumer.subscribe({ topics: ['orders'], fromBeginning: true })
    let read = 0
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        read += batch.messages.length
      },
    })
    await world.until(() => read === 4)
    await consumer.commitOffsets([{ topic: 'orders', partition: 3, offset: '1', metadata: 'by hand' }])
    await consumer.disconnect()
    const group = world.cluster.group('by-hand')
    expect(group.committed('orders', 3)).toMatchObject({ offset: 1, metadata: 'by hand' })
    expect(group.committed('orders', 0)).toBeUndefined()
  })
})
