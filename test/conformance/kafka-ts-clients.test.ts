/**
 * kafka-ts 1.5.0 as services have it, where the stories do not reach: it writes text, uncompressed, idempotently, with acks all, and
 * reads everything.
 */
import * as zlib from 'node:zlib'
import { type Client, createKafkaClient, type Message, setLogger } from 'kafka-ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Admin, Consumer, Producer } from '../../src/client/clients.ts'
import type { ConsumerRecord } from '../../src/client/consumer/consumer-record.ts'
import { createCluster } from '../../src/cluster/create-cluster.ts'
import { type Place, type PlaceName, places } from './place.ts'

const silent = () => {}
setLogger({ debug: silent, info: silent, warn: silent, error: silent })

const SENT_AT = 1767225600000n
const quick = { retryDelayMs: 50, maxRetryDelayMs: 100, maxRetries: 100 }
/** zstd it leaves to node:zlib, which has it from Node 22.15 on. */
const readable = ['none', 'gzip', 'snappy', 'lz4', ...('zstdCompress' in zlib ? (['zstd'] as const) : [])] as const

function clientOf(bootstrapServers: string): Client {
  const servers = bootstrapServers.split(',').map(address => {
    const [host, port] = address.split(':') as [string, string]
    return { host, port: Number(port) }
  })
  return createKafkaClient({ clientId: 'billing', bootstrapServers: servers })
}

describe.each(Object.keys(places) as PlaceName[])('kafka-ts, %s', name => {
  let place: Place
  let kafka: Client
  let admin: Admin
  let topics = 0

  beforeAll(async () => {
    place = await places[name]()
    kafka = clientOf(place.bootstrapServers)
    admin = new Admin({ 'bootstrap.servers': place.bootstrapServers })
  })
  afterAll(async () => {
    await admin.close()
    await place.end()
    expect(place.disorder).toEqual([])
  })

  async function topicOf(partitions = 1, configs = {}): Promise<string> {
    const topic = `orders-${++topics}`
    await admin.createTopics([
      {
        name: topic,
        partitions,
        replicationFactor: 3,
        configs: { 'min.insync.replicas': 2, 'retention.ms': -1, ...configs },
      },
    ])
    return topic
  }

  /** What a consumer of ours finds. */
  async function found(topic: string, partitions: number, count: number): Promise<ConsumerRecord[]> {
    const consumer = new Consumer({ 'bootstrap.servers': place.bootstrapServers, 'auto.offset.reset': 'earliest' })
    try {
      consumer.assign(Array.from({ length: partitions }, (_, partition) => ({ topic, partition })))
      const records: ConsumerRecord[] = []
      while (records.length < count) records.push(...(await consumer.poll({ timeoutMs: 1_000 })))
      return records
    } finally {
      await consumer.close()
    }
  }

  /** What a consumer of theirs finds. */
  async function read(topic: string, count: number): Promise<Required<Message>[]> {
    const messages: Required<Message>[] = []
    let enough = () => {}
    const done = new Promise<void>(resolve => {
      enough = resolve
    })
    const consumer = await kafka.startConsumer({
      topics: [topic],
      fromBeginning: true,
      maxWaitMs: 100,
      onBatch(batch) {
        messages.push(...batch)
        if (messages.length >= count) enough()
      },
    })
    await done
    await consumer.close()
    return messages
  }

  async function send(messages: Message[], config = {}): Promise<void> {
    const producer = kafka.createProducer({ ...quick, ...config })
    try {
      await producer.send(messages)
    } finally {
      await producer.close()
    }
  }

  test('keys, headers, tombstones and times arrive as they were sent, and are read again', async () => {
    const topic = await topicOf()
    const long = 'é'.repeat(50_000)
    await send([
      {
        topic,
        partition: 0,
        key: 'ORDER-1',
        value: 'paid',
        headers: { source: 'shop', empty: '' },
        timestamp: SENT_AT,
      },
      { topic, partition: 0, key: 'ORDER-2', value: null, timestamp: SENT_AT + 5n },
      { topic, partition: 0, value: long, timestamp: SENT_AT - 5n },
    ])
    const stored = await found(topic, 1, 3)
    expect(
      stored.map(({ offset, timestamp, key, value, headers }) => [
        offset,
        timestamp,
        key?.toString(),
        value?.toString(),
        headers.map(header => [header.key, header.value?.toString()]),
      ]),
    ).toEqual([
      [
        0,
        Number(SENT_AT),
        'ORDER-1',
        'paid',
        [
          ['source', 'shop'],
          ['empty', ''],
        ],
      ],
      [1, Number(SENT_AT) + 5, 'ORDER-2', undefined, []],
      [2, Number(SENT_AT) - 5, undefined, long, []],
    ])
    const own = await read(topic, 3)
    expect(own).toEqual([
      {
        topic,
        partition: 0,
        offset: 0n,
        timestamp: SENT_AT,
        key: 'ORDER-1',
        value: 'paid',
        headers: { source: 'shop', empty: '' },
      },
      { topic, partition: 0, offset: 1n, timestamp: SENT_AT + 5n, key: 'ORDER-2', value: null, headers: {} },
      { topic, partition: 0, offset: 2n, timestamp: SENT_AT - 5n, key: null, value: long, headers: {} },
    ])
  })

  test('two thousand records over six partitions are all there, in each partition in their order', async () => {
    const topic = await topicOf(6)
    const values = Array.from({ length: 2_000 }, (_, i) => `${i}`)
    await send(values.map(value => ({ topic, key: `ORDER-${Number(value) % 50}`, value })))
    const stored = await found(topic, 6, 2_000)
    const lines = new Map<number, number[]>()
    for (const { partition, value } of stored) lines.set(partition, [...(lines.get(partition) ?? []), Number(value)])
    expect(lines.size).toBe(6)
    for (const line of lines.values()) expect(line).toEqual([...line].sort((a, b) => a - b))
    expect(stored.map(({ value }) => `${value}`).sort()).toEqual(values.toSorted())
    expect((await read(topic, 2_000)).map(({ value }) => value).sort()).toEqual(values.toSorted())
  })

  test.each(readable)('%s, as ours writes it, is read', async compression => {
    const topic = await topicOf()
    const producer = new Producer({
      'bootstrap.servers': place.bootstrapServers,
      'compression.type': compression,
      'linger.ms': 5,
    })
    const values = Array.from({ length: 200 }, (_, i) => `{"state":"paid","number":${i}}`)
    await Promise.all(values.map(value => producer.send({ topic, partition: 0, key: 'ORDER', value })))
    await producer.close()
    expect((await read(topic, 200)).map(({ key, value }) => [key, value])).toEqual(
      values.map(value => ['ORDER', value]),
    )
  })

  test('what is refused fails by its name: no such topic, a record too large', async () => {
    const small = await topicOf(1, { 'max.message.bytes': 1_000 })
    await expect(send([{ topic: 'no-such-topic', value: 'x' }])).rejects.toThrow('UNKNOWN_TOPIC_OR_PARTITION')
    await expect(send([{ topic: small, value: 'x'.repeat(2_000) }])).rejects.toThrow('MESSAGE_TOO_LARGE')
    await send([{ topic: 'made-by-writing', value: 'x' }], { allowTopicAutoCreation: true })
    expect(await read('made-by-writing', 1)).toMatchObject([{ value: 'x' }])
  })
})

