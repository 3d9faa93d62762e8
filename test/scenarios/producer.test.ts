import { expect } from 'vitest'
import { IllegalArgumentError, IllegalStateError, type ProducerRecord, SerializationError } from '../../src/index.ts'
import { partitionOfKey } from '../../src/wire/murmur2.ts'
import { clientStory } from './client-story.ts'

const reason = (sent: Promise<unknown>) => sent.then(String, error => error)
const numbered = (count: number) => Array.from({ length: count }, (_, n) => `v${n}`)

for (const acks of ['all', '1'] as const) {
  clientStory(`with acks=${acks} a record has its offset, and the sizes that were sent (C-27, R-10)`, async place => {
    const topic = await place.topic()
    const producer = place.producer({ acks, 'enable.idempotence': acks === 'all' })
    const sent = [
      producer.send({ topic, key: 'key', value: 'ä', timestamp: 1_700_000_000_000 }),
      producer.send({ topic, value: null }),
    ]
    expect(await Promise.all(sent)).toMatchObject([
      { topic, partition: 0, offset: 0, timestamp: 1_700_000_000_000, serializedKeySize: 3, serializedValueSize: 2 },
      { topic, partition: 0, offset: 1, serializedKeySize: -1, serializedValueSize: -1 },
    ])
    expect(await place.values(topic)).toEqual(['ä', null])
  })
}

clientStory('with acks=0 a record is sent and nobody says where it went (C-47)', async place => {
  const topic = await place.topic()
  const producer = place.producer({ acks: '0', 'enable.idempotence': false })
  expect(await producer.send({ topic, value: 'a' })).toMatchObject({ offset: -1, partition: 0 })
  await place.eventually('it is in the log', async () => (await place.values(topic)).length === 1)
})

for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
  clientStory(`what is sent with compression.type ${codec} is read as it was (C-30)`, async place => {
    const topic = await place.topic()
    const producer = place.producer({ 'compression.type': codec, 'linger.ms': 20 })
    const values = numbered(200).map(value => value.repeat(20))
    await Promise.all(values.map(value => producer.send({ topic, value })))
    expect(await place.values(topic)).toEqual(values)
    const ratio = producer.metrics()['compression-rate-avg']!
    expect(ratio < 0.5).toBe(codec !== 'none')
  })
}

clientStory(
  'equal keys go to one partition, that of murmur2; a partition that is given goes before (C-10, C-11)',
  async place => {
    const topic = await place.topic({ partitions: 5 })
    const producer = place.producer()
    const keys = numbered(20)
    const sent = await Promise.all(
      keys.flatMap(key => [producer.send({ topic, key, value: '1' }), producer.send({ topic, key, value: '2' })]),
    )
    expect(sent.map(({ partition }) => partition)).toEqual(
      keys.flatMap(key => [partitionOfKey(Buffer.from(key), 5), partitionOfKey(Buffer.from(key), 5)]),
    )
    expect((await producer.send({ topic, key: 'v0', partition: 4 })).partition).toBe(4)
  },
)

clientStory('records without a key share a batch, and move on when it is full (C-12)', async place => {
  const topic = await place.topic({ partitions: 3 })
  const producer = place.producer({
    'batch.size': 500,
    'linger.ms': 20,
    'partitioner.adaptive.partitioning.enable': false,
  })
  const sent = await Promise.all(numbered(90).map(value => producer.send({ topic, value: value.padEnd(100, '.') })))
  const partitions = sent.map(({ partition }) => partition)
  expect(new Set(partitions.slice(0, 3)).size).toBe(1)
  expect(new Set(partitions).size).toBeGreaterThan(1)
})

clientStory(
  'a partitioner of ours decides, and one that answers nonsense hurts only its record (C-10)',
  async place => {
    const topic = await place.topic({ partitions: 3 })
    const producer = place.producer({
      'partitioner.class': ({ value }: { value: unknown }) => (value === 'bad' ? -1 : 2),
    })
    expect(await reason(producer.send({ topic, value: 'bad' }))).toBeInstanceOf(IllegalArgumentError)
    expect((await producer.send({ topic, value: 'good' })).partition).toBe(2)
  },
)

