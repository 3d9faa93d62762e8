import { afterEach, expect, test } from 'vitest'
import { initProducerId } from '../../src/apis/init-producer-id.ts'
import { produce } from '../../src/apis/produce.ts'
import {
  type Cluster,
  type ClusterOptions,
  createCluster,
  hold,
  type ProducerRecord,
  type RecordMetadata,
  reset,
} from '../../src/index.ts'
import {
  BufferExhaustedError,
  ConfigError,
  type ErrorName,
  errorCodes,
  IllegalArgumentError,
  IllegalStateError,
} from '../../src/wire/errors.ts'
import type { RecordBatch } from '../../src/wire/record-batch.ts'
import { producedBatch } from '../../src/wire/records.ts'

let cluster: Cluster
afterEach(() => cluster?.close())

async function start(options: ClusterOptions = {}): Promise<Cluster> {
  const topics = { orders: { partitions: 1, replicationFactor: 3 } }
  cluster = await createCluster({ topics, configs: { 'auto.create.topics.enable': false }, ...options })
  return cluster
}

/** Batches as brokers receive them; `answers` gives the error of the n-th Produce instead of appending, if any. */
function watch(answers: (n: number, batch: RecordBatch) => ErrorName | undefined = () => undefined) {
  const seen: RecordBatch[] = []
  const versions = new Set<number>()
  cluster.intercept(produce, async (request, next) => {
    versions.add(request.version)
    const topic = request.body.topicData[0]!
    const [partition] = topic.partitionData
    const batch = producedBatch(partition!.records, request.version)
    seen.push(batch)
    const error = answers(seen.length, batch)
    if (error === undefined) return next()
    const refusal = { index: partition!.index, errorCode: errorCodes[error], baseOffset: -1 }
    return { responses: [{ name: topic.name, topicId: topic.topicId, partitionResponses: [refusal] }] }
  })
  return {
    seen,
    versions,
    /** Epoch, base sequence and number of records of each batch. */
    stamps: () => seen.map(({ producerEpoch, baseSequence, count }) => [producerEpoch, baseSequence, count]),
  }
}

const order = (value: string) => ({ topic: 'orders', value })

test('a record comes back with its partition, offset, timestamp and sizes (C-20, C-27)', async () => {
  await start()
  const producer = cluster.producer()
  expect(
    await producer.send({ topic: 'orders', key: 'ORDER-1001', value: 'paid', timestamp: 1_767_225_600_123 }),
  ).toEqual({
    topic: 'orders',
    partition: 0,
    offset: 0,
    timestamp: 1_767_225_600_123,
    serializedKeySize: 10,
    serializedValueSize: 4,
  })
  const now = cluster.clock.now()
  expect(await producer.send({ topic: 'orders' })).toMatchObject({
    offset: 1,
    timestamp: now,
    serializedKeySize: -1,
    serializedValueSize: -1,
  })
})

test("under LogAppendTime the timestamp is the broker's (C-27, P-18)", async () => {
  await start({ topics: { orders: { configs: { 'message.timestamp.type': 'LogAppendTime' } } } })
  const { timestamp } = await cluster.producer().send({ topic: 'orders', value: 'x', timestamp: 5 })
  expect(timestamp).toBeGreaterThan(1_767_225_600_000)
})

test('sends that nobody awaits are appended in the order of the calls, before and after metadata is there (C-20)', async () => {
  await start()
  const producer = cluster.producer()
  for (let i = 0; i < 50; i++) void producer.send(order(`first ${i}`))
  await producer.flush()
  for (let i = 0; i < 50; i++) void producer.send(order(`then ${i}`))
  await producer.flush()
  const consumer = cluster.consumer({ 'auto.offset.reset': 'earliest', 'value.deserializer': 'string' })
  consumer.assign([{ topic: 'orders', partition: 0 }])
  const records = await consumer.poll({ timeoutMs: 1_000 })
  const expected = ['first', 'then'].flatMap(part => Array.from({ length: 50 }, (_, i) => `${part} ${i}`))
  expect(records.map(({ value }) => value)).toEqual(expected)
})