/** The newest versions of Produce, Fetch and JoinGroup that these releases have. */
const newest = [
  ['2.4', [8, 11, 6]],
  ['2.8', [9, 12, 7]],
  ['3.9', [11, 17, 9]],
  ['4.0', [12, 17, 9]],
] as const

test.each(newest)(
  'a cluster that is like %s is asked in the versions of that release',
  async (kafkaVersion, versions) => {
    await using cluster = await createCluster({ listen: true, kafkaVersion, topics: { orders: {} } })
    const kafka = clientOf(cluster.bootstrapServers)
    const producer = kafka.createProducer(quick)
    await producer.send([{ topic: 'orders', partition: 0, key: 'ORDER-1', value: 'paid' }])
    const seen: (string | null)[] = []
    const consumer = await kafka.startConsumer({
      topics: ['orders'],
      groupId: 'billing',
      fromBeginning: true,
      maxWaitMs: 100,
      onBatch: messages => void seen.push(...messages.map(({ value }) => value)),
    })
    await cluster.group('billing').waitForLag(0)
    await consumer.close()
    await producer.close()
    expect(seen).toEqual(['paid'])
    const asked = (api: string) => cluster.requests({ api, from: 'billing' }).map(({ version }) => version)
    for (const [i, api] of ['Produce', 'Fetch', 'JoinGroup'].entries()) {
      expect(new Set(asked(api))).toEqual(new Set([versions[i]]))
    }
  },
)

test('it cannot speak to what is older than 2.4, which refuses its first request without a range (KIP-511)', async () => {
  await using cluster = await createCluster({ listen: true, kafkaVersion: '2.3', topics: { orders: {} } })
  const producer = clientOf(cluster.bootstrapServers).createProducer(quick)
  await expect(producer.send([{ topic: 'orders', value: 'paid' }])).rejects.toThrow('No seed brokers found')
  await producer.close()
})

test('a member of the new protocol outlives its coordinator, once the session of its former self is over', async () => {
  await using cluster = await createCluster({
    listen: true,
    topics: { orders: { partitions: 4, replicationFactor: 3, configs: { 'min.insync.replicas': 2 } } },
    configs: { 'group.consumer.min.session.timeout.ms': 1_000, 'group.consumer.session.timeout.ms': 1_000 },
  })
  const kafka = clientOf(cluster.bootstrapServers)
  const seen = new Set<string | null>()
  const consumer = await kafka.startConsumer({
    topics: ['orders'],
    groupId: 'billing',
    groupProtocol: 'consumer',
    fromBeginning: true,
    maxWaitMs: 100,
    onBatch(messages) {
      for (const { value } of messages) seen.add(value)
    },
  })
  const producer = kafka.createProducer(quick)
  const write = (line: string) =>
    Promise.all(
      [0, 1, 2, 3].map(partition => producer.send([{ topic: 'orders', partition, value: `${line}-${partition}` }])),
    )
  await write('before')
  await cluster.runUntil(() => seen.size === 4)
  await cluster.coordinatorOf({ group: 'billing' }).crash()
  await write('after')
  await cluster.runUntil(() => seen.size === 8, { timeoutMs: 15_000 })
  await consumer.close()
  await producer.close()
})