clientStory('headers keep their order, repeated keys, nulls and empty values (B-6)', async place => {
  const topic = await place.topic()
  const headers: [string, string | Uint8Array | null][] = [
    ['a', '1'],
    ['a', '2'],
    ['ö', null],
    ['', new Uint8Array()],
  ]
  await place.producer().send({ topic, value: 'x', headers })
  const [record] = await place.records(topic)
  expect(record!.headers.map(({ key, value }) => [key, value && String(value)])).toEqual([
    ['a', '1'],
    ['a', '2'],
    ['ö', null],
    ['', ''],
  ])
})

clientStory('callbacks come in the order of the sends, before flush is over (C-48, C-70)', async place => {
  const topic = await place.topic()
  const producer = place.producer({ 'linger.ms': 60_000, 'batch.size': 300 })
  const called: number[] = []
  for (const value of numbered(100)) void producer.send({ topic, value }, ({ offset }) => called.push(offset))
  await producer.flush()
  expect(called).toEqual(Array.from({ length: 100 }, (_, n) => n))
})

clientStory('from a callback one may send and close, but not flush (C-70, C-71)', async place => {
  const topic = await place.topic()
  const producer = place.producer({ 'linger.ms': 0 })
  const seen: Promise<unknown>[] = []
  await producer.send({ topic, value: 'a' }, () => {
    seen.push(reason(producer.flush()), producer.send({ topic, value: 'b' }))
  })
  expect(await seen[0]).toMatchObject({ name: 'ClientError' })
  expect(await seen[1]).toMatchObject({ offset: 1 })
  let closing: Promise<void> | undefined
  await producer.send({ topic, value: 'c' }, () => {
    closing = producer.close()
  })
  await closing
  expect(await reason(producer.send({ topic, value: 'd' }))).toBeInstanceOf(IllegalStateError)
  expect(await place.values(topic)).toEqual(['a', 'b', 'c'])
})

clientStory('close sends what lingers (C-71)', async place => {
  const topic = await place.topic()
  const producer = place.producer({ 'linger.ms': 60_000 })
  const sent = producer.send({ topic, value: 'a' })
  await producer.partitionsFor(topic)
  await producer.close()
  expect(await sent).toMatchObject({ offset: 0 })
})

clientStory(
  'a record above max.request.size never leaves; above max.message.bytes the broker refuses it (C-23, C-44)',
  async place => {
    const topic = await place.topic({ configs: { 'max.message.bytes': 2_000 } })
    const producer = place.producer({ 'max.request.size': 10_000, 'linger.ms': 20 })
    const [local, remote, fine] = await Promise.all([
      reason(producer.send({ topic, value: 'x'.repeat(10_000) })),
      reason(producer.send({ topic, value: 'x'.repeat(5_000) })),
      producer.send({ topic, value: 'fine' }),
    ])
    expect(local).toMatchObject({ name: 'RecordTooLargeError', details: undefined })
    expect(remote).toMatchObject({ name: 'RecordTooLargeError', details: { topic, partition: 0 } })
    expect(fine.offset).toBe(0)
  },
)

clientStory(
  'a batch above max.message.bytes goes in parts, and every record arrives in order (X-30, C-44)',
  async place => {
    const topic = await place.topic({ configs: { 'max.message.bytes': 2_000 } })
    const producer = place.producer({ 'batch.size': 20_000, 'linger.ms': 60_000 })
    const values = numbered(50).map(value => value.padEnd(150, '.'))
    const sent = values.map(value => producer.send({ topic, value }))
    await producer.flush()
    expect((await Promise.all(sent)).map(({ offset }) => offset)).toEqual(values.map((_, n) => n))
    expect(await place.values(topic)).toEqual(values)
    expect(producer.metrics()['batch-split-total']).toBeGreaterThan(0)
  },
)

clientStory('a partition that does not exist is waited for, for max.block.ms (C-22)', async place => {
  const topic = await place.topic()
  const producer = place.producer({ 'max.block.ms': 300 })
  expect(await reason(producer.send({ topic, partition: 7, value: 'x' }))).toMatchObject({
    name: 'TimeoutError',
    message: `Partition 7 of topic ${topic} with partition count 1 is not present in metadata after 300 ms.`,
  })
  expect((await producer.send({ topic, value: 'x' })).offset).toBe(0)
})

clientStory('what cannot be sent at all is refused at once, and hurts nothing else (C-23, C-25)', async place => {
  const topic = await place.topic()
  const producer = place.producer()
  const bad = [{ partition: -1 }, { timestamp: -1 }, { value: 7 }].map(part => {
    return reason(producer.send({ topic, value: 'x', ...part } as ProducerRecord))
  })
  const [partition, timestamp, value] = await Promise.all(bad)
  expect(partition).toBeInstanceOf(IllegalArgumentError)
  expect(timestamp).toBeInstanceOf(IllegalArgumentError)
  expect(value).toBeInstanceOf(SerializationError)
  expect((await producer.send({ topic, value: 'x' })).offset).toBe(0)
})

