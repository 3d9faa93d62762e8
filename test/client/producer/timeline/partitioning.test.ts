import { afterEach, expect, test } from 'vitest'
import { metadata } from '../../../../src/apis/metadata.ts'
import { linesOf, Stage, traceOf } from './stage.ts'

let stage: Stage
afterEach(() => stage?.close())

/** Sends that many records without a key, so far apart; the partitions they went to, in runs. */
async function runsOf(count: number, gapMs: number): Promise<{ partition: number; count: number }[]> {
  const sends: Promise<{ partition: number }>[] = []
  for (let i = 0; i < count; i++) {
    sends.push(stage.producer.send({ topic: 't', value: 'x'.repeat(100) }))
    await stage.wait(gapMs)
  }
  await stage.producer.flush()
  const runs: { partition: number; count: number }[] = []
  for (const { partition } of await Promise.all(sends)) {
    const last = runs.at(-1)
    if (last?.partition === partition) last.count++
    else runs.push({ partition, count: 1 })
  }
  return runs
}

test('records without a key stay with a partition until it had batch.size of them and a batch is full (C-12)', async () => {
  stage = await Stage.open({ 'batch.size': 500, 'linger.ms': 50 }, { partitions: 4, warm: false })
  await stage.producer.partitionsFor('t')
  const runs = await runsOf(200, 2)
  // Four that fill a batch and the one that opened it; more where the same partition is drawn again, or two batches came.
  const theirs = [...traceOf('sticky')[0]!.matchAll(/\dx(\d+)/g)].slice(1, -1).map(found => Number(found[1]))
  expect(new Set(theirs)).toEqual(new Set([5, 13, 21]))
  // The first run and the last may be cut.
  for (const { count } of runs.slice(1, -1)) expect([5, 8, 13, 16, 21, 24, 29]).toContain(count)
  expect(new Set(runs.map(({ partition }) => partition)).size).toBe(4)
  expect(runs.filter(({ count }) => count === 5).length).toBeGreaterThan(5)
})

test('a batch counts with its 61 bytes: three records that travel alone are 500 bytes (C-12)', async () => {
  stage = await Stage.open({ 'batch.size': 500, 'linger.ms': 5 }, { partitions: 4, warm: false })
  await stage.producer.partitionsFor('t')
  const runs = await runsOf(24, 30)
  expect(traceOf('sticky-slow')[0]).toContain('0 0 0 1 1 1 3 3 3')
  for (const { count } of runs) expect(count % 3).toBe(0)
})

test('the record that moves on opens a batch on the next partition, which is often taken along at once, alone (C-12, C-13, C-33)', async () => {
  stage = await Stage.open({ 'batch.size': 500, 'linger.ms': 50 }, { partitions: 4, warm: false })
  await stage.producer.partitionsFor('t')
  stage.writing.begin()
  const sends: Promise<unknown>[] = []
  for (let i = 0; i < 44; i++) {
    sends.push(stage.send(`r${i}`, { partition: null, bytes: 100 }))
    await stage.wait(3)
  }
  await stage.producer.flush()
  await Promise.all(sends)
  const sizes = (texts: readonly string[]) =>
    new Set(texts.flatMap(text => [...text.matchAll(/ n=(\d+)/g)].map(found => Number(found[1]))))
  const theirs = sizes(linesOf('sticky-trace').map(({ text }) => text))
  expect(theirs).toEqual(new Set([1, 4]))
  // The last batches are flushed as they are.
  const requests = stage.texts('Produce').filter(text => text.startsWith('>'))
  expect(sizes(requests.slice(0, -1))).toEqual(theirs)
  expect(requests.some(text => / n=1 .* n=4 | n=4 .* n=1 /.test(text))).toBe(true)
})