test('an asynchronous serializer holds up later records of its topic, and time stands still for it (C-20)', async () => {
  await start()
  const serialize = async (_: string, data: unknown) => {
    await new Promise(resolve => setTimeout(resolve, data === 'slow' ? 20 : 1))
    return Buffer.from(String(data))
  }
  const producer = cluster.producer({ 'value.serializer': serialize })
  await producer.partitionsFor('orders')
  const before = cluster.clock.now()
  const [slow, quick] = await Promise.all([producer.send(order('slow')), producer.send(order('quick'))])
  expect([slow.offset, quick.offset]).toEqual([0, 1])
  expect(cluster.clock.now() - before).toBeLessThan(100)
})

test('a topic that never comes is waited for until max.block.ms, at growing intervals (C-22)', async () => {
  await start()
  const producer = cluster.producer({ 'max.block.ms': 5_000 })
  const before = cluster.clock.now()
  await expect(producer.send({ topic: 'audit', value: 'x' })).rejects.toMatchObject({
    errorName: 'REQUEST_TIMED_OUT',
    message: 'Topic audit not present in metadata after 5000 ms.',
  })
  expect(cluster.clock.now() - before).toBe(5_000)
  const asked = cluster.trace.events().filter(({ kind, fields }) => kind === 'request' && fields.api === 'Metadata')
  const gaps = asked.slice(1).map(({ at }, index) => at - asked[index]!.at)
  expect(gaps.length).toBeLessThan(12)
  expect(gaps[0]).toBeLessThan(130)
  expect(gaps.at(-1)).toBeGreaterThan(790)
})

test('a partition that never comes is waited for too, and so is one that comes late (C-22)', async () => {
  await start()
  const producer = cluster.producer({ 'max.block.ms': 5_000 })
  await expect(producer.send({ ...order('x'), partition: 1 })).rejects.toThrow(
    'Partition 1 of topic orders with partition count 1 is not present in metadata after 5000 ms.',
  )
  const late = producer.send({ ...order('x'), partition: 1 })
  await cluster.admin().createPartitions({ orders: { count: 2 } })
  expect(await late).toMatchObject({ partition: 1, offset: 0 })
})

test('a name that no topic can have is refused at once (C-22)', async () => {
  await start()
  const before = cluster.clock.now()
  await expect(cluster.producer().send({ topic: 'no spaces', value: 'x' })).rejects.toMatchObject({
    errorName: 'INVALID_TOPIC_EXCEPTION',
  })
  expect(cluster.clock.now() - before).toBeLessThan(100)
})

test('a record above max.request.size is refused before it is queued (C-23)', async () => {
  await start()
  const producer = cluster.producer({ 'max.request.size': 1_000 })
  await expect(producer.send(order('x'.repeat(915)))).rejects.toMatchObject({
    errorName: 'MESSAGE_TOO_LARGE',
    message: expect.stringContaining('larger than 1000, which is the value of max.request.size'),
  })
  expect(await producer.send(order('x'.repeat(914)))).toMatchObject({ offset: 0 })
})

test('with buffer.memory full and the brokers mute, a send fails after max.block.ms (C-24, X-28)', async () => {
  await start()
  const producer = cluster.producer({ 'buffer.memory': 500, 'batch.size': 200, 'max.block.ms': 100 })
  await producer.send(order('first'))
  const held = cluster.network.rule(hold({ api: produce }))
  const stuck = [producer.send(order('x'.repeat(150))), producer.send(order('x'.repeat(90)))]
  await expect(producer.send(order('x'.repeat(150)))).rejects.toThrow(BufferExhaustedError)
  held.dispose()
  expect((await Promise.all(stuck)).map(({ offset }) => offset)).toEqual([1, 2])
  expect(producer.metrics()).toMatchObject({ 'buffer-available-bytes': 500, 'buffer-exhausted-total': 1 })
})

test('sends that wait for memory go on, in order, as batches complete (C-31)', async () => {
  await start()
  const producer = cluster.producer({ 'buffer.memory': 500, 'batch.size': 200 })
  const sent = await Promise.all(Array.from({ length: 30 }, (_, i) => producer.send(order(`${i}`.padStart(100)))))
  expect(sent.map(({ offset }) => offset)).toEqual(Array.from({ length: 30 }, (_, i) => i))
})

