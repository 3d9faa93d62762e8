import { afterEach, expect, test } from 'vitest'
import { fetch } from '../../src/apis/fetch.ts'
import { listOffsets } from '../../src/apis/list-offsets.ts'
import { type Cluster, type ClusterOptions, createCluster, hold, reset } from '../../src/index.ts'
import {
  IllegalArgumentError,
  IllegalStateError,
  NoOffsetForPartitionError,
  SerializationError,
  WakeupError,
} from '../../src/wire/errors.ts'

let cluster: Cluster
afterEach(() => cluster?.close())

const first = { topic: 'orders', partition: 0 }

async function start(options: ClusterOptions = {}): Promise<Cluster> {
  const topics = { orders: { partitions: 2, replicationFactor: 3 } }
  cluster = await createCluster({ topics, configs: { 'auto.create.topics.enable': false }, ...options })
  return cluster
}

async function fill(count: number, partition = 0, timestamp?: number): Promise<void> {
  const producer = cluster.producer()
  const sends = Array.from({ length: count }, (_, i) =>
    producer.send({ topic: 'orders', partition, value: `${i}`, timestamp: timestamp && timestamp + i }),
  )
  await Promise.all(sends)
  await producer.close()
}

const reader = (config: Parameters<Cluster['consumer']>[0] = {}) =>
  cluster.consumer({ 'auto.offset.reset': 'earliest', 'value.deserializer': 'string', ...config })

test('records come in order for each partition, with everything that was sent, at most max.poll.records at a time', async () => {
  await start()
  await fill(25)
  const consumer = reader({ 'max.poll.records': 10 })
  consumer.assign([first])
  const polls = []
  for (let i = 0; i < 3; i++) polls.push(await consumer.poll({ timeoutMs: 1_000 }))
  expect(polls.map(records => records.length)).toEqual([10, 10, 5])
  expect(polls.flatMap(records => records.map(({ offset, value }) => [offset, value]))).toEqual(
    Array.from({ length: 25 }, (_, i) => [i, `${i}`]),
  )
  expect(await consumer.position(first)).toBe(25)
})

test('a record has its key, headers, timestamp, sizes and leader epoch; without a deserializer, Buffers', async () => {
  await start()
  const producer = cluster.producer()
  const headers = [
    ['trace', 'a'],
    ['trace', null],
  ] as const
  await producer.send({ ...first, key: 'k', value: 'vv', timestamp: 1_767_225_600_042, headers })
  const consumer = cluster.consumer({ 'auto.offset.reset': 'earliest' })
  consumer.assign([first])
  const [record] = await consumer.poll({ timeoutMs: 1_000 })
  expect(record).toEqual({
    topic: 'orders',
    partition: 0,
    offset: 0,
    timestamp: 1_767_225_600_042,
    timestampType: 'CreateTime',
    key: Buffer.from('k'),
    value: Buffer.from('vv'),
    headers: [
      { key: 'trace', value: Buffer.from('a') },
      { key: 'trace', value: null },
    ],
    leaderEpoch: 0,
    serializedKeySize: 1,
    serializedValueSize: 2,
  })
})

test('a poll without records waits out its timeout, and no longer than the first record needs', async () => {
  await start()
  const consumer = reader()
  consumer.assign([first])
  const before = cluster.clock.now()
  expect(await consumer.poll({ timeoutMs: 2_000 })).toHaveLength(0)
  expect(cluster.clock.now() - before).toBe(2_000)
  const waiting = consumer.poll({ timeoutMs: 60_000 })
  await fill(1)
  expect(await waiting).toHaveLength(1)
  expect(cluster.clock.now() - before).toBeLessThan(3_000)
})

test('polls of no time at all come to their records', async () => {
  await start()
  await fill(1)
  const consumer = reader()
  consumer.assign([first])
  let polls = 0
  while ((await consumer.poll({ timeoutMs: 0 })).length === 0) polls++
  expect(polls).toBeLessThan(100)
})