test('partitions of keys are those of the Java producer; a given one comes first; ignored keys do not count (C-10, C-11, C-14)', async () => {
  stage = await Stage.open({}, { partitions: 6 })
  const partitionOf = async (key: string | undefined, producer = stage.producer, partition?: number) => {
    const record = { topic: 't', value: 'x', ...(key === undefined ? {} : { key }) }
    return (await producer.send(partition === undefined ? record : { ...record, partition })).partition
  }
  const told: string[] = []
  for (const key of ['', 'k', 'key', 'order-1', 'foobar', 'ユーザー']) told.push(`${key}=${await partitionOf(key)}`)
  expect(traceOf('partitioning')[0]).toContain(`key -> partition of 6: ${told.join(' ')}`)
  expect(await partitionOf('k', stage.producer, 5)).toBe(5)
  const ignoring = stage.another({ 'partitioner.ignore.keys': true })
  const ignored = await Promise.all(Array.from({ length: 10 }, () => partitionOf('k', ignoring)))
  expect(new Set(ignored).size).toBe(1)
  const turns = stage.another({ 'partitioner.class': 'org.apache.kafka.clients.producer.RoundRobinPartitioner' })
  const taken: number[] = []
  for (let i = 0; i < 9; i++) taken.push(await partitionOf(undefined, turns))
  expect(taken).toEqual([0, 1, 2, 3, 4, 5, 0, 1, 2])
  await Promise.all([ignoring.close(), turns.close()])
})

test('a partition that the topic does not have is waited for until max.block.ms, with metadata asked again (C-22)', async () => {
  stage = await Stage.open({ 'max.block.ms': 300 })
  const { error, at } = await stage.send('a', { partition: 9 })
  expect(at).toBe(300)
  expect((error as Error).message).toBe(
    'Partition 9 of topic t with partition count 2 is not present in metadata after 300 ms.',
  )
  stage.asInKafka('partition-range', { kinds: ['ends'] })
  expect(linesOf('partition-range').filter(({ text }) => text.startsWith('> Metadata'))).toHaveLength(2)
  expect(stage.times('> Metadata').length).toBeGreaterThanOrEqual(2)
})

test('a partitioner that answers -1 is refused; with one beyond the topic the record waits until delivery.timeout.ms (C-10)', async () => {
  stage = await Stage.open()
  for (const [answer, expected, after] of [
    [-1, 'a IllegalArgumentException', 0],
    [7, 'a TimeoutException', 1200],
  ] as const) {
    const config = { 'delivery.timeout.ms': 1200, 'request.timeout.ms': 1000, 'max.block.ms': 500, 'linger.ms': 0 }
    const producer = stage.another({ ...config, 'partitioner.class': () => answer })
    await stage.send('explicit', { partition: 1 }, producer)
    stage.writing.begin()
    const { at } = await stage.send('a', { partition: null }, producer)
    expect([at, ...stage.texts('ends')]).toEqual([after, expected])
    await stage.send('explicit', { partition: 1 }, producer)
    expect(stage.texts('ends').at(-1)).toMatch(/^explicit ok t-1/)
    await producer.close()
  }
  expect(linesOf('custom-partitioner').map(({ text }) => text)).toContain('a TimeoutException')
})

test('records without a key only go to partitions that have a leader; those with one hash over all, and wait (C-10, C-13)', async () => {
  for (const isAdaptive of [false, true]) {
    stage = await Stage.open(
      { 'partitioner.adaptive.partitioning.enable': isAdaptive, 'delivery.timeout.ms': 31_000 },
      { partitions: 3, warm: false },
    )
    stage.proxy.on(metadata, () => ({
      edit: answer => ({
        ...answer,
        topics: answer.topics.map(topic => ({
          ...topic,
          partitions: topic.partitions.map(one => (one.partitionIndex === 1 ? one : { ...one, leaderId: -1 })),
        })),
      }),
    }))
    const went = await Promise.all(Array.from({ length: 30 }, () => stage.send('x', { partition: null })))
    expect(new Set(went.map(one => one.metadata?.partition))).toEqual(new Set([1]))
    expect(traceOf('sticky-one-available').join()).toContain('unkeyed records went to [1]')
    // 'key' is of partition 0.
    let isDone = false
    void stage.send('keyed', { partition: null, key: 'foobar' }).then(() => {
      isDone = true
    })
    await stage.wait(1000)
    expect(isDone).toBe(false)
    if (!isAdaptive) await stage.close()
  }
})
