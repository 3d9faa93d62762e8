import { CompressionTypes } from 'kafkajs'
import { beforeAll, describe, expect, test } from 'vitest'
import { giveKafkajsCodecs } from './kafkajs-codecs.ts'
import { carriers, KafkajsWorld } from './kafkajs-world.ts'

beforeAll(giveKafkajsCodecs)

const one = { orders: { partitions: 1, replicationFactor: 3, configs: { 'min.insync.replicas': 2 } } }
const codecs = [
  CompressionTypes.None,
  CompressionTypes.GZIP,
  CompressionTypes.Snappy,
  CompressionTypes.LZ4,
  CompressionTypes.ZSTD,
]

describe.each(carriers)('kafkajs produces, %s', carrier => {
  describe.each([-1, 1, 0])('with acks %i', acks => {
    test.each(codecs.map(codec => [CompressionTypes[codec], codec] as const))(
      '%s: keys, headers, tombstones and times arrive as they were sent',
      async (_name, compression) => {
        await using world = await KafkajsWorld.start(carrier, { topics: one })
        const producer = await world.producer()
        const timestamp = `${Date.now() - 3_600_000}`
        const long = 'é'.repeat(50_000)
        const answer = await producer.send({
          topic: 'orders',
          acks,
          compression,
          messages: [
            { key: 'ORDER-1', value: 'paid', headers: { source: 'shop', twice: ['a', 'b'] }, timestamp },
            { key: 'ORDER-2', value: null, timestamp },
            { value: long, timestamp },
          ],
        })
        expect(answer).toMatchObject(acks === 0 ? [] : [{ partition: 0, errorCode: 0, baseOffset: '0' }])
        const topic = world.cluster.topic('orders')
        await topic.waitForRecords(3)
        const headers = [
          { key: 'source', value: 'shop' },
          { key: 'twice', value: 'a' },
          { key: 'twice', value: 'b' },
        ]
        expect(await topic.records()).toMatchObject([
          { offset: 0, key: 'ORDER-1', value: 'paid', timestamp: Number(timestamp), headers },
          { offset: 1, key: 'ORDER-2', value: null, headers: [] },
          { offset: 2, key: null, value: long },
        ])
        const reader = await world.member('orders')
        await world.until(() => reader.records.length === 3)
        const [paid, deleted] = reader.records.map(({ message }) => message)
        expect([`${paid!.key}`, `${paid!.headers!.source}`, paid!.timestamp]).toEqual(['ORDER-1', 'shop', timestamp])
        expect((paid!.headers!.twice as Buffer[]).map(String)).toEqual(['a', 'b'])
        expect([`${deleted!.key}`, deleted!.value]).toEqual(['ORDER-2', null])
        expect(reader.values[2]).toBe(long)
      },
    )
  })

  test('to several topics at once; a topic that is not there is made', async () => {
    await using world = await KafkajsWorld.start(carrier, { topics: one })
    const producer = await world.producer()
    const topicMessages = ['orders', 'made-by-writing'].map(topic => ({ topic, messages: [{ value: topic }] }))
    const answer = await producer.sendBatch({ topicMessages })
    expect(answer.map(({ topicName, errorCode }) => [topicName, errorCode]).sort()).toEqual([
      ['made-by-writing', 0],
      ['orders', 0],
    ])
    expect(await world.cluster.topic('made-by-writing').records()).toMatchObject([{ value: 'made-by-writing' }])
  })

  test('idempotently: what it sends again, because the answer was lost, is not stored twice', async () => {
    await using world = await KafkajsWorld.start(carrier, { topics: one })
    const producer = await world.producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.send({ topic: 'orders', messages: [{ value: 'first' }] })
    const lost = world.cluster.failNext('Produce', { error: 'disconnect', when: 'after' })
    await producer.send({ topic: 'orders', messages: [{ value: 'second' }] })
    await producer.send({ topic: 'orders', messages: [{ value: 'third' }] })
    expect(lost.hits).toBe(1)
    const records = await world.cluster.topic('orders').records()
    expect(records.map(({ value }) => value)).toEqual(['first', 'second', 'third'])
    expect(world.cluster.requests({ api: 'Produce', from: 'billing' })).toHaveLength(4)
  })

  test('the default client stores twice what it sends again: that is why there is an idempotent one', async () => {
    await using world = await KafkajsWorld.start(carrier, { topics: one })
    const producer = await world.producer()
    world.cluster.failNext('Produce', { error: 'disconnect', when: 'after' })
    await producer.send({ topic: 'orders', messages: [{ value: 'twice' }] })
    expect(await world.cluster.topic('orders').records()).toMatchObject([{ value: 'twice' }, { value: 'twice' }])
  })

  test('what is refused fails by its name: an unknown topic, a record too large', async () => {
    await using world = await KafkajsWorld.start(carrier, {
      topics: { small: { configs: { 'max.message.bytes': 1_000 } } },
    })
    const producer = await world.producer({ allowAutoTopicCreation: false, retry: { retries: 1 } })
    const send = (topic: string, value: string) => producer.send({ topic, messages: [{ value }] })
    await expect(send('smal', 'x')).rejects.toMatchObject({ cause: { type: 'UNKNOWN_TOPIC_OR_PARTITION' } })
    await expect(send('small', 'x'.repeat(2_000))).rejects.toMatchObject({ type: 'MESSAGE_TOO_LARGE' })
    await send('small', 'x')
    expect(await world.cluster.topic('small').records()).toMatchObject([{ value: 'x' }])
  })

  test('too few replicas refuse what wants acks -1, and take it when they are back', async () => {
    await using world = await KafkajsWorld.start(carrier, { topics: one })
    const producer = await world.producer({ retry: { retries: 1 } })
    const send = (value: string) => producer.send({ topic: 'orders', messages: [{ value }] })
    for (const follower of world.cluster.followersOf('orders', 0)) await follower.stop()
    await expect(send('refused')).rejects.toMatchObject({ cause: { type: 'NOT_ENOUGH_REPLICAS' } })
    await world.cluster.heal()
    await world.until(() => world.cluster.partition('orders', 0).inSyncReplicas.length === 3)
    await send('taken')
    expect(await world.cluster.topic('orders').records()).toMatchObject([{ value: 'taken' }])
  })
})