test('what a poll found is an array that knows its partitions', async () => {
  await start()
  await fill(3, 0)
  await fill(2, 1)
  const consumer = reader()
  consumer.assign([first, { topic: 'orders', partition: 1 }])
  const found = []
  const counts = new Map<number, number>()
  while (found.length < 5) {
    const records = await consumer.poll({ timeoutMs: 1_000 })
    found.push(...records)
    for (const { partition } of records.partitions()) {
      counts.set(partition, (counts.get(partition) ?? 0) + records.recordsOf('orders', partition).length)
    }
    expect(records.filter(() => false).constructor).toBe(Array)
  }
  expect([...counts].sort()).toEqual([
    [0, 3],
    [1, 2],
  ])
})

test('auto.offset.reset: latest reads what comes after, earliest all, none refuses to guess (M-50)', async () => {
  await start()
  await fill(3)
  const latest = reader({ 'auto.offset.reset': 'latest' })
  latest.assign([first])
  expect(await latest.position(first)).toBe(3)
  await fill(1)
  expect((await latest.poll({ timeoutMs: 1_000 })).map(({ offset }) => offset)).toEqual([3])
  const none = reader({ 'auto.offset.reset': 'none' })
  none.assign([first])
  await expect(none.poll({ timeoutMs: 1_000 })).rejects.toThrow(NoOffsetForPartitionError)
  none.seek(first, 2)
  expect((await none.poll({ timeoutMs: 1_000 })).map(({ offset }) => offset)).toEqual([2, 3])
})

test('a position that the log does not have any more is reset by the policy, or an error (F-10)', async () => {
  await start()
  await fill(10)
  await cluster.admin().deleteRecords([{ ...first, beforeOffset: 4 }])
  const consumer = reader()
  consumer.assign([first])
  consumer.seek(first, 1)
  const found = []
  while (found.length < 6) found.push(...(await consumer.poll({ timeoutMs: 1_000 })))
  expect(found.map(({ offset }) => offset)).toEqual([4, 5, 6, 7, 8, 9])
  const none = reader({ 'auto.offset.reset': 'none' })
  none.assign([first])
  none.seek(first, 1)
  await expect(none.poll({ timeoutMs: 1_000 })).rejects.toMatchObject({
    errorName: 'OFFSET_OUT_OF_RANGE',
    message: 'Fetch position 1 is out of range for partition orders-0',
  })
})

test('seek, seekToBeginning and seekToEnd move the position, also while records are buffered', async () => {
  await start()
  await fill(10)
  const consumer = reader({ 'max.poll.records': 2 })
  consumer.assign([first])
  const offsets = async () => (await consumer.poll({ timeoutMs: 1_000 })).map(({ offset }) => offset)
  expect(await offsets()).toEqual([0, 1])
  consumer.seek(first, 7)
  expect(await offsets()).toEqual([7, 8])
  consumer.seekToBeginning()
  expect(await offsets()).toEqual([0, 1])
  consumer.seekToEnd([first])
  expect(await consumer.position(first)).toBe(10)
  expect(await offsets()).toEqual([])
})

test('records that were asked for before a seek are not handed out after it', async () => {
  await start()
  for (let batch = 0; batch < 2; batch++) await fill(5)
  const consumer = reader({ 'max.poll.records': 3 })
  consumer.assign([first])
  consumer.seek(first, 6)
  const held = cluster.network.rule(hold({ to: 'consumer-1', api: fetch, kind: 'response' }))
  expect(await consumer.poll({ timeoutMs: 1_000 })).toHaveLength(0)
  consumer.seek(first, 1)
  held.dispose()
  expect((await consumer.poll({ timeoutMs: 1_000 })).map(({ offset }) => offset)).toEqual([1, 2, 3])
})

test('positions of several partitions may be asked for at once, and while another call polls', async () => {
  await start()
  await fill(4, 0)
  await fill(2, 1)
  const second = { topic: 'orders', partition: 1 }
  const consumer = reader({ 'auto.offset.reset': 'latest' })
  consumer.assign([first, second])
  const began = cluster.clock.now()
  const polled = consumer.poll({ timeoutMs: 1_000 })
  expect(await Promise.all([first, second, first].map(each => consumer.position(each)))).toEqual([4, 2, 4])
  expect(await polled).toHaveLength(0)
  const another = reader()
  another.assign([first, second])
  expect(await Promise.all([first, second].map(each => another.position(each)))).toEqual([0, 0])
  expect(cluster.clock.now() - began).toBeLessThan(5_000)
})

