import { createCluster, Produce, Producer } from 'mini-kafka'
import { expect, test } from 'vitest'

const isShared = (bytes: Uint8Array | null | undefined) => bytes!.buffer instanceof SharedArrayBuffer

test.each(['none', 'gzip'])(
  'what a test sees of large batches that came over TCP is in memory that may go anywhere (compression: %s)',
  async compression => {
    await using cluster = await createCluster({ listen: true, topics: { orders: { partitions: 1 } } })
    const arrived: boolean[] = []
    cluster.intercept(Produce, (request, next) => {
      for (const { records } of request.body.topicData[0]!.partitionData) arrived.push(isShared(records!.slices.at(-1)))
      return next()
    })
    await using producer = new Producer({
      'bootstrap.servers': cluster.bootstrapServers,
      'compression.type': compression as 'none',
    })
    // Such as gzip does not make small.
    let random = 1
    const value = Uint8Array.from({ length: 200_000 }, () => {
      random = (Math.imul(random, 1_103_515_245) + 12_345) | 0
      return random >>> 16
    })
    const headers = { kind: value.subarray(0, 300) }
    await producer.send({ topic: 'orders', key: value.subarray(0, 100), value, headers })
    expect(arrived).toEqual([true])

    await using consumer = cluster.consumer({ 'auto.offset.reset': 'earliest' })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    const [read] = await consumer.poll({ timeoutMs: 5_000 })
    const [looked] = await cluster.topic('orders').records({ as: 'bytes' })
    for (const record of [read!, looked!]) {
      expect(Buffer.from(record.value as Uint8Array).equals(value)).toBe(true)
      expect(isShared(record.value as Uint8Array)).toBe(false)
      expect(isShared(record.key as Uint8Array)).toBe(false)
    }
  },
)