clientStory('a timestamp in the far future is refused by the broker (X-17, P-14)', async place => {
  const topic = await place.topic({ configs: { 'message.timestamp.after.max.ms': 3_600_000 } })
  // Far enough from whatever time the cluster lives in.
  const timestamp = 32_503_680_000_000
  expect(await reason(place.producer().send({ topic, value: 'x', timestamp }))).toMatchObject({
    errorName: 'INVALID_TIMESTAMP',
    retriable: false,
  })
})

clientStory(
  'a compacted topic takes no record without a key; the others of its batch fail with it (X-16, C-45)',
  async place => {
    const topic = await place.topic({ configs: { 'cleanup.policy': 'compact' } })
    const producer = place.producer({ 'linger.ms': 60_000 })
    const sent = ['a', null, 'b'].map(key => reason(producer.send({ topic, key, value: 'x' })))
    await producer.flush()
    const [first, second, third] = await Promise.all(sent)
    expect(second).toMatchObject({ errorName: 'INVALID_RECORD' })
    expect([first, third]).toMatchObject([{ name: 'ClientError' }, { name: 'ClientError' }])
    expect(await place.values(topic)).toEqual([])
  },
)

clientStory('under LogAppendTime records have the time of the broker (C-27)', async place => {
  const topic = await place.topic({ configs: { 'message.timestamp.type': 'LogAppendTime' } })
  const { timestamp } = await place.producer().send({ topic, value: 'x', timestamp: 1_000 })
  expect(timestamp).toBeGreaterThan(1_000)
  expect((await place.records(topic))[0]).toMatchObject({ timestamp, timestampType: 'LogAppendTime' })
})

clientStory(
  'too few in-sync replicas: told at once without retries, else after delivery.timeout.ms (R-11, C-40, C-42)',
  { breaks: true, brokers: 3 },
  async place => {
    const topic = await place.topic({ replicas: 2, configs: { 'min.insync.replicas': 2 } })
    const { partitions } = (await place.admin().describeTopics([topic])).get(topic)!
    const [leader, follower] = partitions[0]!.replicas
    await place.producer().send({ topic, value: 'before' })
    await place.world!.stop(follower!)
    const metadata = place.admin()
    await place.eventually('it has left', async () => {
      const { inSyncReplicas } = (await metadata.describeTopics([topic])).get(topic)!.partitions[0]!
      return inSyncReplicas.join() === `${leader}`
    })
    const hasty = place.producer({ retries: 0, 'enable.idempotence': false })
    expect(await reason(hasty.send({ topic, value: 'x' }))).toMatchObject({ errorName: 'NOT_ENOUGH_REPLICAS' })
    const patient = place.producer({ 'delivery.timeout.ms': 1_000, 'request.timeout.ms': 900, 'linger.ms': 0 })
    const error = await reason(patient.send({ topic, value: 'x' }))
    expect(['REQUEST_TIMED_OUT', 'NOT_ENOUGH_REPLICAS']).toContain((error as { errorName?: string }).errorName)
    expect((error as { details: { attempts: number } }).details.attempts).toBeGreaterThan(1)
    expect(await place.values(topic)).toEqual(['before'])
  },
)

clientStory(
  'through the death of the leader nothing is lost, doubled or overtaken (C-34, I-13)',
  { breaks: true, brokers: 3 },
  async place => {
    const topic = await place.topic({ replicas: 3, configs: { 'min.insync.replicas': 2 } })
    const producer = place.producer({ 'linger.ms': 0, 'batch.size': 100 })
    const leaderNow = async () => (await producer.partitionsFor(topic))[0]!.leader!
    await producer.send({ topic, value: 'v0' })
    const sent: Promise<unknown>[] = []
    for (const [n, value] of numbered(300).entries()) {
      if (n === 0) continue
      sent.push(producer.send({ topic, value }))
      if (n === 100) await place.world!.crash(await leaderNow())
      if (n % 20 === 0) await place.sleep(5)
    }
    await Promise.all(sent)
    expect(await place.values(topic)).toEqual(numbered(300))
  },
)