test('a paused partition hands out nothing and keeps its place', async () => {
  await start()
  await fill(4, 0)
  await fill(4, 1)
  const second = { topic: 'orders', partition: 1 }
  const consumer = reader({ 'max.poll.records': 2 })
  consumer.assign([first, second])
  await consumer.position(first)
  const before = await consumer.poll({ timeoutMs: 1_000 })
  consumer.pause([first])
  expect(consumer.paused()).toEqual([first])
  const during = []
  for (let i = 0; i < 4; i++) during.push(...(await consumer.poll({ timeoutMs: 1_000 })))
  expect(new Set(during.map(({ partition }) => partition))).toEqual(new Set([1]))
  consumer.resume([first])
  const after = []
  for (let i = 0; i < 4; i++) after.push(...(await consumer.poll({ timeoutMs: 1_000 })))
  const all = [...before, ...during, ...after].filter(({ partition }) => partition === 0)
  expect(all.map(({ offset }) => offset)).toEqual([0, 1, 2, 3])
})

test('offsets can be asked for by place and by time, without reading (W-42)', async () => {
  await start()
  await fill(5, 0, 1_767_225_600_100)
  const consumer = reader()
  const [beginning, end] = [await consumer.beginningOffsets([first]), await consumer.endOffsets([first])]
  expect([beginning.get(first), end.get(first)]).toEqual([0, 5])
  const at = async (time: number) => (await consumer.offsetsForTimes(new Map([[first, time]]))).get(first)
  expect(await at(1_767_225_600_102)).toEqual({ offset: 2, timestamp: 1_767_225_600_102, leaderEpoch: 0 })
  expect(await at(1_767_225_600_200)).toBeNull()
  await expect(at(-1)).rejects.toThrow(IllegalArgumentError)
})

test('an offset is asked for until a leader answers', async () => {
  await start()
  await fill(5)
  let refusals = 0
  cluster.intercept(listOffsets, (request, next) => {
    if (refusals++ > 1) return next()
    const partitions = [{ partitionIndex: 0, errorCode: 6 }]
    return { topics: [{ name: request.body.topics[0]!.name, partitions }] }
  })
  expect((await reader().endOffsets([first])).get(first)).toBe(5)
})

test('partitionsFor tells leader and replicas, and nothing of a topic that does not exist', async () => {
  await start()
  const infos = await reader().partitionsFor('orders')
  expect(infos.map(({ partition, leader }) => [partition, leader])).toEqual([
    [0, cluster.leaderOf('orders', 0).id],
    [1, cluster.leaderOf('orders', 1).id],
  ])
  expect(infos[0]?.inSyncReplicas).toHaveLength(3)
  expect(await reader().partitionsFor('audit')).toEqual([])
})

test('reading goes on at the next leader when a leader dies, without loss or repetition (R-37)', async () => {
  await start()
  await fill(10)
  const consumer = reader({ 'max.poll.records': 4 })
  consumer.assign([first])
  const offsets: number[] = []
  offsets.push(...(await consumer.poll({ timeoutMs: 1_000 })).map(({ offset }) => offset))
  await cluster.leaderOf('orders', 0).crash()
  await fill(5)
  while (offsets.length < 15) {
    const records = await consumer.poll({ timeoutMs: 30_000 })
    expect(records.length).toBeGreaterThan(0)
    offsets.push(...records.map(({ offset }) => offset))
  }
  expect(offsets).toEqual(Array.from({ length: 15 }, (_, i) => i))
})

test('a log that was cut by an unclean election is noticed: reading goes on where both agree (R-37, R-42)', async () => {
  await start({
    brokers: 2,
    topics: {
      orders: { assignments: [[1, 2]], configs: { 'unclean.leader.election.enable': true, 'min.insync.replicas': 1 } },
    },
    configs: { 'auto.create.topics.enable': false },
  })
  await fill(5)
  await cluster.broker(2).crash()
  await fill(5)
  const consumer = reader()
  const strict = reader({ 'auto.offset.reset': 'none' })
  for (const one of [consumer, strict]) {
    one.assign([first])
    one.seek(first, 0)
    let read = 0
    while (read < 10) read += (await one.poll({ timeoutMs: 5_000 })).length
  }
  await cluster.broker(1).crash()
  await cluster.broker(2).restart()
  await cluster.runUntil(() => cluster.partition('orders', 0).leader === 2)
  const producer = cluster.producer({ 'value.serializer': 'string' })
  await producer.send({ ...first, value: 'new' })
  const found = []
  while (found.length === 0) found.push(...(await consumer.poll({ timeoutMs: 30_000 })))
  expect(found.map(({ offset, value }) => [offset, value])).toEqual([[5, 'new']])
  const refused = async () => {
    for (;;) await strict.poll({ timeoutMs: 30_000 })
  }
  await expect(refused()).rejects.toMatchObject({ name: 'LogTruncationError' })
})