test('a record without topic, or with a negative partition or timestamp, is refused in words (C-25)', async () => {
  await start()
  const producer = cluster.producer()
  const refusals = await Promise.allSettled([
    producer.send({ value: 'x' } as never),
    producer.send({ ...order('x'), partition: -1 }),
    producer.send({ ...order('x'), timestamp: -1 }),
  ])
  const reasons = refusals.map(refusal => (refusal as PromiseRejectedResult).reason as Error)
  for (const reason of reasons) expect(reason).toBeInstanceOf(IllegalArgumentError)
  expect(reasons.slice(1).map(({ message }) => message)).toEqual([
    'Invalid partition: -1. Partition number should always be non-negative or null.',
    'Invalid timestamp: -1. Timestamp should always be non-negative or null.',
  ])
})

test('two configuration keys that do not agree are refused', async () => {
  await start()
  expect(() => cluster.producer({ 'enable.idempotence': true, acks: '1' })).toThrow(ConfigError)
})

test('a record with an object as value says how objects can be sent', async () => {
  await start()
  await expect(cluster.producer().send({ topic: 'orders', value: { paid: true } as never })).rejects.toThrow(/'json'/)
  const producer = cluster.producer({ 'value.serializer': 'json' })
  await producer.send({ topic: 'orders', value: { paid: true } })
  const consumer = cluster.consumer({ 'auto.offset.reset': 'earliest', 'value.deserializer': 'json' })
  consumer.assign([{ topic: 'orders', partition: 0 }])
  expect((await consumer.poll({ timeoutMs: 1_000 }))[0]?.value).toEqual({ paid: true })
})

test('records linger for company, and a batch that is full goes at once (C-30, C-32)', async () => {
  await start()
  const { stamps } = watch()
  const producer = cluster.producer({ 'batch.size': 200, 'linger.ms': 2_000 })
  await producer.partitionsFor('orders')
  const value = 'x'.repeat(60)
  const before = cluster.clock.now()
  const sends = Array.from({ length: 5 }, () => producer.send(order(value)))
  await Promise.all(sends.slice(0, 4))
  expect(cluster.clock.now() - before).toBeLessThan(200)
  await sends[4]
  expect(cluster.clock.now() - before).toBeGreaterThanOrEqual(2_000)
  expect(stamps()).toEqual([
    [0, 0, 2],
    [0, 2, 2],
    [0, 4, 1],
  ])
})

test('a full partition takes its neighbours of the same broker along, though they are young (C-33)', async () => {
  await start({ topics: { orders: { assignments: [[1], [1], [2]] } } })
  const requests: number[][] = []
  cluster.intercept(produce, (request, next) => {
    requests.push(request.body.topicData[0]!.partitionData.map(({ index }) => index).sort())
    return next()
  })
  const producer = cluster.producer({ 'batch.size': 200, 'linger.ms': 1_000 })
  await producer.partitionsFor('orders')
  const sends = [1, 2].map(partition => producer.send({ ...order('young'), partition }))
  sends.push(...[1, 2, 3].map(() => producer.send({ ...order('x'.repeat(60)), partition: 0 })))
  await Promise.all(sends)
  expect(requests[0]).toEqual([0, 1])
  expect(requests.flat().sort()).toEqual([0, 0, 1, 2])
})

test('batches that follow a refused one are sent again in the order of their sequences (C-34, C-35, X-31)', async () => {
  await start()
  const producer = cluster.producer({ 'batch.size': 100, 'linger.ms': 0 })
  await producer.send(order('first'))
  const { stamps } = watch(n => (n === 1 ? 'NOT_LEADER_OR_FOLLOWER' : undefined))
  const sent = await Promise.all(['a', 'b', 'c'].map(letter => producer.send(order(letter.repeat(60)))))
  expect(sent.map(({ offset }) => offset)).toEqual([1, 2, 3])
  expect(stamps().slice(0, 3)).toEqual([
    [0, 1, 1],
    [0, 2, 1],
    [0, 3, 1],
  ])
  // 2 and 3 were refused as out of order; then each went again when it was the first in line.
  expect(
    stamps()
      .slice(3)
      .map(([, sequence]) => sequence),
  ).toEqual([1, 2, 3])
  expect(producer.metrics()['record-retry-total']).toBe(3)
})

