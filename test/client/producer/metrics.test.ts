import { readFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { metadata } from '../../../src/apis/metadata.ts'
import { createCluster } from '../../../src/index.ts'
import type { RequestOf, ResponseInput } from '../../../src/wire/api.ts'
import { producedBatch } from '../../../src/wire/records.ts'
import { produce, refusal, Stage } from './timeline/stage.ts'

interface Metric {
  readonly name: string
  readonly tags: readonly string[]
  readonly idle: number | string
  readonly instances?: readonly string[]
}

const data = JSON.parse(readFileSync(new URL('../../data/kafka/producer-metrics.json', import.meta.url), 'utf8'))
const groups: { metrics: Metric[] }[] = Object.values(data.groups)
/** Of `app-info` there is only what is a number. */
const known = groups.flatMap(({ metrics }) => metrics).filter(({ idle }) => idle !== 'text')

let stage: Stage
afterEach(() => stage?.close())

/** Every Produce is taken, at the offset of its sequence, `afterMs` later. */
function accept(afterMs: number, more: Partial<ResponseInput<typeof produce>> = {}): void {
  stage.proxy.on(produce, body => ({ answer: { ...accepted(body), ...more }, afterMs }))
}

function accepted(body: RequestOf<typeof produce>): ResponseInput<typeof produce> {
  return refusal(body, 'NONE', { baseOffset: 0 })
}

/** A batch of so many records with 100 bytes of value: 109 bytes each. */
const batchBytes = (records: number) => 61 + 109 * records
const value = 'x'.repeat(100)
const record = { topic: 't', partition: 0, value }

test('a producer that has sent has the metrics of KafkaProducer, by the same names and tags, and no others (C-90, C-91, C-92, C-93)', async () => {
  const topics = { orders: { partitions: 2 }, events: { partitions: 2 } }
  await using cluster = await createCluster({ brokers: 1, topics })
  const producer = cluster.producer()
  for (let i = 0; i < 20; i++) await producer.send({ topic: i % 2 === 0 ? 'orders' : 'events', value: 'value' })
  const names = known.flatMap(({ name, tags, instances }) => {
    const tag = tags.find(one => one !== 'client-id')
    return tag === undefined ? [name] : instances!.map(instance => `${name}{${tag}=${instance}}`)
  })
  const metrics = producer.metrics()
  expect(Object.keys(metrics).sort()).toEqual(names.sort())
  for (const [name, value] of Object.entries(metrics)) expect(value, name).toBeTypeOf('number')
  expect(metrics.count).toBe(names.length)
})

test('before it has done anything, a producer counts what KafkaProducer does then (C-94)', async () => {
  await using cluster = await createCluster({ brokers: 1 })
  const metrics = cluster.producer().metrics()
  // Kafka's client selects, and so has been idle for some time already: here nothing selects.
  const idle = known.filter(metric => metric.idle !== 'absent')
  expect(Object.keys(metrics).sort()).toEqual(idle.map(({ name }) => name).sort())
  for (const { name, idle: value } of idle) {
    if (value !== 'varies') expect(metrics[name], name).toBe(value === 'NaN' ? Number.NaN : value)
  }
  // From the epoch on, until there is any metadata.
  expect(metrics['metadata-age']).toBe(cluster.clock.now() / 1000)
})

test('sizes, times and counts of batches are exact (C-90, C-91)', async () => {
  stage = await Stage.open({ 'linger.ms': 50 }, { warm: false })
  await stage.producer.partitionsFor('t')
  stage.writing.begin()
  accept(30)
  const all = [stage.producer.send(record), stage.producer.send(record), stage.producer.send(record)]
  await stage.wait(20)
  all.push(stage.producer.send({ ...record, partition: 1 }))
  await Promise.all(all)
  const latencyMs = stage.times('< Produce')[0]! - stage.times('> Produce')[0]!
  expect(latencyMs).toBe(30)
  const metrics = stage.producer.metrics()
  const queued = stage.times('> Produce')[0]!
  expect(metrics).toMatchObject({
    'batch-size-avg': (batchBytes(3) + batchBytes(1)) / 2,
    'batch-size-max': batchBytes(3),
    'compression-rate-avg': 1,
    'compression-rate{topic=t}': 1,
    'record-send-total': 4,
    'record-send-total{topic=t}': 4,
    'records-per-request-avg': 4,
    'byte-total{topic=t}': batchBytes(3) + batchBytes(1),
    // The upper estimate that max.request.size is held against.
    'record-size-avg': 186,
    'record-size-max': 186,
    'request-latency-avg': 30,
    'request-latency-max': 30,
    'request-latency-avg{node-id=node-1}': 30,
    'record-queue-time-max': queued,
    'record-queue-time-avg': (queued + queued - 20) / 2,
    'record-retry-total': 0,
    'record-error-total': 0,
    'requests-in-flight': 0,
  })
  // Half a minute that has begun, and half a minute that is taken for granted.
  expect(metrics['record-send-rate']).toBe(4000 / 30_030)
})

test('records that are sent again count again, as retries and as sent (C-90, C-91)', async () => {
  stage = await Stage.open({ 'linger.ms': 5 }, { warm: false })
  stage.proxy.on(produce, (body, { n }) => ({ answer: n <= 2 ? refusal(body, 'NOT_ENOUGH_REPLICAS') : accepted(body) }))
  await Promise.all([stage.producer.send(record), stage.producer.send(record)])
  expect(stage.producer.metrics()).toMatchObject({
    'record-send-total': 6,
    'record-retry-total': 4,
    'record-retry-total{topic=t}': 4,
    'record-error-total': 0,
    'byte-total{topic=t}': 3 * batchBytes(2),
  })
  stage.proxy.on(produce, body => ({ answer: refusal(body, 'INVALID_RECORD') }))
  await Promise.allSettled([stage.producer.send(record), stage.producer.send(record)])
  expect(stage.producer.metrics()).toMatchObject({ 'record-error-total': 2, 'record-error-total{topic=t}': 2 })
  // What is refused before it is queued counts in all, not for its topic.
  await stage.producer.send({ ...record, value: 'x'.repeat(2_000_000) }).catch(() => {})
  expect(stage.producer.metrics()).toMatchObject({ 'record-error-total': 3, 'record-error-total{topic=t}': 2 })
})

test('the compression ratio is that of the bytes on the wire (C-90)', async () => {
  stage = await Stage.open({ 'compression.type': 'gzip' }, { warm: false })
  const sizes: number[] = []
  stage.proxy.on(produce, (body, { version }) => {
    for (const { partitionData } of body.topicData) {
      for (const { records } of partitionData) sizes.push(producedBatch(records, version).size)
    }
    return { answer: accepted(body) }
  })
  await Promise.all([stage.producer.send(record), stage.producer.send(record)])
  expect(sizes).toHaveLength(1)
  expect(sizes[0]).toBeLessThan(150)
  const ratio = (sizes[0]! - 61) / (2 * 109)
  expect(stage.producer.metrics()).toMatchObject({
    'compression-rate-avg': ratio,
    'compression-rate{topic=t}': ratio,
    'batch-size-avg': sizes[0],
  })
})

test('throttle times are those of all answers (C-37, C-90)', async () => {
  stage = await Stage.open()
  const before = stage.producer.metrics()['response-total']!
  accept(0, { throttleTimeMs: 70 })
  await stage.producer.send(record)
  const metrics = stage.producer.metrics()
  expect(metrics['produce-throttle-time-max']).toBe(70)
  expect(metrics['produce-throttle-time-avg']).toBe(70 / (before + 1))
})

test('waits for metadata, memory and flush are counted in nanoseconds (C-90)', async () => {
  stage = await Stage.open({ 'buffer.memory': 1000, 'batch.size': 1000 }, { warm: false })
  stage.proxy.on(metadata, () => ({ afterMs: 40 }))
  accept(100)
  const large = { ...record, value: 'x'.repeat(800) }
  const sends = [stage.producer.send(large)]
  await stage.wait(80)
  const metadataMs = stage.producer.metrics()['metadata-wait-time-ns-total']! / 1_000_000
  // The connection and its versions come before.
  expect(metadataMs).toBeGreaterThanOrEqual(40)
  expect(metadataMs).toBeLessThan(46)
  sends.push(stage.producer.send(large))
  const since = stage.at
  await stage.wait(5)
  expect(stage.producer.metrics()).toMatchObject({ 'waiting-threads': 1, 'buffer-available-bytes': 0 })
  const flushedAt = stage.at
  await stage.producer.flush()
  const flushMs = stage.at - flushedAt
  await Promise.all(sends)
  const metrics = stage.producer.metrics()
  const waitMs = stage.times('< Produce')[0]! - since
  expect(metrics).toMatchObject({
    'bufferpool-wait-time-ns-total': waitMs * 1_000_000,
    'flush-time-ns-total': flushMs * 1_000_000,
    'waiting-threads': 0,
    'buffer-available-bytes': 1000,
    'buffer-exhausted-total': 0,
  })
  expect(metrics['bufferpool-wait-ratio']).toBeCloseTo(waitMs / 30_000, 4)
})

test('what passes over connections is counted by node: the one that was asked first, and the leader (C-92)', async () => {
  stage = await Stage.open({}, { warm: false })
  await stage.producer.send(record)
  const metrics = stage.producer.metrics()
  expect(metrics).toMatchObject({
    // ApiVersions, Metadata; ApiVersions, Produce; and where the id was asked for.
    'connection-count': metrics['connection-creation-total'],
    'request-total': stage.writing.lines.filter(({ text }) => text.startsWith('>')).length,
    'response-total': stage.writing.lines.filter(({ text }) => text.startsWith('<')).length,
  })
  const of = (name: string) => ['node--1', 'node-1'].map(node => metrics[`${name}{node-id=${node}}`]!)
  for (const name of ['request-total', 'response-total', 'outgoing-byte-total', 'incoming-byte-total']) {
    expect(of(name)[0]! + of(name)[1]!, name).toBe(metrics[name])
  }
})

test('averages and rates reach back over metrics.num.samples windows of metrics.sample.window.ms (C-94)', async () => {
  stage = await Stage.open({ 'metrics.num.samples': 3, 'metrics.sample.window.ms': 1000 }, { warm: false })
  await stage.producer.partitionsFor('t')
  accept(0)
  await stage.producer.send(record)
  await stage.wait(1500)
  expect(stage.producer.metrics()['batch-size-avg']).toBe(batchBytes(1))
  await stage.wait(1500)
  const later = stage.producer.metrics()
  expect(later['batch-size-avg']).toBeNaN()
  expect(later['record-send-rate']).toBe(0)
  expect(later['record-send-total']).toBe(1)
})