test('a consumer reads from the follower in its rack, and from the leader again when that is gone (R-60, R-61)', async () => {
  await start({
    brokers: [1, 2, 3].map(id => ({ id, rack: `rack-${id}` })),
    topics: { orders: { assignments: [[1, 2, 3]] } },
    configs: {
      'auto.create.topics.enable': false,
      'replica.selector.class': 'org.apache.kafka.common.replica.RackAwareReplicaSelector',
    },
  })
  const asked: number[] = []
  cluster.intercept(fetch, (request, next) => {
    if (request.peer === undefined) asked.push(request.node)
    return next()
  })
  await fill(10)
  const consumer = reader({ 'client.rack': 'rack-3' })
  consumer.assign([first])
  let read = 0
  while (read < 10) read += (await consumer.poll({ timeoutMs: 5_000 })).length
  await consumer.poll({ timeoutMs: 2_000 })
  expect(asked[0]).toBe(1)
  expect(new Set(asked.slice(1))).toEqual(new Set([3]))
  await cluster.broker(3).crash()
  asked.length = 0
  await fill(10)
  while (read < 20) read += (await consumer.poll({ timeoutMs: 5_000 })).length
  expect(asked.at(-1)).toBe(1)
})

test('after the first fetch only changes are asked for: one session per broker (F-20, F-23)', async () => {
  await start({ topics: { orders: { assignments: [[1], [1], [1]] } } })
  const requests: { epoch: number; partitions: number }[] = []
  cluster.intercept(fetch, (request, next) => {
    if (request.peer === undefined) {
      const partitions = request.body.topics.reduce((sum, topic) => sum + topic.partitions.length, 0)
      requests.push({ epoch: request.body.sessionEpoch, partitions })
    }
    return next()
  })
  const consumer = reader()
  consumer.assign([0, 1, 2].map(partition => ({ topic: 'orders', partition })))
  await consumer.poll({ timeoutMs: 3_000 })
  await fill(1)
  expect(await consumer.poll({ timeoutMs: 3_000 })).toHaveLength(1)
  await consumer.poll({ timeoutMs: 3_000 })
  expect(requests[0]).toEqual({ epoch: 0, partitions: 3 })
  expect(requests.slice(1).map(({ epoch }) => epoch)).toEqual(requests.slice(1).map((_, index) => index + 1))
  expect(requests.slice(1).filter(({ partitions }) => partitions > 0)).toEqual([
    { epoch: expect.any(Number), partitions: 1 },
  ])
})

test('a lost connection costs a fetch, not a record', async () => {
  await start()
  await fill(20)
  cluster.network.rule(reset({ api: fetch, from: cluster.leaderOf('orders', 0), to: 'consumer-1', times: 2 }))
  const consumer = reader({ 'max.poll.records': 5 })
  consumer.assign([first])
  const offsets: number[] = []
  while (offsets.length < 20) offsets.push(...(await consumer.poll({ timeoutMs: 5_000 })).map(({ offset }) => offset))
  expect(offsets).toEqual(Array.from({ length: 20 }, (_, i) => i))
})

test('a record that cannot be deserialized is not passed over; seek gets past it', async () => {
  await start()
  const producer = cluster.producer()
  for (const value of ['1', 'no json', '3']) await producer.send({ ...first, value })
  const consumer = reader({ 'value.deserializer': 'json' })
  consumer.assign([first])
  expect((await consumer.poll({ timeoutMs: 1_000 })).map(({ value }) => value)).toEqual([1])
  for (let i = 0; i < 2; i++) {
    await expect(consumer.poll({ timeoutMs: 1_000 })).rejects.toThrow(SerializationError)
  }
  consumer.seek(first, 2)
  expect((await consumer.poll({ timeoutMs: 1_000 })).map(({ value }) => value)).toEqual([3])
})