test('without idempotence, with one request in flight at a time, retries keep the order (C-35)', async () => {
  await start()
  const { seen } = watch(n => (n === 1 ? 'NOT_LEADER_OR_FOLLOWER' : undefined))
  const producer = cluster.producer({
    'enable.idempotence': false,
    'max.in.flight.requests.per.connection': 1,
    'batch.size': 100,
    'linger.ms': 0,
  })
  const sent = await Promise.all(['a', 'b', 'c'].map(letter => producer.send(order(letter.repeat(60)))))
  expect(sent.map(({ offset }) => offset)).toEqual([0, 1, 2])
  expect(seen.map(({ producerId }) => producerId)).toEqual([-1, -1, -1, -1])
})

test('without either, a refused batch falls behind the ones that followed it (C-35, X-32)', async () => {
  await start()
  watch(n => (n === 1 ? 'NOT_ENOUGH_REPLICAS' : undefined))
  const producer = cluster.producer({ 'enable.idempotence': false, 'batch.size': 100, 'linger.ms': 0 })
  await producer.partitionsFor('orders')
  const sent = await Promise.all(['a', 'b', 'c'].map(letter => producer.send(order(letter.repeat(60)))))
  expect(sent.map(({ offset }) => offset)).toEqual([2, 0, 1])
})

test('a retriable refusal is retried after a growing backoff, a final one is not (C-36, C-42)', async () => {
  await start()
  const times: number[] = []
  watch(n => {
    times.push(cluster.clock.now())
    return n <= 4 ? 'NOT_ENOUGH_REPLICAS' : n === 6 ? 'TOPIC_AUTHORIZATION_FAILED' : undefined
  })
  const producer = cluster.producer()
  expect(await producer.send(order('x'))).toMatchObject({ offset: 0 })
  const pauses = times.slice(1).map((time, index) => time - times[index]!)
  const ranges = [80, 160, 320, 640].map(least => [least, least * 1.5 + 5] as const)
  for (const [index, [least, most]] of ranges.entries()) {
    expect(pauses[index]).toBeGreaterThanOrEqual(least)
    expect(pauses[index]).toBeLessThanOrEqual(most)
  }
  await expect(producer.send(order('y'))).rejects.toMatchObject({ errorName: 'TOPIC_AUTHORIZATION_FAILED' })
  expect(times).toHaveLength(6)
})

test("retries=N allows N re-sends, then the error is the caller's (C-42)", async () => {
  await start()
  const { seen } = watch(() => 'NOT_ENOUGH_REPLICAS')
  const producer = cluster.producer({ retries: 2 })
  await expect(producer.send(order('x'))).rejects.toMatchObject({ errorName: 'NOT_ENOUGH_REPLICAS' })
  expect(seen).toHaveLength(3)
})

test('an answer that is lost makes a duplicate on the wire, and one record in the log (C-42, I-4)', async () => {
  await start()
  const { seen } = watch()
  cluster.network.rule(reset({ api: produce, kind: 'response', times: 1 }))
  const producer = cluster.producer()
  expect(await producer.send(order('x'))).toMatchObject({ offset: 0 })
  expect(await producer.send(order('y'))).toMatchObject({ offset: 1 })
  expect(seen.map(({ baseSequence }) => baseSequence)).toEqual([0, 0, 1])
})

test('request.timeout.ms closes the connection, and all that was in flight on it is sent again (C-42)', async () => {
  await start()
  const { seen } = watch()
  const producer = cluster.producer({ 'request.timeout.ms': 1_000, 'batch.size': 100, 'linger.ms': 0 })
  await producer.send(order('first'))
  const held = cluster.network.rule(hold({ from: 'producer-1', api: produce, times: 2 }))
  const before = cluster.clock.now()
  const sends = ['a', 'b'].map(letter => producer.send(order(letter.repeat(60))))
  await cluster.runUntil(() => cluster.clock.now() - before > 1_100)
  held.dispose()
  expect((await Promise.all(sends)).map(({ offset }) => offset)).toEqual([1, 2])
  expect(cluster.clock.now() - before).toBeGreaterThanOrEqual(1_000)
  expect(seen.length).toBeGreaterThanOrEqual(3)
})

