/** Who is told of a record's end, when, and of what: the promise, interceptors, the callback. */
import { afterEach, expect, test } from 'vitest'
import { produce } from '../../src/apis/produce.ts'
import {
  ClientError,
  type Cluster,
  type ClusterOptions,
  createCluster,
  IllegalStateError,
  KafkaError,
  type ProducerRecord,
  type RecordMetadata,
  SerializationError,
} from '../../src/index.ts'

let cluster: Cluster
afterEach(() => cluster?.close())

async function start(options: ClusterOptions = {}): Promise<Cluster> {
  cluster = await createCluster({ brokers: 1, topics: { orders: { partitions: 2 } }, ...options })
  return cluster
}

const order = (value: string, partition = 0): ProducerRecord => ({ topic: 'orders', partition, value })
const outcome = (metadata: RecordMetadata, error: unknown) =>
  error === undefined ? `offset ${metadata.offset}` : (error as Error).name

test.each(['virtual', 'real'] as const)(
  'callbacks come in the order of the log, before flush is over and before close is (%s time; C-48)',
  async time => {
    await start({ time })
    const producer = cluster.producer({ 'batch.size': 120, 'linger.ms': 5 })
    const seen: number[] = []
    for (let n = 0; n < 12; n++) producer.send(order(`n${n}`), ({ offset }) => seen.push(offset))
    await producer.flush()
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    producer.send(order('last'), ({ offset }) => seen.push(offset))
    await producer.close()
    expect(seen.at(-1)).toBe(12)
  },
)

test('interceptors hear of a record before its callback does, each of its own record (C-48)', async () => {
  await start()
  const seen: string[] = []
  const witness = (name: string) => ({
    onSend: (record: ProducerRecord) => ({ ...record, value: `${record.value}${name}` }),
    onAcknowledgement: (metadata: RecordMetadata, error: unknown) => {
      seen.push(`${name} ${outcome(metadata, error)}`)
    },
    close: () => {
      seen.push(`${name} closed`)
    },
  })
  const producer = cluster.producer({ 'interceptor.classes': [witness('A'), witness('B')] })
  await producer.send(order('x'), (metadata, error) => seen.push(`callback ${outcome(metadata, error)}`))
  expect((await cluster.topic('orders').records()).map(({ value }) => value)).toEqual(['xAB'])
  await producer.close()
  expect(seen).toEqual(['A offset 0', 'B offset 0', 'callback offset 0', 'A closed', 'B closed'])
})

test('a callback or an interceptor that throws hurts nothing, and is noted in the trace (C-48)', async () => {
  await start()
  const producer = cluster.producer({
    'interceptor.classes': [
      {
        onSend: () => {
          throw new Error('no')
        },
      },
      class {
        onAcknowledgement() {
          throw new Error('never')
        }
      },
    ],
  })
  const seen: number[] = []
  const sends = [0, 1, 2].map(n =>
    producer.send(order(`n${n}`), ({ offset }) => {
      seen.push(offset)
      if (offset === 1) throw new Error('angry')
    }),
  )
  expect((await Promise.all(sends)).map(({ offset }) => offset)).toEqual([0, 1, 2])
  expect(seen).toEqual([0, 1, 2])
  const noted = cluster.trace.text()
  for (const what of ['callback of send threw Error: angry', 'interceptor onSend threw Error: no']) {
    expect(noted).toContain(what)
  }
})

test('a failure is told to the callback with what is known of the record, and −1 for the rest (C-21)', async () => {
  await start({ configs: { 'auto.create.topics.enable': false } })
  const producer = cluster.producer({ 'max.block.ms': 100, 'max.request.size': 500 })
  const told: [RecordMetadata, unknown][] = []
  const tell = (metadata: RecordMetadata, error: unknown) => {
    told.push([metadata, error])
  }
  await Promise.allSettled([
    producer.send({ topic: 'absent', value: 'x' }, tell),
    producer.send(order('x'.repeat(600), 1), tell),
    producer.send({ topic: 'orders', value: 5 as never }, tell),
  ])
  const unknown = { offset: -1, timestamp: -1, serializedKeySize: -1, serializedValueSize: -1 }
  expect(new Set(told.map(([metadata]) => metadata))).toEqual(
    new Set([
      { topic: 'absent', partition: -1, ...unknown },
      { topic: 'orders', partition: 1, ...unknown },
      { topic: 'orders', partition: -1, ...unknown },
    ]),
  )
  expect(told.map(([, error]) => (error as Error).name).sort()).toEqual([
    'RecordTooLargeError',
    'SerializationError',
    'TimeoutError',
  ])
  expect(told.some(([, error]) => error instanceof SerializationError)).toBe(true)
})