test('wakeup ends a pending poll, once', async () => {
  await start()
  const consumer = reader()
  consumer.assign([first])
  const pending = consumer.poll({ timeoutMs: 60_000 })
  consumer.wakeup()
  await expect(pending).rejects.toThrow(WakeupError)
  expect(await consumer.poll({ timeoutMs: 10 })).toHaveLength(0)
})

test('misuse says what is wrong', async () => {
  await start()
  const consumer = reader()
  await expect(consumer.poll({ timeoutMs: 1 })).rejects.toThrow(
    'not subscribed to any topics or assigned any partitions',
  )
  consumer.assign([first])
  await expect(consumer.poll({ timeoutMs: -1 })).rejects.toThrow(IllegalArgumentError)
  expect(() => consumer.assign([{ topic: 'orders', partition: -1 }])).toThrow(IllegalArgumentError)
  expect(() => consumer.assign([{ partition: 0 } as never])).toThrow(/topic is missing/)
  expect(() => consumer.seek(first, -1)).toThrow(IllegalArgumentError)
  expect(() => consumer.seek({ topic: 'orders', partition: 1 }, 0)).toThrow(
    new IllegalStateError('No current assignment for partition orders-1: assigned are orders-0'),
  )
  const polling = consumer.poll({ timeoutMs: 100 })
  await expect(consumer.poll({ timeoutMs: 100 })).rejects.toThrow(/being polled already/)
  await polling
  await consumer.close()
  expect(() => consumer.assign([first])).toThrow(IllegalStateError)
  await expect(consumer.poll({ timeoutMs: 1 })).rejects.toThrow(IllegalStateError)
})

test('close ends a pending poll', async () => {
  await start()
  const consumer = reader()
  consumer.assign([first])
  const pending = consumer.poll({ timeoutMs: 60_000 })
  await consumer.close()
  await expect(pending).rejects.toThrow(IllegalStateError)
})

test('iteration rides the time that other calls drive, and time stands still while its body works', async () => {
  await start()
  const consumer = reader()
  consumer.assign([first])
  const seen: string[] = []
  const times: number[] = []
  const reading = (async () => {
    for await (const { value } of consumer) {
      const before = cluster.clock.now()
      await new Promise(resolve => setTimeout(resolve, 5))
      times.push(cluster.clock.now() - before)
      seen.push(value as unknown as string)
      if (seen.length === 6) break
    }
  })()
  await fill(3)
  await cluster.runUntil(() => seen.length === 3)
  await fill(3)
  await cluster.runUntil(() => seen.length === 6)
  await reading
  expect(seen).toEqual(['0', '1', '2', '0', '1', '2'])
  expect(times).toEqual([0, 0, 0, 0, 0, 0])
})

test('the body of an iteration may call the cluster: time runs for its calls', async () => {
  await start({ topics: { orders: {}, done: {} } })
  const consumer = reader()
  consumer.assign([first])
  const producer = cluster.producer()
  let answered = 0
  const reading = (async () => {
    for await (const { value } of consumer) {
      await producer.send({ topic: 'done', value: value as unknown as string })
      if (++answered === 3) break
    }
  })()
  await fill(3)
  await cluster.runUntil(() => answered === 3)
  await reading
  expect(cluster.partition('done', 0).highWatermark).toBe(3)
})

test('closing a consumer ends its iteration', async () => {
  await start()
  const consumer = reader()
  consumer.assign([first])
  const reading = (async () => {
    let count = 0
    for await (const _ of consumer) count++
    return count
  })()
  await cluster.clock.advance(1_000)
  await consumer.close()
  expect(await reading).toBe(0)
})

test('a broker that does not answer is waited for, then asked again over a new connection', async () => {
  await start()
  await fill(3)
  const consumer = reader({ 'request.timeout.ms': 1_000, 'fetch.max.wait.ms': 100 })
  consumer.assign([first])
  await consumer.position(first)
  const held = cluster.network.rule(hold({ from: 'consumer-1', api: fetch, times: 1 }))
  expect(await consumer.poll({ timeoutMs: 900 })).toHaveLength(0)
  held.dispose()
  expect(await consumer.poll({ timeoutMs: 10_000 })).toHaveLength(3)
})