test('a send ends at delivery.timeout.ms, however often it could still be retried (C-40, X-29)', async () => {
  await start()
  const producer = cluster.producer({ 'delivery.timeout.ms': 2_000, 'request.timeout.ms': 1_000, 'linger.ms': 0 })
  await producer.send(order('first'))
  const { stamps } = watch(n => (n > 100 ? undefined : 'NOT_ENOUGH_REPLICAS'))
  const before = cluster.clock.now()
  await expect(producer.send(order('x'))).rejects.toMatchObject({
    errorName: 'REQUEST_TIMED_OUT',
    message: expect.stringMatching(/^Expiring 1 record\(s\) for orders-0:2000 ms has passed since batch creation/),
  })
  expect(cluster.clock.now() - before).toBe(2_000)
  expect(stamps().every(([epoch, sequence]) => epoch === 0 && sequence === 1)).toBe(true)
})

test('a batch that expired after a re-send leaves a gap: the epoch is raised before the next (C-41, X-29)', async () => {
  await start()
  let isMute = true
  const producer = cluster.producer({ 'delivery.timeout.ms': 2_000, 'request.timeout.ms': 1_000, 'linger.ms': 0 })
  await producer.send(order('first'))
  const { stamps } = watch(() => (isMute ? 'NOT_ENOUGH_REPLICAS' : undefined))
  await expect(producer.send(order('lost'))).rejects.toMatchObject({ errorName: 'REQUEST_TIMED_OUT' })
  isMute = false
  expect(await producer.send(order('next'))).toMatchObject({ offset: 1 })
  expect(stamps().at(-1)).toEqual([1, 0, 1])
})

test('a batch that is refused for good leaves no gap: the next begins a new epoch at sequence 0 (C-41)', async () => {
  await start()
  const { stamps } = watch(n => (n === 2 ? 'INVALID_RECORD' : undefined))
  const producer = cluster.producer({ 'linger.ms': 0 })
  await producer.send(order('first'))
  await expect(producer.send(order('bad'))).rejects.toMatchObject({ errorName: 'INVALID_RECORD' })
  expect(await producer.send(order('next'))).toMatchObject({ offset: 1 })
  expect(stamps()).toEqual([
    [0, 0, 1],
    [0, 1, 1],
    [1, 0, 1],
  ])
})

test('OUT_OF_ORDER_SEQUENCE_NUMBER for the very next batch means lost state: sent again under a new epoch (C-53)', async () => {
  await start()
  const { stamps } = watch(n => (n === 2 ? 'OUT_OF_ORDER_SEQUENCE_NUMBER' : undefined))
  const producer = cluster.producer({ 'linger.ms': 0 })
  await producer.send(order('first'))
  expect(await producer.send(order('second'))).toMatchObject({ offset: 1 })
  expect(stamps()).toEqual([
    [0, 0, 1],
    [0, 1, 1],
    [1, 0, 1],
  ])
})

test('DUPLICATE_SEQUENCE_NUMBER is a success with the offset of the answer (C-46)', async () => {
  await start()
  watch(n => (n === 1 ? 'DUPLICATE_SEQUENCE_NUMBER' : undefined))
  expect(await cluster.producer().send(order('x'))).toMatchObject({ offset: -1 })
})

test('after one of five fatal refusals an idempotent producer can only be closed (C-54, C-56)', async () => {
  await start()
  watch(n => (n === 1 ? 'CLUSTER_AUTHORIZATION_FAILED' : undefined))
  const producer = cluster.producer()
  await expect(producer.send(order('x'))).rejects.toMatchObject({ errorName: 'CLUSTER_AUTHORIZATION_FAILED' })
  await expect(producer.send(order('y'))).rejects.toMatchObject({
    name: 'ClientError',
    cause: { errorName: 'CLUSTER_AUTHORIZATION_FAILED' },
  })
  await producer.close()
})

test('a new leader is found through the hint of the refusal, without a backoff (C-43)', async () => {
  await start()
  const producer = cluster.producer()
  await producer.send(order('before'))
  const old = cluster.leaderOf('orders', 0).id
  const [next] = cluster.followersOf('orders', 0).map(({ id }) => id)
  const admin = cluster.admin()
  await admin.alterPartitionReassignments([{ topic: 'orders', partition: 0, replicas: [next!, old] }])
  await cluster.runUntil(() => cluster.partition('orders', 0).leader !== undefined)
  await admin.electLeaders('preferred', [{ topic: 'orders', partition: 0 }])
  expect(cluster.leaderOf('orders', 0).id).toBe(next)
  const before = cluster.clock.now()
  expect(await producer.send(order('after'))).toMatchObject({ offset: 1 })
  expect(cluster.clock.now() - before).toBeLessThan(80)
})