test('a record that the broker refuses is told of with its partition, whoever chose it', async () => {
  await start()
  cluster.failNext(produce, { error: 'INVALID_RECORD' })
  let told: RecordMetadata | undefined
  const sent = cluster.producer().send({ topic: 'orders', key: 'b', value: 'x' }, metadata => {
    told = metadata
  })
  await expect(sent).rejects.toThrow(KafkaError)
  const { partition } = await cluster.producer().send({ topic: 'orders', key: 'b', value: 'x' })
  expect(told).toMatchObject({ topic: 'orders', partition, offset: -1 })
})

test('with a callback nobody has to look at the promise: a failure is no unhandled rejection', async () => {
  await start()
  const unhandled: unknown[] = []
  const listener = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', listener)
  const producer = cluster.producer()
  const names: string[] = []
  producer.send({ topic: 'orders', partition: -1, value: 'x' }, (_, error) => names.push((error as Error).name))
  await producer.close()
  producer.send(order('x'), (_, error) => names.push((error as Error).name))
  await cluster.clock.advance(10)
  await new Promise(done => setImmediate(done))
  process.off('unhandledRejection', listener)
  expect([names, unhandled]).toEqual([['IllegalArgumentError', 'IllegalStateError'], []])
})

test('flush in a callback is refused, send is not, close counts as close({ timeoutMs: 0 }) (C-70, C-71)', async () => {
  await start()
  const producer = cluster.producer()
  const seen: Promise<unknown>[] = []
  await producer.send(order('x'), () => {
    seen.push(
      producer.flush().catch(error => error),
      producer.send(order('y', 1)),
    )
  })
  expect(await seen[0]).toBeInstanceOf(ClientError)
  expect(await seen[1]).toMatchObject({ partition: 1, offset: 0 })
  const lingering = cluster.producer({ 'linger.ms': 60_000 })
  let closing: Promise<void> | undefined
  let late: Promise<unknown> | undefined
  const first = lingering.send(order('a'), () => {
    late = lingering.send(order('b')).catch(error => error)
    closing = lingering.close()
  })
  await lingering.flush()
  await first
  await closing
  expect(await late).toMatchObject({ name: 'ClientError', message: 'Producer is closed forcefully.' })
})

test('after close and while closing nothing is taken any more; what was sent before still is (C-20, C-71)', async () => {
  await start()
  const producer = cluster.producer({ 'linger.ms': 1_000 })
  const before = producer.send(order('before'))
  const closing = producer.close()
  await expect(producer.send(order('while'))).rejects.toThrow(
    new IllegalStateError('Cannot perform operation after producer has been closed'),
  )
  expect(await before).toMatchObject({ offset: 0 })
  await closing
  await expect(producer.send(order('after'))).rejects.toThrow(IllegalStateError)
  expect(await producer.flush()).toBeUndefined()
  expect(await producer.partitionsFor('orders')).toHaveLength(2)
  await expect(producer.partitionsFor('other')).rejects.toThrow(IllegalStateError)
})

test('an interceptor is configured with all that its producer is; one whose configure throws is refused', async () => {
  await start()
  const seen: unknown[] = []
  class Configured {
    configure(configs: Readonly<Record<string, unknown>>) {
      seen.push(configs['linger.ms'])
    }
  }
  cluster.producer({ 'interceptor.classes': [Configured], 'linger.ms': '7' })
  expect(seen).toEqual([7])
  class Angry {
    configure() {
      throw new Error('no collector')
    }
  }
  expect(() => cluster.producer({ 'interceptor.classes': [Angry] })).toThrow(
    'interceptor.classes: configure() threw: no collector',
  )
})
