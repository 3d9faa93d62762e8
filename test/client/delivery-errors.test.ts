/** What the error of a record says: what happened, to which partition, after how many attempts. */
import { afterEach, expect, test } from 'vitest'
import { metadata } from '../../src/apis/metadata.ts'
import { produce } from '../../src/apis/produce.ts'
import {
  AuthorizationError,
  BufferExhaustedError,
  ClientError,
  type Cluster,
  createCluster,
  hold,
  KafkaError,
  type ProducerOptions,
  RecordTooLargeError,
  RetriableError,
  TimeoutError,
} from '../../src/index.ts'

let cluster: Cluster
afterEach(() => cluster?.close())

async function start(configs: Record<string, string> = {}): Promise<Cluster> {
  cluster = await createCluster({ brokers: 1, topics: { orders: { configs } } })
  return cluster
}

async function failure(config: ProducerOptions, value: string | null = 'x'): Promise<KafkaError> {
  const error = await cluster
    .producer(config)
    .send({ topic: 'orders', partition: 0, key: null, value })
    .catch(reason => reason)
  expect(error).toBeInstanceOf(KafkaError)
  return error
}

test('retries used up', async () => {
  await start()
  cluster.failNext(produce, { error: 'NOT_ENOUGH_REPLICAS', times: 5 })
  const error = await failure({ retries: 2 })
  expect(error).toMatchObject({
    name: 'NotEnoughReplicasError',
    code: 19,
    retriable: true,
    fatal: false,
    abortable: false,
    details: { topic: 'orders', partition: 0, attempts: 3 },
  })
  expect(error.message).toMatch(/ \(orders-0, after 3 attempts\)$/)
  expect(error).toBeInstanceOf(RetriableError)
})

test('refused at once', async () => {
  await start()
  cluster.failNext(produce, { error: 'TOPIC_AUTHORIZATION_FAILED' })
  const error = await failure({})
  expect(error.message).toMatch(/ \(orders-0, after 1 attempt\)$/)
  expect(error).toBeInstanceOf(AuthorizationError)
  expect(error.fatal).toBe(false)
})

test('fatal to the producer: the next send says what it was (C-54)', async () => {
  await start()
  cluster.failNext(produce, { error: 'CLUSTER_AUTHORIZATION_FAILED' })
  const producer = cluster.producer()
  const first = await producer.send({ topic: 'orders', value: 'x' }).catch(error => error)
  expect(first).toMatchObject({ errorName: 'CLUSTER_AUTHORIZATION_FAILED', fatal: true, retriable: false })
  const next = await producer.send({ topic: 'orders', value: 'y' }).catch(error => error)
  expect(next).toBeInstanceOf(ClientError)
  expect(next).toMatchObject({ fatal: true, retriable: false, cause: { errorName: 'CLUSTER_AUTHORIZATION_FAILED' } })
})

test('delivery.timeout.ms over: never sent, never answered, waiting to be sent again, and refused last (C-40, C-42)', async () => {
  await start()
  const limits = { 'delivery.timeout.ms': 2_000, 'request.timeout.ms': 600, 'linger.ms': 0 } as const
  const expired = 'Expiring 1 record(s) for orders-0:2000 ms has passed since batch creation'

  cluster.failNext(produce, { error: 'NOT_ENOUGH_REPLICAS', times: 100, optional: true })
  const backingOff = await failure({ ...limits, 'retry.backoff.ms': 1_500, 'retry.backoff.max.ms': 1_500 })
  expect(backingOff.message).toBe(`${expired}, after 2 attempts. The batch was waiting to be sent again.`)
  expect(backingOff.details).toEqual({ topic: 'orders', partition: 0, attempts: 2 })
  expect(backingOff).toBeInstanceOf(TimeoutError)
  await cluster.close()

  await start()
  const producer = cluster.producer({ ...limits, 'request.timeout.ms': 2_000, 'enable.idempotence': false })
  await producer.send({ topic: 'orders', value: 'connected' })
  cluster.intercept(produce, async (_, next) => {
    await cluster.clock.advance(0)
    return next()
  })
  cluster.network.rule(hold({ api: 'Produce' }))
  const unanswered = await producer.send({ topic: 'orders', value: 'x' }).catch(error => error)
  expect(unanswered.message).toMatch(`${expired}, after 1 attempt`)
  await cluster.close()

  await start()
  cluster.intercept(produce, () => ({ responses: [], throttleTimeMs: 0 }))
  const unmentioned = await failure(limits)
  expect(unmentioned.message).toMatch(expired)
})

test('nothing is known of the topic, or no memory is left: the text says which limit was hit (C-22, C-24)', async () => {
  await start()
  cluster.failNext(metadata, { error: 'LEADER_NOT_AVAILABLE', times: 1_000, optional: true })
  const unknown = await failure({ 'max.block.ms': 500 })
  expect(unknown.message).toBe('Topic orders not present in metadata after 500 ms.')
  expect(unknown).toBeInstanceOf(TimeoutError)
  await cluster.close()

  await start()
  const producer = cluster.producer({ 'buffer.memory': 300, 'max.block.ms': 50, 'linger.ms': 1_000, 'batch.size': 300 })
  cluster.network.rule(hold({ api: 'Produce' }))
  producer.send({ topic: 'orders', value: 'x'.repeat(200) }, () => {})
  const second = await producer.send({ topic: 'orders', value: 'y'.repeat(200) }).catch(error => error)
  expect(second).toBeInstanceOf(BufferExhaustedError)
  expect(second).toBeInstanceOf(TimeoutError)
  expect(second.message).toMatch(/^Failed to allocate \d+ bytes within the configured max blocking time \d+ ms\./)
})

test('a record above max.request.size or buffer.memory is refused alone (C-23)', async () => {
  await start()
  const producer = cluster.producer({ 'max.request.size': 1_000, 'buffer.memory': 500, 'batch.size': 200 })
  const sends = ['x', 'x'.repeat(600), 'x'.repeat(2_000), 'y'].map(value =>
    producer.send({ topic: 'orders', value }).then(
      ({ offset }) => `offset ${offset}`,
      error => `${error instanceof RecordTooLargeError}: ${error.message}`,
    ),
  )
  expect(await Promise.all(sends)).toEqual([
    'offset 0',
    expect.stringMatching(/^true: The record is \d+ bytes .* larger than 500, which is the value of buffer.memory/),
    expect.stringMatching(/^true: The record is \d+ bytes .* larger than 1000, which is the value of max.request.size/),
    'offset 1',
  ])
})

test('one bad record of a batch has its own error, the others say that they were beside it (C-45)', async () => {
  await start({ 'cleanup.policy': 'compact' })
  const producer = cluster.producer({ 'linger.ms': 10 })
  const [good, bad] = await Promise.all(
    ['key', null].map(key => producer.send({ topic: 'orders', partition: 0, key, value: 'x' }).catch(error => error)),
  )
  expect(bad).toMatchObject({ errorName: 'INVALID_RECORD', details: { topic: 'orders', partition: 0, attempts: 1 } })
  expect(bad.message).toMatch(/\(orders-0, after 1 attempt\)$/)
  expect(good).toBeInstanceOf(ClientError)
  expect(good.message).toBe(
    'Failed to append record because it was part of a batch which had one or more invalid records ' +
      '(orders-0, after 1 attempt)',
  )
  expect(good.cause).toMatchObject({ errorName: 'INVALID_RECORD' })
})