test('a batch above max.message.bytes is sent in parts, in order, and every record learns its own offset (C-44, X-30)', async () => {
  await start({ topics: { orders: { configs: { 'max.message.bytes': 400 } } } })
  const { stamps } = watch()
  const producer = cluster.producer({ 'batch.size': 1_600 })
  await producer.partitionsFor('orders')
  const sent = await Promise.all(Array.from({ length: 10 }, (_, i) => producer.send(order(`${i}`.padStart(100)))))
  expect(sent.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect(stamps()[0]).toEqual([0, 0, 10])
  expect(producer.metrics()).toMatchObject({ 'record-retry-total': 0, 'record-error-total': 0 })
  const consumer = cluster.consumer({ 'auto.offset.reset': 'earliest', 'value.deserializer': 'string' })
  consumer.assign([{ topic: 'orders', partition: 0 }])
  const read: unknown[] = []
  while (read.length < 10) for (const { value } of await consumer.poll({ timeoutMs: 1_000 })) read.push(Number(value))
  expect(read).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test("a single record above max.message.bytes is the caller's to shorten (C-44)", async () => {
  await start({ topics: { orders: { configs: { 'max.message.bytes': 200 } } } })
  await expect(cluster.producer().send(order('x'.repeat(300)))).rejects.toMatchObject({
    errorName: 'MESSAGE_TOO_LARGE',
    name: 'RecordTooLargeError',
  })
})

test('one bad record: it gets its own error, its neighbours learn why they went down with it (C-45, X-16)', async () => {
  await start({ topics: { orders: { configs: { 'cleanup.policy': 'compact' } } } })
  const producer = cluster.producer()
  await producer.partitionsFor('orders')
  const sent = await Promise.allSettled([
    producer.send({ topic: 'orders', key: 'a', value: '1' }),
    producer.send({ topic: 'orders', value: '2', partition: 0 }),
    producer.send({ topic: 'orders', key: 'c', value: '3' }),
  ])
  const names = sent.map(one => (one as PromiseRejectedResult).reason.name)
  expect(names).toEqual(['ClientError', 'InvalidRecordError', 'ClientError'])
  expect((sent[0] as PromiseRejectedResult).reason.message).toMatch(
    /part of a batch which had one or more invalid records/,
  )
  expect(cluster.partition('orders', 0).highWatermark).toBe(0)
})

test('several bad records get INVALID_RECORD each, the good one does not (C-45)', async () => {
  await start({ topics: { orders: { configs: { 'cleanup.policy': 'compact' } } } })
  const producer = cluster.producer()
  await producer.partitionsFor('orders')
  const sent = await Promise.allSettled([
    producer.send({ topic: 'orders', value: '1', partition: 0 }),
    producer.send({ topic: 'orders', value: '2', partition: 0 }),
    producer.send({ topic: 'orders', key: 'c', value: '3' }),
  ])
  const names = sent.map(one => (one as PromiseRejectedResult).reason.name)
  expect(names).toEqual(['InvalidRecordError', 'InvalidRecordError', 'ClientError'])
})

test('acks=0 answers with offset -1, whatever becomes of the record (C-47)', async () => {
  await start()
  const producer = cluster.producer({ acks: '0' })
  expect(await producer.send(order('x'))).toMatchObject({ offset: -1, partition: 0 })
  await cluster.runUntil(() => cluster.partition('orders', 0).highWatermark === 1)
})

test('flush sends what lingers, waits for all of it, and does not throw for what fails (C-70)', async () => {
  await start()
  watch(n => (n === 1 ? 'INVALID_RECORD' : undefined))
  const producer = cluster.producer({ 'linger.ms': 60_000, 'delivery.timeout.ms': 120_000 })
  const before = cluster.clock.now()
  const refused = producer.send(order('refused'))
  await producer.flush()
  await expect(refused).rejects.toMatchObject({ errorName: 'INVALID_RECORD' })
  void producer.send(order('good'))
  await producer.flush()
  expect(cluster.clock.now() - before).toBeLessThan(1_000)
  expect(cluster.partition('orders', 0).highWatermark).toBe(1)
})

test('close sends what is queued; later sends are refused (C-71)', async () => {
  await start()
  const producer = cluster.producer({ 'linger.ms': 60_000, 'delivery.timeout.ms': 120_000 })
  const queued = Array.from({ length: 3 }, (_, i) => producer.send(order(`${i}`)))
  await producer.close()
  expect((await Promise.all(queued)).map(({ offset }) => offset)).toEqual([0, 1, 2])
  await expect(producer.send(order('late'))).rejects.toThrow(
    new IllegalStateError('Cannot perform operation after producer has been closed'),
  )
  await producer.close()
  await producer.flush()
})

test('close gives up after its timeout: what is left fails as closed forcefully (C-71)', async () => {
  await start()
  const producer = cluster.producer()
  await producer.send(order('first'))
  cluster.network.rule(hold({ api: produce }))
  const stuck = producer.send(order('stuck'))
  const before = cluster.clock.now()
  await producer.close({ timeoutMs: 500 })
  expect(cluster.clock.now() - before).toBe(500)
  await expect(stuck).rejects.toThrow('Producer is closed forcefully.')
  await expect(cluster.producer().close({ timeoutMs: -1 })).rejects.toThrow(IllegalArgumentError)
})

test('a send that still waits for metadata when the producer is closed by force says so (C-72)', async () => {
  await start()
  const producer = cluster.producer()
  const waiting = producer.send({ topic: 'audit', value: 'x' })
  await producer.close({ timeoutMs: 0 })
  await expect(waiting).rejects.toThrow('Producer closed while send in progress')
})

test('a topic that is not used for metadata.max.idle.ms is not asked for any more (C-80)', async () => {
  await start({ topics: { orders: {}, audit: {} } })
  const producer = cluster.producer({ 'metadata.max.age.ms': 10_000, 'metadata.max.idle.ms': 20_000 })
  await producer.send({ topic: 'audit', value: 'x' })
  for (let i = 0; i < 5; i++) {
    await cluster.clock.advance(9_000)
    await producer.send(order(`${i}`))
  }
  expect((await producer.partitionsFor('orders')).length).toBe(1)
  expect(await producer.send({ topic: 'audit', value: 'y' })).toMatchObject({ offset: 1 })
})

test('the producer id is asked for once, with the first record (C-61)', async () => {
  await start()
  let asked = 0
  cluster.intercept(initProducerId, (_, next) => {
    asked++
    return next()
  })
  const producer = cluster.producer()
  await cluster.clock.advance(1_000)
  expect(asked).toBe(0)
  await producer.send(order('x'))
  await producer.send(order('y'))
  expect(asked).toBe(1)
})

test('interceptors see every record before it is sent and how it ended; what they throw changes nothing (C-20, C-48)', async () => {
  await start()
  const seen: string[] = []
  const interceptor = {
    onSend: (record: ProducerRecord) => ({ ...record, value: `${record.value}!` }),
    onAcknowledgement: (metadata: RecordMetadata, error: unknown) => {
      seen.push(error === undefined ? `offset ${metadata.offset}` : String((error as Error).name))
      throw new Error('ignored')
    },
  }
  const producer = cluster.producer({ 'interceptor.classes': [interceptor] })
  expect(await producer.send(order('x'))).toMatchObject({ offset: 0, serializedValueSize: 2 })
  await producer.close()
  await expect(producer.send(order('y'))).rejects.toThrow(IllegalStateError)
  expect(seen).toEqual(['offset 0', 'IllegalStateError'])
})

test('compressed batches arrive as they were sent (C-30, P-17)', async () => {
  await start()
  const { seen } = watch()
  for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const producer = cluster.producer({ 'compression.type': compression })
    await Promise.all(Array.from({ length: 20 }, () => producer.send(order('x'.repeat(100)))))
  }
  expect([...new Set(seen.map(batch => batch.compression))]).toEqual([1, 2, 3, 4])
  for (const batch of seen) expect(batch.size).toBeLessThan(400)
  const consumer = cluster.consumer({ 'auto.offset.reset': 'earliest' })
  consumer.assign([{ topic: 'orders', partition: 0 }])
  let read = 0
  while (read < 80) read += (await consumer.poll({ timeoutMs: 1_000 })).length
})
