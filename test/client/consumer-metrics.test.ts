import { readFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { type Cluster, createCluster, delay } from '../../src/index.ts'

interface Metric {
  readonly name: string
  readonly tags: readonly string[]
  readonly idle: number | string
  /** Values of the tags but `client-id`: `0, orders`. */
  readonly instances?: readonly string[]
}

const data = JSON.parse(readFileSync(new URL('../data/kafka/consumer-metrics.json', import.meta.url), 'utf8'))

/** Not numbers: of `app-info`. */
const texts = new Set(['version', 'commit-id'])

function metricsOf(protocol: 'classic' | 'consumer'): Metric[] {
  const groups: { metrics: Metric[] }[] = Object.values(data[protocol].groups)
  return groups.flatMap(({ metrics }) => metrics).filter(({ name }) => !texts.has(name))
}

/** Names as `metrics()` has them. */
function namesOf({ name, tags, instances }: Metric): string[] {
  if (instances === undefined) return [name]
  return instances.map(text => {
    const values = text.split(', ')
    if (tags.includes('partition')) return `${name}{topic=${values[1]},partition=${values[0]}}`
    return `${name}{${tags.includes('topic') ? 'topic' : 'node-id'}=${values[0]}}`
  })
}

let cluster: Cluster
afterEach(() => cluster?.close())

async function start() {
  const topics = { orders: { partitions: 2 }, events: { partitions: 2 } }
  const configs = { 'group.initial.rebalance.delay.ms': 0, 'group.consumer.assignment.interval.ms': 0 }
  cluster = await createCluster({ brokers: 1, topics, configs })
}

/** Five records to each partition of both topics. */
async function fill() {
  const producer = cluster.producer()
  for (const topic of ['orders', 'events']) {
    for (let i = 0; i < 10; i++) await producer.send({ topic, partition: i % 2, key: 'key', value: 'value' })
  }
  await producer.close()
}

function consumerOf(protocol: 'classic' | 'consumer', config: object = {}) {
  return cluster.consumer({
    'group.id': 'billing',
    'group.protocol': protocol,
    'auto.offset.reset': 'earliest',
    'enable.auto.commit': false,
    ...config,
  })
}

test.for(['classic', 'consumer'] as const)(
  'a consumer of group.protocol=%s that has read and committed has the metrics of KafkaConsumer, and no others',
  async protocol => {
    await start()
    await fill()
    const consumer = consumerOf(protocol)
    consumer.subscribe(['orders', 'events'])
    for (let read = 0; read < 20; ) read += (await consumer.poll({ timeoutMs: 1000 })).length
    await consumer.commit()
    const metrics = consumer.metrics()
    expect(Object.keys(metrics).sort()).toEqual(metricsOf(protocol).flatMap(namesOf).sort())
    for (const [name, value] of Object.entries(metrics)) expect(value, name).toBeTypeOf('number')
    expect(metrics.count).toBe(Object.keys(metrics).length)
  },
)

test.for(['classic', 'consumer'] as const)(
  'before it has done anything, a consumer of group.protocol=%s counts what KafkaConsumer does then',
  async protocol => {
    await start()
    const metrics = consumerOf(protocol).metrics()
    // Kafka's client has sent something already by then, and has opened connections: that depends on time.
    const varies = (metric: Metric) => metric.idle === 'varies' || metric.name === 'unsent-requests-queue-size'
    const isThere = (metric: Metric) => metric.idle !== 'absent' && !metric.tags.includes('node-id')
    const idle = metricsOf(protocol).filter(metric => isThere(metric))
    expect(Object.keys(metrics).sort()).toEqual(idle.map(({ name }) => name).sort())
    for (const metric of idle) {
      if (varies(metric)) continue
      expect(metrics[metric.name], metric.name).toBe(metric.idle === 'NaN' ? Number.NaN : metric.idle)
    }
  },
)

test('what was read is counted in records and bytes, by topic and in all', async () => {
  await start()
  await fill()
  const consumer = consumerOf('consumer')
  consumer.assign([
    { topic: 'orders', partition: 0 },
    { topic: 'events', partition: 0 },
  ])
  await consumer.poll({ timeoutMs: 1000 })
  const metrics = consumer.metrics()
  // 15 bytes each: seven of lengths, attributes and deltas, 'key' and 'value'.
  expect(metrics).toMatchObject({
    'records-consumed-total': 10,
    'records-consumed-total{topic=orders}': 5,
    'bytes-consumed-total': 150,
    'bytes-consumed-total{topic=events}': 75,
    'fetch-size-avg': 150,
    'fetch-size-max{topic=orders}': 75,
    'records-per-request-avg': 10,
    'records-per-request-avg{topic=events}': 5,
    'fetch-total': 1,
    'fetch-throttle-time-max': 0,
    'assigned-partitions': 2,
  })
  // Half a minute that has begun, and half a minute that is taken for granted.
  const startedAt = cluster.clock.now()
  expect(metrics['records-consumed-rate']).toBe(10 / 30)
  await cluster.clock.advance(15_000)
  expect(consumer.metrics()['records-consumed-rate']).toBe(10 / 45)
  expect(consumer.metrics()['bytes-consumed-rate{topic=orders}']).toBe(75 / 45)
  await cluster.clock.advance(45_000)
  expect(cluster.clock.now() - startedAt).toBe(60_000)
  expect(consumer.metrics()['records-consumed-rate']).toBe(0)
  expect(consumer.metrics()['fetch-size-avg']).toBeNaN()
  expect(consumer.metrics()['records-consumed-total']).toBe(10)
})

test('how far it is behind the end, and ahead of the start, is told by partition', async () => {
  await start()
  await fill()
  const partition = { topic: 'orders', partition: 0 }
  const consumer = consumerOf('consumer', { 'max.poll.records': 2 })
  consumer.assign([partition])
  await consumer.poll({ timeoutMs: 1000 })
  const read = () => {
    const metrics = consumer.metrics()
    const names = [
      'records-lag',
      'records-lag-avg',
      'records-lag-max',
      'records-lead',
      'records-lead-avg',
      'records-lead-min',
    ]
    return names.map(name => metrics[`${name}{topic=orders,partition=0}`])
  }
  expect(read()).toEqual([3, 3, 3, 2, 2, 2])
  await consumer.poll({ timeoutMs: 1000 })
  expect(read()).toEqual([1, 2, 3, 4, 3, 2])
  await consumer.poll({ timeoutMs: 1000 })
  expect(read()).toEqual([0, 4 / 3, 3, 5, 11 / 3, 2])
  expect(consumer.metrics()).toMatchObject({ 'records-lag-max': 3, 'records-lead-min': 2 })
  // Whatever is not assigned any more has none.
  consumer.assign([{ topic: 'events', partition: 0 }])
  expect(read()).toEqual([undefined, undefined, undefined, undefined, undefined, undefined])
  expect(consumer.metrics()['preferred-read-replica{topic=events,partition=0}']).toBe(-1)
})

test('polls, and the time between them', async () => {
  await start()
  const consumer = consumerOf('consumer')
  consumer.assign([{ topic: 'orders', partition: 0 }])
  expect(consumer.metrics()['last-poll-seconds-ago']).toBe(-1)
  await consumer.poll({ timeoutMs: 1000 })
  await cluster.clock.advance(3000)
  await consumer.poll({ timeoutMs: 1000 })
  await cluster.clock.advance(9500)
  expect(consumer.metrics()).toMatchObject({
    // Since it began.
    'last-poll-seconds-ago': 10,
    'time-between-poll-max': 4000,
    'time-between-poll-avg': 2000,
    // All of the first, and of the second one second of five.
    'poll-idle-ratio-avg': (1 + 1000 / 5000) / 2,
  })
})

test('a member of a classic group counts its joins, rebalances, heartbeats and commits', async () => {
  await start()
  await fill()
  const consumer = consumerOf('classic')
  cluster.network.rule(delay(100, { between: [consumer.name, 'broker-1'] }))
  consumer.subscribe(['orders'])
  for (let read = 0; read < 10; ) read += (await consumer.poll({ timeoutMs: 1000 })).length
  await consumer.commit()
  await consumer.committed([{ topic: 'orders', partition: 0 }])
  await cluster.clock.advance(10_000)
  const metrics = consumer.metrics()
  expect(metrics).toMatchObject({
    'join-total': 1,
    'sync-total': 1,
    'rebalance-total': 1,
    // The first JoinGroup gets a member id only, which Kafka's consumer counts as a failure.
    'failed-rebalance-total': 1,
    'heartbeat-total': 3,
    'commit-total': 1,
    'assigned-partitions': 2,
  })
  const trip = (name: string, trips: number) => {
    // A hundred milliseconds each way, and at most one more.
    expect(metrics[name], name).toBeGreaterThanOrEqual(200 * trips)
    expect(metrics[name], name).toBeLessThanOrEqual(202 * trips)
  }
  trip('join-time-avg', 1)
  trip('sync-time-max', 1)
  trip('heartbeat-response-time-max', 1)
  trip('commit-latency-avg', 1)
  trip('commit-latency-max', 1)
  // The second one waited for more records, for `fetch.max.wait.ms`.
  expect(metrics['fetch-latency-max']).toBeGreaterThanOrEqual(700)
  expect(metrics['fetch-latency-max']).toBeLessThanOrEqual(702)
  // The connection and its API versions, JoinGroup, JoinGroup with the id, SyncGroup.
  trip('rebalance-latency-avg', 5)
  trip('rebalance-latency-total', 5)
  expect(metrics['commit-sync-time-ns-total']).toBe(metrics['commit-latency-max']! * 1_000_000)
  expect(metrics['committed-time-ns-total']).toBeGreaterThanOrEqual(200_000_000)
  // One, in the time since then and the half minute that is taken for granted.
  const overSeconds = 3_600 / metrics['rebalance-rate-per-hour']!
  expect(Math.floor(overSeconds - 30)).toBe(metrics['last-rebalance-seconds-ago'])
  expect(metrics['partition-revoked-latency-max']).toBeNaN()
  await consumer.unsubscribe()
  expect(consumer.metrics()['assigned-partitions']).toBe(0)
})

test('a member by the protocol of KIP-848 counts its reconciliations as rebalances', async () => {
  await start()
  // With a rule in force, time does not leap over heartbeats that would change nothing.
  cluster.network.rule(delay(0))
  const [one, two] = [consumerOf('consumer'), consumerOf('consumer')]
  one.subscribe(['orders'])
  two.subscribe(['orders'])
  const shared = () => one.assignment().length === 1 && two.assignment().length === 1
  while (one.assignment().length < 2) await one.poll({ timeoutMs: 500 })
  expect(one.metrics()).toMatchObject({ 'rebalance-total': 1, 'failed-rebalance-total': 0 })
  while (!shared()) await Promise.all([one.poll({ timeoutMs: 500 }), two.poll({ timeoutMs: 500 })])
  expect(one.metrics()).toMatchObject({
    'rebalance-total': 2,
    'last-rebalance-seconds-ago': 0,
    'failed-rebalance-total': 0,
  })
  const before = one.metrics()['heartbeat-total']!
  await cluster.clock.advance(20_000)
  expect(one.metrics()).toMatchObject({ 'heartbeat-total': before + 4, 'last-rebalance-seconds-ago': 20 })
  expect(one.metrics()['last-heartbeat-seconds-ago']).toBeLessThan(5)
})

test('the rebalance listener is timed, by what it was called for', async () => {
  await start()
  const consumer = consumerOf('classic')
  const partition = { topic: 'orders', partition: 0 }
  let tookMs = 0
  const onPartitionsAssigned = async () => {
    const before = cluster.clock.now()
    await consumer.committed([partition])
    tookMs = cluster.clock.now() - before
  }
  cluster.network.rule(delay(50, { from: consumer.name }))
  consumer.subscribe(['orders'], { listener: { onPartitionsAssigned } })
  while (consumer.assignment().length === 0) await consumer.poll({ timeoutMs: 500 })
  expect(tookMs).toBeGreaterThanOrEqual(50)
  expect(consumer.metrics()).toMatchObject({
    'partition-assigned-latency-avg': tookMs,
    'partition-assigned-latency-max': tookMs,
    'partition-revoked-latency-avg': Number.NaN,
    'partition-lost-latency-avg': Number.NaN,
  })
})

test('what passes over the connections is counted by node: the first one asked, the broker, the coordinator', async () => {
  await start()
  await fill()
  const consumer = consumerOf('classic')
  consumer.subscribe(['orders'])
  for (let read = 0; read < 10; ) read += (await consumer.poll({ timeoutMs: 1000 })).length
  await cluster.clock.advance(50)
  const metrics = consumer.metrics()
  const nodes = ['node--1', 'node-1', 'node-2147483646']
  const sum = (name: string) => nodes.reduce((total, node) => total + metrics[`${name}{node-id=${node}}`]!, 0)
  for (const name of ['request-total', 'response-total', 'outgoing-byte-total', 'incoming-byte-total']) {
    expect(metrics[name], name).toBe(sum(name))
  }
  const requests = cluster.requests({ from: consumer.name })
  expect(metrics['request-total']).toBe(requests.length)
  // One that waits for more records is under way.
  expect(metrics['response-total']).toBe(requests.filter(({ outcome }) => outcome === 'answered').length)
  const toCoordinator = requests.filter(({ api }) => /Group|Offset(Fetch|Commit)/.test(api) && api !== 'ListOffsets')
  // Besides these, that connection was asked for its API versions.
  expect(metrics['request-total{node-id=node-2147483646}']).toBe(toCoordinator.length + 1)
  expect(metrics['network-io-total']).toBe(metrics['request-total']! + metrics['response-total']!)
  expect(metrics['request-latency-max{node-id=node-1}']).toBe(metrics['fetch-latency-max'])
  expect(metrics['connection-count']).toBe(metrics['connection-creation-total'])
  await consumer.close()
  expect(consumer.metrics()['connection-count']).toBe(0)
})
